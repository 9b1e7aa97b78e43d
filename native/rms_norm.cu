// Root mean square norm with a residual added first, in float32:
//   s = x + residual,   r = 1/sqrt(mean(s*s) + epsilon),   y = s*r*weight
// A team of LANES threads has a row, of which each thread keeps ITEMS packs of VECTOR elements in registers; what a wider row has
// beyond that is read again. Bound by memory: every operand is read once and every result written once.
//
// Compile with -DREAL=float|bf16|f16 (x, y and their gradients) -DSUM=float|REAL's (residual, sum) -DVECTOR=1|2|4|8 -DITEMS=1|2|4
// -DLANES=32|64|128|256|512|1024. Blocks have LANES threads, 128 at least.
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

template <class T>
MAMBA_DEVICE void read(float (&values)[VECTOR], const void* base, long long element)
{
    const Vector<T, VECTOR> pack = load_pack<T, VECTOR>(base, element);
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        values[v] = to_float(pack.at[v]);
}

MAMBA_DEVICE void read_weight(float (&values)[VECTOR], const float* weight, long long column)
{
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        values[v] = weight[column + v];
}

// x + residual, as the type of the sum holds it: what is kept for the backward pass is what is normalised.
MAMBA_DEVICE void read_sum(float (&s)[VECTOR], const NormForwardParams& p, long long row, long long column)
{
    read<REAL>(s, p.x, row * p.xStride + column);
    if (!p.residual)
        return;
    float added[VECTOR];
    read<SUM>(added, p.residual, row * p.residualStride + column);
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        s[v] = to_float(from_float<SUM>(s[v] + added[v]));
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
    const long long row = static_cast<long long>(blockIdx.x) * Teams + threadIdx.x / LANES;
    const long long width = row < p.rows ? p.width : 0;
    const int first = threadIdx.x % LANES * VECTOR;
    float s[ITEMS][VECTOR];
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
        if (column < width)
            read_sum(s[i], p, row, column);
    }

#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        if (first + static_cast<long long>(i) * LANES * VECTOR < width)
        {
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
                squares += s[i][v] * s[i][v];
        }
    }

    for (long long column = first + Held; column < width; column += LANES * VECTOR)
    {
        float more[VECTOR];
        read_sum(more, p, row, column);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            squares += more[v] * more[v];
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
        float more[VECTOR];
        read_sum(more, p, row, column);
        write_normed(p, row, column, more, r);
    }
}

MAMBA_DEVICE void read_gradient(float (&dy)[VECTOR], const NormBackwardParams& p, long long row, long long column)
{
    if (p.dy)
    {
        read<REAL>(dy, p.dy, row * p.dyStride + column);
        return;
    }

#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        dy[v] = 0.0f;
}

// ds = r*(dy*weight - s*r*mean(dy*weight*s*r)) + dSum. `mean` holds r*r*mean(dy*weight*s).
MAMBA_DEVICE void write_gradient(
    const NormBackwardParams& p, long long row, long long column, const float (&s)[VECTOR], const float (&dy)[VECTOR], const float (&weight)[VECTOR], float r, float mean)
{
    float ds[VECTOR];
#pragma unroll
    for (int v = 0; v < VECTOR; v++)
        ds[v] = r * (dy[v] * weight[v] - s[v] * mean);
    if (p.dSum)
    {
        float added[VECTOR];
        read<SUM>(added, p.dSum, row * p.dSumStride + column);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            ds[v] += added[v];
    }

    if (p.dx)
        store_pack<REAL>(p.dx, row * p.width + column, ds);
    if (p.dResidual)
        store_pack<SUM>(p.dResidual, row * p.width + column, ds);
}

// A team has rowsPerTeam rows one after the other and keeps its sums for the weight's gradient, of columns beyond the registers
// in its row of the partial sums.
extern "C" __global__ void __launch_bounds__(Threads) rms_norm_backward(const __grid_constant__ NormBackwardParams p)
{
    const long long team = static_cast<long long>(blockIdx.x) * Teams + threadIdx.x / LANES;
    const int first = threadIdx.x % LANES * VECTOR;
    float* partials = p.partials ? p.partials + team * p.width : nullptr;
    float weight[ITEMS][VECTOR], dWeight[ITEMS][VECTOR];
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
        if (column < p.width)
            read_weight(weight[i], p.weight, column);
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            dWeight[i][v] = 0.0f;
    }

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
        float s[ITEMS][VECTOR], dy[ITEMS][VECTOR];
        Two sums = {0.0f, 0.0f}; // of s*s, of dy*weight*s
#pragma unroll
        for (int i = 0; i < ITEMS; i++)
        {
            const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
            if (column < width)
            {
                read<SUM>(s[i], p.sum, row * p.sumStride + column);
                read_gradient(dy[i], p, row, column);
            }
        }

#pragma unroll
        for (int i = 0; i < ITEMS; i++)
        {
            if (first + static_cast<long long>(i) * LANES * VECTOR < width)
            {
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                {
                    sums.a += s[i][v] * s[i][v];
                    sums.b += dy[i][v] * weight[i][v] * s[i][v];
                }
            }
        }

        for (long long column = first + Held; column < width; column += LANES * VECTOR)
        {
            float moreS[VECTOR], moreDY[VECTOR], moreWeight[VECTOR];
            read<SUM>(moreS, p.sum, row * p.sumStride + column);
            read_gradient(moreDY, p, row, column);
            read_weight(moreWeight, p.weight, column);
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
            {
                sums.a += moreS[v] * moreS[v];
                sums.b += moreDY[v] * moreWeight[v] * moreS[v];
            }
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
                write_gradient(p, row, column, s[i], dy[i], weight[i], r, mean);
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                    dWeight[i][v] += dy[i][v] * s[i][v] * r;
            }
        }

        for (long long column = first + Held; column < width; column += LANES * VECTOR)
        {
            float moreS[VECTOR], moreDY[VECTOR], moreWeight[VECTOR];
            read<SUM>(moreS, p.sum, row * p.sumStride + column);
            read_gradient(moreDY, p, row, column);
            read_weight(moreWeight, p.weight, column);
            write_gradient(p, row, column, moreS, moreDY, moreWeight, r, mean);
            if (partials)
            {
#pragma unroll
                for (int v = 0; v < VECTOR; v++)
                    partials[column + v] += moreDY[v] * moreS[v] * r;
            }
        }
    }

    if (!partials)
        return;
#pragma unroll
    for (int i = 0; i < ITEMS; i++)
    {
        const long long column = first + static_cast<long long>(i) * LANES * VECTOR;
        if (column < p.width)
        {
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
                partials[column + v] = dWeight[i][v];
        }
    }
}
