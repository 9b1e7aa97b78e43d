// Causal depthwise convolution, channel-last:
//   p[t] = bias + sum_j weight[j]*x[t-(W-1)+j],   y[t] = silu ? p*sigmoid(p) : p
// One thread walks `steps` positions of VECTOR neighbouring channels of one sequence with the last WIDTH inputs in registers.
// Bound by memory: x is read once (and WIDTH-1 rows again per piece), y written once; several rows are on their way at a time.
//
// Compile with -DREAL=float|bf16|f16 -DWIDTH=1..8 -DVECTOR=1|2|4|8 (elements of one access; every row must be so aligned).
#include "causal_conv1d.cuh"
#include "packs.cuh"

constexpr int History = WIDTH - 1;
constexpr int Ahead = 4; // rows that are loaded before the first of them is used

typedef Vector<REAL, VECTOR> Pack;

MAMBA_DEVICE Pack load(const void* base, long long element) { return load_pack<REAL, VECTOR>(base, element); }

MAMBA_DEVICE Pack zeros() { return zero_pack<REAL, VECTOR>(); }

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
            at[History][v] = to_float(next.at[v]);
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

// The window as it stands before position `start` is pushed.
template <class Params>
MAMBA_DEVICE void fill(Window& window, const Params& p, const Place& place, long long start)
{
#pragma unroll
    for (int j = 0; j < WIDTH; j++)
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            window.at[j][v] = 0.0f;
#pragma unroll
    for (int j = 0; j < History; j++)
        window.push(input(p.x, p.xStride, p.initial, p.initialStride, place.sequence, p.length, start - History + j, place.channel));
}

extern "C" __global__ void __launch_bounds__(128, 4) causal_conv1d_forward(const __grid_constant__ ConvForwardParams p)
{
    const Place place(p.batch, p.segments, p.channels);
    if (!place.inside)
        return;
    const long long start = place.segment * p.steps;
    const long long end = start + p.steps < p.length ? start + p.steps : p.length;
    const Taps taps(p.weight, p.bias, place.channel);
    Window window;
    fill(window, p, place, start);
    const long long row = place.sequence * p.length;
    long long from = (row + start) * p.xStride + place.channel;
    long long to = (row + start) * p.channels + place.channel;
    for (long long t = start; t < end; t += Ahead)
    {
        Pack next[Ahead];
#pragma unroll
        for (int i = 0; i < Ahead; i++, from += p.xStride)
            next[i] = t + i < end ? load(p.x, from) : zeros();
#pragma unroll
        for (int i = 0; i < Ahead; i++, to += p.channels)
        {
            window.push(next[i]);
            float y[VECTOR];
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
            {
                y[v] = window.sum(taps, v);
                if (p.silu)
                    y[v] = silu(y[v]);
            }

            if (t + i < end)
                store(p.y, to, y);
        }
    }

    if (p.last && place.segment == p.segments - 1)
    {
        for (int j = 0; j < History; j++)
        {
            const long long t = p.length - History + j;
            *reinterpret_cast<Pack*>(static_cast<REAL*>(p.last) + (place.sequence * History + j) * p.channels + place.channel) =
                input(p.x, p.xStride, p.initial, p.initialStride, place.sequence, p.length, t, place.channel);
        }
    }
}

// dp[t] = dy[t]*act'(p[t]); the gradient of the input at position s is sum_j weight[j]*dp[s+(W-1)-j], and what dLast adds to the
// last W-1 inputs. A piece walks W-1 positions past its end for the dp that its inputs still meet there; its sums for taps and
// bias take its own positions only. The first piece begins with the inputs before the start.
extern "C" __global__ void __launch_bounds__(128, 4) causal_conv1d_backward(const __grid_constant__ ConvBackwardParams p)
{
    const Place place(p.batch, p.segments, p.channels);
    if (!place.inside)
        return;
    const long long start = place.segment * p.steps;
    const long long end = start + p.steps < p.length ? start + p.steps : p.length;
    const long long firstInput = start == 0 ? -History : start;
    const long long row = place.sequence * p.length;
    const Taps taps(p.weight, p.bias, place.channel);
    Window window;
    fill(window, p, place, start);
    float dp[WIDTH][VECTOR]; // of the positions t-(W-1) … t
    float dWeight[WIDTH][VECTOR];
    float dBias[VECTOR];
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
    {
        dBias[v] = 0.0f;
#pragma unroll
        for (int j = 0; j < WIDTH; j++)
            dp[j][v] = dWeight[j][v] = 0.0f;
    }

    long long fromX = (row + start) * p.xStride + place.channel;
    long long fromDY = (row + start) * p.dyStride + place.channel;
    long long to = (row + start - History) * p.channels + place.channel;
    for (long long t = start; t < end + History; t += Ahead)
    {
        Pack nextX[Ahead];
        Pack nextDY[Ahead];
#pragma unroll
        for (int i = 0; i < Ahead; i++, fromX += p.xStride, fromDY += p.dyStride)
        {
            const bool present = t + i < p.length && t + i < end + History;
            nextX[i] = present ? load(p.x, fromX) : zeros();
            nextDY[i] = present && p.dy ? load(p.dy, fromDY) : zeros();
        }

#pragma unroll
        for (int i = 0; i < Ahead; i++, to += p.channels)
        {
            window.push(nextX[i]);
            float dInput[VECTOR];
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
            {
#pragma unroll
                for (int j = 0; j < History; j++)
                    dp[j][v] = dp[j + 1][v];
                float d = to_float(nextDY[i].at[v]);
                if (p.silu)
                {
                    const float sum = window.sum(taps, v);
                    const float s = sigmoid(sum);
                    d *= s * (1.0f + sum * (1.0f - s));
                }

                dp[History][v] = d;
                const float own = t + i < end ? d : 0.0f;
                dBias[v] += own;
#pragma unroll
                for (int j = 0; j < WIDTH; j++)
                    dWeight[j][v] += own * window.at[j][v];
                dInput[v] = 0.0f;
#pragma unroll
                for (int j = 0; j < WIDTH; j++)
                    dInput[v] += taps.weight[j][v] * dp[History - j][v];
            }

            const long long s = t + i - History;
            if (s < firstInput || s >= end)
                continue;
            const long long fromLast = s - (p.length - History);
            if (p.dLast && fromLast >= 0)
            {
                const Pack added = load(p.dLast, (place.sequence * History + fromLast) * p.dLastStride + place.channel);
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                    dInput[v] += to_float(added.at[v]);
            }

            if (s >= 0 && p.dx)
                store(p.dx, to, dInput);
            if (s < 0 && p.dInitial)
                store(p.dInitial, (place.sequence * History + History + s) * p.channels + place.channel, dInput);
        }
    }

    if (!p.partials)
        return;
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

// One position: one thread for VECTOR channels of one sequence.
extern "C" __global__ void __launch_bounds__(128) causal_conv1d_step(const __grid_constant__ ConvStepParams p)
{
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
