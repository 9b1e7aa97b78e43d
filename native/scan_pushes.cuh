// What the states of a channel meet at a position: the step by which they decay, and what is pushed to them (delta·u; backward
// dy·SiLU(z)).
#pragma once
#include "scan_tiles.cuh"

struct Push { float step, push; };

constexpr int PushPitch = 2 * Channels + 16;        // floats of a position; the padding keeps two rows in different banks

// Where a channel lies, in floats from the start of its row. The 16 bytes of two channels change places with others of the same
// thread, so that the threads of a warp write without bank conflicts.
MAMBA_DEVICE int turn_of(int vector) { return Width == 8 ? vector & 3 : (vector >> 2) & 1; }
MAMBA_DEVICE int push_place(int channel) { return channel / Width * 2 * Width + ((channel % Width / 2 ^ turn_of(channel / Width)) * 4) + channel % 2 * 2; }

MAMBA_DEVICE void store_pushes(float* to, int t, int channel, const float (&steps)[Width], const float (&pushes)[Width])
{
#pragma unroll
    for (int e = 0; e < Width; e += 2)
        *reinterpret_cast<float4*>(&to[t * PushPitch + 2 * channel + ((e / 2 ^ turn_of(channel / Width)) * 4)]) =
            float4{steps[e], pushes[e], steps[e + 1], pushes[e + 1]};
}

// from: the channel's place.
MAMBA_DEVICE Push load_push(const float* from, int t)
{
    const float2 both = *reinterpret_cast<const float2*>(from + t * PushPitch);
    return {both.x, both.y};
}
