// Parameters of the sum of squares.
#pragma once

#include "numbers.cuh"

struct SquaresParams
{
    const float* values;
    double* partials; // one for each block of the first stage
    double* result;
    long long count;
    int blocks; // of the first stage
};
