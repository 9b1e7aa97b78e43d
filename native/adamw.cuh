// Parameters of one step of AdamW: the factors of Microsoft.ML.Mamba.Kernels.AdamWStep, rounded once.
#pragma once

#include "numbers.cuh"

struct AdamWParams
{
    float* weight;
    const float* gradient;
    float* firstMoment;
    float* secondMoment;
    long long count;
    float gradientScale;
    float gain1; // 1 - Beta1
    float beta2;
    float gain2; // 1 - Beta2
    float shrink;
    float stepSize;
    float rootScale;
    float epsilon;
};
