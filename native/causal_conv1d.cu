// Causal depthwise convolution, channel-last:
//   p[t] = bias + sum_j weight[j]*x[t-(W-1)+j],   y[t] = silu ? p*sigmoid(p) : p
// One thread walks `steps` positions of VECTOR neighbouring channels of one sequence with the last WIDTH inputs in registers.
// Bound by memory: x is read once (and WIDTH-1 rows again per piece), y written once; several rows are on their way at a time.
//
// Compile with -DREAL=float|bf16|f16 -DWIDTH=1..8 -DVECTOR=1|2|4|8 (elements of one access; every row must be so aligned).
#include "causal_conv1d.cuh"
#include "earlier_launches.cuh"
#include "packs.cuh"

constexpr int History = WIDTH - 1;
constexpr int Ahead = 4; // rows that are loaded before the first of them is used

typedef Packed<REAL, VECTOR> Pack;

MAMBA_DEVICE Pack load(const void* base, long long element) { return load_packed<REAL, VECTOR>(base, element); }

MAMBA_DEVICE Pack zeros() { return zero_packed<REAL, VECTOR>(); }

MAMBA_DEVICE void store(void* base, long long element, const float (&values)[VECTOR]) { store_pack<REAL>(base, element, values); }

// Which piece of which sequence and which channels a thread has.
struct Place
{
    long long sequence;
    long long segment;
    long long channel;
    bool inside;

    MAMBA_DEVICE Place(long long batch, long long segments, long long channels)
    {
        const long long packs = channels / VECTOR;
        const long long item = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
        const long long piece = item / packs;
        channel = (item - piece * packs) * VECTOR;
        sequence = piece / segments;
        segment = piece - sequence * segments;
        inside = sequence < batch;
    }
};

// Taps and bias of the thread's channels.
struct Taps
{
    float weight[WIDTH][VECTOR];
    float bias[VECTOR];

    MAMBA_DEVICE Taps(const float* weights, const float* biases, long long channel)
    {
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
        {
            bias[v] = biases ? biases[channel + v] : 0.0f;
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
                weight[j][v] = weights[(channel + v) * WIDTH + j];
        }
    }
};

// The inputs t-(W-1) … t of the present position t.
struct Window
{
    float at[WIDTH][VECTOR];

    MAMBA_DEVICE void push(const Pack& next)
    {
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
        {
#pragma unroll
            for (int j = 0; j < History; j++)
                at[j][v] = at[j + 1][v];
            at[History][v] = next.at(v);
        }
    }

    MAMBA_DEVICE float sum(const Taps& taps, int v) const
    {
        float p = taps.bias[v];
#pragma unroll
        for (int j = 0; j < WIDTH; j++)
            p += taps.weight[j][v] * at[j][v];
        return p;
    }
};

// Input of position t of a sequence, before the start from the initial state. t < length.
MAMBA_DEVICE Pack input(
    const void* x, long long xStride, const void* initial, long long initialStride, long long sequence, long long length, long long t, long long channel)
{
    if (t >= 0)
        return load(x, (sequence * length + t) * xStride + channel);
    return initial ? load(initial, (sequence * History + History + t) * initialStride + channel) : zeros();
}

// The inputs before position `start`, oldest first, all on their way before the first is used.
struct Before
{
    Pack at[WIDTH];

    template <class Params>
    MAMBA_DEVICE Before(const Params& p, const Place& place, long long start)
    {
#pragma unroll
        for (int j = 0; j < History; j++)
            at[j] = input(p.x, p.xStride, p.initial, p.initialStride, place.sequence, p.length, start - History + j, place.channel);
    }

    // The window as it stands before that position is pushed.
    MAMBA_DEVICE void fill(Window& window) const
    {
#pragma unroll
        for (int j = 0; j < WIDTH; j++)
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
                window.at[j][v] = 0.0f;
#pragma unroll
        for (int j = 0; j < History; j++)
            window.push(at[j]);
    }
};

template <bool Silu>
MAMBA_DEVICE void walk(const ConvForwardParams& p, const Place& place)
{
    const long long start = place.segment * p.steps;
    const int steps = static_cast<int>(start + p.steps < p.length ? p.steps : p.length - start);
    const long long row = place.sequence * p.length + start;
    long long from = row * p.xStride + place.channel;
    long long to = row * p.channels + place.channel;
    Pack next[Ahead];
#pragma unroll
    for (int i = 0; i < Ahead; i++, from += p.xStride)
        next[i] = i < steps ? load(p.x, from) : zeros();
    const Before before(p, place, start);
    const Taps taps(p.weight, p.bias, place.channel);
    Window window;
    before.fill(window);
    for (int t = 0; t < steps; t += Ahead)
    {
#pragma unroll
        for (int i = 0; i < Ahead; i++, from += p.xStride, to += p.channels)
        {
            window.push(next[i]);
            next[i] = t + i + Ahead < steps ? load(p.x, from) : zeros();
            float y[VECTOR];
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
            {
                y[v] = window.sum(taps, v);
                if (Silu)
                    y[v] = silu(y[v]);
            }

            if (t + i < steps)
                store(p.y, to, y);
        }
    }
}

MAMBA_DEVICE void write_last(const ConvForwardParams& p, const Place& place)
{
    for (int j = 0; j < History; j++)
    {
        const Pack pack = input(p.x, p.xStride, p.initial, p.initialStride, place.sequence, p.length, p.length - History + j, place.channel);
        float values[VECTOR];
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            values[v] = pack.at(v);
        store(p.last, (place.sequence * History + j) * p.channels + place.channel, values);
    }
}

extern "C" __global__ void __launch_bounds__(128, 4) causal_conv1d_forward(const __grid_constant__ ConvForwardParams p)
{
    wait_for_earlier_launches();
    const Place place(p.batch, p.segments, p.channels);
    if (!place.inside)
        return;
    if (p.silu)
        walk<true>(p, place);
    else
        walk<false>(p, place);
    if (p.last && place.segment == p.segments - 1)
        write_last(p, place);
}

// What one position of the backward pass leaves for the next.
struct Gradients
{
    Window window;
    float dp[WIDTH][VECTOR]; // of the positions t-(W-1) … t
    float dWeight[WIDTH][VECTOR];
    float dBias[VECTOR];

    MAMBA_DEVICE Gradients()
    {
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
        {
            dBias[v] = 0.0f;
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
                dp[j][v] = dWeight[j][v] = 0.0f;
        }
    }

    // Takes in position t. dInput is the gradient of the input at t-(W-1), but for what dLast adds.
    template <bool Silu>
    MAMBA_DEVICE void push(float (&dInput)[VECTOR], const Taps& taps, const Pack& x, const Pack& dy, bool own)
    {
        window.push(x);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
        {
#pragma unroll
            for (int j = 0; j < History; j++)
                dp[j][v] = dp[j + 1][v];
            float d = dy.at(v);
            if (Silu)
            {
                const float sum = window.sum(taps, v);
                const float s = sigmoid(sum);
                d *= s * (1.0f + sum * (1.0f - s));
            }

            dp[History][v] = d;
            const float counted = own ? d : 0.0f;
            dBias[v] += counted;
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
                dWeight[j][v] += counted * window.at[j][v];
            dInput[v] = 0.0f;
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
                dInput[v] += taps.weight[j][v] * dp[History - j][v];
        }
    }

    MAMBA_DEVICE void write_sums(const ConvBackwardParams& p, const Place& place) const
    {
        float* sums = p.partials + (place.sequence * p.segments + place.segment) * (WIDTH + 1) * p.channels + place.channel;
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
        {
#pragma unroll
            for (int j = 0; j < WIDTH; j++)
                sums[j * p.channels + v] = dWeight[j][v];
            sums[WIDTH * p.channels + v] = dBias[v];
        }
    }
};

// The gradient of the input at position s of a sequence, at one of the ends of a piece: what is before the start belongs to the
// initial state, and the last W-1 positions have dLast added.
MAMBA_DEVICE void write_at_end(const ConvBackwardParams& p, const Place& place, long long s, float (&dInput)[VECTOR])
{
    const long long fromLast = s - (p.length - History);
    if (p.dLast && fromLast >= 0)
    {
        const Pack added = load(p.dLast, (place.sequence * History + fromLast) * p.dLastStride + place.channel);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            dInput[v] += added.at(v);
    }

    if (s >= 0 && p.dx)
        store(p.dx, (place.sequence * p.length + s) * p.dxStride + place.channel, dInput);
    if (s < 0 && p.dInitial)
        store(p.dInitial, (place.sequence * History + History + s) * p.channels + place.channel, dInput);
}

template <bool Silu>
MAMBA_DEVICE void walk(const ConvBackwardParams& p, const Place& place)
{
    const long long start = place.segment * p.steps;
    const int steps = static_cast<int>(start + p.steps < p.length ? p.steps : p.length - start);
    const int presentX = static_cast<int>(start + steps + History < p.length ? steps + History : p.length - start);
    const int presentDY = p.dy ? presentX : 0;
    const int firstInput = start == 0 ? -History : 0; // from start on, as t
    const long long row = place.sequence * p.length + start;
    long long fromX = row * p.xStride + place.channel;
    long long fromDY = row * p.dyStride + place.channel;
    long long to = (row - History) * p.dxStride + place.channel;
    Pack x[Ahead];
    Pack dy[Ahead];
#pragma unroll
    for (int i = 0; i < Ahead; i++, fromX += p.xStride, fromDY += p.dyStride)
    {
        x[i] = i < presentX ? load(p.x, fromX) : zeros();
        dy[i] = i < presentDY ? load(p.dy, fromDY) : zeros();
    }

    const Before before(p, place, start);
    const Taps taps(p.weight, p.bias, place.channel);
    Gradients gradients;
    before.fill(gradients.window);
    for (int t = 0; t < steps + History; t += Ahead)
    {
        const bool inside = t >= History && t + Ahead <= steps;
#pragma unroll
        for (int i = 0; i < Ahead; i++, fromX += p.xStride, fromDY += p.dyStride, to += p.dxStride)
        {
            float dInput[VECTOR];
            gradients.push<Silu>(dInput, taps, x[i], dy[i], t + i < steps);
            x[i] = t + i + Ahead < presentX ? load(p.x, fromX) : zeros();
            dy[i] = t + i + Ahead < presentDY ? load(p.dy, fromDY) : zeros();
            const int s = t + i - History;
            if (inside && p.dx)
                store(p.dx, to, dInput);
            else if (!inside && s >= firstInput && s < steps)
                write_at_end(p, place, start + s, dInput);
        }
    }

    if (p.partials)
        gradients.write_sums(p, place);
}

// dp[t] = dy[t]*act'(p[t]); the gradient of the input at position s is sum_j weight[j]*dp[s+(W-1)-j], and what dLast adds to the
// last W-1 inputs. A piece walks W-1 positions past its end for the dp that its inputs still meet there; its sums for taps and
// bias take its own positions only. The first piece begins with the inputs before the start.
extern "C" __global__ void __launch_bounds__(128, 4) causal_conv1d_backward(const __grid_constant__ ConvBackwardParams p)
{
    wait_for_earlier_launches();
    const Place place(p.batch, p.segments, p.channels);
    if (!place.inside)
        return;
    if (p.silu)
        walk<true>(p, place);
    else
        walk<false>(p, place);
}

// One position: one thread for VECTOR channels of one sequence.
extern "C" __global__ void __launch_bounds__(128) causal_conv1d_step(const __grid_constant__ ConvStepParams p)
{
    wait_for_earlier_launches();
    const Place place(p.batch, 1, p.channels);
    if (!place.inside)
        return;
    const Taps taps(p.weight, p.bias, place.channel);
    Window window;
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        window.at[0][v] = 0.0f;
    const long long state = place.sequence * History * p.channels + place.channel;
#pragma unroll
    for (int j = 0; j < History; j++)
        window.push(load(p.state, state + j * p.channels));
    window.push(load(p.x, place.sequence * p.xStride + place.channel));
    float y[VECTOR];
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
    {
        y[v] = window.sum(taps, v);
        if (p.silu)
            y[v] = silu(y[v]);
    }

#pragma unroll
    for (int j = 0; j < History; j++)
        store(p.state, state + j * p.channels, window.at[j + 1]);
    store(p.y, place.sequence * p.channels + place.channel, y);
}
