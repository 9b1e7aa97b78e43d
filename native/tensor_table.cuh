// One launch for many tensors: a table in the GPU's memory has a row for each, and each has blocks of its own, one for every
// ELEMENTS of its elements, in the order of the table.
//
// Defines: ELEMENTS, a multiple of 4.
#pragma once

#include "numbers.cuh"

constexpr int Threads = 256;

// The row among whose blocks the present one is. A row without elements has none. All threads of the block take part.
template <class Row>
MAMBA_DEVICE const Row& row_of_block(const Row* rows, int count)
{
    __shared__ int found;
    for (int i = threadIdx.x; i < count; i += Threads)
        if (rows[i].firstBlock <= blockIdx.x && (i + 1 == count || rows[i + 1].firstBlock > blockIdx.x))
            found = i;
    __syncthreads();
    return rows[found];
}

// The elements of a tensor that the present block has.
struct Part
{
    long long first;
    long long end;

    template <class Row>
    MAMBA_DEVICE explicit Part(const Row& row)
    {
        first = (blockIdx.x - row.firstBlock) * ELEMENTS;
        end = first + ELEMENTS < row.count ? first + ELEMENTS : row.count;
    }

    // Where the last whole pack of four ends.
    MAMBA_DEVICE long long packed() const { return first + (end - first) / 4 * 4; }
};

// Whether four elements can be read at once from an address, or from all addresses whose bits are in it.
MAMBA_DEVICE bool takes_packs(unsigned long long addresses) { return addresses % 16 == 0; }

MAMBA_DEVICE unsigned long long address_of(const void* pointer) { return reinterpret_cast<unsigned long long>(pointer); }
