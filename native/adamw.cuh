// Parameters of one step of AdamW over many weights: for each the factors of Microsoft.ML.Mamba.Kernels.AdamWStep, rounded once.
#pragma once

#include "numbers.cuh"

struct AdamWRow
{
    float* weight;
    const float* gradient;
    float* firstMoment;
    float* secondMoment;
    long long count;
    long long firstBlock;
    float gradientScale;
    float gain1; // 1 - Beta1
    float beta2;
    float gain2; // 1 - Beta2
    float shrink;
    float stepSize;
    float rootScale;
    float epsilon;
};

struct AdamWParams
{
    const AdamWRow* rows; // one for each weight, in the GPU's memory
    const float* loss;    // null: a step in any case, by gradients as they are
    const double* sumOfSquares;
    double maxNorm; // of all gradients together; 0: any
    double epsilon; // added to the norm
    int count;
};
