// The selective scan, forward (Mamba, section 3.2): h = exp(delta·A)·h + delta·B·u, y = (C·h + D·u)·SiLU(z).
//
// A block has some channels of one sequence, which it walks tile by tile. While some of its warps walk the states of a tile, which
// takes the exponential unit most of the time, helpers write the outputs of the tile before and prepare the tile after: one barrier a
// tile. A walking warp has eight of the channels and EIGHTS·8 of their states, lane 4g+j four states of each sixteen of channel g. C·h
// is summed over states by the matrix unit, for two positions at a time: where numbers have 16 bits, as a product of their states with
// eight positions' C, most of which goes unused; else, since the unit reads 19 bits, only over lanes and in two parts.
//
// Defines: those of scan_tiles.cuh; CHECKPOINTS, 1 when they are wanted; MIN_BLOCKS, blocks of a multiprocessor; SHARED_BYTES, what the
// launch plan reserves.
#include "earlier_launches.cuh"
#include "scan_pushes.cuh"
#include "selective_scan.cuh"

static_assert(EIGHTS % 2 == 0, "a thread has its states in fours");

constexpr int Fours = EIGHTS / 2;
constexpr int Kept = 4;                             // tiles from the one that is copied to the one whose outputs are written

struct Prepared
{
    alignas(16) float pushes[Tile * PushPitch];
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
    wait_for_earlier_launches();

    if (place.helper)
    {
        const int column = place.first + place.v;
        // At the tile that is copied next; y at the one whose outputs are written next.
        const REAL* u = static_cast<const REAL*>(p.u) + (row + place.t) * p.uStride + column;
        const REAL* delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
        const REAL* z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : nullptr;
        const long long group = static_cast<long long>(place.group) * p.states;
        const REAL* b = static_cast<const REAL*>(p.b) + row * p.bStride + group;
        const REAL* c = static_cast<const REAL*>(p.c) + row * p.cStride + group;
        REAL* y = static_cast<REAL*>(p.y) + (row + place.t) * p.yStride + column;

        auto fetch = [&](unsigned tile)
        {
            const int left = existing(length - static_cast<long long>(tile) * Tile);
            copy_channels(shared.u[tile % Kept], u, p.uStride, place, left);
            u += Tile * p.uStride;
            copy_channels(shared.delta, delta, p.deltaStride, place, left);
            delta += Tile * p.deltaStride;
            if (p.z)
            {
                copy_channels(shared.z[tile % Kept], z, p.zStride, place, left);
                z += Tile * p.zStride;
            }
            copy_matrix(shared.stagedB, b, p.bStride, p.states, place, left);
            b += Tile * p.bStride;
            copy_matrix(shared.stagedC, c, p.cStride, p.states, place, left);
            c += Tile * p.cStride;
        };

        auto prepare = [&](unsigned tile)             // each thread reads what it has copied itself
        {
            Prepared& to = shared.tiles[tile % 2];
            const int left = existing(length - static_cast<long long>(tile) * Tile);
            wait_for_copies();
#pragma unroll
            for (int i = 0; i < ChannelLoads; i++)
            {
                const int t = place.t + i * Apart, item = place.thread + i * Copiers;
                if (t < Tile)
                {
                    float step[Width];
                    step_sizes(step, shared.delta[item], shared.bias + place.v, p.deltaSoftplus, t < left);
                    const Row rowU = shared.u[tile % Kept][item];
                    float push[Width];
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        push[e] = step[e] * element(rowU, e);
                    store_pushes(to.pushes, t, place.v, step, push);
                }
            }
            unpack_matrix(to.b, shared.stagedB, place);
            unpack_matrix(to.c, shared.stagedC, place);
        };

        auto finish = [&](unsigned tile)
        {
            const Prepared& from = shared.tiles[tile % 2];
            const int left = existing(length - static_cast<long long>(tile) * Tile);
#pragma unroll
            for (int i = 0; i < ChannelLoads; i++)
            {
                const int t = place.t + i * Apart, item = place.thread + i * Copiers;
                if (t >= left)
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
                    for (int e = 0; e < Width; e += 2)
                    {
                        const float2 gates = silus(element(rowZ, e), element(rowZ, e + 1));
                        out[e] *= gates.x;
                        out[e + 1] *= gates.y;
                    }
                }
                store_row(y + i * Apart * p.yStride, out, place.vectorLeft);
            }
            y += Tile * p.yStride;
        };

        if (tiles > 0)
            fetch(0);
        load_of_channels(shared.bias, p.deltaBias, place);
        load_of_channels(shared.skip, p.d, place);
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
    load_rates<FoursOfSixteens>(a, p.a, place, p.states);
    const long long first = (static_cast<long long>(place.run) * p.channels + place.channel) * p.states;
    load_states<FoursOfSixteens>(h, p.initialState ? p.initialState + first : nullptr, 1, place, p.states);
    const int j = place.j, g = place.g;
    const int statesAt = FoursOfSixteens::state(place, 0, 0), sumsAt = (place.part * Tile + 2 * j) * SumPitch + place.own;

    float* checkpoint = CHECKPOINTS && place.real
        ? p.checkpoints + (sequence * ((p.length + p.chunk - 1) / p.chunk) + begin / p.chunk) * p.states * p.channels + place.channel : nullptr;
    __syncthreads();
    for (int tile = 0; tile < tiles; tile++)
    {
        const long long start = static_cast<long long>(tile) * Tile;
        Prepared& now = shared.tiles[tile % 2];
        const float *const pushes = now.pushes + push_place(place.own), *const rowsB = now.b + statesAt, *const rowsC = now.c + statesAt;
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
                    {
                        const int n = FoursOfSixteens::state(place, k, s);
                        if (n < p.states)
                            checkpoint[static_cast<long long>(n) * p.channels] = h[k][s];
                    }
                checkpoint += static_cast<long long>(p.states) * p.channels;
            }
            Sums y[4] = {};                                 // a pair of positions each, since a NaN reaches all sums of a product
#pragma unroll
            for (int q = 0; q < Fours; q++)
            {
                const float4 ofEight = *reinterpret_cast<const float4*>(rowsC + (eight + g) * StatePitch + 16 * q);
#pragma unroll
                for (int pair = 0; pair < 4; pair++)
                {
                    float states[2][4], sums[2];
#pragma unroll
                    for (int i = 0; i < 2; i++)
                    {
                        const int t = eight + 2 * pair + i;
                        const Push push = load_push(pushes, t);
                        const float4 rowB = *reinterpret_cast<const float4*>(rowsB + t * StatePitch + 16 * q);
                        const float4 rowC = *reinterpret_cast<const float4*>(rowsC + t * StatePitch + 16 * q);
                        sums[i] = 0.0f;
#pragma unroll
                        for (int r = 0; r < 4; r++)
                        {
                            float& state = h[2 * q + r / 2][r % 2];
                            const float exponent = push.step * a[2 * q + r / 2][r % 2];
                            const bool spared = !Exact && r == 3 && t % 4 == 1;
                            state = (spared ? polynomial_exp2(exponent) : fast_exp2(exponent)) * state + push.push * at(rowB, r);
                            states[i][r] = state;
                            sums[i] += at(rowC, r) * state;
                        }
                    }
                    if (Exact)
                    {
                        add_lanes(y[pair], sums, 1.0f);
                    }
                    else
                    {
                        add_product(y[pair], states[0][0], states[1][0], states[0][1], states[1][1], ofEight.x, ofEight.y);
                        add_product(y[pair], states[0][2], states[1][2], states[0][3], states[1][3], ofEight.z, ofEight.w);
                    }
                }
            }
#pragma unroll
            for (int i = 0; i < 2; i++)
            {
                const int at = Exact ? 2 * i : 3 * i;       // the sum of pair j at its position i
                sumsOut[(eight + i) * SumPitch] = j == 0 ? y[0].at[at] : j == 1 ? y[1].at[at] : j == 2 ? y[2].at[at] : y[3].at[at];
            }
        }
    }
    __syncthreads();
    if (p.finalState && place.real && segment == p.segments - 1)
    {
        const long long last = (static_cast<long long>(sequence) * p.channels + place.channel) * p.states;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
            {
                const int n = FoursOfSixteens::state(place, k, s);
                if (n < p.states)
                    p.finalState[last + n] = h[k][s];
            }
    }
}
