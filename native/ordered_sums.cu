// Sums over the rows of partial results, in a fixed order, so that the same launch gives the same bits. A block has 32 columns;
// its 32 warps take equal runs of the rows, whose sums are then added from the first run to the last.
#include "earlier_launches.cuh"
#include "ordered_sums.cuh"

constexpr int Columns = 32;
constexpr int Runs = 32;

extern "C" __global__ void __launch_bounds__(Columns* Runs) ordered_sums(const __grid_constant__ OrderedSumsParams p)
{
    __shared__ double sums[Runs][Columns + 1];
    wait_for_earlier_launches();
    const int lane = threadIdx.x % Columns;
    const int run = threadIdx.x / Columns;
    const long long columns = p.planes * p.channels;
    const long long column = static_cast<long long>(blockIdx.x) * Columns + lane;
    const long long rowsPerRun = (p.rows + Runs - 1) / Runs;
    const long long first = run * rowsPerRun;
    const long long end = first + rowsPerRun < p.rows ? first + rowsPerRun : p.rows;
    double sum = 0.0;
    if (column < columns)
    {
#pragma unroll 4
        for (long long row = first; row < end; row++)
            sum += p.partials[row * columns + column];
    }

    sums[run][lane] = sum;
    __syncthreads();
    if (run != 0 || column >= columns)
        return;
    for (int i = 1; i < Runs; i++)
        sum += sums[i][lane];
    const long long plane = column / p.channels;
    const long long channel = column - plane * p.channels;
    if (plane < p.taps)
    {
        if (p.weight)
            p.weight[channel * p.taps + plane] = static_cast<float>(sum);
    }
    else if (float* const vector = plane == p.taps ? p.bias : p.skip)
    {
        vector[channel] = static_cast<float>(sum);
    }
}
