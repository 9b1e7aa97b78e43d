// Parameters of the sums over the rows of partial results.
#pragma once

#include "numbers.cuh"

struct OrderedSumsParams
{
    const float* partials; // (rows, taps + 1, channels) when there is a bias, else (rows, taps, channels)
    float* weight;         // (channels, taps)
    float* bias;           // (channels)
    long long rows;
    long long channels;
    int taps;
    int planes; // taps, and 1 for the bias
};
