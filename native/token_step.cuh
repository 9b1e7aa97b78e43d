// Parameters of one token of a few sequences through a whole causal model. A null pointer is an absent operand, which counts as 0.
#pragma once

#include "numbers.cuh"

// Weights and states of one block; the table of them lies in the GPU's memory. M, D, W, N, R: DModel, DInner, DConv, DState, DtRank.
struct TokenStepBlock
{
    const float* norm;            // (M)
    const void* in;               // (2*D, M), REAL: x, then the gate
    const float* inBias;          // (2*D)
    const float* convolution;     // (D, W), the oldest input's tap first
    const float* convolutionBias; // (D)
    const void* select;           // (R + 2*N, D), REAL: what step sizes are made of, then B, then C
    const void* delta;            // (D, R), REAL
    const float* deltaBias;       // (D)
    const float* aLog;            // (D, N): ln(-A)
    const float* skip;            // (D)
    const void* out;              // (M, D), REAL
    const float* outBias;         // (M)
    void* inputs;                 // (B, W-1, D), REAL: the inputs of the convolution, oldest first; moved on in place
    float* state;                 // (B, D, N): the state of the scan, replaced by the next
};

struct TokenStepParams
{
    const TokenStepBlock* blocks;
    const int* ids;          // (B)
    const float* embedding;  // (V, M)
    const float* position;   // (M): added to the vectors of ids
    const float* lastNorm;   // (M)
    const float* head;       // (V, M)
    float* stream;           // (B, M): the residual stream
    float* u;                // (B, D): what the scan reads
    float* gate;             // (B, D): silu(z)
    float* selected;         // (B, R + 2*N)
    float* y;                // (B, D): what the scan gives, gated
    float* scores;           // (B, V)
    unsigned* counts;        // (blocks of the grid), 0 before the first launch: where they wait for each other
    long long vocabulary;
    int batch;
    int model;
    int channels;
    int width;
    int states;
    int rank;
    int layers;
    int firstPhase;
    int endPhase;
    int inSplit; // binary logarithm of the warps that share a row of a matrix
    int selectSplit;
    int outSplit;
    int headSplit;
    float normEpsilon;
    float selectionEpsilon; // 0: what is selected is not normed
};
