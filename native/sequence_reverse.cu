// Reverses each sequence of a right-padded batch within its own length; padding is copied. UNIT is what a thread moves at a time,
// whatever the elements are: one of CUDA's types of 2, 4, 8 or 16 bytes.
#include "earlier_launches.cuh"

struct SequenceReverseParams
{
    const UNIT* x;      // (batch * length, width)
    UNIT* y;            // the same
    const int* lengths; // (batch)
    long long x_stride; // units from row to row
    long long y_stride;
    long long batch;
    long long length;
    long long width; // units per row
    int threads_per_row_log2;
};

extern "C" __global__ void sequence_reverse(const __grid_constant__ SequenceReverseParams p)
{
    wait_for_earlier_launches();
    const int threads_per_row = 1 << p.threads_per_row_log2;
    const int rows_per_block = static_cast<int>(blockDim.x) >> p.threads_per_row_log2;
    const long long row = static_cast<long long>(blockIdx.x) * rows_per_block + (threadIdx.x >> p.threads_per_row_log2);
    if (row >= p.batch * p.length)
    {
        return;
    }

    const long long b = row / p.length;
    const long long t = row - b * p.length;
    const long long own = p.lengths[b] < p.length ? p.lengths[b] : p.length;
    const UNIT* source = p.x + (t < own ? row - t + own - 1 - t : row) * p.x_stride;
    UNIT* target = p.y + row * p.y_stride;
    for (long long column = threadIdx.x & (threads_per_row - 1); column < p.width; column += threads_per_row)
    {
        target[column] = source[column];
    }
}
