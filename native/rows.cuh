// Sixteen bytes of a row: read and written at once where rows are aligned, element by element where they are not. They stay packed
// until they are used, so that a load that is under way does not hold up what comes before its use.
//
// Defines: REAL; ALIGNED (1 when every row starts at a multiple of 16 bytes and holds whole vectors).
#pragma once
#include "packs.cuh"

constexpr int Width = 16 / sizeof(REAL);            // elements of 16 bytes

struct Row { uint4 words; };

template <class T>
MAMBA_DEVICE float value_of(unsigned word, bool upper)
{
    T half;
    half.bits = static_cast<unsigned short>(upper ? word >> 16 : word);
    return to_float(half);
}

template <>
MAMBA_DEVICE float value_of<bf16>(unsigned word, bool upper) { return float_of(upper ? word & 0xffff0000u : word << 16); }

template <>
MAMBA_DEVICE float value_of<float>(unsigned word, bool) { return float_of(word); }

MAMBA_DEVICE unsigned pair_of(float, float first, float) { return bits_of(first); }

MAMBA_DEVICE float element(const Row& row, int i)
{
    const int word = Width == 4 ? i : i / 2;
    return value_of<REAL>(word == 0 ? row.words.x : word == 1 ? row.words.y : word == 2 ? row.words.z : row.words.w, i % 2 != 0);
}

MAMBA_DEVICE Row pack(const float (&values)[Width])
{
    constexpr int Step = Width / 4, Next = Step - 1;
    return {uint4{pair_of(REAL{}, values[0], values[Next]), pair_of(REAL{}, values[Step], values[Step + Next]),
        pair_of(REAL{}, values[2 * Step], values[2 * Step + Next]), pair_of(REAL{}, values[3 * Step], values[3 * Step + Next])}};
}

// The first count elements, zeros after them.
MAMBA_DEVICE Row load_row(const REAL* from, int count)
{
#if ALIGNED
    return count > 0 ? *reinterpret_cast<const Row*>(from) : Row{};
#else
    float values[Width];
#pragma unroll
    for (int i = 0; i < Width; i++)
        values[i] = i < count ? to_float(from[i]) : 0.0f;
    return pack(values);
#endif
}

// The first count elements into shared memory, zeros after them; there once the thread has waited for its copies.
MAMBA_DEVICE void copy_row(Row* to, const REAL* from, int count)
{
#if ALIGNED && !defined(MAMBA_HOST)
    const int bytes = count > 0 ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"(static_cast<unsigned>(__cvta_generic_to_shared(to))), "l"(from), "r"(bytes) : "memory");
#else
    *to = load_row(from, count);
#endif
}

MAMBA_DEVICE void wait_for_copies()
{
#if ALIGNED && !defined(MAMBA_HOST)
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

MAMBA_DEVICE void store_row(REAL* to, const float (&values)[Width], int count)
{
#if ALIGNED
    const uint4 packed = pack(values).words;
    const unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
    if (count > 0)
        store_words(to, words);
#else
#pragma unroll
    for (int i = 0; i < Width; i++)
        if (i < count)
            to[i] = from_float<REAL>(values[i]);
#endif
}
