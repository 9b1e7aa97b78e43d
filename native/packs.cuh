// Neighbouring elements of a row that move as one access of up to 16 bytes, as floats.
#pragma once

#include "numbers.cuh"

// Count elements that lie side by side, aligned to their common size: one load or store of up to 16 bytes.
template <class T, int Count>
struct alignas(sizeof(T) * Count) Vector
{
    T at[Count];
};

template <class T, int Count>
MAMBA_DEVICE Vector<T, Count> load_pack(const void* base, long long element)
{
    return *reinterpret_cast<const Vector<T, Count>*>(static_cast<const T*>(base) + element);
}

template <class T, int Count>
MAMBA_DEVICE Vector<T, Count> zero_pack()
{
    Vector<T, Count> pack;
#pragma unroll
    for (int i = 0; i < Count; i++)
        pack.at[i] = from_float<T>(0.0f);
    return pack;
}

// An element of a word.
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

// A pack that stays as it lies in memory until its elements are used: to take it apart on arrival would hold up the loads after it.
template <class T, int Count>
struct Packed
{
    static constexpr int Bytes = sizeof(T) * Count;
    static constexpr int Words = Bytes < 4 ? 1 : Bytes / 4;
    unsigned words[Words];

    MAMBA_DEVICE float at(int i) const { return value_of<T>(words[i * static_cast<int>(sizeof(T)) / 4], sizeof(T) == 2 && i % 2 != 0); }
};

template <class T, int Count>
MAMBA_DEVICE Packed<T, Count> zero_packed()
{
    Packed<T, Count> pack;
#pragma unroll
    for (int i = 0; i < Packed<T, Count>::Words; i++)
        pack.words[i] = 0;
    return pack;
}

MAMBA_DEVICE void load_words(unsigned (&words)[1], const unsigned short* from) { words[0] = *from; }
MAMBA_DEVICE void load_words(unsigned (&words)[1], const unsigned* from) { words[0] = *from; }

MAMBA_DEVICE void load_words(unsigned (&words)[2], const unsigned* from)
{
    const uint2 two = *reinterpret_cast<const uint2*>(from);
    words[0] = two.x;
    words[1] = two.y;
}

template <int Count>
MAMBA_DEVICE void load_words(unsigned (&words)[Count], const unsigned* from)
{
#pragma unroll
    for (int i = 0; i < Count; i += 4)
    {
        const uint4 four = reinterpret_cast<const uint4*>(from)[i / 4];
        words[i] = four.x;
        words[i + 1] = four.y;
        words[i + 2] = four.z;
        words[i + 3] = four.w;
    }
}

template <int Bytes>
struct WordOf { typedef unsigned type; };

template <>
struct WordOf<2> { typedef unsigned short type; };

template <class T, int Count>
MAMBA_DEVICE Packed<T, Count> load_packed(const void* base, long long element)
{
    Packed<T, Count> pack;
    load_words(pack.words, reinterpret_cast<const typename WordOf<Packed<T, Count>::Bytes>::type*>(static_cast<const T*>(base) + element));
    return pack;
}

// Words that lie side by side, in one access. By instruction: NVRTC 11.8 takes a store of a vector apart into its elements.
MAMBA_DEVICE void store_words(void* address, const unsigned (&words)[1]) { *static_cast<unsigned*>(address) = words[0]; }

MAMBA_DEVICE void store_words(void* address, const unsigned (&words)[2])
{
#ifdef MAMBA_HOST
    __builtin_memcpy(address, words, sizeof words);
#else
    asm volatile("st.global.v2.b32 [%0], {%1, %2};" : : "l"(address), "r"(words[0]), "r"(words[1]) : "memory");
#endif
}

MAMBA_DEVICE void store_words(void* address, const unsigned (&words)[4])
{
#ifdef MAMBA_HOST
    __builtin_memcpy(address, words, sizeof words);
#else
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};"
        :
        : "l"(address), "r"(words[0]), "r"(words[1]), "r"(words[2]), "r"(words[3])
        : "memory");
#endif
}

template <class T, int Count>
struct PackStore
{
    MAMBA_DEVICE static void run(void* address, const float (&values)[Count])
    {
        unsigned words[Count / 2];
#pragma unroll
        for (int i = 0; i < Count / 2; i++)
            words[i] = pair_of(T(), values[2 * i], values[2 * i + 1]);
        store_words(address, words);
    }
};

template <class T>
struct PackStore<T, 1>
{
    MAMBA_DEVICE static void run(void* address, const float (&values)[1]) { *static_cast<T*>(address) = from_float<T>(values[0]); }
};

template <int Count>
struct PackStore<float, Count>
{
    MAMBA_DEVICE static void run(void* address, const float (&values)[Count])
    {
        unsigned words[Count];
#pragma unroll
        for (int i = 0; i < Count; i++)
            words[i] = bits_of(values[i]);
        store_words(address, words);
    }
};

template <>
struct PackStore<float, 1>
{
    MAMBA_DEVICE static void run(void* address, const float (&values)[1]) { *static_cast<float*>(address) = values[0]; }
};

// A pack of 8 floats is two accesses.
template <>
struct PackStore<float, 8>
{
    MAMBA_DEVICE static void run(void* address, const float (&values)[8])
    {
#pragma unroll
        for (int half = 0; half < 2; half++)
        {
            const unsigned words[4] = {
                bits_of(values[4 * half]), bits_of(values[4 * half + 1]), bits_of(values[4 * half + 2]), bits_of(values[4 * half + 3])};
            store_words(static_cast<float*>(address) + 4 * half, words);
        }
    }
};

template <class T, int Count>
MAMBA_DEVICE void store_pack(void* base, long long element, const float (&values)[Count])
{
    PackStore<T, Count>::run(static_cast<T*>(base) + element, values);
}
