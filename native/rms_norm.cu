// Root mean square norm with a residual added first, in float32:
//   s = x + residual,   r = 1/sqrt(mean(s*s) + epsilon),   y = s*r*weight
// A team of LANES threads has a row, of which each thread keeps ITEMS packs of VECTOR elements in registers; what a wider row has
// beyond that is read again. Bound by memory: every operand is read once and every result written once.
//
// Compile with -DREAL=float|bf16|f16 (x, y and their gradients) -DSUM=float|REAL's (residual, sum) -DVECTOR=1|2|4|8 -DITEMS=1..32
// -DLANES=32|64|128|256|512|1024. Blocks have LANES threads, 128 at least; rows wider than the registers have a block each.
#include "earlier_launches.cuh"
#include "packs.cuh"
#include "rms_norm.cuh"

constexpr int Threads = LANES < 128 ? 128 : LANES;
constexpr int Teams = Threads / LANES;
constexpr int WarpsPerTeam = LANES / 32;
constexpr int Held = LANES * ITEMS * VECTOR; // elements of a row in registers

struct Two
{
    float a, b;
};

// Sums over the team, the same bits in each of its threads. All threads of the block take part.
MAMBA_DEVICE Two team_sum(Two value)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
    {
        value.a += __shfl_xor_sync(0xffffffffu, value.a, distance);
        value.b += __shfl_xor_sync(0xffffffffu, value.b, distance);
    }

    if (WarpsPerTeam > 1)
    {
        __shared__ Two sums[Threads / 32];
        __syncthreads();
        if (threadIdx.x % 32 == 0)
            sums[threadIdx.x / 32] = value;
        __syncthreads();
        const int first = threadIdx.x / LANES * WarpsPerTeam;
        value = sums[first];
#pragma unroll
        for (int i = 1; i < WarpsPerTeam; i++)
        {
            value.a += sums[first + i].a;
            value.b += sums[first + i].b;
        }
    }

    return value;
}

MAMBA_DEVICE void read_weight(float (&values)[VECTOR], const float* weight, long long column)
{
    const Packed<float, VECTOR> pack = load_packed<float, VECTOR>(weight, column);
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        values[v] = pack.at(v);
}

// A pack of x and one of the residual, on their way until they are added.
struct Summands
{
    Packed<REAL, VECTOR> x;
    Packed<SUM, VECTOR> residual;

    MAMBA_DEVICE void load(const NormForwardParams& p, long long row, long long column, bool inside)
    {
        x = zero_packed<REAL, VECTOR>();
        residual = zero_packed<SUM, VECTOR>();
        if (inside)
            x = load_packed<REAL, VECTOR>(p.x, row * p.xStride + column);
        if (inside && p.residual)
            residual = load_packed<SUM, VECTOR>(p.residual, row * p.residualStride + column);
    }

    // As the type of the sum holds it: what is kept for the backward pass is what is normalised.
    MAMBA_DEVICE void add(float (&s)[VECTOR], const NormForwardParams& p) const
    {
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            s[v] = p.residual ? to_float(from_float<SUM>(x.at(v) + residual.at(v))) : x.at(v);
    }
};

MAMBA_DEVICE float squares_of(const float (&s)[VECTOR])
{
    float sum = 0.0f;
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        sum += s[v] * s[v];
    return sum;
}

MAMBA_DEVICE void write_normed(const NormForwardParams& p, long long row, long long column, const float (&s)[VECTOR], float r)
{
    float weight[VECTOR], y[VECTOR];
    read_weight(weight, p.weight, column);
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        y[v] = s[v] * r * weight[v];
    store_pack<REAL>(p.y, row * p.width + column, y);
    if (p.sum)
        store_pack<SUM>(p.sum, row * p.width + column, s);
}

extern "C" __global__ void __launch_bounds__(Threads) rms_norm_forward(const __grid_constant__ NormForwardParams p)
{
    wait_for_earlier_launches();
    const long long row = static_cast<long long>(blockIdx.x) * Teams + threadIdx.x / LANES;
    const long long width = row < p.rows ? p.width : 0;
    const int first = threadIdx.x % LANES * VECTOR;
    Summands held[ITEMS];
    float s[ITEMS][VECTOR];
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
        held[i].load(p, row, column, column < width);
    }

#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        held[i].add(s[i], p);
        squares += squares_of(s[i]);
    }

    for (long long column = first + Held; column < width; column += LANES * VECTOR)
    {
        Summands further;
        float more[VECTOR];
        further.load(p, row, column, true);
        further.add(more, p);
        squares += squares_of(more);
    }

    const float r = rsqrtf(team_sum({squares, 0.0f}).a / p.width + p.epsilon);
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
        if (column < width)
            write_normed(p, row, column, s[i], r);
    }

    for (long long column = first + Held; column < width; column += LANES * VECTOR)
    {
        Summands further;
        float more[VECTOR];
        further.load(p, row, column, true);
        further.add(more, p);
        write_normed(p, row, column, more, r);
    }
}

// What the gradient of one pack of a row is made of; zeros where an operand is absent or the pack is not inside the row.
struct Operands
{
    Packed<SUM, VECTOR> s;
    Packed<REAL, VECTOR> dy;
    Packed<SUM, VECTOR> dSum;

    MAMBA_DEVICE void load(const NormBackwardParams& p, long long row, long long column, bool inside)
    {
        s = zero_packed<SUM, VECTOR>();
        dy = zero_packed<REAL, VECTOR>();
        dSum = zero_packed<SUM, VECTOR>();
        if (inside)
            s = load_packed<SUM, VECTOR>(p.sum, row * p.sumStride + column);
        if (inside && p.dy)
            dy = load_packed<REAL, VECTOR>(p.dy, row * p.dyStride + column);
        if (inside && p.dSum)
            dSum = load_packed<SUM, VECTOR>(p.dSum, row * p.dSumStride + column);
    }

    // Sums of s*s and of dy*weight*s.
    MAMBA_DEVICE void add_to(Two& sums, const NormBackwardParams& p, long long column) const
    {
        float weight[VECTOR];
        read_weight(weight, p.weight, column);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
        {
            sums.a += s.at(v) * s.at(v);
            sums.b += dy.at(v) * weight[v] * s.at(v);
        }
    }

    // ds = r*(dy*weight - s*r*mean(dy*weight*s*r)) + dSum. `mean` holds r*r*mean(dy*weight*s).
    MAMBA_DEVICE void write(const NormBackwardParams& p, long long row, long long column, float r, float mean) const
    {
        float weight[VECTOR], ds[VECTOR];
        read_weight(weight, p.weight, column);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            ds[v] = r * (dy.at(v) * weight[v] - s.at(v) * mean) + dSum.at(v);
        if (p.dx)
            store_pack<REAL>(p.dx, row * p.width + column, ds);
        if (p.dResidual)
            store_pack<SUM>(p.dResidual, row * p.width + column, ds);
    }

    // What the element adds to the weight's gradient.
    MAMBA_DEVICE float weight_gradient(int v, float r) const { return dy.at(v) * s.at(v) * r; }
};

// A block's sums for the weight's gradient: of its teams, one after the other.
MAMBA_DEVICE void write_sums(float* partials, const float (&dWeight)[ITEMS][VECTOR], long long width)
{
    __shared__ float sums[Held];
    const int first = threadIdx.x % LANES * VECTOR;
    for (int team = 0; team < Teams; team++)
    {
        if (threadIdx.x / LANES == team)
        {
#pragma unroll
            for (int i = 0; i < ITEMS; i++)
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                {
                    float& sum = sums[first + i * LANES * VECTOR + v];
                    sum = team == 0 ? dWeight[i][v] : sum + dWeight[i][v];
                }
        }

        __syncthreads();
    }

    for (int column = threadIdx.x; column < Held && column < width; column += Threads)
        partials[column] = sums[column];
}

// A team has rowsPerTeam rows one after the other. A block keeps its sums for the weight's gradient, of columns beyond the
// registers in its row of the partial sums. All of a row is on its way before the first of it is used.
extern "C" __global__ void __launch_bounds__(Threads, 512 / Threads) rms_norm_backward(const __grid_constant__ NormBackwardParams p)
{
    wait_for_earlier_launches();
    const long long team = static_cast<long long>(blockIdx.x) * Teams + threadIdx.x / LANES;
    const int first = threadIdx.x % LANES * VECTOR;
    float* partials = p.partials ? p.partials + blockIdx.x * p.width : nullptr;
    float dWeight[ITEMS][VECTOR];
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            dWeight[i][v] = 0.0f;
    for (long long column = first + Held; partials && column < p.width; column += LANES * VECTOR)
    {
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            partials[column + v] = 0.0f;
    }

    for (long long step = 0; step < p.rowsPerTeam; step++)
    {
        const long long row = team * p.rowsPerTeam + step;
        const long long width = row < p.rows ? p.width : 0;
        Operands held[ITEMS];
        Two sums = {0.0f, 0.0f}; // of s*s, of dy*weight*s
#pragma unroll
        for (int i = 0; i < ITEMS; i++)
        {
            const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
            held[i].load(p, row, column, column < width);
        }

#pragma unroll
        for (int i = 0; i < ITEMS; i++)
        {
            const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
            if (column < width)
                held[i].add_to(sums, p, column);
        }

        for (long long column = first + Held; column < width; column += LANES * VECTOR)
        {
            Operands more;
            more.load(p, row, column, true);
            more.add_to(sums, p, column);
        }

        sums = team_sum(sums);
        const float r = rsqrtf(sums.a / p.width + p.epsilon);
        const float mean = r * r * (sums.b / p.width);
#pragma unroll
        for (int i = 0; i < ITEMS; i++)
        {
            const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
            if (column < width)
            {
                held[i].write(p, row, column, r, mean);
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                    dWeight[i][v] += held[i].weight_gradient(v, r);
            }
        }

        for (long long column = first + Held; column < width; column += LANES * VECTOR)
        {
            Operands more;
            more.load(p, row, column, true);
            more.write(p, row, column, r, mean);
            if (partials)
            {
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                    partials[column + v] += more.weight_gradient(v, r);
            }
        }
    }

    if (partials)
        write_sums(partials, dWeight, p.width);
}
