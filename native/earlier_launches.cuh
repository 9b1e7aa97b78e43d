// Where a GPU allows it (compute capability 9.0), a kernel is started while those before it in the stream still run: its blocks take the
// places that theirs leave, and the time of a start is hidden. Every kernel therefore calls this, in every thread and on every path, before
// it reads or writes what any other launch may write or read; before that it may look at its parameters and compute from them. Nothing
// tells the launch after to start earlier than that: its blocks would take the places of this one's unevenly.
#pragma once

#ifdef MAMBA_HOST
inline void wait_for_earlier_launches() {}
#else
__device__ __forceinline__ void wait_for_earlier_launches()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
#endif
