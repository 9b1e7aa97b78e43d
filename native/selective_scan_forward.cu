// The selective scan, forward (Mamba, section 3.2): h = exp(delta·A)·h + delta·B·u, y = (C·h + D·u)·SiLU(z).
//
// A block has some channels of one sequence, which it walks tile by tile; a warp has eight of the channels and EIGHTS·8 of their
// states, lane 4g+j two states of each eight of channel g. A state takes one exponential, one multiplication for its argument and one
// multiplication with addition a position; the rest is done by the matrix unit for two positions at a time: delta·u·B is a product
// of rank one for each position, and C·h summed over eight states comes out of the product of two positions' states with eight
// positions' C, most of which goes unused. Numbers of more bits than the matrix unit reads go in two parts.
//
// Defines: those of scan_tiles.cuh; CHECKPOINTS, 1 when they are wanted; MIN_BLOCKS, blocks of a multiprocessor; SHARED_BYTES, what the
// launch plan reserves.
#include "scan_tiles.cuh"
#include "selective_scan.cuh"

constexpr int PushPitch = 2 * Channels + 16;        // floats; the padding keeps two rows in different banks

struct Staged
{
    Row u[ChannelItems];
    Row delta[ChannelItems];
    Row z[ChannelItems];
    Row b[StateItems];
    Row c[StateItems];
};

struct Shared
{
    Staged staged[2];                               // the next tile; u and z of this one until the outputs are written
    alignas(16) float steps[Tile * Channels];       // delta after bias and softplus
    alignas(16) float pushes[Tile * PushPitch];     // delta·u in two parts
    alignas(16) float b[Tile * States];
    alignas(16) float c[Tile * States];
    alignas(16) float sums[STATE_WARPS * Tile * SumPitch];
    alignas(16) float bias[Channels];
    alignas(16) float skip[Channels];
};

// Where delta·u of a channel lies, in floats from the start of its row: two parts side by side. The 16 bytes of two channels change
// places with others of the same thread, so that the threads of a warp write without bank conflicts.
MAMBA_DEVICE int turn_of(int vector) { return Width == 8 ? vector & 3 : (vector >> 2) & 1; }
MAMBA_DEVICE int push_place(int channel) { return channel / Width * 2 * Width + ((channel % Width / 2 ^ turn_of(channel / Width)) * 4) + channel % 2 * 2; }

static_assert(sizeof(Shared) == SHARED_BYTES, "the launch plan reserves another size");

extern "C" __global__ void __launch_bounds__(Threads, MIN_BLOCKS) selective_scan_forward(const __grid_constant__ ScanForwardParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    const Place place = Place::get(p.channels, p.groups);
    const long long sequence = place.run / p.segments, segment = place.run % p.segments;
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;

    float a[EIGHTS][2], h[EIGHTS][2];
    load_rates(a, p.a, place, p.states);
    const long long stateRow = (place.run * p.channels + place.channel) * p.states;
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
        {
            const int n = place.state + 8 * k + s;
            h[k][s] = p.initialState && place.real && n < p.states ? p.initialState[stateRow + n] : 0.0f;
        }
    load_of_channels(shared.bias, p.deltaBias, place);
    load_of_channels(shared.skip, p.d, place);

    const long long row = sequence * p.length + begin;
    const int column = place.first + place.v;
    const REAL* u = static_cast<const REAL*>(p.u) + (row + place.t) * p.uStride + column;
    const REAL* delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
    const REAL* z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : u;
    REAL* y = static_cast<REAL*>(p.y) + (row + place.t) * p.yStride + column;
    const long long group = static_cast<long long>(place.group) * p.states;
    const REAL* b = static_cast<const REAL*>(p.b) + row * p.bStride + group;
    const REAL* c = static_cast<const REAL*>(p.c) + row * p.cStride + group;

    auto fetch = [&](Staged& to, long long left)             // left: positions from the start of the tile to the end of the segment
    {
        copy_channels(to.u, u, p.uStride, place, left);
        copy_channels(to.delta, delta, p.deltaStride, place, left);
        if (p.z)
            copy_channels(to.z, z, p.zStride, place, left);
        copy_matrix(to.b, b, p.bStride, p.states, place, left);
        copy_matrix(to.c, c, p.cStride, p.states, place, left);
        u += Tile * p.uStride;
        delta += Tile * p.deltaStride;
        z += Tile * p.zStride;
        b += Tile * p.bStride;
        c += Tile * p.cStride;
    };

    auto finish = [&](const Staged& from, long long left)    // the outputs of the tile that is summed
    {
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = place.t + i * Apart, item = place.thread + i * Threads;
            if (t >= Tile || t >= left)
                continue;
            float out[Width];
            const Row rowU = from.u[item];
#pragma unroll
            for (int e = 0; e < Width; e++)
                out[e] = shared.skip[place.v + e] * element(rowU, e);
#pragma unroll
            for (int k = 0; k < STATE_WARPS; k++)
#pragma unroll
                for (int e = 0; e < Width; e++)
                    out[e] += shared.sums[(k * Tile + t) * SumPitch + place.v + e];
            if (p.z)
            {
                const Row rowZ = from.z[item];
#pragma unroll
                for (int e = 0; e < Width; e++)
                    out[e] *= silu(element(rowZ, e));
            }
            store_row(y + i * Apart * p.yStride, out, place.vectorLeft);
        }
        y += Tile * p.yStride;
    };

    // Where a lane reads of a pair of positions: its channel's delta, one part of delta·u at one of the positions, B there.
    const int j = place.j, g = place.g;
    const float* const steps = shared.steps + place.own;
    const float* const pushes = shared.pushes + j / 2 * PushPitch + push_place(place.own) + j % 2;
    const float* const ins = shared.b + j / 2 * States + place.part * EIGHTS * 8 + g;
    const float* const outs = shared.c + g * States + place.state;
    float* const sumsOut = shared.sums + (place.part * Tile + 2 * j) * SumPitch + place.own;
    const bool second = j >= 2;

    float* checkpoint = CHECKPOINTS && place.real
        ? p.checkpoints + (sequence * ((p.length + p.chunk - 1) / p.chunk) + begin / p.chunk) * p.states * p.channels + place.channel : nullptr;
    fetch(shared.staged[0], length);
    for (long long start = 0; start < length; start += Tile)
    {
        const int now = start / Tile % 2;
        const Staged& staged = shared.staged[now];
        wait_for_copies();
        __syncthreads();
        if (start > 0)
            finish(shared.staged[1 - now], Tile);
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = place.t + i * Apart, item = place.thread + i * Threads;
            if (t < Tile)
            {
                float step[Width];
                step_sizes(step, staged.delta[item], shared.bias + place.v, p.deltaSoftplus, start + t < length);
                store_floats(&shared.steps[t * Channels + place.v], step);
                const Row rowU = staged.u[item];
#pragma unroll
                for (int e = 0; e < Width; e += 2)
                {
                    const float x0 = step[e] * element(rowU, e), x1 = step[e + 1] * element(rowU, e + 1);
                    *reinterpret_cast<float4*>(&shared.pushes[t * PushPitch + 2 * place.v + ((e / 2 ^ turn_of(place.v / Width)) * 4)]) =
                        float4{high_part(x0), x0 - high_part(x0), high_part(x1), x1 - high_part(x1)};
                }
            }
        }
        unpack_matrix(shared.b, staged.b, place);
        unpack_matrix(shared.c, staged.c, place);
        __syncthreads();
        if (start + Tile < length)
            fetch(shared.staged[1 - now], length - start - Tile);
#pragma unroll 1
        for (int eight = 0; eight < Tile; eight += 8)
        {
            if (CHECKPOINTS && place.real && ((start + eight) & (p.chunk - 1)) == 0 && start + eight < length)
            {
#pragma unroll
                for (int k = 0; k < EIGHTS; k++)
#pragma unroll
                    for (int s = 0; s < 2; s++)
                        if (place.state + 8 * k + s < p.states)
                            checkpoint[static_cast<long long>(place.state + 8 * k + s) * p.channels] = h[k][s];
                checkpoint += static_cast<long long>(p.states) * p.channels;
            }
            Sums sums[4] = {};                               // of each pair of positions with all eight C
#pragma unroll
            for (int k = 0; k < EIGHTS; k++)
            {
                const float2 out = *reinterpret_cast<const float2*>(outs + eight * States + 8 * k);
                float decay[2][2][2];                        // of the pair of positions at hand and the next
                Sums push[2];
                auto prepare = [&](int pair)
                {
                    const int t = eight + 2 * pair;
                    push[pair % 2] = outer_products(pushes[t * PushPitch], second, ins[t * States + 8 * k]);
#pragma unroll
                    for (int i = 0; i < 2; i++)
#pragma unroll
                        for (int s = 0; s < 2; s++)
                            decay[pair % 2][i][s] = fast_exp2(steps[(t + i) * Channels] * a[k][s]);
                };
                prepare(0);
#pragma unroll
                for (int pair = 0; pair < 4; pair++)
                {
                    if (pair < 3)
                        prepare(pair + 1);
                    float before[2];
#pragma unroll
                    for (int s = 0; s < 2; s++)
                    {
                        before[s] = decay[pair % 2][0][s] * h[k][s] + push[pair % 2].at[s];
                        h[k][s] = decay[pair % 2][1][s] * before[s] + push[pair % 2].at[2 + s];
                    }
                    add_inner_products(sums[pair], before[0], h[k][0], before[1], h[k][1], out.x, out.y);
                }
            }
            sumsOut[eight * SumPitch] = j == 0 ? sums[0].at[0] : j == 1 ? sums[1].at[0] : j == 2 ? sums[2].at[0] : sums[3].at[0];
            sumsOut[(eight + 1) * SumPitch] = j == 0 ? sums[0].at[3] : j == 1 ? sums[1].at[3] : j == 2 ? sums[2].at[3] : sums[3].at[3];
        }
    }
    __syncthreads();
    if (length > 0)
        finish(shared.staged[(length - 1) / Tile % 2], (length - 1) % Tile + 1);
    if (p.finalState && place.real && segment == p.segments - 1)
    {
        const long long last = (sequence * p.channels + place.channel) * p.states + place.state;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
                if (place.state + 8 * k + s < p.states)
                    p.finalState[last + 8 * k + s] = h[k][s];
    }
}
