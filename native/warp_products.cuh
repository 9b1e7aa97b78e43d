// Products on the matrix units: sums over the states of a channel, or over channels, that would otherwise take a shuffle and an
// addition for each halving.
#pragma once
#include "numbers.cuh"

// The 16×8 sums of a warp. Lane 4g+j holds rows g and g+8, columns 2j and 2j+1.
struct Sums { float at[4]; };

// sums += A·B with A 16×8 and B 8×8. Lane 4g+j gives A[g][j], A[g+8][j], A[g][j+4], A[g+8][j+4] and B[j][g], B[j+4][g].
// The unit reads the upper 19 bits of each number (tf32): the lower bits are cut off.
MAMBA_DEVICE void add_product(Sums& sums, float a0, float a1, float a2, float a3, float b0, float b1)
{
#ifdef MAMBA_HOST
    host_add_product(sums.at, a0, a1, a2, a3, b0, b1);
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
    host_add_product(sums.at, a0, a1, 0.0f, 0.0f, b0, 0.0f);
#else
    asm("mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(sums.at[0]), "+f"(sums.at[1]), "+f"(sums.at[2]), "+f"(sums.at[3])
        : "r"(bits_of(a0)), "r"(bits_of(a1)), "r"(bits_of(b0)));
#endif
}

// What the matrix unit sees of a number, and the rest: high + low is the number.
MAMBA_DEVICE float high_part(float x) { return float_of(bits_of(x) & 0xffffe000u); }
