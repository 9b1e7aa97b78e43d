// Parameters of the causal depthwise convolution over rows of channels. Strides are in elements, from one row to the next; row
// b*length + t of x is position t of sequence b. A null pointer is an operand that is absent or a result that is not wanted.
#pragma once

#include "numbers.cuh"

struct ConvForwardParams
{
    const void* x;       // (B*L, D), REAL
    const float* weight; // (D, W), the last column meets the present position
    const float* bias;   // (D)
    const void* initial; // (B*(W-1), D), REAL: the inputs before the start, oldest first; null for zeros
    void* y;             // (B*L, D), REAL, dense
    void* last;          // (B*(W-1), D), REAL, dense: the last W-1 inputs
    long long batch;
    long long length;
    long long channels;
    long long xStride;
    long long initialStride;
    long long segments; // pieces of a sequence, one thread each
    int steps;          // positions of a piece
    int silu;
};

struct ConvBackwardParams
{
    const void* x;
    const float* weight;
    const float* bias;
    const void* initial;
    const void* dy;    // (B*L, D), REAL
    const void* dLast; // (B*(W-1), D), REAL
    void* dx;          // (B*L, D), REAL
    void* dInitial;    // (B*(W-1), D), REAL, dense
    float* partials;   // (B*segments, W+1, D): sums over one piece for the taps, then for the bias
    long long batch;
    long long length;
    long long channels;
    long long xStride;
    long long initialStride;
    long long dyStride;
    long long dxStride;
    long long dLastStride;
    long long segments;
    int steps;
    int silu;
};

struct ConvStepParams
{
    const void* x;       // (B, D), REAL
    const float* weight; // (D, W)
    const float* bias;   // (D)
    void* state;         // (B*(W-1), D), REAL, dense: the inputs before this one, oldest first; shifted in place
    void* y;             // (B, D), REAL, dense
    long long batch;
    long long channels;
    long long xStride;
    int silu;
};
