// A vector of a row's elements, 16 or 8 bytes: read and written at once where rows are aligned, element by element where they are not.
// They stay packed until they are used, so that a load that is under way does not hold up what comes before its use.
//
// Defines: REAL; ROW_BYTES, 16 or 8; ALIGNED (1 when every row starts at a multiple of 16 bytes and holds whole vectors).
#pragma once
#include "packs.cuh"

constexpr int Width = ROW_BYTES / sizeof(REAL);     // elements of a vector

#if ROW_BYTES == 16
struct Row { uint4 words; };
MAMBA_DEVICE unsigned word_of(const Row& row, int i) { return i == 0 ? row.words.x : i == 1 ? row.words.y : i == 2 ? row.words.z : row.words.w; }
MAMBA_DEVICE Row row_of(const unsigned (&words)[4]) { return {uint4{words[0], words[1], words[2], words[3]}}; }
#else
struct Row { uint2 words; };
MAMBA_DEVICE unsigned word_of(const Row& row, int i) { return i == 0 ? row.words.x : row.words.y; }
MAMBA_DEVICE Row row_of(const unsigned (&words)[2]) { return {uint2{words[0], words[1]}}; }
#endif

MAMBA_DEVICE unsigned pair_of(float, float first, float) { return bits_of(first); }

MAMBA_DEVICE float element(const Row& row, int i) { return value_of<REAL>(word_of(row, i * sizeof(REAL) / 4), i % 2 != 0); }

MAMBA_DEVICE void pack(unsigned (&words)[ROW_BYTES / 4], const float (&values)[Width])
{
    constexpr int Step = Width * 4 / ROW_BYTES;
#pragma unroll
    for (int i = 0; i < ROW_BYTES / 4; i++)
        words[i] = pair_of(REAL{}, values[i * Step], values[i * Step + Step - 1]);
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
    unsigned words[ROW_BYTES / 4];
    pack(words, values);
    return row_of(words);
#endif
}

// The first count elements into shared memory, zeros after them; there once the thread has waited for its copies.
MAMBA_DEVICE void copy_row(Row* to, const REAL* from, int count)
{
#if ALIGNED && !defined(MAMBA_HOST)
    const int bytes = count > 0 ? ROW_BYTES : 0;
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
#if ROW_BYTES == 16
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" :: "r"(address), "l"(from), "r"(bytes) : "memory");
#else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 8, %2;" :: "r"(address), "l"(from), "r"(bytes) : "memory");
#endif
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
    unsigned words[ROW_BYTES / 4];
    pack(words, values);
    if (count > 0)
        store_words(to, words);
#else
#pragma unroll
    for (int i = 0; i < Width; i++)
        if (i < count)
            to[i] = from_float<REAL>(values[i]);
#endif
}
