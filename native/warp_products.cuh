// Products on the matrix units: sums over the states of a channel, or over channels, that would otherwise take a shuffle and an
// addition for each halving. On a processor, where tests run the kernels, they are made of shuffles.
#pragma once
#include "numbers.cuh"

// The 16×8 sums of a warp. Lane 4g+j holds rows g and g+8, columns 2j and 2j+1.
struct Sums { float at[4]; };

#ifdef MAMBA_HOST
// With the bits that the unit reads, on which kernels rely where they give a number and then the rest of it.
MAMBA_DEVICE float as_read(float x) { return float_of(bits_of(x) & 0xffffe000u); }

template <int Depth>
MAMBA_DEVICE void host_add_product(Sums& sums, const float (&a)[2][Depth / 4], const float (&b)[Depth / 4])
{
    const int lane = threadIdx.x % 32, g = lane / 4, j = lane % 4;
    for (int k = 0; k < Depth; k++)
    {
        const float upper = as_read(__shfl_sync(0xffffffffu, a[0][k / 4], 4 * g + k % 4)), lower = as_read(__shfl_sync(0xffffffffu, a[1][k / 4], 4 * g + k % 4));
        const float left = as_read(__shfl_sync(0xffffffffu, b[k / 4], 4 * (2 * j) + k % 4)), right = as_read(__shfl_sync(0xffffffffu, b[k / 4], 4 * (2 * j + 1) + k % 4));
        sums.at[0] += upper * left;
        sums.at[1] += upper * right;
        sums.at[2] += lower * left;
        sums.at[3] += lower * right;
    }
}
#endif

// sums += A·B with A 16×8 and B 8×8. Lane 4g+j gives A[g][j], A[g+8][j], A[g][j+4], A[g+8][j+4] and B[j][g], B[j+4][g].
// The unit reads the upper 19 bits of each number (tf32): the lower bits are cut off.
MAMBA_DEVICE void add_product(Sums& sums, float a0, float a1, float a2, float a3, float b0, float b1)
{
#ifdef MAMBA_HOST
    host_add_product<8>(sums, {{a0, a2}, {a1, a3}}, {b0, b1});
#else
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(bits_of(a0)), "r"(bits_of(a1)), "r"(bits_of(a2)), "r"(bits_of(a3)), "r"(bits_of(b0)), "r"(bits_of(b1)));
#endif
}

// sums += A·B with A 16×4 and B 4×8. Lane 4g+j gives A[g][j], A[g+8][j] and B[j][g].
MAMBA_DEVICE void add_short_product(Sums& sums, float a0, float a1, float b0)
{
#ifdef MAMBA_HOST
    host_add_product<4>(sums, {{a0}, {a1}}, {b0});
#else
    asm("mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(bits_of(a0)), "r"(bits_of(a1)), "r"(bits_of(b0)));
#endif
}

// What the matrix unit sees of a number, and the rest: high + low is the number.
MAMBA_DEVICE float high_part(float x) { return float_of(bits_of(x) & 0xffffe000u); }

// Two numbers rounded to bfloat16, the first in the lower half.
struct Pair { unsigned bits; };

MAMBA_DEVICE Pair rounded(float low, float high) { return {pair_of(bf16{}, low, high)}; }

// Of an 8×8 matrix, lane 4g+j gives row g, columns 2j and 2j+1, and gets row g of the transposed.
MAMBA_DEVICE Pair transposed(Pair pair)
{
#ifdef MAMBA_HOST
    const int lane = threadIdx.x % 32, g = lane / 4, j = lane % 4;
    const unsigned first = __shfl_sync(0xffffffffu, pair.bits, 4 * (2 * j) + g / 2), second = __shfl_sync(0xffffffffu, pair.bits, 4 * (2 * j + 1) + g / 2);
    return {g % 2 != 0 ? first >> 16 | (second & 0xffff0000u) : (first & 0xffffu) | second << 16};
#else
    Pair result;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(result.bits) : "r"(pair.bits));
    return result;
#endif
}

// sums += A·B with A 16×16 and B 16×8 of bfloat16. Lane 4g+j gives A[g][2j…2j+1], A[g+8][2j…], A[g][2j+8…], A[g+8][2j+8…] and
// B[2j…2j+1][g], B[2j+8…][g].
MAMBA_DEVICE void add_pair_product(Sums& sums, const Pair (&a)[2][2], const Pair (&b)[2])
{
#ifdef MAMBA_HOST
    const int lane = threadIdx.x % 32, g = lane / 4, j = lane % 4;
    auto number = [](unsigned bits, int k) { return float_of(k % 2 != 0 ? bits & 0xffff0000u : bits << 16); };
    for (int k = 0; k < 16; k++)
    {
        const int from = k % 8 / 2;
        const float upper = number(__shfl_sync(0xffffffffu, a[k / 8][0].bits, 4 * g + from), k), lower = number(__shfl_sync(0xffffffffu, a[k / 8][1].bits, 4 * g + from), k);
        const float left = number(__shfl_sync(0xffffffffu, b[k / 8].bits, 4 * (2 * j) + from), k), right = number(__shfl_sync(0xffffffffu, b[k / 8].bits, 4 * (2 * j + 1) + from), k);
        sums.at[0] += upper * left;
        sums.at[1] += upper * right;
        sums.at[2] += lower * left;
        sums.at[3] += lower * right;
    }
#else
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(a[0][0].bits), "r"(a[0][1].bits), "r"(a[1][0].bits), "r"(a[1][1].bits), "r"(b[0].bits), "r"(b[1].bits));
#endif
}
