// Parameters of the dropout whose mask is a function of a key and of each value's place.
#pragma once

#include "numbers.cuh"

struct DropoutParams
{
    const void* x; // REAL, dense
    void* y;       // REAL, dense
    long long count;
    long long key;
    int threshold; // unsigned: values whose hash is below are dropped
    float scale;
};
