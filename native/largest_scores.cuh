// Parameters of the search for the largest score of each row.
#pragma once

#include "numbers.cuh"

struct LargestScoresParams
{
    const float* scores; // (rows, count), dense
    float* values;       // (rows): the largest
    int* ids;            // (rows): where it is
    int count;
};
