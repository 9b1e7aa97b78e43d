// The sum of the squares of all elements in two stages whose order is fixed by the number of blocks: sums of one block each, then
// their sum by one block. Four squares are added in float32, everything after that in float64.
//
// Compile with -DVECTOR=1|4 (elements of one access; the address must be so aligned).
#include "packs.cuh"
#include "sum_of_squares.cuh"

constexpr int Threads = 256;

// The sum over the block, in its first thread.
MAMBA_DEVICE double block_sum(double value)
{
    __shared__ double sums[Threads / 32];
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xffffffffu, value, distance);
    if (threadIdx.x % 32 == 0)
        sums[threadIdx.x / 32] = value;
    __syncthreads();
    value = sums[0];
    for (int i = 1; i < Threads / 32; i++)
        value += sums[i];
    return value;
}

extern "C" __global__ void __launch_bounds__(Threads) squares_of_blocks(const __grid_constant__ SquaresParams p)
{
    const long long item = static_cast<long long>(blockIdx.x) * Threads + threadIdx.x;
    const long long items = static_cast<long long>(gridDim.x) * Threads;
    const long long packs = p.count / VECTOR;
    double sum = 0.0;
#pragma unroll 4
    for (long long i = item; i < packs; i += items)
    {
        const Vector<float, VECTOR> pack = load_pack<float, VECTOR>(p.values, i * VECTOR);
        float squares = 0.0f;
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            squares += pack.at[v] * pack.at[v];
        sum += squares;
    }

    for (long long i = packs * VECTOR + item; i < p.count; i += items)
        sum += p.values[i] * p.values[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        p.partials[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(Threads) sum_of_blocks(const __grid_constant__ SquaresParams p)
{
    double sum = 0.0;
    for (int i = threadIdx.x; i < p.blocks; i += Threads)
        sum += p.partials[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *p.result = sum;
}
