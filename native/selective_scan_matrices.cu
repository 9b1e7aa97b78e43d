// dB and dC: the sums of what each block of channels has given, in the order of the blocks.
//
// Defines: REAL; FOUR, 1 when N is a multiple of four, so that a thread takes four columns.
#include "earlier_launches.cuh"
#include "numbers.cuh"
#include "selective_scan.cuh"

extern "C" __global__ void __launch_bounds__(256) selective_scan_matrices(const __grid_constant__ ScanMatricesParams p)
{
    wait_for_earlier_launches();
    constexpr int Taken = FOUR ? 4 : 1;
    const long long index = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) * Taken;
    const int columns = 2 * p.states * p.groups;
    const long long row = index / columns;
    if (row >= p.rows)
        return;
    const int column = static_cast<int>(index - row * columns), group = column / (2 * p.states), n = column % (2 * p.states), perGroup = p.blocks / p.groups;
    const float* from = p.partials + (row * p.blocks + static_cast<long long>(group) * perGroup) * 2 * p.states + n;
    REAL* to = static_cast<REAL*>(n < p.states ? p.db : p.dc);
    if (!to)
        return;
    to += row * p.states * p.groups + group * p.states + n % p.states;
    float sum[Taken] = {};
#pragma unroll 8
    for (int i = 0; i < perGroup; i++)
    {
        if (FOUR)
        {
            const float4 more = *reinterpret_cast<const float4*>(from);
#pragma unroll
            for (int e = 0; e < Taken; e++)
                sum[e] += at(more, e);
        }
        else
        {
            sum[0] += *from;
        }
        from += 2 * p.states;
    }
#pragma unroll
    for (int e = 0; e < Taken; e++)
        to[e] = from_float<REAL>(sum[e]);
}
