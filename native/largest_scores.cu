// The largest score of each row and its place, the first among equals; of a row with NaN the first NaN. A block has a row.
#include "earlier_launches.cuh"
#include "largest_scores.cuh"

constexpr int Lanes = 32;
constexpr int Warps = 32;

struct Found
{
    float value;
    int id;

    // Whether another one is to be kept in place of this: NaN counts as the largest of all.
    MAMBA_DEVICE bool yields_to(const Found& other) const
    {
        const bool isNaN = value != value, otherIsNaN = other.value != other.value;
        if (isNaN != otherIsNaN)
            return otherIsNaN;
        return isNaN || value == other.value ? other.id < id : other.value > value;
    }
};

MAMBA_DEVICE Found best_of_warp(Found best)
{
    for (int distance = Lanes / 2; distance > 0; distance /= 2)
    {
        const Found other{__shfl_xor_sync(0xffffffffu, best.value, distance), __shfl_xor_sync(0xffffffffu, best.id, distance)};
        if (best.yields_to(other))
            best = other;
    }

    return best;
}

extern "C" __global__ void __launch_bounds__(Lanes * Warps) largest_scores(const __grid_constant__ LargestScoresParams p)
{
    __shared__ Found found[Warps];
    wait_for_earlier_launches();
    const float* scores = p.scores + static_cast<long long>(blockIdx.x) * p.count;
    const Found none{-float_of(0x7f800000u), 0x7fffffff};
    const int lane = threadIdx.x % Lanes, warp = threadIdx.x / Lanes;
    Found best = none;
#pragma unroll 4
    for (int id = threadIdx.x; id < p.count; id += Lanes * Warps)
    {
        const Found next{scores[id], id};
        if (best.yields_to(next))
            best = next;
    }

    best = best_of_warp(best);
    if (lane == 0)
        found[warp] = best;
    __syncthreads();
    if (warp != 0)
        return;
    best = best_of_warp(found[lane]);
    if (lane == 0)
    {
        p.values[blockIdx.x] = best.value;
        p.ids[blockIdx.x] = best.id;
    }
}
