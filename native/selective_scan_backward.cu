// The selective scan, backward. A block walks a segment of a sequence from its last tile to its first. The states of a tile are
// computed again from the checkpoint at its start; of each eight positions a warp then holds decays and states in registers and goes
// through them backward: g = C·dy' + what the next position hands over, e·g for the position before, where dy' = dy·SiLU(z).
//   dB = Σ_channels g·delta·u     dC = Σ_channels dy'·h           summed over a block here, over blocks by selective_scan_matrices
//   du = delta·Σ_n g·B + D·dy'    ddelta = u·Σ_n g·B + Σ_n A·r    with r = g·e·h[t-1]; times the slope of softplus
//   dA = Σ_t delta·r              dD = Σ_t dy'·u                  dz = dy·y·SiLU'(z)
// Sums over states are products on the matrix unit as in the forward pass, sums over the channels of a warp halve the lanes.
//
// Defines: those of scan_tiles.cuh; MIN_BLOCKS, blocks of a multiprocessor;
// SHARED_BYTES, what the launch plan reserves.
#include "scan_tiles.cuh"
#include "selective_scan.cuh"

constexpr int Pitch = Channels + 8;
constexpr int Eights = Tile / 8;
constexpr int Columns = 2 * States;                 // dB and dC

struct Staged
{
    Row u[ChannelItems];
    Row delta[ChannelItems];
    Row z[ChannelItems];
    Row dy[ChannelItems];
    Row b[StateItems];
    Row c[StateItems];
};

struct Shared
{
    Staged staged[2];
    alignas(16) float steps[Tile * Channels];
    alignas(16) float pushes[Tile * Pitch];         // delta·u
    alignas(16) float grads[Tile * Pitch];          // dy'
    alignas(16) float b[Tile * States];
    alignas(16) float c[Tile * States];
    alignas(16) float y[STATE_WARPS * Tile * SumPitch];     // Σ_n C·h
    alignas(16) float gb[STATE_WARPS * Tile * SumPitch];    // Σ_n g·B
    alignas(16) float ar[STATE_WARPS * Tile * SumPitch];    // Σ_n A·r, in units of log2(e)
    alignas(16) float matrices[CHANNEL_WARPS * Tile * Columns];
    alignas(16) float starts[Eights * EIGHTS * 2 * Threads];    // states before each eight positions, of each thread
    alignas(16) float dSkip[Threads * Width];       // of a thread's vector of channels, over its positions
    alignas(16) float dBias[Threads * Width];
    alignas(16) float bias[Channels];
    alignas(16) float skip[Channels];
};

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
    const long long stateRow = (place.run * p.channels + place.channel) * p.states;
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
        {
            const int n = place.state + 8 * k + s;
            const bool used = place.real && n < p.states;
            a[k][s] = used ? p.a[static_cast<long long>(place.channel) * p.states + n] * Log2E : 0.0f;
            carry[k][s] = used && p.carries ? p.carries[stateRow + n] : 0.0f;
            dA[k][s] = 0.0f;
        }
    if (place.thread < Channels)
    {
        const int channel = place.first + place.thread;
        shared.bias[place.thread] = channel < place.limit && p.deltaBias ? p.deltaBias[channel] : 0.0f;
        shared.skip[place.thread] = channel < place.limit && p.d ? p.d[channel] : 0.0f;
    }

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
        copy_matrix(to.b, b + start * p.bStride, p.bStride, p.states, place, left);
        copy_matrix(to.c, c + start * p.cStride, p.cStride, p.states, place, left);
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
                const float x = element(rowDelta, e) + shared.bias[place.v + e];
                float value = element(rowU, e) * gb[e] + ar * (1.0f / Log2E);
                if (p.deltaSoftplus)
                    value *= sigmoid(x);
                out[e] = value;
                dBias[e] += value;
                dSkip[e] += grad[e] * element(rowU, e);
            }
            store_row(static_cast<REAL*>(p.dDelta) + outRow, out, place.vectorLeft);
#pragma unroll
            for (int e = 0; e < Width; e++)
                out[e] = shared.steps[t * Channels + place.v + e] * gb[e] + shared.skip[place.v + e] * grad[e];
            store_row(static_cast<REAL*>(p.du) + outRow, out, place.vectorLeft);
        }
        float* const to = p.dMatrices + ((row + start) * blocks + place.block) * 2 * p.states;
        for (int i = place.thread; i < Tile * Columns; i += Threads)
        {
            const int t = i / Columns, n = i % Columns % States, second = i % Columns / States;
            if (start + t < length && n < p.states)
            {
                float sum = 0.0f;
#pragma unroll
                for (int k = 0; k < CHANNEL_WARPS; k++)
                    sum += shared.matrices[k * Tile * Columns + i];
                to[static_cast<long long>(t) * blocks * 2 * p.states + second * p.states + n] = sum;
            }
        }
    };

    const int warp = place.own / 8, states0 = place.part * EIGHTS * 8;
    const float* const steps = shared.steps + place.own;
    const float* const pushes = shared.pushes + place.own;
    const float* const grads = shared.grads + place.own;
    const float* const rowsB = shared.b + states0;
    const float* const rowsC = shared.c + states0;
    const int sumsAt = (place.part * Tile + 2 * j) * SumPitch + place.own;
    float* const matrices = shared.matrices + warp * Tile * Columns + states0;
    float* const starts = shared.starts + place.thread;
    const bool second = j >= 2, low = j % 2 != 0;
    auto part_of = [&](const float* rows, int t)            // what the lane gives to an outer product of the positions t and t + 1
    {
        const float x = rows[(t + j / 2) * Pitch];
        return low ? x - high_part(x) : high_part(x);
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
        // The outputs of the tile before are written from its numbers before these are overwritten.
        if (tile + 1 < tiles)
        {
            finish(shared.staged[1 - now], start + Tile);
            __syncthreads();
        }
        if (tile > 0)
            fetch(shared.staged[1 - now], start - Tile);
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
                store_floats(&shared.pushes[t * Pitch + place.v], push);
                store_floats(&shared.grads[t * Pitch + place.v], grad);
            }
        }
        unpack_matrix(shared.b, staged.b, place);
        unpack_matrix(shared.c, staged.c, place);
        __syncthreads();

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
                        const Sums push = outer_products(part_of(pushes, t), second, rowsB[(t + j / 2) * States + 8 * k + g]);
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
            float results[8][EIGHTS];                       // of this lane's share of the sums over channels
#pragma unroll
            for (int k = 0; k < EIGHTS; k++)
            {
                float decay[8][2], states[8][2];
                const float2 rowC = *reinterpret_cast<const float2*>(&rowsC[(t0 + g) * States + 8 * k + 2 * j]);
                const float2 rowB = *reinterpret_cast<const float2*>(&rowsB[(t0 + g) * States + 8 * k + 2 * j]);
                const float first[2] = {starts[((eight * EIGHTS + k) * 2) * Threads], starts[((eight * EIGHTS + k) * 2 + 1) * Threads]};
                float state0 = first[0], state1 = first[1];
#pragma unroll
                for (int pair = 0; pair < 4; pair++)
                {
                    const int t = t0 + 2 * pair;
                    const Sums push = outer_products(part_of(pushes, t), second, rowsB[(t + j / 2) * States + 8 * k + g]);
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
                    const bool mine = g / 2 == pair;
                    add_inner_products(y, states[2 * pair][0], states[2 * pair + 1][0], states[2 * pair][1], states[2 * pair + 1][1], mine ? rowC.x : 0.0f, mine ? rowC.y : 0.0f);
                }

#pragma unroll
                for (int pair = 3; pair >= 0; pair--)
                {
                    const int t = t0 + 2 * pair;
                    const Sums push = outer_products(part_of(grads, t), second, rowsC[(t + j / 2) * States + 8 * k + g]);
                    float gradient[2][2], weighted[2][2], shares[8];
#pragma unroll
                    for (int i = 1; i >= 0; i--)
                    {
                        const int at = 2 * pair + i;
                        const float step = steps[(t + i) * Channels], push0 = pushes[(t + i) * Pitch], grad0 = grads[(t + i) * Pitch];
#pragma unroll
                        for (int s = 0; s < 2; s++)
                        {
                            gradient[i][s] = carry[k][s] + push.at[2 * i + s];
                            carry[k][s] = decay[at][s] * gradient[i][s];
                            const float before = at > 0 ? states[at > 0 ? at - 1 : 0][s] : first[s];
                            const float r = carry[k][s] * before;
                            dA[k][s] += step * r;
                            weighted[i][s] = a[k][s] * r;
                            shares[4 * i + s] = gradient[i][s] * push0;
                            shares[4 * i + 2 + s] = grad0 * states[at][s];
                        }
                    }
                    const bool mine = g / 2 == pair;
                    add_inner_products(gb, gradient[0][0], gradient[1][0], gradient[0][1], gradient[1][1], mine ? rowB.x : 0.0f, mine ? rowB.y : 0.0f);
                    add_inner_products(ar, weighted[0][0], weighted[1][0], weighted[0][1], weighted[1][1], mine ? 1.0f : 0.0f, mine ? 1.0f : 0.0f);
                    // Over the eight channels of the warp: lane 4g+j keeps position t + g/4, matrix g/2 % 2, state 2j + g % 2.
                    halve(shares, place.lane, 16);
                    halve(reinterpret_cast<float(&)[4]>(shares), place.lane, 8);
                    halve(reinterpret_cast<float(&)[2]>(shares), place.lane, 4);
                    results[2 * pair][k] = shares[0];
                }
            }
            shared.y[sumsAt + t0 * SumPitch] = y.at[0];
            shared.y[sumsAt + (t0 + 1) * SumPitch] = y.at[3];
            shared.gb[sumsAt + t0 * SumPitch] = gb.at[0];
            shared.gb[sumsAt + (t0 + 1) * SumPitch] = gb.at[3];
            shared.ar[sumsAt + t0 * SumPitch] = ar.at[0];
            shared.ar[sumsAt + (t0 + 1) * SumPitch] = ar.at[3];
#pragma unroll
            for (int pair = 0; pair < 4; pair++)
#pragma unroll
                for (int k = 0; k < EIGHTS; k++)
                    matrices[(t0 + 2 * pair + g / 4) * Columns + (g / 2 % 2) * States + 8 * k + 2 * j + g % 2] = results[2 * pair][k];
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
