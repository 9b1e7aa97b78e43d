// Parameters of the sum of squares over many tensors.
#pragma once

#include "numbers.cuh"

struct SquaresRow
{
    const float* values;
    long long count;
    long long firstBlock;
};

struct SquaresParams
{
    const SquaresRow* rows; // one for each tensor, in the GPU's memory
    double* partials;       // one for each block of the first stage
    double* result;
    int count;
    int blocks; // of the first stage
};
