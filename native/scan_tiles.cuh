// A tile of a sequence in shared memory: TILE positions of a block's channels and of B and C, first as they lie in memory, copied
// while the tile before is computed, then as the numbers that the warps read.
//
// Defines: REAL, ROW_BYTES, ALIGNED (rows.cuh); CHANNEL_WARPS; STATE_WARPS and EIGHTS, so that 8·STATE_WARPS·EIGHTS ≥ N; TILE, a
// multiple of 8; HELPER_WARPS, warps that copy and prepare tiles for the others, or 0 where all do both.
#pragma once
#include "rows.cuh"
#include "warp_products.cuh"

constexpr bool Exact = sizeof(REAL) == 4;           // operands of matrix products in two parts, so that these keep float32
constexpr int Channels = 8 * CHANNEL_WARPS;         // of a block
constexpr int ScanThreads = 32 * CHANNEL_WARPS * STATE_WARPS;     // that walk states
constexpr int Threads = ScanThreads + 32 * HELPER_WARPS;
constexpr int Copiers = HELPER_WARPS > 0 ? 32 * HELPER_WARPS : ScanThreads;
constexpr int Tile = TILE;
constexpr int States = 8 * STATE_WARPS * EIGHTS;
constexpr int Vectors = Channels / Width;           // of a row of channels
constexpr int ChannelItems = Tile * Vectors;
constexpr int ChannelLoads = (ChannelItems + Copiers - 1) / Copiers;
constexpr int Apart = Copiers / Vectors;            // positions from one of a thread's vectors of channels to the next
constexpr int StateVectors = (States + Width - 1) / Width;
constexpr int StateItems = Tile * StateVectors;
constexpr int StateLoads = (StateItems + Copiers - 1) / Copiers;
constexpr int StatesApart = Copiers / StateVectors; // likewise of B or C
static_assert(Copiers % StateVectors == 0, "a thread copies the same columns of each row");
constexpr int SumPitch = Channels + 4;              // floats; the padding keeps the rows that a warp writes in different banks
constexpr int StatePitch = States + (States % 32 == 0 ? 16 : 0);    // likewise neighbouring rows of B and C that it reads

// The place of a thread: its vector of channels when rows are read and written, its channel and states when the scan is computed.
struct Place
{
    bool helper;                // copies and prepares only
    int thread, lane, g, j;     // thread among those that copy, lane = 4g + j
    int t, v, vectorLeft;       // first position of its vectors in a tile, first channel of them in the block, channels from there
    int part, own;              // part of the states, channel in the block
    int first, channel;         // channel of the block, of the thread
    bool real;                  // the channel exists

    int block, limit;           // block of channels, end of its group's channels
    int group;                  // channels of a group share B and C, and no block holds channels of two
    int run;                    // a segment of a sequence

    MAMBA_DEVICE static Place get(int channels, int groups)
    {
        Place place;
        const int perGroup = channels / groups, blocks = (perGroup + Channels - 1) / Channels;
        const int warp = threadIdx.x / 32;
        place.helper = HELPER_WARPS > 0 && threadIdx.x >= ScanThreads;
        const int thread = place.helper ? threadIdx.x - ScanThreads : threadIdx.x;
        place.block = static_cast<int>(blockIdx.x) % (groups * blocks);
        place.run = static_cast<int>(blockIdx.x) / (groups * blocks);
        place.group = place.block / blocks;
        place.first = place.group * perGroup + place.block % blocks * Channels;
        place.limit = (place.group + 1) * perGroup;
        place.thread = thread;
        place.lane = thread % 32;
        place.g = place.lane / 4;
        place.j = place.lane % 4;
        place.set_vector();
        place.part = warp / CHANNEL_WARPS;
        place.own = warp % CHANNEL_WARPS * 8 + place.g;
        place.channel = place.first + place.own;
        place.real = place.channel < place.limit;
        return place;
    }

    // The same, with what is only used to copy, prepare and finish a tile made anew: so it takes no registers while states are walked.
    MAMBA_DEVICE Place anew() const
    {
        Place place = *this;
#ifndef MAMBA_HOST
        asm volatile("" : "+r"(place.thread));
#endif
        place.set_vector();
        return place;
    }

    MAMBA_DEVICE void set_vector()
    {
        t = thread / Vectors;
        v = thread % Vectors * Width;
        vectorLeft = limit - first - v;
    }
};

// Barriers 1 to 15 of a block, beside __syncthreads, which is barrier 0: open when that many threads, whole warps, have come by either of
// these. This one waits for the others. With WHOLE_BARRIERS the whole block waits at each of them, which tools understand that know only
// __syncthreads: it shows whether what is written is read behind the barrier that is meant, not whether too few wait there.
MAMBA_DEVICE void wait_at(int barrier, int threads)
{
#ifdef MAMBA_HOST
    cuda_host::wait_at(barrier, threads);
#elif defined(WHOLE_BARRIERS)
    __syncthreads();
#else
    asm volatile("bar.sync %0, %1;" :: "r"(barrier), "r"(threads) : "memory");
#endif
}

// This one goes on at once. Who waits there sees what was written before.
MAMBA_DEVICE void arrive_at(int barrier, int threads)
{
#ifdef MAMBA_HOST
    cuda_host::arrive_at(barrier, threads);
#elif defined(WHOLE_BARRIERS)
    __syncthreads();
#else
    asm volatile("bar.arrive %0, %1;" :: "r"(barrier), "r"(threads) : "memory");
#endif
}

// Which states a thread has, for k below EIGHTS and s below 2: two of each eight of its part,
struct TwosOfEights
{
    MAMBA_DEVICE static int state(const Place& place, int k, int s) { return place.part * EIGHTS * 8 + 8 * k + 2 * place.j + s; }
};

// or four of each sixteen.
struct FoursOfSixteens
{
    MAMBA_DEVICE static int state(const Place& place, int k, int s) { return place.part * EIGHTS * 8 + k / 2 * 16 + 4 * place.j + k % 2 * 2 + s; }
};

// The thread's numbers of an array of states, zero for states and channels that do not exist and where there is no array.
// from: the number of the channel's first state; stride: from state to state.
template <class Order>
MAMBA_DEVICE void load_states(float (&numbers)[EIGHTS][2], const float* from, long long stride, const Place& place, int states)
{
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
        {
            const int n = Order::state(place, k, s);
            numbers[k][s] = from && place.real && n < states ? from[n * stride] : 0.0f;
        }
}

// The thread's decay rates, for powers of two.
template <class Order>
MAMBA_DEVICE void load_rates(float (&rates)[EIGHTS][2], const float* a, const Place& place, int states)
{
    load_states<Order>(rates, a + static_cast<long long>(place.channel) * states, 1, place, states);
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
            rates[k][s] *= Log2E;
}

// One number for each of the block's channels; zeros where there are none.
MAMBA_DEVICE void load_of_channels(float* to, const float* from, const Place& place)
{
    if (place.thread < Channels)
        to[place.thread] = from && place.first + place.thread < place.limit ? from[place.first + place.thread] : 0.0f;
}

// Of a tile's positions those that exist, from how many there are from its first one on.
MAMBA_DEVICE int existing(long long left) { return left < Tile ? static_cast<int>(left) : Tile; }

// Starts copying a tile's vectors of channels. from: the thread's vector at its first position; left: positions that exist.
MAMBA_DEVICE void copy_channels(Row* to, const REAL* from, long long stride, const Place& place, int left)
{
#pragma unroll
    for (int i = 0; i < ChannelLoads; i++)
    {
        const int t = place.t + i * Apart;
        if (t < Tile)
            copy_row(&to[place.thread + i * Copiers], from + i * Apart * stride, t < left ? place.vectorLeft : 0);
    }
}

// Of a matrix with a row for each position, where a thread finds its first vector of a tile, from the group's first state at the tile's
// first position on.
MAMBA_DEVICE long long matrix_place(const Place& place, long long stride)
{
    return place.thread / StateVectors * stride + place.thread % StateVectors * Width;
}

// Starts copying a tile of B or C. from: the thread's first vector.
MAMBA_DEVICE void copy_matrix(Row* to, const REAL* from, long long stride, int states, const Place& place, int left)
{
    const int statesLeft = states - place.thread % StateVectors * Width;
#pragma unroll
    for (int i = 0; i < StateLoads; i++)
    {
        const int t = place.thread / StateVectors + i * StatesApart;
        if (t < Tile)
            copy_row(&to[place.thread + i * Copiers], from + i * StatesApart * stride, t < left ? statesLeft : 0);
    }
}

MAMBA_DEVICE void unpack_matrix(float* to, const Row* from, const Place& place)
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
                if (n + e < States)
                    *reinterpret_cast<float4*>(to + t * StatePitch + n + e) = float4{element(row, e), element(row, e + 1), element(row, e + 2), element(row, e + 3)};
        }
    }
}

// Step sizes of one of a thread's vectors: bias added, softplus if wanted, zero after the end so that states stay as they are.
MAMBA_DEVICE void step_sizes(float (&steps)[Width], const Row& delta, const float* bias, bool softplusWanted, bool inside)
{
#pragma unroll
    for (int e = 0; e < Width; e++)
        steps[e] = element(delta, e) + bias[e];
    if (softplusWanted)
#pragma unroll
        for (int e = 0; e < Width; e++)
            steps[e] = softplus<!Exact>(steps[e]);
    if (!inside)
#pragma unroll
        for (int e = 0; e < Width; e++)
            steps[e] = 0.0f;
}

MAMBA_DEVICE void store_floats(float* to, const float (&values)[Width])
{
#pragma unroll
    for (int e = 0; e < Width; e += 4)
        *reinterpret_cast<float4*>(to + e) = float4{values[e], values[e + 1], values[e + 2], values[e + 3]};
}

MAMBA_DEVICE void add_floats(float* to, const float (&values)[Width])
{
#pragma unroll
    for (int e = 0; e < Width; e += 4)
    {
        const float4 sum = *reinterpret_cast<const float4*>(to + e);
        *reinterpret_cast<float4*>(to + e) = float4{sum.x + values[e], sum.y + values[e + 1], sum.z + values[e + 2], sum.w + values[e + 3]};
    }
}

// sums += what the four lanes of a channel have for a pair of positions, in at[0] and at[2] of the lanes j for which factor is 1 in all
// lanes with g = 2j.
MAMBA_DEVICE void add_lanes(Sums& sums, const float (&values)[2], float factor)
{
    if (Exact)
        add_product(sums, values[0], values[1], values[0] - high_part(values[0]), values[1] - high_part(values[1]), factor, factor);
    else
        add_short_product(sums, values[0], values[1], factor);
}
