// The sum of the squares of all elements of many tensors in two stages whose order the table fixes: sums of one block each, then
// their sum by one block. Four squares are added in float32, everything after that in float64.
//
// Compile with -DELEMENTS=16384 (see tensor_table.cuh).
#include "earlier_launches.cuh"
#include "packs.cuh"
#include "sum_of_squares.cuh"
#include "tensor_table.cuh"

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

template <int Count>
MAMBA_DEVICE float squares(const float* values, long long at)
{
    const Vector<float, Count> pack = load_pack<float, Count>(values, at);
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < Count; i++)
        sum += pack.at[i] * pack.at[i];
    return sum;
}

extern "C" __global__ void __launch_bounds__(Threads) squares_of_blocks(const __grid_constant__ SquaresParams p)
{
    wait_for_earlier_launches();
    const SquaresRow row = row_of_block(p.rows, p.count);
    const Part part(row);
    long long rest = part.first;
    double sum = 0.0;
    if (takes_packs(address_of(row.values)))
    {
        rest = part.packed();
#pragma unroll 4
        for (long long at = part.first + threadIdx.x * 4; at < rest; at += Threads * 4)
            sum += squares<4>(row.values, at);
    }

    for (long long at = rest + threadIdx.x; at < part.end; at += Threads)
        sum += squares<1>(row.values, at);
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        p.partials[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(Threads) sum_of_blocks(const __grid_constant__ SquaresParams p)
{
    wait_for_earlier_launches();
    double sum = 0.0;
#pragma unroll 4
    for (int i = threadIdx.x; i < p.blocks; i += Threads)
        sum += p.partials[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *p.result = sum;
}
