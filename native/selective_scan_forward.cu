// The selective scan, forward (Mamba, section 3.2): h = exp(delta·A)·h + delta·B·u, y = (C·h + D·u)·SiLU(z).
//
// A block has some channels of one sequence, which it walks tile by tile. While some of its warps walk the states of a tile, which
// takes the exponential unit most of the time, helpers write the outputs of a tile before and prepare the tile after. A walking warp has
// eight of the channels and EIGHTS·8 of their states, lane 4g+j four states of each sixteen of channel g. C·h is summed over states by the
// matrix unit, for two positions at a time: where numbers have 16 bits, as a product of their states with eight positions' C, most of
// which goes unused; else, since the unit reads 19 bits, only over lanes and in two parts.
//
// Walking warps wait for helpers only, not for each other, and nowhere for what they have just begun: the operands of a pair of positions
// are there before the pair, across tiles too, and sums are written while the next eight positions are walked.
//
// Defines: those of scan_tiles.cuh; CHECKPOINTS, positions from one to the next, or 0 where none are wanted; MIN_BLOCKS, blocks of a
// multiprocessor; SHARED_BYTES, what the launch plan reserves.
#include "earlier_launches.cuh"
#include "scan_pushes.cuh"
#include "selective_scan.cuh"

static_assert(EIGHTS % 2 == 0, "a thread has its states in fours");
static_assert(HELPER_WARPS > 0, "those who walk prepare nothing");
static_assert(CHECKPOINTS == 0 || Tile % (CHECKPOINTS > 0 ? CHECKPOINTS : 1) == 0, "where checkpoints lie in a tile is known to the compiler");

constexpr int Fours = EIGHTS / 2;
constexpr int Pairs = Tile / 2 * Fours;             // of a tile's positions, with sixteen states each
constexpr int Told = 1;                             // of them, the one at which the tile before is said to be walked
constexpr int Chunk = CHECKPOINTS > 0 ? CHECKPOINTS : Tile;
constexpr int Kept = 4;                             // tiles from the one that is copied to the one whose outputs are written
constexpr int Summed = 3;                           // tiles from the one that is walked to that one
constexpr int SumFloats = STATE_WARPS * Tile * SumPitch;
constexpr int FromBToC = Tile * StatePitch;

// Where warps meet, besides the barrier of the whole block: helpers tell the warps of the same channels that a tile of that parity is
// prepared, and all warps that walk tell helpers that a tile is walked.
constexpr int Walked = 1 + 2 * CHANNEL_WARPS;
constexpr int AtPrepared = Copiers + 32 * STATE_WARPS;
#ifdef WHOLE_BARRIERS
constexpr int PreparedFor = 1;
#else
constexpr int PreparedFor = CHANNEL_WARPS;          // at a barrier each
#endif
MAMBA_DEVICE int prepared(int parity, int warp) { return 1 + parity * CHANNEL_WARPS + warp; }

struct Prepared
{
    alignas(16) float pushes[Tile * PushPitch];
    alignas(16) float b[Tile * StatePitch];
    alignas(16) float c[Tile * StatePitch];
};

// What a walking thread needs of two positions, for four of its states.
struct Operands
{
    Push pushes[2];
    float4 b[2], c[2];
};

struct Shared
{
    Row u[Kept][ChannelItems];
    Row z[Kept][ChannelItems];
    Row delta[ChannelItems];
    Row stagedB[StateItems];
    Row stagedC[StateItems];
    Prepared tiles[2];
    alignas(16) float sums[Summed][STATE_WARPS * Tile * SumPitch];   // C·h
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
        if (tiles <= 0)
            return;
        const int column = place.first + place.v;
        // At the tile that is copied next; y at the one whose outputs are written next.
        const REAL* u = static_cast<const REAL*>(p.u) + (row + place.t) * p.uStride + column;
        const REAL* delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
        const REAL* z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : nullptr;
        const long long group = static_cast<long long>(place.group) * p.states;
        const REAL* b = static_cast<const REAL*>(p.b) + row * p.bStride + group + matrix_place(place, p.bStride);
        const REAL* c = static_cast<const REAL*>(p.c) + row * p.cStride + group + matrix_place(place, p.cStride);
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
            const float* const from = shared.sums[tile % Summed];
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
                        out[e] += from[(k * Tile + t) * SumPitch + place.v + e];
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

        fetch(0);
        load_of_channels(shared.bias, p.deltaBias, place);
        load_of_channels(shared.skip, p.d, place);
        __syncthreads();                                    // bias and skip
        // One round more than there are tiles, so that those who walk wait for the next one without asking whether there is one.
        for (int tile = 0; tile <= tiles; tile++)
        {
            if (tile > 0)
                wait_at(Walked, Threads);                   // the tile before the last one
            if (tile < tiles)
                prepare(tile);
#pragma unroll
            for (int warp = 0; warp < PreparedFor; warp++)
                arrive_at(prepared(tile % 2, warp), AtPrepared);
            if (tile + 1 < tiles)
                fetch(tile + 1);
            if (tile > 1)
                finish(tile - 2);
        }
        wait_at(Walked, Threads);
        finish(tiles - 1);
        return;
    }

    float a[EIGHTS][2], h[EIGHTS][2];
    load_rates<FoursOfSixteens>(a, p.a, place, p.states);
    const long long first = (static_cast<long long>(place.run) * p.channels + place.channel) * p.states;
    load_states<FoursOfSixteens>(h, p.initialState ? p.initialState + first : nullptr, 1, place, p.states);
    auto leave_states = [&]()
    {
        if (!p.finalState || !place.real || segment != p.segments - 1)
            return;
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
    };
    if (tiles <= 0)
    {
        leave_states();
        return;
    }

    const int j = place.j, g = place.g, warp = place.own / 8, states = place.real ? p.states : 0, firstState = FoursOfSixteens::state(place, 0, 0);

    int chunks = static_cast<int>((length + Chunk - 1) / Chunk);
    float* checkpoint = CHECKPOINTS > 0
        ? p.checkpoints + (sequence * ((p.length + Chunk - 1) / Chunk) + begin / Chunk) * p.states * p.channels
            + static_cast<long long>(firstState) * p.channels + place.channel : nullptr;

    // Of the tile that is walked, whose C lies behind its B.
    const float *pushes = shared.tiles[0].pushes + push_place(place.own), *rows = shared.tiles[0].b + firstState;
    auto load = [&](Operands& to, const float* ofPushes, const float* ofRows, int number)
    {
        const int q = number % Fours, t = number / Fours * 2;
#pragma unroll
        for (int i = 0; i < 2; i++)
        {
            to.pushes[i] = load_push(ofPushes, t + i);
            to.b[i] = *reinterpret_cast<const float4*>(ofRows + (t + i) * StatePitch + 16 * q);
            if (Exact)
                to.c[i] = *reinterpret_cast<const float4*>(ofRows + FromBToC + (t + i) * StatePitch + 16 * q);
        }
    };
    // The sums of eight positions, once they are there, and the tile that they belong to.
    float* const sums = shared.sums[0] + (place.part * Tile + 2 * j) * SumPitch + place.own;
    float *out = sums + (Summed - 1) * SumFloats, ready[2] = {};
    auto write_sums = [&](int eight)
    {
#pragma unroll
        for (int i = 0; i < 2; i++)
            out[(eight + i) * SumPitch] = ready[i];
    };

    __syncthreads();
    wait_at(prepared(0, warp), AtPrepared);
    int toOther = static_cast<int>(sizeof(Prepared) / sizeof(float));      // from this tile's operands to the next one's
    Operands next;
    load(next, pushes, rows, 0);
    for (int left = tiles; left > 0; left--)
    {
        Sums y;                                             // of one pair of positions, since a NaN reaches all sums of a product
        float4 ofEight;
        float sum[2];
#pragma unroll
        for (int number = 0; number < Pairs; number++)
        {
            const int eight = number / (4 * Fours) * 8, within = number % (4 * Fours), pair = within / Fours, q = within % Fours;
            if (CHECKPOINTS > 0 && within == 0 && eight % Chunk == 0)
            {
#pragma unroll
                for (int k = 0; k < EIGHTS; k++)
#pragma unroll
                    for (int s = 0; s < 2; s++)
                        if (FoursOfSixteens::state(place, k, s) < (chunks > eight / Chunk ? states : 0))
                            checkpoint[static_cast<long long>(k / 2 * 16 + k % 2 * 2 + s) * p.channels] = h[k][s];
                checkpoint += static_cast<long long>(p.states) * p.channels;
            }
            if (!Exact && (pair == 0 || Fours > 1))
                ofEight = *reinterpret_cast<const float4*>(rows + FromBToC + (eight + g) * StatePitch + 16 * q);
            Operands operands = next;
            if (number != 0 && number != Told + 1)
                load(operands, pushes, rows, number);
            if (number == Told)
            {
                load(next, pushes, rows, number + 1);
                write_sums(Tile - 8);                       // of the tile before
                arrive_at(Walked, Threads);
                out = out == sums + (Summed - 1) * SumFloats ? sums : out + SumFloats;
            }
            else if (within == Told)
            {
                write_sums(eight - 8);
            }
            if (number == Pairs - 1)
            {
                wait_at(prepared(toOther > 0 ? 1 : 0, warp), AtPrepared);
                load(next, pushes + toOther, rows + toOther, 0);
            }
            if (q == 0)
                y = Sums{};
            float walked[2][4], ofPair[2];
#pragma unroll
            for (int i = 0; i < 2; i++)
            {
                ofPair[i] = 0.0f;
#pragma unroll
                for (int r = 0; r < 4; r++)
                {
                    float& state = h[2 * q + r / 2][r % 2];
                    state = fast_exp2(operands.pushes[i].step * a[2 * q + r / 2][r % 2]) * state + operands.pushes[i].push * at(operands.b[i], r);
                    walked[i][r] = state;
                    if (Exact)
                        ofPair[i] += at(operands.c[i], r) * state;
                }
            }
            if (Exact)
            {
                add_lanes(y, ofPair, 1.0f);
            }
            else
            {
                add_product(y, walked[0][0], walked[1][0], walked[0][1], walked[1][1], ofEight.x, ofEight.y);
                add_product(y, walked[0][2], walked[1][2], walked[0][3], walked[1][3], ofEight.z, ofEight.w);
            }
            if (q == Fours - 1)
            {
#pragma unroll
                for (int i = 0; i < 2; i++)
                {
                    const float ofPosition = y.at[Exact ? 2 * i : 3 * i];   // in the lane j that has the pair's number
                    sum[i] = pair == 0 || j == pair ? ofPosition : sum[i];
                    if (pair == 3)
                        ready[i] = sum[i];
                }
            }
        }
        pushes += toOther;
        rows += toOther;
        toOther = -toOther;
        chunks -= Tile / Chunk;
    }
    write_sums(Tile - 8);
    arrive_at(Walked, Threads);
    leave_states();
}
