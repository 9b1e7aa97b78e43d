// Parameters of the root mean square norm over rows. Strides are in elements, from one row to the next. A null pointer is an
// operand that is absent or a result that is not wanted.
#pragma once

#include "numbers.cuh"

struct NormForwardParams
{
    const void* x;        // (rows, width), REAL
    const void* residual; // (rows, width), SUM
    const float* weight;  // (width)
    void* y;              // (rows, width), REAL, dense
    void* sum;            // (rows, width), SUM, dense: x + residual
    long long rows;
    long long width;
    long long xStride;
    long long residualStride;
    float epsilon;
};

struct NormBackwardParams
{
    const void* sum;     // (rows, width), SUM
    const float* weight; // (width)
    const void* dy;      // (rows, width), REAL
    const void* dSum;    // (rows, width), SUM
    void* dx;            // (rows, width), REAL, dense
    void* dResidual;     // (rows, width), SUM, dense: the same numbers
    float* partials;     // (blocks, width): each block's sum over its rows
    long long rows;
    long long width;
    long long sumStride;
    long long dyStride;
    long long dSumStride;
    long long rowsPerTeam;
    float epsilon;
};
