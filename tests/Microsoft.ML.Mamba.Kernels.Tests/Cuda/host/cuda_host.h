// Enough of CUDA to run a kernel's source on a processor: the threads of a block are contexts of their own on one thread of the
// system, switched only where they wait for each other; blocks run one after the other. Included before a kernel's source.
#pragma once

#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <ucontext.h>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ thread_local // at function scope static; may be extern too, as dynamic shared memory is declared
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __grid_constant__
#define __launch_bounds__(...)

struct Dim3
{
    unsigned x, y, z;
};

// Vectors that numbers.cuh does not have for a processor.
struct ushort1 { unsigned short x; };
struct uint1 { unsigned x; };
struct alignas(8) uint2 { unsigned x, y; };

using std::isfinite; // global in CUDA, while a C++ compiler has it in a namespace

namespace cuda_host
{
constexpr int LanesPerWarp = 32;
constexpr std::size_t StackBytes = 128 * 1024;

struct Barrier
{
    int members = 0, arrived = 0;
    unsigned long long generation = 0;
};

struct Warp
{
    Barrier barrier;
    std::uint64_t slots[2][LanesPerWarp] = {};
};

struct Thread
{
    ucontext_t start;
    jmp_buf place;
    bool started = false, finished = false;
    unsigned shuffles = 0;
    Dim3 index;
};

inline ucontext_t scheduler;
inline std::vector<Thread> threads;
inline std::vector<Warp> warps;
inline Barrier block, named[16];
inline std::vector<char> stacks;
inline bool agreed;
inline int running, current;
inline void (*body)();
} // namespace cuda_host

// Dynamic shared memory: kernels declare extern __shared__ unsigned char memory[].
alignas(128) inline thread_local unsigned char memory[256 * 1024];

inline Dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace cuda_host
{
// To the next thread that has not finished, in a ring.
inline void turn()
{
    Thread& self = threads[current];
    if (!self.finished && _setjmp(self.place) != 0)
        return;
    do
        current = (current + 1) % static_cast<int>(threads.size());
    while (threads[current].finished);
    Thread& next = threads[current];
    threadIdx = next.index;
    if (next.started)
        _longjmp(next.place, 1);
    next.started = true;
    setcontext(&next.start);
}

inline void pass_if_complete(Barrier& barrier)
{
    if (barrier.members > 0 && barrier.arrived == barrier.members)
    {
        barrier.arrived = 0;
        barrier.generation++;
    }
}

inline void wait(Barrier& barrier)
{
    const unsigned long long generation = barrier.generation;
    barrier.arrived++;
    pass_if_complete(barrier);
    for (long turns = 0; barrier.generation == generation; turns++)
    {
        if (turns > 1000000)
        {
            std::fprintf(stderr, "cuda_host: a thread waits for others that never come (divergent __syncthreads or shuffle)\n");
            std::abort();
        }

        turn();
    }
}

// The barriers with numbers: bar.arrive and bar.sync.
inline void arrive_at(int number, int threads)
{
    named[number].members = threads;
    named[number].arrived++;
    pass_if_complete(named[number]);
}

inline void wait_at(int number, int threads)
{
    named[number].members = threads;
    wait(named[number]);
}

inline void run_thread()
{
    body();
    Thread& self = threads[current];
    self.finished = true;
    for (Barrier* barrier : {&block, &warps[current / LanesPerWarp].barrier})
    {
        barrier->members--;
        pass_if_complete(*barrier);
    }

    if (--running == 0)
        setcontext(&scheduler);
    turn();
}

inline void run_block(int count)
{
    threads.assign(count, Thread());
    warps.assign((count + LanesPerWarp - 1) / LanesPerWarp, Warp());
    block = Barrier();
    for (Barrier& barrier : named)
        barrier = Barrier();
    block.members = running = count;
    agreed = true;
    stacks.resize(count * StackBytes);
    for (int i = 0; i < count; i++)
    {
        Thread& thread = threads[i];
        thread.index = {static_cast<unsigned>(i), 0, 0};
        warps[i / LanesPerWarp].barrier.members++;
        getcontext(&thread.start);
        thread.start.uc_stack.ss_sp = stacks.data() + i * StackBytes;
        thread.start.uc_stack.ss_size = StackBytes;
        thread.start.uc_link = nullptr;
        makecontext(&thread.start, run_thread, 0);
    }

    current = 0;
    threadIdx = threads[0].index;
    threads[0].started = true;
    swapcontext(&scheduler, &threads[0].start);
}

// The value of another lane of the warp; every lane that has not returned takes part.
template <class T>
T exchange(T value, int source)
{
    static_assert(sizeof(T) <= 8, "one slot");
    Warp& warp = warps[current / LanesPerWarp];
    std::uint64_t(&slots)[LanesPerWarp] = warp.slots[threads[current].shuffles++ % 2];
    std::memcpy(&slots[current % LanesPerWarp], &value, sizeof(T));
    wait(warp.barrier);
    std::memcpy(&value, &slots[source], sizeof(T));
    return value;
}

inline int lane() { return current % LanesPerWarp; }

template <class Params>
void (*kernel_of)(Params);
template <class Params>
const Params* arguments_of;

template <class Params>
void launch(void (*kernel)(Params), const void* arguments, long long x, int y, int z, int count)
{
    kernel_of<Params> = kernel;
    arguments_of<Params> = static_cast<const Params*>(arguments);
    body = [] { kernel_of<Params>(*arguments_of<Params>); };
    gridDim = {static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z)};
    blockDim = {static_cast<unsigned>(count), 1, 1};
    for (unsigned k = 0; k < gridDim.z; k++)
        for (unsigned j = 0; j < gridDim.y; j++)
            for (unsigned i = 0; i < gridDim.x; i++)
            {
                blockIdx = {i, j, k};
                std::memset(memory, 0xff, sizeof memory);
                run_block(count);
            }
}
} // namespace cuda_host

inline void __syncthreads() { cuda_host::wait(cuda_host::block); }
inline void __syncwarp(unsigned = 0xffffffffu) { cuda_host::wait(cuda_host::warps[cuda_host::current / cuda_host::LanesPerWarp].barrier); }
inline void __threadfence() {}

inline int __syncthreads_and(int predicate)
{
    cuda_host::agreed = cuda_host::agreed && predicate;
    __syncthreads();
    const int result = cuda_host::agreed;
    __syncthreads();
    cuda_host::agreed = true;
    __syncthreads();
    return result;
}

template <class T>
T __shfl_sync(unsigned, T value, int source, int width = 32)
{
    return cuda_host::exchange(value, cuda_host::lane() / width * width + source % width);
}

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask, int width = 32)
{
    const int lane = cuda_host::lane(), source = lane ^ mask;
    return cuda_host::exchange(value, source / width == lane / width ? source : lane);
}

template <class T>
T __shfl_up_sync(unsigned, T value, unsigned delta, int width = 32)
{
    const int lane = cuda_host::lane(), source = lane - static_cast<int>(delta);
    return cuda_host::exchange(value, source >= lane / width * width ? source : lane);
}

template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta, int width = 32)
{
    const int lane = cuda_host::lane(), source = lane + static_cast<int>(delta);
    return cuda_host::exchange(value, source < (lane / width + 1) * width ? source : lane);
}

inline int __all_sync(unsigned mask, int predicate)
{
    for (int bit = 1; bit < cuda_host::LanesPerWarp; bit *= 2)
        predicate &= __shfl_xor_sync(mask, predicate != 0 ? 1 : 0, bit);
    return predicate;
}

inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
