// How far the states of a segment remember: its step sizes are walked without states, from the end to which states are carried
// (forward the last position, backward the first), until what lies beyond has decayed below 2^-Forgotten for all of them.
//
// What is dropped so is that small a part of what states held: float32 keeps 24 bits. NaN and infinity beyond the horizon stay within
// their segment. States whose A is not negative, and all states after a NaN in delta, remember everything; so do all without softplus,
// where step sizes may be negative.
//
// Defines: those of scan_tiles.cuh; BACKWARD.
#pragma once
#include "scan_tiles.cuh"

constexpr float Forgotten = 64.0f;
constexpr int Warps = Threads / 32;
constexpr int Ahead = 8;                            // vectors of delta that a thread has under way
constexpr int Round = Ahead * Apart;                // positions from one decision to the next

struct Horizon
{
    float total;            // of the channel's step sizes from the end to the horizon of the block
    long long walked;       // positions from the end to the horizon of the block, whole rounds
    int rounds[EIGHTS];     // that each eight of the warp's states remembers

    // Whether the states of that eight remember anything of the tile that begins there.
    MAMBA_DEVICE bool holds(int k, long long start, long long length) const
    {
        const long long reach = static_cast<long long>(rounds[k]) * Round;
        return BACKWARD ? start < reach : start + Tile > length - reach;
    }
};

// delta: the thread's vector at the position that its place says; sums: Warps·Channels floats of shared memory. All threads take part.
MAMBA_DEVICE Horizon find_horizon(
    const REAL* delta, long long stride, long long length, const float* bias, bool softplusWanted, const float (&rates)[EIGHTS][2], int states,
    const Place& place, float* sums)
{
    Horizon horizon = {};
    bool gone[EIGHTS] = {}, all = false;
    for (; horizon.walked < length && !all; horizon.walked += Round)
    {
        const long long first = BACKWARD ? horizon.walked : length - horizon.walked - Round;
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
#pragma unroll
        for (int bit = Vectors; bit < 32; bit *= 2)
#pragma unroll
            for (int e = 0; e < Width; e++)
                sum[e] += __shfl_xor_sync(0xffffffffu, sum[e], bit);
        if (place.lane < Vectors)
            store_floats(sums + place.thread / 32 * Channels + place.v, sum);
        __syncthreads();
#pragma unroll
        for (int warp = 0; warp < Warps; warp++)
            horizon.total += sums[warp * Channels + place.own];
        all = true;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
        {
            if (!gone[k])
            {
                bool below = softplusWanted;
#pragma unroll
                for (int s = 0; s < 2; s++)
                    below = below && (!place.real || place.state + 8 * k + s >= states || horizon.total * rates[k][s] <= -Forgotten);
                gone[k] = __all_sync(0xffffffffu, below);
                horizon.rounds[k]++;
            }
            all = all && gone[k];
        }
        all = __syncthreads_and(all);
    }
    return horizon;
}
