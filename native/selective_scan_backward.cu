// The selective scan, backward. A block walks a segment of a sequence from its last tile to its first. The states of a tile are
// computed again from the checkpoint at its start; of each eight positions a warp then holds decays and states in registers and goes
// through them backward: g = C·dy' + what the next position hands over, e·g for the position before, where dy' = dy·SiLU(z).
//   dB = Σ_channels g·delta·u     dC = Σ_channels dy'·h           summed over a block here, over blocks by selective_scan_matrices
//   du = delta·Σ_n g·B + D·dy'    ddelta = u·Σ_n g·B + Σ_n A·r    with r = g·e·h[t-1]; times the slope of softplus
//   dA = Σ_t delta·r              dD = Σ_t dy'·u                  dz = dy·y·SiLU'(z)
// Sums over states are products on the matrix unit as in the forward pass. Sums over the channels of a warp are too, with operands
// rounded to bfloat16, where the results are 16-bit numbers; else the lanes are halved.
//
// Defines: those of scan_tiles.cuh; MIN_BLOCKS, blocks of a multiprocessor;
// SHARED_BYTES, what the launch plan reserves.
#include "scan_tiles.cuh"
#include "selective_scan.cuh"

// delta·u and dy' lie as the matrix unit takes them for an outer product of two positions: for each channel, what each of its four
// lanes gives to the first and to the second position, (high, 0), (low, 0), (0, high), (0, low). The padding keeps the vectors that a
// quarter of a warp writes in different banks.
constexpr int FactorPitch = 8 * (Channels + Vectors);
MAMBA_DEVICE int factor_place(int channel) { return 8 * (channel + channel / Width); }
constexpr int Eights = Tile / 8;
constexpr int Columns = 2 * States;                 // dB and dC
constexpr int PairPitch = Channels / 2 + 4;
constexpr int MatrixPitch = Columns + 8;

struct Staged
{
    Row u[ChannelItems];
    Row delta[ChannelItems];
    Row z[ChannelItems];
    Row dy[ChannelItems];
};

struct Shared
{
    Staged staged[2];
    Row stagedB[StateItems];
    Row stagedC[StateItems];
    alignas(16) Pair pushPairs[Tile * PairPitch];   // delta·u and dy' of two channels, rounded
    alignas(16) Pair gradPairs[Tile * PairPitch];
    alignas(16) float steps[Tile * Channels];
    alignas(16) float pushes[Tile / 2 * FactorPitch];       // delta·u
    alignas(16) float grads[Tile / 2 * FactorPitch];        // dy'
    alignas(16) float b[Tile * States];
    alignas(16) float c[Tile * States];
    alignas(16) float y[STATE_WARPS * Tile * SumPitch];     // Σ_n C·h
    alignas(16) float gb[STATE_WARPS * Tile * SumPitch];    // Σ_n g·B
    alignas(16) float ar[STATE_WARPS * Tile * SumPitch];    // Σ_n A·r, in units of log2(e)
    alignas(16) float matrices[CHANNEL_WARPS * Tile * MatrixPitch];
    alignas(16) float starts[Eights * EIGHTS * 2 * Threads];    // states before each eight positions, of each thread
    alignas(16) float dSkip[Threads * Width];       // of a thread's vector of channels, over its positions
    alignas(16) float dBias[Threads * Width];
    alignas(16) float bias[Channels];
    alignas(16) float skip[Channels];
};

MAMBA_DEVICE void store_factors(float* to, int t, int channel, const float (&values)[Width])
{
#pragma unroll
    for (int e = 0; e < Width; e++)
    {
        const float high = high_part(values[e]), low = values[e] - high;
        *reinterpret_cast<float4*>(to + t / 2 * FactorPitch + factor_place(channel) + 8 * e + t % 2 * 4) =
            t % 2 == 0 ? float4{high, 0.0f, low, 0.0f} : float4{0.0f, high, 0.0f, low};
    }
}

// A number again from what store_factors has made of it; from: its channel in the first pair of positions.
MAMBA_DEVICE float factor_at(const float* from, int t)
{
    const float* const at = from + t / 2 * FactorPitch + t % 2 * 5;
    return at[0] + at[2];
}

// Halves the lanes of a warp that hold different channels: of values, the lane keeps those of its half and adds its partner's.
template <int Count>
MAMBA_DEVICE void halve(float (&values)[Count], int lane, int bit)
{
    const bool upper = (lane & bit) != 0;
#pragma unroll
    for (int i = 0; i < Count / 2; i++)
    {
        const float keep = upper ? values[Count / 2 + i] : values[i], give = upper ? values[i] : values[Count / 2 + i];
        values[i] = keep + __shfl_xor_sync(0xffffffffu, give, bit);
    }
}

static_assert(sizeof(Shared) == SHARED_BYTES, "the launch plan reserves another size");

extern "C" __global__ void __launch_bounds__(Threads, MIN_BLOCKS) selective_scan_backward(const __grid_constant__ ScanBackwardParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    const Place place = Place::get(p.channels, p.groups);
    const int blocks = p.groups * ((p.channels / p.groups + Channels - 1) / Channels);
    const long long sequence = place.run / p.segments, segment = place.run % p.segments;
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;
    const long long tiles = (length + Tile - 1) / Tile;
    const int j = place.j, g = place.g;

    float a[EIGHTS][2], carry[EIGHTS][2], dA[EIGHTS][2];    // carry: the gradient of the state before the positions that are done
    load_rates(a, p.a, place, p.states);
    const long long stateRow = (place.run * p.channels + place.channel) * p.states;
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
        {
            const int n = place.state + 8 * k + s;
            carry[k][s] = p.carries && place.real && n < p.states ? p.carries[stateRow + n] : 0.0f;
            dA[k][s] = 0.0f;
        }
    load_of_channels(shared.bias, p.deltaBias, place);
    load_of_channels(shared.skip, p.d, place);

    const long long row = sequence * p.length + begin;
    const int column = place.first + place.v;
    const REAL* const u = static_cast<const REAL*>(p.u) + (row + place.t) * p.uStride + column;
    const REAL* const delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
    const REAL* const z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : nullptr;
    const REAL* const dy = static_cast<const REAL*>(p.dy) + (row + place.t) * p.dyStride + column;
    const long long group = static_cast<long long>(place.group) * p.states;
    const REAL* const b = static_cast<const REAL*>(p.b) + row * p.bStride + group;
    const REAL* const c = static_cast<const REAL*>(p.c) + row * p.cStride + group;
    const long long chunks = (p.length + Tile - 1) / Tile;
    const float* const checkpoints = p.checkpoints + (sequence * chunks + begin / Tile) * p.states * p.channels + place.channel;

    auto fetch = [&](Staged& to, long long start)
    {
        const long long left = length - start;
        copy_channels(to.u, u + start * p.uStride, p.uStride, place, left);
        copy_channels(to.delta, delta + start * p.deltaStride, p.deltaStride, place, left);
        if (p.z)
            copy_channels(to.z, z + start * p.zStride, p.zStride, place, left);
        copy_channels(to.dy, dy + start * p.dyStride, p.dyStride, place, left);
        copy_matrix(shared.stagedB, b + start * p.bStride, p.bStride, p.states, place, left);
        copy_matrix(shared.stagedC, c + start * p.cStride, p.cStride, p.states, place, left);
    };

    float* const dSkip = shared.dSkip + place.thread * Width;
    float* const dBias = shared.dBias + place.thread * Width;
#pragma unroll
    for (int e = 0; e < Width; e++)
        dSkip[e] = dBias[e] = 0.0f;

    auto finish = [&](const Staged& from, long long start)  // the gradients of the tile that is summed
    {
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = place.t + i * Apart, item = place.thread + i * Threads;
            if (t >= Tile || start + t >= length || place.vectorLeft <= 0)
                continue;
            const long long outRow = (row + start + t) * p.channels + column;
            const Row rowU = from.u[item], rowDy = from.dy[item], rowDelta = from.delta[item];
            float out[Width], gb[Width], grad[Width];
#pragma unroll
            for (int e = 0; e < Width; e++)
                grad[e] = element(rowDy, e);
            if (p.z)
            {
                const Row rowZ = from.z[item];
#pragma unroll
                for (int e = 0; e < Width; e++)
                {
                    const float value = element(rowZ, e), slope = sigmoid(value);
                    float y = shared.skip[place.v + e] * element(rowU, e);
#pragma unroll
                    for (int k = 0; k < STATE_WARPS; k++)
                        y += shared.y[(k * Tile + t) * SumPitch + place.v + e];
                    out[e] = grad[e] * y * slope * (1.0f + value * (1.0f - slope));
                    grad[e] *= value * slope;
                }
                store_row(static_cast<REAL*>(p.dz) + outRow, out, place.vectorLeft);
            }
#pragma unroll
            for (int e = 0; e < Width; e++)
            {
                gb[e] = 0.0f;
                float ar = 0.0f;
#pragma unroll
                for (int k = 0; k < STATE_WARPS; k++)
                {
                    gb[e] += shared.gb[(k * Tile + t) * SumPitch + place.v + e];
                    ar += shared.ar[(k * Tile + t) * SumPitch + place.v + e];
                }
                out[e] = element(rowU, e) * gb[e] + ar * (1.0f / Log2E);
                dSkip[e] += grad[e] * element(rowU, e);
            }
            if (p.deltaSoftplus)
#pragma unroll
                for (int e = 0; e < Width; e++)
                    out[e] *= sigmoid(element(rowDelta, e) + shared.bias[place.v + e]);
#pragma unroll
            for (int e = 0; e < Width; e++)
                dBias[e] += out[e];
            store_row(static_cast<REAL*>(p.dDelta) + outRow, out, place.vectorLeft);
#pragma unroll
            for (int e = 0; e < Width; e++)
                out[e] = shared.steps[t * Channels + place.v + e] * gb[e] + shared.skip[place.v + e] * grad[e];
            store_row(static_cast<REAL*>(p.du) + outRow, out, place.vectorLeft);
        }
        // Four states of B or C at a time; N is a multiple of four where rows are aligned.
        float* const to = p.dMatrices + ((row + start) * blocks + place.block) * 2 * p.states;
#pragma unroll
        for (int i = 0; i < (Tile * Columns / 4 + Threads - 1) / Threads; i++)
        {
            const int item = place.thread + i * Threads, t = item / (Columns / 4), at = item % (Columns / 4) * 4, n = at % States;
            if (t >= Tile || start + t >= length || n >= p.states)
                continue;
            float4 sum = {};
#pragma unroll
            for (int k = 0; k < CHANNEL_WARPS; k++)
            {
                const float4 more = *reinterpret_cast<const float4*>(&shared.matrices[(k * Tile + t) * MatrixPitch + at]);
                sum = float4{sum.x + more.x, sum.y + more.y, sum.z + more.z, sum.w + more.w};
            }
            float* const out = to + static_cast<long long>(t) * blocks * 2 * p.states + at / States * p.states + n;
#if ALIGNED
            *reinterpret_cast<float4*>(out) = sum;
#else
#pragma unroll
            for (int e = 0; e < 4; e++)
                if (n + e < p.states)
                    out[e] = ::at(sum, e);
#endif
        }
    };

    const int warp = place.own / 8, states0 = place.part * EIGHTS * 8;
    const float* const steps = shared.steps + place.own;
    const float* const pushes = shared.pushes + factor_place(place.own);
    const float* const grads = shared.grads + factor_place(place.own);
    const float* const rowsB = shared.b + states0;
    const float* const rowsC = shared.c + states0;
    const int sumsAt = (place.part * Tile + 2 * j) * SumPitch + place.own;
    float* const matrices = shared.matrices + warp * Tile * MatrixPitch + states0;
    float* const starts = shared.starts + place.thread;
    float mine[4];                                          // of the four pairs of positions: 1 where g stands for one of the two
#pragma unroll
    for (int pair = 0; pair < 4; pair++)
        mine[pair] = g / 2 == pair ? 1.0f : 0.0f;
    auto outer = [&](const float* factors, int t, float row) // of the positions t and t + 1
    {
        const float2 given = *reinterpret_cast<const float2*>(factors + t / 2 * FactorPitch + 2 * j);
        Sums sums = {};
        add_short_product(sums, given.x, given.y, row);
        if (Exact)
            add_short_product(sums, given.x, given.y, row - high_part(row));
        return sums;
    };

    if (tiles > 0)
        fetch(shared.staged[0], (tiles - 1) * Tile);
    for (long long tile = tiles - 1; tile >= 0; tile--)
    {
        const long long start = tile * Tile;
        const int now = (tiles - 1 - tile) % 2;
        const Staged& staged = shared.staged[now];
        wait_for_copies();
        __syncthreads();
        // The gradients of the tile before; of what is overwritten below a thread reads there what it has written itself.
        if (tile + 1 < tiles)
            finish(shared.staged[1 - now], start + Tile);
        float h[EIGHTS][2];
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
            {
                const int n = place.state + 8 * k + s;
                h[k][s] = place.real && n < p.states ? checkpoints[(tile * p.states + n) * p.channels] : 0.0f;
            }
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = place.t + i * Apart, item = place.thread + i * Threads;
            if (t < Tile)
            {
                float step[Width], push[Width], grad[Width];
                step_sizes(step, staged.delta[item], shared.bias + place.v, p.deltaSoftplus, start + t < length);
                store_floats(&shared.steps[t * Channels + place.v], step);
                const Row rowU = staged.u[item], rowDy = staged.dy[item];
#pragma unroll
                for (int e = 0; e < Width; e++)
                {
                    push[e] = step[e] * element(rowU, e);
                    grad[e] = element(rowDy, e);
                }
                if (p.z)
                {
                    const Row rowZ = staged.z[item];
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        grad[e] *= silu(element(rowZ, e));
                }
                store_factors(shared.pushes, t, place.v, push);
                store_factors(shared.grads, t, place.v, grad);
#pragma unroll
                for (int e = 0; e < Width; e += 2)
                {
                    shared.pushPairs[t * PairPitch + (place.v + e) / 2] = rounded(push[e], push[e + 1]);
                    shared.gradPairs[t * PairPitch + (place.v + e) / 2] = rounded(grad[e], grad[e + 1]);
                }
            }
        }
        unpack_matrix(shared.b, shared.stagedB, place);
        unpack_matrix(shared.c, shared.stagedC, place);
        __syncthreads();
        if (tile > 0)
            fetch(shared.staged[1 - now], start - Tile);

#pragma unroll 1
        for (int eight = 0; eight < Eights; eight++)
#pragma unroll
            for (int k = 0; k < EIGHTS; k++)
            {
                starts[((eight * EIGHTS + k) * 2) * Threads] = h[k][0];
                starts[((eight * EIGHTS + k) * 2 + 1) * Threads] = h[k][1];
                if (eight < Eights - 1)
#pragma unroll
                    for (int pair = 0; pair < 4; pair++)
                    {
                        const int t = 8 * eight + 2 * pair;
                        const Sums push = outer(pushes, t, rowsB[(t + j / 2) * States + 8 * k + g]);
#pragma unroll
                        for (int s = 0; s < 2; s++)
                        {
                            h[k][s] = fast_exp2(steps[t * Channels] * a[k][s]) * h[k][s] + push.at[s];
                            h[k][s] = fast_exp2(steps[(t + 1) * Channels] * a[k][s]) * h[k][s] + push.at[2 + s];
                        }
                    }
            }

#pragma unroll 1
        for (int eight = Eights - 1; eight >= 0; eight--)
        {
            const int t0 = 8 * eight;
            Sums y = {}, gb = {}, ar = {};
            const Pair pushRow = shared.pushPairs[(t0 + g) * PairPitch + warp * 4 + j], gradRow = shared.gradPairs[(t0 + g) * PairPitch + warp * 4 + j];
#pragma unroll
            for (int k = 0; k < EIGHTS; k++)
            {
                float decay[8][2], states[8][2];
                Sums db = {}, dc = {};                      // of eight positions, where 16-bit operands serve
                const float2 rowC = *reinterpret_cast<const float2*>(&rowsC[(t0 + g) * States + 8 * k + 2 * j]);
                const float2 rowB = *reinterpret_cast<const float2*>(&rowsB[(t0 + g) * States + 8 * k + 2 * j]);
                const float first[2] = {starts[((eight * EIGHTS + k) * 2) * Threads], starts[((eight * EIGHTS + k) * 2 + 1) * Threads]};
                float state0 = first[0], state1 = first[1];
#pragma unroll
                for (int pair = 0; pair < 4; pair++)
                {
                    const int t = t0 + 2 * pair;
                    const Sums push = outer(pushes, t, rowsB[(t + j / 2) * States + 8 * k + g]);
#pragma unroll
                    for (int i = 0; i < 2; i++)
                    {
                        decay[2 * pair + i][0] = fast_exp2(steps[(t + i) * Channels] * a[k][0]);
                        decay[2 * pair + i][1] = fast_exp2(steps[(t + i) * Channels] * a[k][1]);
                        state0 = decay[2 * pair + i][0] * state0 + push.at[2 * i];
                        state1 = decay[2 * pair + i][1] * state1 + push.at[2 * i + 1];
                        states[2 * pair + i][0] = state0;
                        states[2 * pair + i][1] = state1;
                    }
                    add_inner_products(y, states[2 * pair][0], states[2 * pair + 1][0], states[2 * pair][1], states[2 * pair + 1][1], mine[pair] * rowC.x, mine[pair] * rowC.y);
                }

#pragma unroll
                for (int pair = 3; pair >= 0; pair--)
                {
                    const int t = t0 + 2 * pair;
                    const Sums push = outer(grads, t, rowsC[(t + j / 2) * States + 8 * k + g]);
                    float gradient[2][2], weighted[2][2], shares[8];
#pragma unroll
                    for (int i = 1; i >= 0; i--)
                    {
                        const int at = 2 * pair + i;
                        const float step = steps[(t + i) * Channels];
#pragma unroll
                        for (int s = 0; s < 2; s++)
                        {
                            gradient[i][s] = carry[k][s] + push.at[2 * i + s];
                            carry[k][s] = decay[at][s] * gradient[i][s];
                            const float before = at > 0 ? states[at > 0 ? at - 1 : 0][s] : first[s];
                            const float r = carry[k][s] * before;
                            dA[k][s] += step * r;
                            weighted[i][s] = a[k][s] * r;
                            if (Exact)
                            {
                                shares[4 * i + s] = gradient[i][s] * factor_at(pushes, t + i);
                                shares[4 * i + 2 + s] = factor_at(grads, t + i) * states[at][s];
                            }
                        }
                    }
                    add_inner_products(gb, gradient[0][0], gradient[1][0], gradient[0][1], gradient[1][1], mine[pair] * rowB.x, mine[pair] * rowB.y);
                    add_inner_products(ar, weighted[0][0], weighted[1][0], weighted[0][1], weighted[1][1], mine[pair], mine[pair]);
                    if (Exact)
                    {
                        // Over the eight channels of the warp: lane 4g+j keeps position t + g/4, matrix g/2 % 2, state 2j + g % 2.
                        halve(shares, place.lane, 16);
                        halve(reinterpret_cast<float(&)[4]>(shares), place.lane, 8);
                        halve(reinterpret_cast<float(&)[2]>(shares), place.lane, 4);
                        matrices[(t + g / 4) * MatrixPitch + (g / 2 % 2) * States + 8 * k + 2 * j + g % 2] = shares[0];
                    }
                    else
                    {
#pragma unroll
                        for (int i = 0; i < 2; i++)
                        {
                            const int at = 2 * pair + i;
                            add_pair_product(db, g == at ? pushRow : Pair{0}, transposed(rounded(gradient[i][0], gradient[i][1])));
                            add_pair_product(dc, g == at ? gradRow : Pair{0}, transposed(rounded(states[at][0], states[at][1])));
                        }
                    }
                }
                if (!Exact)
                {
                    float* const to = matrices + (t0 + g) * MatrixPitch + 8 * k + 2 * j;
                    *reinterpret_cast<float2*>(to) = float2{db.at[0], db.at[1]};
                    *reinterpret_cast<float2*>(to + States) = float2{dc.at[0], dc.at[1]};
                }
            }
            shared.y[sumsAt + t0 * SumPitch] = y.at[0];
            shared.y[sumsAt + (t0 + 1) * SumPitch] = y.at[3];
            shared.gb[sumsAt + t0 * SumPitch] = gb.at[0];
            shared.gb[sumsAt + (t0 + 1) * SumPitch] = gb.at[3];
            shared.ar[sumsAt + t0 * SumPitch] = ar.at[0];
            shared.ar[sumsAt + (t0 + 1) * SumPitch] = ar.at[3];
        }
    }
    __syncthreads();
    if (tiles > 0)
        finish(shared.staged[(tiles - 1) % 2], 0);

    if (place.real)
    {
        const long long out = (place.run * p.states) * p.channels + place.channel;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
            {
                const int n = place.state + 8 * k + s;
                if (n < p.states)
                {
                    p.dA[out + static_cast<long long>(n) * p.channels] = dA[k][s];
                    if (p.dInitialState && segment == 0)
                        p.dInitialState[(sequence * p.channels + place.channel) * p.states + n] = carry[k][s];
                }
            }
    }

    // dD and the gradient of the bias: the threads that have read the same channels, in order of their positions.
    __syncthreads();
    if (place.thread < Channels && place.first + place.thread < place.limit)
    {
        float skip = 0.0f, bias = 0.0f;
        for (int t = 0; t < Apart; t++)
        {
            skip += shared.dSkip[t * Channels + place.thread];
            bias += shared.dBias[t * Channels + place.thread];
        }
        const long long out = place.run * p.channels + place.first + place.thread;
        if (p.dSkip)
            p.dSkip[out] = skip;
        if (p.dBias)
            p.dBias[out] = bias;
    }
}
