// What a position adds to the states of a tile's channels (delta·u; backward dy·SiLU(z)), in two parts as the matrix unit reads them.
#pragma once
#include "scan_tiles.cuh"

constexpr int PushPitch = 2 * Channels + 16;        // floats of a position; the padding keeps two rows in different banks

// Where a channel lies, in floats from the start of its row: two parts side by side. The 16 bytes of two channels change places with
// others of the same thread, so that the threads of a warp write without bank conflicts.
MAMBA_DEVICE int turn_of(int vector) { return Width == 8 ? vector & 3 : (vector >> 2) & 1; }
MAMBA_DEVICE int push_place(int channel) { return channel / Width * 2 * Width + ((channel % Width / 2 ^ turn_of(channel / Width)) * 4) + channel % 2 * 2; }

// Where a lane reads of a pair of positions: one part of its channel's at one of them.
MAMBA_DEVICE int push_place_of(const Place& place) { return place.j / 2 * PushPitch + push_place(place.own) + place.j % 2; }

MAMBA_DEVICE void store_pushes(float* to, int t, int channel, const float (&values)[Width])
{
#pragma unroll
    for (int e = 0; e < Width; e += 2)
    {
        const float high0 = high_part(values[e]), high1 = high_part(values[e + 1]);
        *reinterpret_cast<float4*>(&to[t * PushPitch + 2 * channel + ((e / 2 ^ turn_of(channel / Width)) * 4)]) =
            float4{high0, values[e] - high0, high1, values[e + 1] - high1};
    }
}
