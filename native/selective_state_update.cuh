// Parameters of one step of the scan. Strides are in elements, from one row to the next. A null pointer is an absent operand.
#pragma once

#include "numbers.cuh"

struct StateUpdateParams
{
    float* state;           // (B, D, N), dense: replaced by the next
    const void* x;          // (B, D), REAL
    const void* delta;      // (B, D), REAL: before bias and softplus
    const float* a;         // (D, N): decay rates, or ln(-A)
    const void* b;          // (B, G*N), REAL
    const void* c;          // (B, G*N), REAL
    const float* d;         // (D)
    const void* z;          // (B, D), REAL
    const float* deltaBias; // (D)
    void* y;                // (B, D), REAL, dense
    long long batch;
    long long channels;
    long long channelsPerGroup;
    long long xStride;
    long long deltaStride;
    long long bStride;
    long long cStride;
    long long zStride;
    int states;
    int lanes; // threads that share a channel's states: a power of two up to 32
    int softplus;
    int aIsLog;
};
