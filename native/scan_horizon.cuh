// How far the states of a segment remember: its step sizes are walked without states, from the end to which states are carried
// (forward the last position, backward the first), until what lies beyond has decayed below 2^-Forgotten. Where that is not in sight
// within most of the segment, it is not looked for, and states remember everything.
//
// What is dropped so is that small a part of what states held: float32 keeps 24 bits. NaN and infinity beyond the horizon stay within
// their segment. States whose A is not negative, and all states after a NaN in delta, remember everything; so do all without softplus,
// where step sizes may be negative.
//
// Defines: those of scan_tiles.cuh, with helpers; BACKWARD.
#pragma once
#include "scan_tiles.cuh"

constexpr float Forgotten = 64.0f;
constexpr float Most = 0.75f;                       // of a segment; a horizon beyond it saves too little
constexpr int Warps = HELPER_WARPS;
constexpr int Ahead = 4;                            // vectors of delta that a thread has under way
constexpr int Round = Ahead * Apart;                // positions from one decision to the next

struct Horizon
{
    long long reach;        // positions from the end that any state of the block remembers, whole rounds or the segment
    int rounds[EIGHTS];     // that each eight of the warp's states remembers

    // Whether the states of that eight remember anything of the tile that begins there.
    MAMBA_DEVICE bool holds(int k, long long start, long long length) const
    {
        const long long own = static_cast<long long>(rounds[k]) * Round;
        return BACKWARD ? start < own : start + Tile > length - own;
    }
};

// Sums over each helper warp of what its threads have of their channels, into Warps·Channels floats of shared memory.
MAMBA_DEVICE void sum_channels(float* to, float (&sum)[Width], const Place& place)
{
#pragma unroll
    for (int bit = Vectors; bit < 32; bit *= 2)
#pragma unroll
        for (int e = 0; e < Width; e++)
            sum[e] += __shfl_xor_sync(0xffffffffu, sum[e], bit);
    if (place.lane < Vectors)
        store_floats(to + place.thread / 32 * Channels + place.v, sum);
}

// delta: where a helper finds its vector, at the position that its place says; sums: for sum_channels. All threads take part.
MAMBA_DEVICE Horizon find_horizon(
    const REAL* delta, long long stride, long long length, const float* bias, bool softplusWanted, const float (&rates)[EIGHTS][2], int states,
    const Place& place, float* sums)
{
    const int everything = static_cast<int>((length + Round - 1) / Round);
    Horizon horizon = {};
    float total = 0.0f;                             // of the channel's step sizes so far
    bool decided[EIGHTS] = {}, all = false, within = true;
    while (horizon.reach < length && !all)
    {
        if (place.helper)
        {
            const long long first = BACKWARD ? horizon.reach : length - horizon.reach - Round;
            auto inside = [&](int i) { return first + i * Apart + place.t >= 0 && first + i * Apart + place.t < length; };
            Row rows[Ahead];
#pragma unroll
            for (int i = 0; i < Ahead; i++)
                rows[i] = load_row(delta + (first + i * Apart) * stride, inside(i) ? place.vectorLeft : 0);
            float sum[Width] = {};
#pragma unroll
            for (int i = 0; i < Ahead; i++)
            {
                float step[Width];
                step_sizes(step, rows[i], bias + place.v, softplusWanted, inside(i));
#pragma unroll
                for (int e = 0; e < Width; e++)
                    sum[e] += step[e];
            }
            sum_channels(sums, sum, place);
        }
        __syncthreads();
        horizon.reach += Round;
        all = true;
        if (!place.helper)
        {
#pragma unroll
            for (int warp = 0; warp < Warps; warp++)
                total += sums[warp * Channels + place.own];
            const float projection = Most * static_cast<float>(length) / static_cast<float>(horizon.reach);
#pragma unroll
            for (int k = 0; k < EIGHTS; k++)
            {
                if (!decided[k])
                {
                    bool below = softplusWanted, hopeful = softplusWanted;
#pragma unroll
                    for (int s = 0; s < 2; s++)
                        if (place.real && TwosOfEights::state(place, k, s) < states)
                        {
                            below = below && total * rates[k][s] <= -Forgotten;
                            hopeful = hopeful && total * rates[k][s] * projection <= -Forgotten;
                        }
                    horizon.rounds[k]++;
                    decided[k] = __all_sync(0xffffffffu, below);
                    if (!decided[k] && !__all_sync(0xffffffffu, hopeful))
                    {
                        horizon.rounds[k] = everything;
                        decided[k] = true;
                        within = false;
                    }
                }
                all = all && decided[k];
            }
        }
        all = __syncthreads_and(all);
    }
    if (!__syncthreads_and(within))
        horizon.reach = length;
    return horizon;
}
