// dB and dC: the sums of what each block of channels has given, in the order of the blocks.
//
// Defines: REAL.
#include "numbers.cuh"
#include "selective_scan.cuh"

extern "C" __global__ void __launch_bounds__(256) selective_scan_matrices(const __grid_constant__ ScanMatricesParams p)
{
    const long long index = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int columns = 2 * p.states * p.groups;
    if (index >= p.rows * columns)
        return;
    const long long row = index / columns;
    const int column = index % columns, group = column / (2 * p.states), n = column % (2 * p.states), perGroup = p.blocks / p.groups;
    const float* from = p.partials + (row * p.blocks + static_cast<long long>(group) * perGroup) * 2 * p.states + n;
    float sum = 0.0f;
#pragma unroll 8
    for (int i = 0; i < perGroup; i++)
        sum += from[static_cast<long long>(i) * 2 * p.states];
    REAL* to = static_cast<REAL*>(n < p.states ? p.db : p.dc);
    if (to)
        to[row * p.states * p.groups + group * p.states + n % p.states] = from_float<REAL>(sum);
}
