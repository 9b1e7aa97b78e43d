// The selective scan, forward (Mamba, section 3.2): h = exp(delta·A)·h + delta·B·u, y = (C·h + D·u)·SiLU(z).
//
// A block has some channels of one sequence, which it walks tile by tile. While some of its warps walk the states of a tile, which
// takes the exponential unit most of the time, helpers write the outputs of the tile before and prepare the tile after: one barrier a
// tile. A walking warp has eight of the channels and EIGHTS·8 of their states, lane 4g+j two states of each eight of channel g. A state
// takes one exponential, one multiplication for its argument and one multiplication with addition a position; the rest is done by the
// matrix unit for two positions at a time: delta·u·B is a product of rank one for each position, and C·h summed over eight states
// comes out of the product of two positions' states with eight positions' C, most of which goes unused. Numbers of more bits than the
// matrix unit reads go in two parts.
//
// Defines: those of scan_tiles.cuh; CHECKPOINTS, 1 when they are wanted; MIN_BLOCKS, blocks of a multiprocessor; SHARED_BYTES, what the
// launch plan reserves.
#include "scan_pushes.cuh"
#include "selective_scan.cuh"

constexpr int Kept = 4;                             // tiles from the one that is copied to the one whose outputs are written

struct Prepared
{
    alignas(16) float steps[Tile * Channels];       // delta after bias and softplus
    alignas(16) float pushes[Tile * PushPitch];     // delta·u in two parts
    alignas(16) float b[Tile * StatePitch];
    alignas(16) float c[Tile * StatePitch];
    alignas(16) float sums[STATE_WARPS * Tile * SumPitch];  // C·h
};

struct Shared
{
    Row u[Kept][ChannelItems];
    Row z[Kept][ChannelItems];
    Row delta[ChannelItems];
    Row stagedB[StateItems];
    Row stagedC[StateItems];
    Prepared tiles[2];
    alignas(16) float bias[Channels];
    alignas(16) float skip[Channels];
};

static_assert(sizeof(Shared) == SHARED_BYTES, "the launch plan reserves another size");

extern "C" __global__ void __launch_bounds__(Threads, MIN_BLOCKS) selective_scan_forward(const __grid_constant__ ScanForwardParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    const Place place = Place::get(p.channels, p.groups);
    const int sequence = place.run / p.segments, segment = place.run % p.segments;
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;

    const int tiles = static_cast<int>((length + Tile - 1) / Tile);
    const long long row = sequence * p.length + begin;

    if (place.helper)
    {
        load_of_channels(shared.bias, p.deltaBias, place);
        load_of_channels(shared.skip, p.d, place);
        const int column = place.first + place.v;
        const REAL* const u = static_cast<const REAL*>(p.u) + (row + place.t) * p.uStride + column;
        const REAL* const delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
        const REAL* const z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : nullptr;
        REAL* const y = static_cast<REAL*>(p.y) + (row + place.t) * p.yStride + column;
        const long long group = static_cast<long long>(place.group) * p.states;
        const REAL* const b = static_cast<const REAL*>(p.b) + row * p.bStride + group;
        const REAL* const c = static_cast<const REAL*>(p.c) + row * p.cStride + group;

        auto fetch = [&](int tile)
        {
            const long long start = static_cast<long long>(tile) * Tile, left = length - start;
            copy_channels(shared.u[tile % Kept], u + start * p.uStride, p.uStride, place, left);
            copy_channels(shared.delta, delta + start * p.deltaStride, p.deltaStride, place, left);
            if (p.z)
                copy_channels(shared.z[tile % Kept], z + start * p.zStride, p.zStride, place, left);
            copy_matrix(shared.stagedB, b + start * p.bStride, p.bStride, p.states, place, left);
            copy_matrix(shared.stagedC, c + start * p.cStride, p.cStride, p.states, place, left);
        };

        auto prepare = [&](int tile)                  // each thread reads what it has copied itself
        {
            Prepared& to = shared.tiles[tile % 2];
            wait_for_copies();
#pragma unroll
            for (int i = 0; i < ChannelLoads; i++)
            {
                const int t = place.t + i * Apart, item = place.thread + i * Copiers;
                if (t < Tile)
                {
                    float step[Width];
                    step_sizes(step, shared.delta[item], shared.bias + place.v, p.deltaSoftplus, static_cast<long long>(tile) * Tile + t < length);
                    store_floats(&to.steps[t * Channels + place.v], step);
                    const Row rowU = shared.u[tile % Kept][item];
                    float push[Width];
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        push[e] = step[e] * element(rowU, e);
                    store_pushes(to.pushes, t, place.v, push);
                }
            }
            unpack_matrix(to.b, shared.stagedB, place);
            unpack_matrix(to.c, shared.stagedC, place);
        };

        auto finish = [&](int tile)
        {
            const Prepared& from = shared.tiles[tile % 2];
#pragma unroll
            for (int i = 0; i < ChannelLoads; i++)
            {
                const int t = place.t + i * Apart, item = place.thread + i * Copiers;
                const long long at = static_cast<long long>(tile) * Tile + i * Apart;
                if (t >= Tile || at + place.t >= length)
                    continue;
                float out[Width];
                const Row rowU = shared.u[tile % Kept][item];
#pragma unroll
                for (int e = 0; e < Width; e++)
                    out[e] = shared.skip[place.v + e] * element(rowU, e);
#pragma unroll
                for (int k = 0; k < STATE_WARPS; k++)
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        out[e] += from.sums[(k * Tile + t) * SumPitch + place.v + e];
                if (p.z)
                {
                    const Row rowZ = shared.z[tile % Kept][item];
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        out[e] *= silu(element(rowZ, e));
                }
                store_row(y + at * p.yStride, out, place.vectorLeft);
            }
        };

        if (tiles > 0)
            fetch(0);
        __syncthreads();                                    // bias and skip
        if (tiles > 0)
            prepare(0);
        if (tiles > 1)
            fetch(1);
        for (int tile = 0; tile < tiles; tile++)
        {
            __syncthreads();
            if (tile + 1 < tiles)
                prepare(tile + 1);
            if (tile + 2 < tiles)
                fetch(tile + 2);
            if (tile > 0)
                finish(tile - 1);
        }
        __syncthreads();
        if (tiles > 0)
            finish(tiles - 1);
        return;
    }

    float a[EIGHTS][2], h[EIGHTS][2];
    load_rates(a, p.a, place, p.states);
    const long long stateRow = (static_cast<long long>(place.run) * p.channels + place.channel) * p.states;
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
        {
            const int n = place.state + 8 * k + s;
            h[k][s] = p.initialState && place.real && n < p.states ? p.initialState[stateRow + n] : 0.0f;
        }
    // Where a lane reads of a pair of positions: its channel's delta, one part of delta·u at one of the positions, B there.
    const int j = place.j, g = place.g;
    const int stepsAt = place.own, pushesAt = push_place_of(place);
    const int insAt = j / 2 * StatePitch + place.part * EIGHTS * 8 + g, outsAt = g * StatePitch + place.state;
    const int sumsAt = (place.part * Tile + 2 * j) * SumPitch + place.own;
    const bool second = j >= 2;

    float* checkpoint = CHECKPOINTS && place.real
        ? p.checkpoints + (sequence * ((p.length + p.chunk - 1) / p.chunk) + begin / p.chunk) * p.states * p.channels + place.channel : nullptr;
    __syncthreads();
    for (int tile = 0; tile < tiles; tile++)
    {
        const long long start = static_cast<long long>(tile) * Tile;
        Prepared& now = shared.tiles[tile % 2];
        const float *const steps = now.steps + stepsAt, *const pushes = now.pushes + pushesAt, *const ins = now.b + insAt, *const outs = now.c + outsAt;
        float* const sumsOut = now.sums + sumsAt;
        __syncthreads();
#pragma unroll
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
                const float2 out = *reinterpret_cast<const float2*>(outs + eight * StatePitch + 8 * k), outRest = rest_of(out);
                float decay[2][2][2];                        // of the pair of positions at hand and the next
                Sums push[2];
                auto prepare = [&](int pair)
                {
                    const int t = eight + 2 * pair;
                    push[pair % 2] = outer_products(pushes[t * PushPitch], second, ins[t * StatePitch + 8 * k]);
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
                    add_inner_products(sums[pair], before[0], h[k][0], before[1], h[k][1], out, outRest);
                }
            }
            sumsOut[eight * SumPitch] = j == 0 ? sums[0].at[0] : j == 1 ? sums[1].at[0] : j == 2 ? sums[2].at[0] : sums[3].at[0];
            sumsOut[(eight + 1) * SumPitch] = j == 0 ? sums[0].at[3] : j == 1 ? sums[1].at[3] : j == 2 ? sums[2].at[3] : sums[3].at[3];
        }
    }
    __syncthreads();
    if (p.finalState && place.real && segment == p.segments - 1)
    {
        const long long last = (static_cast<long long>(sequence) * p.channels + place.channel) * p.states + place.state;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
                if (place.state + 8 * k + s < p.states)
                    p.finalState[last + 8 * k + s] = h[k][s];
    }
}
