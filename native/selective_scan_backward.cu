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
constexpr int FactorPitch = 8 * Channels + 4 * Vectors;
MAMBA_DEVICE int factor_place(int channel) { return 8 * channel + 4 * (channel / Width); }
constexpr int Eights = Tile / 8;
constexpr int Columns = 2 * States;                 // dB and dC
constexpr int FactorRow = (Exact ? Channels : Channels / 2) + 4;    // words
constexpr int MatrixPitch = Columns + 4;
constexpr int Joint = Exact ? 1 : 2;                // eights of states at a time: two fill the products that sum over channels

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
    alignas(16) unsigned pushRows[Tile * FactorRow];        // delta·u and dy' for the sums over channels: of two channels rounded, or exact
    alignas(16) unsigned gradRows[Tile * FactorRow];
    alignas(16) float steps[Tile * Channels];
    alignas(16) float pushes[Tile / 2 * FactorPitch];       // delta·u
    alignas(16) float grads[Tile / 2 * FactorPitch];        // dy'
    alignas(16) float b[Tile * StatePitch];
    alignas(16) float c[Tile * StatePitch];
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

MAMBA_DEVICE void store_factor_row(unsigned* to, int t, int channel, const float (&values)[Width])
{
    if (Exact)
        store_floats(reinterpret_cast<float*>(to + t * FactorRow + channel), values);
    else
#pragma unroll
        for (int e = 0; e < Width; e += 2)
            to[t * FactorRow + (channel + e) / 2] = rounded(values[e], values[e + 1]).bits;
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
    const int sequence = place.run / p.segments, segment = place.run % p.segments;
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;
    const int tiles = static_cast<int>((length + Tile - 1) / Tile);
    const int j = place.j, g = place.g;

    float a[EIGHTS][2], carry[EIGHTS][2], dA[EIGHTS][2];    // carry: the gradient of the state before the positions that are done
    load_rates(a, p.a, place, p.states);
    const long long stateRow = (static_cast<long long>(place.run) * p.channels + place.channel) * p.states;
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
    const long long group = static_cast<long long>(place.group) * p.states;
    const long long chunks = (p.length + Tile - 1) / Tile;

    // Addresses are made for each tile: kept, they would take the registers that the states need.
    auto fetch = [&](Staged& to, const Place& place, long long start)
    {
        const long long left = length - start;
        const int column = place.first + place.v;
        auto channels = [&](Row* rows, const void* from, long long stride)
        {
            copy_channels(rows, static_cast<const REAL*>(from) + (row + start + place.t) * stride + column, stride, place, left);
        };
        auto states = [&](Row* rows, const void* from, long long stride)
        {
            copy_matrix(rows, static_cast<const REAL*>(from) + (row + start) * stride + group, stride, p.states, place, left);
        };
        channels(to.u, p.u, p.uStride);
        channels(to.delta, p.delta, p.deltaStride);
        if (p.z)
            channels(to.z, p.z, p.zStride);
        channels(to.dy, p.dy, p.dyStride);
        states(shared.stagedB, p.b, p.bStride);
        states(shared.stagedC, p.c, p.cStride);
    };

#pragma unroll
    for (int e = 0; e < Width; e++)
        shared.dSkip[place.thread * Width + e] = shared.dBias[place.thread * Width + e] = 0.0f;

    auto finish = [&](const Staged& from, const Place& place, long long start)  // the gradients of the tile that is summed
    {
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = place.t + i * Apart, item = place.thread + i * Copiers;
            if (t >= Tile || start + t >= length || place.vectorLeft <= 0)
                continue;
            const long long outRow = (row + start + t) * p.channels + place.first + place.v;
            const Row rowU = from.u[item], rowDy = from.dy[item], rowDelta = from.delta[item];
            float out[Width], gb[Width], grad[Width], skip[Width];
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
                skip[e] = grad[e] * element(rowU, e);
            }
            add_floats(shared.dSkip + place.thread * Width, skip);
            if (p.deltaSoftplus)
#pragma unroll
                for (int e = 0; e < Width; e++)
                    out[e] *= sigmoid(element(rowDelta, e) + shared.bias[place.v + e]);
            add_floats(shared.dBias + place.thread * Width, out);
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
    auto of_pair = [&](int pair, float2 row) { return float2{mine[pair] * row.x, mine[pair] * row.y}; };
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
        fetch(shared.staged[0], place, static_cast<long long>(tiles - 1) * Tile);
    for (int tile = tiles - 1; tile >= 0; tile--)
    {
        const long long start = static_cast<long long>(tile) * Tile;
        const int now = (tiles - 1 - tile) % 2;
        const Staged& staged = shared.staged[now];
        const Place own = place.anew();
        wait_for_copies();
        __syncthreads();
        // The gradients of the tile before; of what is overwritten below a thread reads there what it has written itself.
        if (tile + 1 < tiles)
            finish(shared.staged[1 - now], own, start + Tile);
        const float* const checkpoint = p.checkpoints + (sequence * chunks + begin / Tile + tile) * p.states * p.channels + place.channel;
        float h[EIGHTS][2];
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
            {
                const int n = place.state + 8 * k + s;
                h[k][s] = place.real && n < p.states ? checkpoint[static_cast<long long>(n) * p.channels] : 0.0f;
            }
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = own.t + i * Apart, item = own.thread + i * Copiers;
            if (t < Tile)
            {
                float step[Width], push[Width], grad[Width];
                step_sizes(step, staged.delta[item], shared.bias + own.v, p.deltaSoftplus, start + t < length);
                store_floats(&shared.steps[t * Channels + own.v], step);
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
                store_factors(shared.pushes, t, own.v, push);
                store_factors(shared.grads, t, own.v, grad);
                store_factor_row(shared.pushRows, t, own.v, push);
                store_factor_row(shared.gradRows, t, own.v, grad);
            }
        }
        unpack_matrix(shared.b, shared.stagedB, own);
        unpack_matrix(shared.c, shared.stagedC, own);
        __syncthreads();
        if (tile > 0)
            fetch(shared.staged[1 - now], own, start - Tile);

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
                        const Sums push = outer(pushes, t, rowsB[(t + j / 2) * StatePitch + 8 * k + g]);
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
            const Pair pushRow = {shared.pushRows[(t0 + g) * FactorRow + warp * 4 + j]}, gradRow = {shared.gradRows[(t0 + g) * FactorRow + warp * 4 + j]};
#pragma unroll
            for (int k0 = 0; k0 < EIGHTS; k0 += Joint)
            {
                float decay[Joint][8][2], states[Joint][8][2], first[Joint][2];
                float2 rowB[Joint], rowC[Joint], restB[Joint], restC[Joint];
                Sums db = {}, dc = {};                      // of eight positions, where 16-bit operands serve
#pragma unroll
                for (int q = 0; q < Joint; q++)
                {
                    const int k = k0 + q;
                    rowC[q] = *reinterpret_cast<const float2*>(&rowsC[(t0 + g) * StatePitch + 8 * k + 2 * j]);
                    rowB[q] = *reinterpret_cast<const float2*>(&rowsB[(t0 + g) * StatePitch + 8 * k + 2 * j]);
                    restC[q] = rest_of(rowC[q]);
                    restB[q] = rest_of(rowB[q]);
#pragma unroll
                    for (int s = 0; s < 2; s++)
                        first[q][s] = starts[((eight * EIGHTS + k) * 2 + s) * Threads];
                }
#pragma unroll
                for (int pair = 0; pair < 4; pair++)
#pragma unroll
                    for (int q = 0; q < Joint; q++)
                    {
                        const int t = t0 + 2 * pair, k = k0 + q;
                        const Sums push = outer(pushes, t, rowsB[(t + j / 2) * StatePitch + 8 * k + g]);
#pragma unroll
                        for (int i = 0; i < 2; i++)
#pragma unroll
                            for (int s = 0; s < 2; s++)
                            {
                                const int at = 2 * pair + i;
                                decay[q][at][s] = fast_exp2(steps[(t + i) * Channels] * a[k][s]);
                                states[q][at][s] = decay[q][at][s] * (at > 0 ? states[q][at > 0 ? at - 1 : 0][s] : first[q][s]) + push.at[2 * i + s];
                            }
                        const float(&state)[8][2] = states[q];
                        add_inner_products(y, state[2 * pair][0], state[2 * pair + 1][0], state[2 * pair][1], state[2 * pair + 1][1], of_pair(pair, rowC[q]), of_pair(pair, restC[q]));
                    }

#pragma unroll
                for (int pair = 3; pair >= 0; pair--)
                {
                    const int t = t0 + 2 * pair;
                    Pair gradientPairs[2][2], statePairs[2][2];     // of each position and eight of states, a row a state
#pragma unroll
                    for (int q = 0; q < Joint; q++)
                    {
                        const int k = k0 + q;
                        const Sums push = outer(grads, t, rowsC[(t + j / 2) * StatePitch + 8 * k + g]);
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
                                carry[k][s] = decay[q][at][s] * gradient[i][s];
                                const float r = carry[k][s] * (at > 0 ? states[q][at > 0 ? at - 1 : 0][s] : first[q][s]);
                                dA[k][s] += step * r;
                                weighted[i][s] = a[k][s] * r;
                                if (Exact)
                                {
                                    shares[4 * i + s] = gradient[i][s] * float_of(shared.pushRows[(t + i) * FactorRow + place.own]);
                                    shares[4 * i + 2 + s] = float_of(shared.gradRows[(t + i) * FactorRow + place.own]) * states[q][at][s];
                                }
                            }
                            if (!Exact)
                            {
                                gradientPairs[i][q] = transposed(rounded(gradient[i][0], gradient[i][1]));
                                statePairs[i][q] = transposed(rounded(states[q][at][0], states[q][at][1]));
                            }
                        }
                        add_inner_products(gb, gradient[0][0], gradient[1][0], gradient[0][1], gradient[1][1], of_pair(pair, rowB[q]), of_pair(pair, restB[q]));
                        add_inner_products<true>(ar, weighted[0][0], weighted[1][0], weighted[0][1], weighted[1][1], {mine[pair], mine[pair]});
                        if (Exact)
                        {
                            // Over the eight channels of the warp: lane 4g+j keeps position t + g/4, matrix g/2 % 2, state 2j + g % 2.
                            halve(shares, place.lane, 16);
                            halve(reinterpret_cast<float(&)[4]>(shares), place.lane, 8);
                            halve(reinterpret_cast<float(&)[2]>(shares), place.lane, 4);
                            matrices[(t + g / 4) * MatrixPitch + (g / 2 % 2) * States + 8 * k + 2 * j + g % 2] = shares[0];
                        }
                    }
                    if (!Exact)
                    {
                        // Columns are the eight positions, of which a position's factors fill its own.
                        auto own = [&](Pair row, int i) { return g == 2 * pair + i ? row : Pair{0}; };
                        add_pair_product(db, gradientPairs, {own(pushRow, 0), own(pushRow, 1)});
                        add_pair_product(dc, statePairs, {own(gradRow, 0), own(gradRow, 1)});
                    }
                }
                if (!Exact)
#pragma unroll
                    for (int i = 0; i < 4; i++)
                    {
                        float* const to = matrices + (t0 + 2 * j + i % 2) * MatrixPitch + 8 * (k0 + i / 2) + g;
                        to[0] = db.at[i];
                        to[States] = dc.at[i];
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
        finish(shared.staged[(tiles - 1) % 2], place, 0);

    if (place.real)
    {
        const long long out = static_cast<long long>(place.run) * (p.states + 2) * p.channels + place.channel;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
            {
                const int n = place.state + 8 * k + s;
                if (n < p.states)
                {
                    p.sums[out + static_cast<long long>(n) * p.channels] = dA[k][s];
                    if (p.dInitialState && segment == 0)
                        p.dInitialState[(static_cast<long long>(sequence) * p.channels + place.channel) * p.states + n] = carry[k][s];
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
        float* const out = p.sums + (static_cast<long long>(place.run) * (p.states + 2) + p.states) * p.channels + place.first + place.thread;
        out[0] = bias;
        out[p.channels] = skip;
    }
}
