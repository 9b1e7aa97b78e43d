// One token of up to ROWS sequences through a whole causal model, in one launch: between products of a microsecond each, launches
// would take most of the time. Each phase needs what all blocks of the grid did in the phase before, so the grid waits for itself
// in between; all of it must run at once (a cooperative launch).
//   phase 0:        stream = embedding[id] + position
//   4 for a block:  x, z = in(norm(stream)), u = silu(conv(x));  r, B, C = select(u);  y = scan(u, delta(r), B, C)*silu(z);  stream += out(y)
//   the last:       scores = head(norm(stream))
// Weights are read once, 16 bytes at a time, for all sequences; everything else is float32. Bound by the latency of a phase, so
// weights are asked for one phase early. A row's sums do not depend on the other rows.
//
// Compile with -DREAL=float|bf16|f16 (matrices of the blocks, inputs of the convolution) -DROWS=1|2|4|8.
#include "earlier_launches.cuh"
#include "token_step.cuh"

constexpr int Lanes = 32;
constexpr int Warps = 32;
constexpr int Threads = Lanes * Warps;
constexpr int PhasesOfBlock = 4;
constexpr int MaxHistory = 7;
constexpr int MaxStatesOfLane = 8;
constexpr int Ahead = 4; // loads of weights under way at a time

MAMBA_DEVICE int lane_of_thread() { return threadIdx.x % Lanes; }

MAMBA_DEVICE int warp_of_thread() { return threadIdx.x / Lanes; }

MAMBA_DEVICE float sum_of_warp(float x)
{
#pragma unroll
    for (int distance = Lanes / 2; distance > 0; distance /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, distance);
    return x;
}

// Where all blocks wait until the last has come; what they wrote before is seen after. Each block counts in a word of its own, from
// launch to launch, so that nobody waits for an atomic addition.
struct GridBarrier
{
#ifdef MAMBA_HOST
    MAMBA_DEVICE explicit GridBarrier(unsigned*) {}

    MAMBA_DEVICE void wait() { std::abort(); } // blocks run one after the other there: one phase a launch
#else
    unsigned* counts;
    unsigned passed;

    MAMBA_DEVICE explicit GridBarrier(unsigned* words) : counts(words), passed(words[blockIdx.x]) {}

    MAMBA_DEVICE void wait()
    {
        passed++;
        __syncthreads();
        if (threadIdx.x == 0)
            asm volatile("st.release.gpu.global.u32 [%0], %1;" : : "l"(counts + blockIdx.x), "r"(passed) : "memory");
        for (unsigned block = threadIdx.x; block < gridDim.x; block += Threads)
        {
            unsigned count;
            do
                asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(count) : "l"(counts + block) : "memory");
            while (static_cast<int>(count - passed) < 0);
        }

        __syncthreads();
    }
#endif
};

MAMBA_DEVICE void ask_for(const void* address)
{
#ifndef MAMBA_HOST
    asm volatile("prefetch.global.L2 [%0];" : : "l"(address));
#endif
}

// Shared memory: sums of warps, the table of blocks, and the vectors that a phase multiplies with.
struct Shared
{
    float* sums;            // (ROWS, Warps)
    float* squares;         // (ROWS, Warps)
    TokenStepBlock* blocks; // (layers)
    float* vectors;         // (ROWS, width of the phase)

    MAMBA_DEVICE Shared(void* memory, int layers)
    {
        sums = static_cast<float*>(memory);
        squares = sums + ROWS * Warps;
        blocks = reinterpret_cast<TokenStepBlock*>(squares + ROWS * Warps);
        vectors = reinterpret_cast<float*>(blocks + layers);
    }
};

static_assert(sizeof(TokenStepBlock) % 16 == 0, "vectors follow the table and are read 16 bytes at a time");

// From now on the table is read without waiting for memory.
MAMBA_DEVICE void load_table(const TokenStepParams& p, const Shared& shared)
{
    const long long* from = reinterpret_cast<const long long*>(p.blocks);
    long long* to = reinterpret_cast<long long*>(shared.blocks);
    for (int i = threadIdx.x; i < p.layers * static_cast<int>(sizeof(TokenStepBlock) / sizeof(long long)); i += Threads)
        to[i] = from[i];
    __syncthreads();
}

// A matrix of weights; a team of 2^split warps has one of its rows at a time. Rows are dealt out to blocks first.
template <class T>
struct Matrix
{
    const T* weights;
    long long count;
    int width;
    int split;

    static constexpr int Pack = 16 / sizeof(T);

    MAMBA_DEVICE int team() const { return 1 << split; }

    MAMBA_DEVICE long long row(long long first) const { return first + static_cast<long long>(warp_of_thread() >> split) * gridDim.x; }

    // Which of its team a warp is: the first keeps the sums.
    MAMBA_DEVICE int member() const { return warp_of_thread() & (team() - 1); }

    // The place of a thread in its row, and the step to its next.
    MAMBA_DEVICE int start() const { return member() * Lanes + lane_of_thread(); }

    MAMBA_DEVICE int step() const { return Lanes << split; }

    // Asks for the first row of each team.
    MAMBA_DEVICE void ask() const
    {
        const long long mine = row(blockIdx.x);
        if (mine >= count)
            return;
        constexpr int Sector = 32;
        const char* bytes = reinterpret_cast<const char*>(weights + mine * width);
        for (int at = start() * Sector; at < width * static_cast<int>(sizeof(T)); at += step() * Sector)
            ask_for(bytes + at);
    }
};

MAMBA_DEVICE unsigned word(const uint4& words, int i) { return i == 0 ? words.x : i == 1 ? words.y : i == 2 ? words.z : words.w; }

template <class T>
struct Unpack
{
    MAMBA_DEVICE static float at(const uint4& words, int i)
    {
        T half;
        half.bits = static_cast<unsigned short>(word(words, i / 2) >> (i % 2 * 16));
        return to_float(half);
    }
};

template <>
struct Unpack<float>
{
    MAMBA_DEVICE static float at(const uint4& words, int i) { return float_of(word(words, i)); }
};

// Gives use(row, sequence, product) for each row of the matrix and each sequence, one call in the whole grid.
template <class T, class Use>
MAMBA_DEVICE void multiply(const Matrix<T>& matrix, const Shared& shared, int batch, Use use)
{
    constexpr int Pack = Matrix<T>::Pack;
    const int lane = lane_of_thread(), warp = warp_of_thread(), packs = matrix.width / Pack;
    const long long rowsOfBlock = static_cast<long long>(gridDim.x) * (Warps >> matrix.split);
    for (long long first = blockIdx.x; first < matrix.count; first += rowsOfBlock)
    {
        const long long row = matrix.row(first);
        const bool inside = row < matrix.count;
        float sum[ROWS] = {};
        if (inside)
        {
            const uint4* weights = reinterpret_cast<const uint4*>(matrix.weights + row * matrix.width);
            for (int pack = matrix.start(); pack < packs; pack += Ahead * matrix.step())
            {
                uint4 words[Ahead];
#pragma unroll
                for (int a = 0; a < Ahead; a++)
                    words[a] = pack + a * matrix.step() < packs ? weights[pack + a * matrix.step()] : uint4{0, 0, 0, 0};
#pragma unroll
                for (int a = 0; a < Ahead; a++)
                {
                    const int at = pack + a * matrix.step();
                    if (at >= packs)
                        break;
#pragma unroll
                    for (int r = 0; r < ROWS; r++)
                    {
                        const float4* vector = reinterpret_cast<const float4*>(shared.vectors + r * matrix.width + at * Pack);
#pragma unroll
                        for (int i = 0; i < Pack; i += 4)
                        {
                            const float4 four = vector[i / 4];
                            sum[r] += Unpack<T>::at(words[a], i) * four.x;
                            sum[r] += Unpack<T>::at(words[a], i + 1) * four.y;
                            sum[r] += Unpack<T>::at(words[a], i + 2) * four.z;
                            sum[r] += Unpack<T>::at(words[a], i + 3) * four.w;
                        }
                    }
                }
            }
        }

        // Lane r keeps the sum of sequence r.
        float mine = 0.0f;
#pragma unroll
        for (int r = 0; r < ROWS; r++)
        {
            const float total = sum_of_warp(sum[r]);
            mine = lane == r ? total : mine;
        }

        if (matrix.split > 0)
        {
            if (lane < ROWS)
                shared.sums[lane * Warps + warp] = mine;
            __syncthreads();
            if (lane < ROWS && matrix.member() == 0)
            {
                for (int w = 1; w < matrix.team(); w++)
                    mine += shared.sums[lane * Warps + warp + w];
            }

            __syncthreads();
        }

        if (inside && lane < batch && matrix.member() == 0)
            use(row, lane, mine);
    }
}

// Vectors of all sequences into shared memory; zeros for those beyond the batch.
MAMBA_DEVICE void load(const float* from, int width, int batch, const Shared& shared)
{
    for (int i = threadIdx.x; i < ROWS * width; i += Threads)
        shared.vectors[i] = i < batch * width ? from[i] : 0.0f;
    __syncthreads();
}

// The stream times a norm's weights into shared memory. What the norm divides by is left for the end of the sums.
MAMBA_DEVICE void load_stream(const TokenStepParams& p, const float* norm, const Shared& shared)
{
#pragma unroll
    for (int r = 0; r < ROWS; r++)
    {
        float squares = 0.0f;
        for (int m = threadIdx.x; m < p.model; m += Threads)
        {
            const float x = r < p.batch ? p.stream[r * p.model + m] : 0.0f;
            squares += x * x;
            shared.vectors[r * p.model + m] = x * norm[m];
        }

        squares = sum_of_warp(squares);
        if (lane_of_thread() == 0)
            shared.squares[r * Warps + warp_of_thread()] = squares;
    }

    __syncthreads();
}

// What the norm multiplies the stream of the sequence with whose number is the lane's.
MAMBA_DEVICE float norm_of_lane(const TokenStepParams& p, const Shared& shared)
{
    const int r = lane_of_thread() < ROWS ? lane_of_thread() : 0;
    float squares = 0.0f;
#pragma unroll
    for (int w = 0; w < Warps; w++)
        squares += shared.squares[r * Warps + w];
    return rsqrtf(squares / p.model + p.normEpsilon);
}

MAMBA_DEVICE Matrix<REAL> in_of(const TokenStepParams& p, const TokenStepBlock& block)
{
    return {static_cast<const REAL*>(block.in), 2 * p.channels, p.model, p.inSplit};
}

MAMBA_DEVICE int selected_of(const TokenStepParams& p) { return p.rank + 2 * p.states; }

MAMBA_DEVICE Matrix<REAL> select_of(const TokenStepParams& p, const TokenStepBlock& block)
{
    return {static_cast<const REAL*>(block.select), selected_of(p), p.channels, p.selectSplit};
}

MAMBA_DEVICE Matrix<REAL> out_of(const TokenStepParams& p, const TokenStepBlock& block)
{
    return {static_cast<const REAL*>(block.out), p.model, p.channels, p.outSplit};
}

MAMBA_DEVICE Matrix<float> head_of(const TokenStepParams& p) { return {p.head, p.vocabulary, p.model, p.headSplit}; }

MAMBA_DEVICE void embed(const TokenStepParams& p)
{
    const long long items = static_cast<long long>(p.batch) * p.model;
    for (long long i = static_cast<long long>(blockIdx.x) * Threads + threadIdx.x; i < items; i += static_cast<long long>(gridDim.x) * Threads)
    {
        const long long sequence = i / p.model, m = i - sequence * p.model;
        const float content = p.embedding[p.ids[sequence] * static_cast<long long>(p.model) + m];
        p.stream[i] = p.position ? content + p.position[m] : content;
    }
}

// The convolution of one channel of one sequence, whose inputs move on by one.
MAMBA_DEVICE float convolve(const TokenStepParams& p, const TokenStepBlock& block, int sequence, int channel, float input)
{
    const int history = p.width - 1;
    REAL* past = static_cast<REAL*>(block.inputs) + static_cast<long long>(sequence) * history * p.channels + channel;
    const float* taps = block.convolution + channel * p.width;
    REAL inputs[MaxHistory + 1];
    float weights[MaxHistory + 1];
#pragma unroll
    for (int j = 0; j <= MaxHistory; j++)
    {
        if (j <= history)
            weights[j] = taps[j];
        if (j < history)
            inputs[j] = past[static_cast<long long>(j) * p.channels];
    }

    const REAL present = from_float<REAL>(input);
    float sum = block.convolutionBias ? block.convolutionBias[channel] : 0.0f;
#pragma unroll
    for (int j = 0; j <= MaxHistory; j++)
    {
        const REAL x = j < history ? inputs[j] : present;
        if (j <= history)
            sum += weights[j] * to_float(x);
        if (j > 0 && j <= history)
            past[static_cast<long long>(j - 1) * p.channels] = x;
    }

    return silu(sum);
}

MAMBA_DEVICE void project_in(const TokenStepParams& p, const TokenStepBlock& block, const Shared& shared)
{
    load_stream(p, block.norm, shared);
    const float norm = norm_of_lane(p, shared);
    multiply(in_of(p, block), shared, p.batch, [&](long long row, int sequence, float product) {
        const float value = product * norm + (block.inBias ? block.inBias[row] : 0.0f);
        const int channel = static_cast<int>(row < p.channels ? row : row - p.channels);
        const int at = sequence * p.channels + channel;
        if (row < p.channels)
            p.u[at] = convolve(p, block, sequence, channel, value);
        else
            p.gate[at] = silu(value);
    });
}

MAMBA_DEVICE void select(const TokenStepParams& p, const TokenStepBlock& block, const Shared& shared)
{
    load(p.u, p.channels, p.batch, shared);
    multiply(select_of(p, block), shared, p.batch, [&](long long row, int sequence, float product) { p.selected[sequence * selected_of(p) + row] = product; });
}

// Norms without weights over r, B and C of each sequence, in shared memory.
MAMBA_DEVICE void norm_selected(const TokenStepParams& p, const Shared& shared)
{
    for (int item = warp_of_thread(); item < 3 * p.batch; item += Warps)
    {
        const int part = item % 3;
        float* values = shared.vectors + item / 3 * selected_of(p) + (part == 0 ? 0 : p.rank + (part - 1) * p.states);
        const int width = part == 0 ? p.rank : p.states;
        float squares = 0.0f;
        for (int i = lane_of_thread(); i < width; i += Lanes)
            squares += values[i] * values[i];
        const float norm = rsqrtf(sum_of_warp(squares) / width + p.selectionEpsilon);
        for (int i = lane_of_thread(); i < width; i += Lanes)
            values[i] *= norm;
    }

    __syncthreads();
}

// A warp's first channel and sequence in the scan, and the step to its next.
MAMBA_DEVICE int first_scan() { return static_cast<int>(blockIdx.x + gridDim.x * warp_of_thread()); }

MAMBA_DEVICE int next_scan(int item) { return static_cast<int>(item + gridDim.x * Warps); }

// A warp has a channel of a sequence, its lanes have the states.
MAMBA_DEVICE void scan(const TokenStepParams& p, const TokenStepBlock& block, const Shared& shared)
{
    load(p.selected, selected_of(p), p.batch, shared);
    if (p.selectionEpsilon > 0.0f)
        norm_selected(p, shared);
    const int lane = lane_of_thread();
    for (int item = first_scan(); item < p.channels * ROWS; item = next_scan(item))
    {
        const int channel = item / ROWS, sequence = item % ROWS;
        if (sequence >= p.batch)
            continue;
        const long long place = static_cast<long long>(sequence) * p.channels + channel;
        const float* rates = block.aLog + static_cast<long long>(channel) * p.states;
        float* state = block.state + place * p.states;
        float rate[MaxStatesOfLane], h[MaxStatesOfLane];
#pragma unroll
        for (int i = 0; i < MaxStatesOfLane; i++)
        {
            const int n = lane + i * Lanes;
            rate[i] = n < p.states ? rates[n] : 0.0f;
            h[i] = n < p.states ? state[n] : 0.0f;
        }

        const REAL* weights = static_cast<const REAL*>(block.delta) + static_cast<long long>(channel) * p.rank;
        const float* lowRank = shared.vectors + sequence * selected_of(p);
        const float* b = lowRank + p.rank;
        const float* c = b + p.states;
        const float x = p.u[place];
        float delta = 0.0f;
        for (int r = lane; r < p.rank; r += Lanes)
            delta += to_float(weights[r]) * lowRank[r];
        delta = softplus(sum_of_warp(delta) + (block.deltaBias ? block.deltaBias[channel] : 0.0f));
        float y = 0.0f;
#pragma unroll
        for (int i = 0; i < MaxStatesOfLane; i++)
        {
            const int n = lane + i * Lanes;
            if (n >= p.states)
                continue;
            h[i] = fast_exp2(-Log2E * delta * fast_exp2(Log2E * rate[i])) * h[i] + delta * x * b[n];
            y += c[n] * h[i];
            state[n] = h[i];
        }

        y = sum_of_warp(y);
        if (lane == 0)
            p.y[place] = (y + (block.skip ? block.skip[channel] * x : 0.0f)) * p.gate[place];
    }
}

MAMBA_DEVICE void project_out(const TokenStepParams& p, const TokenStepBlock& block, const Shared& shared)
{
    load(p.y, p.channels, p.batch, shared);
    multiply(out_of(p, block), shared, p.batch, [&](long long row, int sequence, float product) {
        p.stream[sequence * p.model + row] += product + (block.outBias ? block.outBias[row] : 0.0f);
    });
}

MAMBA_DEVICE void score(const TokenStepParams& p, const Shared& shared)
{
    load_stream(p, p.lastNorm, shared);
    const float norm = norm_of_lane(p, shared);
    multiply(head_of(p), shared, p.batch, [&](long long row, int sequence, float product) { p.scores[sequence * p.vocabulary + row] = product * norm; });
}

// What the convolution of a warp's first channel reads, an address a lane.
MAMBA_DEVICE void ask_for_convolution(const TokenStepParams& p, const TokenStepBlock& block)
{
    const long long channel = in_of(p, block).row(blockIdx.x);
    const int history = p.width - 1, lane = lane_of_thread();
    if (channel >= p.channels)
        return;
    if (lane < p.batch * history)
        ask_for(static_cast<const REAL*>(block.inputs) + static_cast<long long>(lane) * p.channels + channel);
    else if (lane == Lanes - 1)
        ask_for(block.convolution + channel * p.width);
}

// What the scan of a warp's first channel reads, an address a lane.
MAMBA_DEVICE void ask_for_scan(const TokenStepParams& p, const TokenStepBlock& block)
{
    const int item = first_scan(), lane = lane_of_thread();
    const int channel = item / ROWS, sequence = item % ROWS;
    if (channel >= p.channels || sequence >= p.batch)
        return;
    constexpr int FloatsOfSector = 8;
    const long long place = static_cast<long long>(sequence) * p.channels + channel;
    if (lane * FloatsOfSector < p.states)
    {
        ask_for(block.aLog + static_cast<long long>(channel) * p.states + lane * FloatsOfSector);
        ask_for(block.state + place * p.states + lane * FloatsOfSector);
    }

    if (lane * FloatsOfSector < p.rank)
        ask_for(static_cast<const REAL*>(block.delta) + static_cast<long long>(channel) * p.rank + lane * FloatsOfSector);
}

// Asks for what the phase will read that no phase before it computes.
MAMBA_DEVICE void ask_for_phase(const TokenStepParams& p, const Shared& shared, int phase)
{
    const int last = PhasesOfBlock * p.layers + 1;
    if (phase > last)
        return;
    if (phase == last)
        return head_of(p).ask();
    const TokenStepBlock& block = shared.blocks[(phase - 1) / PhasesOfBlock];
    switch ((phase - 1) % PhasesOfBlock)
    {
    case 0:
        in_of(p, block).ask();
        return ask_for_convolution(p, block);
    case 1: return select_of(p, block).ask();
    case 2: return ask_for_scan(p, block);
    default: return out_of(p, block).ask();
    }
}

MAMBA_DEVICE void run_phase(const TokenStepParams& p, const Shared& shared, int phase)
{
    if (phase == 0)
        return embed(p);
    if (phase > PhasesOfBlock * p.layers)
        return score(p, shared);
    const TokenStepBlock& block = shared.blocks[(phase - 1) / PhasesOfBlock];
    switch ((phase - 1) % PhasesOfBlock)
    {
    case 0: return project_in(p, block, shared);
    case 1: return select(p, block, shared);
    case 2: return scan(p, block, shared);
    default: return project_out(p, block, shared);
    }
}

extern "C" __global__ void __launch_bounds__(Threads, 1) token_step(const __grid_constant__ TokenStepParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    wait_for_earlier_launches();
    const Shared shared(memory, p.layers);
    load_table(p, shared);
    GridBarrier barrier(p.counts);
    for (int phase = p.firstPhase; phase < p.endPhase; phase++)
    {
        if (phase > p.firstPhase)
            barrier.wait();
        ask_for_phase(p, shared, phase + 1);
        run_phase(p, shared, phase);
    }
}
