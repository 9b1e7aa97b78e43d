// A tile of the backward pass: copied, prepared for the warps that walk it, and finished when they have. All warps do all of it, so
// that what a thread keeps for copying and finishing lies in shared memory while it walks states, which take its registers.
//
// Defines: those of scan_tiles.cuh; SHARED_BYTES, what the launch plan reserves.
#pragma once
#include "scan_tiles.cuh"
#include "selective_scan.cuh"

static_assert(EIGHTS % 2 == 0, "a thread has its states in fours");

constexpr int Fours = EIGHTS / 2;
constexpr int Eights = Tile / 8;
constexpr int Orders = Exact ? 4 : 1;               // in which B and C lie: order o has state n of a four where order 0 has n ^ o
constexpr int OrderPitch = Orders * States + (Exact ? 16 : 0);      // floats of a position of B or C; paddings against bank conflicts
constexpr int FactorPitch = 4 * Channels + 4;
constexpr int Columns = 2 * States;                 // dB and dC
constexpr int MatrixPitch = Columns + 4;

enum Operand { OfU, OfDelta, OfZ, OfDy, Operands };

constexpr int Fetchers = Threads / Operands;        // that copy the same operand
constexpr int FetchLoads = (ChannelItems + Fetchers - 1) / Fetchers;
constexpr int FetchApart = Fetchers / Vectors;
constexpr int MatrixFetchers = Threads / 2;         // that copy B, or C
constexpr int MatrixLoads = (StateItems + MatrixFetchers - 1) / MatrixFetchers;
constexpr int MatrixApart = MatrixFetchers / StateVectors;
constexpr int ColumnFours = Columns / 4;
constexpr int SumApart = Threads / ColumnFours;     // positions whose sums over the block's channels are written at once
static_assert(Fetchers % Vectors == 0 && MatrixFetchers % StateVectors == 0 && Threads % ColumnFours == 0, "whole rows");

// What the states of a channel meet at a position.
struct Factors
{
    float step;                                     // delta after bias and softplus
    float gate;                                     // sigmoid(z), for the gradient of z
    float push;                                     // delta·u
    float grad;                                     // dy·SiLU(z)
};

// Where a thread copies from and writes to, at the first position of a tile.
struct Cursor
{
    const REAL* channels;                           // null where there is no z
    long long channelStride;
    const REAL* matrix;
    long long matrixStride;
    long long out;                                  // index in du and ddelta
    long long outZ;                                 // index in dz
    float* sums;                                    // in dMatrices
};

struct Staged
{
    Row channels[Operands][ChannelItems];
    Row b[StateItems];
    Row c[StateItems];
};

struct Shared
{
    Staged staged[2];
    Cursor cursors[Threads];
    alignas(16) float factors[Tile * FactorPitch];
    alignas(16) float b[Tile * OrderPitch];
    alignas(16) float c[Tile * OrderPitch];
    alignas(16) float y[STATE_WARPS * Tile * SumPitch];     // Σ_n C·h
    alignas(16) float gb[STATE_WARPS * Tile * SumPitch];    // Σ_n g·B
    alignas(16) float ar[STATE_WARPS * Tile * SumPitch];    // Σ_n A·r, in units of log2(e)
    alignas(16) float matrices[CHANNEL_WARPS * Tile * MatrixPitch];
    alignas(16) float starts[Eights * Fours * 4 * Threads]; // states before each eight positions, of each thread
    alignas(16) float dSkip[Threads * Width];       // of a thread's vector of channels, over its positions
    alignas(16) float dBias[Threads * Width];
    alignas(16) float bias[Channels];
    alignas(16) float skip[Channels];
};

static_assert(sizeof(Shared) == SHARED_BYTES, "the launch plan reserves another size");

// Channels change places within their vector, so that the threads of a warp write without bank conflicts.
MAMBA_DEVICE int factor_place(int channel) { return 4 * (channel ^ (channel / 8 & 3)); }

MAMBA_DEVICE void store_factors(float* to, const Factors& factors) { *reinterpret_cast<float4*>(to) = float4{factors.step, factors.gate, factors.push, factors.grad}; }

MAMBA_DEVICE Factors load_factors(const float* from)
{
    const float4 four = *reinterpret_cast<const float4*>(from);
    return {four.x, four.y, four.z, four.w};
}

// row: of the segment's first position in the sequence; start: the tile's first position in the segment.
MAMBA_DEVICE Cursor first_cursor(const ScanBackwardParams& p, const Place& place, long long row, long long start, int blocks)
{
    Cursor cursor;
    const int operand = place.thread / Fetchers, fetcher = place.thread % Fetchers;
    const void* const from = operand == OfU ? p.u : operand == OfDelta ? p.delta : operand == OfZ ? p.z : p.dy;
    cursor.channelStride = operand == OfU ? p.uStride : operand == OfDelta ? p.deltaStride : operand == OfZ ? p.zStride : p.dyStride;
    cursor.channels = from ? static_cast<const REAL*>(from) + (row + start + fetcher / Vectors) * cursor.channelStride + place.first + fetcher % Vectors * Width : nullptr;
    const bool ofC = place.thread >= MatrixFetchers;
    const int item = place.thread % MatrixFetchers;
    cursor.matrixStride = ofC ? p.cStride : p.bStride;
    cursor.matrix = static_cast<const REAL*>(ofC ? p.c : p.b) + (row + start + item / StateVectors) * cursor.matrixStride
        + static_cast<long long>(place.group) * p.states + item % StateVectors * Width;
    cursor.out = (row + start + place.t) * p.channels + place.first + place.v;
    cursor.outZ = (row + start + place.t) * p.dzStride + place.first + place.v;
    const int column = place.thread % ColumnFours * 4;
    cursor.sums = p.dMatrices + ((row + start + place.thread / ColumnFours) * blocks + place.block) * 2 * p.states + column / States * p.states + column % States;
    return cursor;
}

// Starts copying the tile at the cursor, of which left positions exist.
MAMBA_DEVICE void fetch_tile(Staged& to, const Cursor& cursor, const Place& place, int states, int left)
{
    const int operand = place.thread / Fetchers, fetcher = place.thread % Fetchers;
    const int channelsLeft = place.limit - place.first - fetcher % Vectors * Width;
    if (cursor.channels)
#pragma unroll
        for (int i = 0; i < FetchLoads; i++)
        {
            const int t = fetcher / Vectors + i * FetchApart;
            if (t < Tile)
                copy_row(&to.channels[operand][fetcher + i * Fetchers], cursor.channels + i * FetchApart * cursor.channelStride, t < left ? channelsLeft : 0);
        }
    const int item = place.thread % MatrixFetchers, statesLeft = states - item % StateVectors * Width;
    Row* const rows = place.thread < MatrixFetchers ? to.b : to.c;
#pragma unroll
    for (int i = 0; i < MatrixLoads; i++)
    {
        const int t = item / StateVectors + i * MatrixApart;
        if (t < Tile)
            copy_row(&rows[item + i * MatrixFetchers], cursor.matrix + i * MatrixApart * cursor.matrixStride, t < left ? statesLeft : 0);
    }
}

// B or C in each order.
MAMBA_DEVICE void unpack_orders(float* to, const Row* from, const Place& place)
{
#pragma unroll
    for (int i = 0; i < StateLoads; i++)
    {
        const int item = place.thread + i * Copiers, t = item / StateVectors, n = item % StateVectors * Width;
        if (t < Tile)
        {
            const Row row = from[item];
#pragma unroll
            for (int e = 0; e < Width; e += 4)
#pragma unroll
                for (int o = 0; o < Orders; o++)
                    *reinterpret_cast<float4*>(to + t * OrderPitch + o * States + n + e) =
                        float4{element(row, e + (0 ^ o)), element(row, e + (1 ^ o)), element(row, e + (2 ^ o)), element(row, e + (3 ^ o))};
        }
    }
}

// left: positions of the tile that exist.
MAMBA_DEVICE void prepare_tile(Shared& shared, const Staged& staged, const ScanBackwardParams& p, const Place& place, int left)
{
#pragma unroll
    for (int i = 0; i < ChannelLoads; i++)
    {
        const int t = place.t + i * Apart, item = place.thread + i * Copiers;
        if (t < Tile)
        {
            float step[Width];
            step_sizes(step, staged.channels[OfDelta][item], shared.bias + place.v, p.deltaSoftplus, t < left);
            const Row rowU = staged.channels[OfU][item], rowDy = staged.channels[OfDy][item];
            Factors factors[Width];
#pragma unroll
            for (int e = 0; e < Width; e++)
                factors[e] = {step[e], 0.0f, step[e] * element(rowU, e), element(rowDy, e)};
            if (p.z)
            {
                const Row rowZ = staged.channels[OfZ][item];
#pragma unroll
                for (int e = 0; e < Width; e++)
                {
                    const float value = element(rowZ, e);
                    factors[e].gate = sigmoid(value);
                    factors[e].grad *= value * factors[e].gate;
                }
            }
#pragma unroll
            for (int e = 0; e < Width; e++)
                store_factors(shared.factors + t * FactorPitch + factor_place(place.v + e), factors[e]);
        }
    }
    unpack_orders(shared.b, staged.b, place);
    unpack_orders(shared.c, staged.c, place);
}

// The gradients of a tile whose states are summed.
MAMBA_DEVICE void finish_tile(Shared& shared, const Staged& staged, const Cursor& cursor, const ScanBackwardParams& p, const Place& place, int blocks, int left)
{
#pragma unroll
    for (int i = 0; i < ChannelLoads; i++)
    {
        const int t = place.t + i * Apart, item = place.thread + i * Copiers;
        if (t >= left || place.vectorLeft <= 0)
            continue;
        const long long at = cursor.out + static_cast<long long>(i * Apart) * p.channels;
        const Row rowU = staged.channels[OfU][item], rowDelta = staged.channels[OfDelta][item];
        float out[Width], gb[Width], skip[Width];
        Factors factors[Width];
#pragma unroll
        for (int e = 0; e < Width; e++)
            factors[e] = load_factors(shared.factors + t * FactorPitch + factor_place(place.v + e));
        auto sum = [&](const float* sums, int e)
        {
            float result = 0.0f;
#pragma unroll
            for (int k = 0; k < STATE_WARPS; k++)
                result += sums[(k * Tile + t) * SumPitch + place.v + e];
            return result;
        };
        if (p.z)
        {
            const Row rowZ = staged.channels[OfZ][item], rowDy = staged.channels[OfDy][item];
#pragma unroll
            for (int e = 0; e < Width; e++)
            {
                const float y = shared.skip[place.v + e] * element(rowU, e) + sum(shared.y, e), gate = factors[e].gate;
                out[e] = element(rowDy, e) * y * gate * (1.0f + element(rowZ, e) * (1.0f - gate));
            }
            store_row(static_cast<REAL*>(p.dz) + cursor.outZ + static_cast<long long>(i * Apart) * p.dzStride, out, place.vectorLeft);
        }
#pragma unroll
        for (int e = 0; e < Width; e++)
        {
            gb[e] = sum(shared.gb, e);
            out[e] = element(rowU, e) * gb[e] + sum(shared.ar, e) * (1.0f / Log2E);
            skip[e] = factors[e].grad * element(rowU, e);
        }
        add_floats(shared.dSkip + place.thread * Width, skip);
        if (p.deltaSoftplus)
#pragma unroll
            for (int e = 0; e < Width; e++)
                out[e] *= sigmoid(element(rowDelta, e) + shared.bias[place.v + e]);
        add_floats(shared.dBias + place.thread * Width, out);
        store_row(static_cast<REAL*>(p.dDelta) + at, out, place.vectorLeft);
#pragma unroll
        for (int e = 0; e < Width; e++)
            out[e] = factors[e].step * gb[e] + shared.skip[place.v + e] * factors[e].grad;
        store_row(static_cast<REAL*>(p.du) + at, out, place.vectorLeft);
    }
    // Four states of B or C at a time; N is a multiple of four where rows are aligned.
    const int column = place.thread % ColumnFours * 4, n = column % States;
#pragma unroll
    for (int i = 0; i < (Tile + SumApart - 1) / SumApart; i++)
    {
        const int t = place.thread / ColumnFours + i * SumApart;
        if (t >= left || n >= p.states)
            continue;
        float4 sum = {};
#pragma unroll
        for (int k = 0; k < CHANNEL_WARPS; k++)
        {
            const float4 more = *reinterpret_cast<const float4*>(&shared.matrices[(k * Tile + t) * MatrixPitch + column]);
            sum = float4{sum.x + more.x, sum.y + more.y, sum.z + more.z, sum.w + more.w};
        }
        float* const out = cursor.sums + static_cast<long long>(i * SumApart) * blocks * 2 * p.states;
#if ALIGNED
        store_words(out, {bits_of(sum.x), bits_of(sum.y), bits_of(sum.z), bits_of(sum.w)});
#else
#pragma unroll
        for (int e = 0; e < 4; e++)
            if (n + e < p.states)
                out[e] = ::at(sum, e);
#endif
    }
}
