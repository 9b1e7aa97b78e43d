// Arguments of the selective scan's kernels. Rows are (b·L + t); strides count elements from row to row. Long sequences are cut into
// segments, so that there is work for every multiprocessor: the states (or their gradients) at the cuts are then computed before.
#pragma once

struct ScanForwardParams
{
    const void* u;              // (B, L, D) REAL
    const void* delta;          // (B, L, D) REAL, before bias and softplus
    const float* a;             // (D, N), negative
    const void* b;              // (B, L, G·N) REAL
    const void* c;              // (B, L, G·N) REAL
    const float* d;             // (D), or null
    const void* z;              // (B, L, D) REAL, or null
    const float* deltaBias;     // (D), or null
    const float* initialState;  // (B, segments, D, N) states before each segment, or null for zeros
    void* y;                    // (B, L, D) REAL
    float* finalState;          // (B, D, N), or null
    float* checkpoints;         // (B, chunks, N, D) states at the starts of chunks, or null
    long long length;           // L
    long long segmentLength;    // a multiple of the tiles of all passes
    long long uStride;
    long long deltaStride;
    long long bStride;
    long long cStride;
    long long zStride;
    long long yStride;
    int channels;               // D
    int states;                 // N
    int groups;                 // G
    int segments;
    int deltaSoftplus;
};

// What a segment does to the state, starting from zero: forward the state after it, backward the gradient of the state before it.
struct ScanCarryParams
{
    const void* u;              // (B, L, D) REAL, forward
    const void* delta;          // (B, L, D) REAL
    const float* a;             // (D, N)
    const void* matrix;         // (B, L, G·N) REAL: B forward, C backward
    const void* z;              // (B, L, D) REAL, or null, backward
    const void* dy;             // (B, L, D) REAL, backward
    const float* deltaBias;     // (D), or null
    float* ends;                // (B, segments, D, N)
    float* totals;              // (B, segments, D) sums of delta
    long long length;
    long long segmentLength;
    long long uStride;
    long long deltaStride;
    long long matrixStride;
    long long zStride;
    long long dyStride;
    int channels;
    int states;
    int groups;
    int segments;
    int deltaSoftplus;
};

// From what each segment does alone to the states (forward) or gradients (backward) at the cuts.
struct ScanChainParams
{
    const float* a;             // (D, N)
    const float* ends;          // (B, segments, D, N)
    const float* totals;        // (B, segments, D)
    const float* start;         // (B, D, N) before the first segment (backward: after the last), or null for zeros
    float* carries;             // (B, segments, D, N) what each segment starts from
    long long sequences;        // B
    int channels;
    int states;
    int segments;
    int backward;
};

struct ScanBackwardParams
{
    const void* u;
    const void* delta;
    const float* a;
    const void* b;
    const void* c;
    const float* d;
    const void* z;
    const float* deltaBias;
    const float* checkpoints;   // (B, chunks, N, D), a chunk a tile
    const float* carries;       // (B, segments, D, N) gradients of the states after each segment, or null for zeros
    const void* dy;             // (B, L, D) REAL
    void* du;                   // (B, L, D) REAL
    void* dDelta;               // (B, L, D) REAL
    void* dz;                   // (B, L, D) REAL, when there is z
    float* sums;                // (B·segments, N + 2, D) partial sums of dA, of the gradient of the bias and of dD
    float* dMatrices;           // (B·L, blocks of channels, 2N) partial sums of dB and dC
    float* dInitialState;       // (B, D, N), or null
    long long length;
    long long segmentLength;
    long long uStride;
    long long deltaStride;
    long long bStride;
    long long cStride;
    long long zStride;
    long long dyStride;
    long long dzStride;
    int channels;
    int states;
    int groups;
    int segments;
    int deltaSoftplus;
};

// dB and dC from the partial sums of the blocks of channels of each group.
struct ScanMatricesParams
{
    const float* partials;      // (rows, blocks, 2N)
    void* db;                   // (rows, G·N) REAL
    void* dc;                   // (rows, G·N) REAL
    long long rows;             // B·L
    int blocks;
    int states;
    int groups;
};
