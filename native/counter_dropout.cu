// Dropout without a generator: whether a value is dropped is a function of the key and of its place, the same as on the CPU
// (CounterDropout.cs). Bound by memory.
//
// Compile with -DREAL=float|bf16|f16 -DVECTOR=1|4|8 (elements of one access; the addresses must be so aligned).
#include "counter_dropout.cuh"
#include "earlier_launches.cuh"
#include "packs.cuh"

typedef unsigned long long Word;

constexpr int SliceBits = 28; // values are counted from 0 in each slice, whose number is part of its key

MAMBA_DEVICE Word mix(Word key)
{
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ull;
    key = (key ^ (key >> 27)) * 0x94D049BB133111EBull;
    return key ^ (key >> 31);
}

MAMBA_DEVICE unsigned scramble(unsigned value)
{
    value ^= value >> 16;
    value *= 0x7FEB352Du;
    value ^= value >> 15;
    value *= 0x846CA68Bu;
    return value ^ (value >> 16);
}

template <int Count>
MAMBA_DEVICE void drop(const DropoutParams& p, long long at)
{
    // A pack does not reach over a slice's end: its size divides the slice's.
    const Word key = mix(static_cast<Word>(p.key) + static_cast<Word>(at >> SliceBits) * 0x9E3779B97F4A7C15ull);
    const unsigned first = static_cast<unsigned>(at) & ((1u << SliceBits) - 1u);
    const Vector<REAL, Count> x = load_pack<REAL, Count>(p.x, at);
    float y[Count];
#pragma unroll
    for (int i = 0; i < Count; i++)
    {
        const unsigned hash = scramble(scramble((first + i) ^ static_cast<unsigned>(key)) + static_cast<unsigned>(key >> 32));
        y[i] = hash >= static_cast<unsigned>(p.threshold) ? to_float(x.at[i]) * p.scale : 0.0f;
    }

    store_pack<REAL>(p.y, at, y);
}

extern "C" __global__ void __launch_bounds__(256) counter_dropout(const __grid_constant__ DropoutParams p)
{
    wait_for_earlier_launches();
    const long long item = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const long long items = static_cast<long long>(gridDim.x) * blockDim.x;
    const long long packs = p.count / VECTOR;
    for (long long i = item; i < packs; i += items)
        drop<VECTOR>(p, i * VECTOR);
    for (long long i = packs * VECTOR + item; i < p.count; i += items)
        drop<1>(p, i);
}
