// Parameters of the sums over the rows of partial results.
#pragma once

#include "numbers.cuh"

struct OrderedSumsParams
{
    const float* partials; // (rows, planes, channels)
    float* weight;         // (channels, taps), or null
    float* bias;           // (channels), or null
    float* skip;           // (channels), or null
    long long rows;
    long long channels;
    int taps;
    int planes; // taps, then the bias, then the skip, as far as there are any
};
