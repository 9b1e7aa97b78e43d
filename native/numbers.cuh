// Element types and the few functions that all kernels share. No header of CUDA is needed: the compiler that runs on users'
// machines comes without them. MAMBA_HOST builds the same code for a processor, for tests without a GPU.
#pragma once

struct bf16 { unsigned short bits; };
struct f16 { unsigned short bits; };

static_assert(sizeof(bf16) == 2 && sizeof(f16) == 2, "packed");

#ifdef MAMBA_HOST
struct float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
#define MAMBA_DEVICE inline
#else
#define MAMBA_DEVICE __device__ __forceinline__
#endif

constexpr float Log2E = 1.4426950408889634f;

MAMBA_DEVICE unsigned bits_of(float x)
{
#ifdef MAMBA_HOST
    unsigned bits;
    __builtin_memcpy(&bits, &x, 4);
    return bits;
#else
    return __float_as_uint(x);
#endif
}

MAMBA_DEVICE float float_of(unsigned bits)
{
#ifdef MAMBA_HOST
    float x;
    __builtin_memcpy(&x, &bits, 4);
    return x;
#else
    return __uint_as_float(bits);
#endif
}

MAMBA_DEVICE float to_float(float x) { return x; }

MAMBA_DEVICE float to_float(bf16 x) { return float_of(static_cast<unsigned>(x.bits) << 16); }

MAMBA_DEVICE float to_float(f16 x)
{
#ifdef MAMBA_HOST
    _Float16 half;
    __builtin_memcpy(&half, &x, 2);
    return static_cast<float>(half);
#else
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
    return result;
#endif
}

// Rounds to nearest, ties to even; NaN stays NaN.
template <class T>
MAMBA_DEVICE T from_float(float x);

template <>
MAMBA_DEVICE float from_float<float>(float x) { return x; }

template <>
MAMBA_DEVICE bf16 from_float<bf16>(float x)
{
    bf16 result;
#ifdef MAMBA_HOST
    const unsigned bits = bits_of(x);
    result.bits = static_cast<unsigned short>(x == x ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16 : 0x7fffu);
#else
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
#endif
    return result;
}

template <>
MAMBA_DEVICE f16 from_float<f16>(float x)
{
    f16 result;
#ifdef MAMBA_HOST
    const _Float16 half = static_cast<_Float16>(x);
    __builtin_memcpy(&result, &half, 2);
#else
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(x));
#endif
    return result;
}

// Two numbers in one register, the first in the lower half.
MAMBA_DEVICE unsigned pair_of(bf16, float first, float second)
{
#ifdef MAMBA_HOST
    return from_float<bf16>(first).bits | static_cast<unsigned>(from_float<bf16>(second).bits) << 16;
#else
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
#endif
}

MAMBA_DEVICE unsigned pair_of(f16, float first, float second)
{
#ifdef MAMBA_HOST
    return from_float<f16>(first).bits | static_cast<unsigned>(from_float<f16>(second).bits) << 16;
#else
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
#endif
}

// 2^x on the exponential unit: two units in the last place, results below 2^-126 are zero.
MAMBA_DEVICE float fast_exp2(float x)
{
#ifdef MAMBA_HOST
    return __builtin_exp2f(x);
#else
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
#endif
}

// 1/x on the reciprocal unit: one unit in the last place; 1/±inf = ±0.
MAMBA_DEVICE float fast_reciprocal(float x)
{
#ifdef MAMBA_HOST
    return 1.0f / x;
#else
    float result;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
#endif
}

MAMBA_DEVICE float magnitude(float x)
{
#ifdef MAMBA_HOST
    return __builtin_fabsf(x);
#else
    return fabsf(x);
#endif
}

MAMBA_DEVICE float sigmoid(float x) { return fast_reciprocal(1.0f + fast_exp2(-Log2E * x)); }

MAMBA_DEVICE float silu(float x) { return x * sigmoid(x); }

// SiLU of two numbers, with one reciprocal. Below -41, where it is under 1e-16, it is larger than it should be, so that the product of
// what is divided by stays finite.
MAMBA_DEVICE float2 silus(float x, float y)
{
    constexpr float Most = 60.0f;
    const float exponentX = -Log2E * x, exponentY = -Log2E * y;
    const float ofX = 1.0f + fast_exp2(exponentX < Most ? exponentX : Most), ofY = 1.0f + fast_exp2(exponentY < Most ? exponentY : Most);
    const float ofBoth = fast_reciprocal(ofX * ofY);
    return {x * (ofBoth * ofY), y * (ofBoth * ofX)};
}

// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|), for every x to within rounding of the value: the logarithm of 1 + e by e times a polynomial
// with the least relative error for e from 0 to 1, since a hardware logarithm of a number near 1 would lose the small steps (0.001)
// that matter most. Equals x above 20 by itself. Right to 2e-7 of the value; Narrow to 9e-6, enough for 16-bit operands.
template <bool Narrow = false>
MAMBA_DEVICE float softplus(float x)
{
    const float e = fast_exp2(-Log2E * magnitude(x));
    float ratio;
    if (Narrow)
    {
        ratio = -0.02386915f * e + 0.10122229f;
        ratio = ratio * e - 0.21004868f;
        ratio = ratio * e + 0.32520667f;
        ratio = ratio * e - 0.49936137f;
        ratio = ratio * e + 0.9999916f;
    }
    else
    {
        ratio = 0.005232694f * e - 0.029505237f;
        ratio = ratio * e + 0.07822595f;
        ratio = ratio * e - 0.13663246f;
        ratio = ratio * e + 0.19106007f;
        ratio = ratio * e - 0.24842982f;
        ratio = ratio * e + 0.33319098f;
        ratio = ratio * e - 0.49999493f;
        ratio = ratio * e + 0.99999994f;
    }
    return e * ratio + (x > 0.0f ? x : 0.0f);
}

MAMBA_DEVICE float at(const float4& four, int i) { return i == 0 ? four.x : i == 1 ? four.y : i == 2 ? four.z : four.w; }
