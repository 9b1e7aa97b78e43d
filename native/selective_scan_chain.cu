// The states before each segment of a sequence (backward: the gradients of the states after each), from what each segment does alone:
// one thread for a state of a channel goes from segment to segment.
#include "numbers.cuh"
#include "selective_scan.cuh"

extern "C" __global__ void __launch_bounds__(128) selective_scan_chain(const __grid_constant__ ScanChainParams p)
{
    const long long index = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const long long perSequence = static_cast<long long>(p.channels) * p.states;
    if (index >= p.sequences * perSequence)
        return;
    const long long sequence = index / perSequence, within = index % perSequence, channel = within / p.states;
    const float a = p.a[within] * Log2E;
    float carry = p.start ? p.start[index] : 0.0f;
    for (int i = 0; i < p.segments; i++)
    {
        const long long run = sequence * p.segments + (p.backward ? p.segments - 1 - i : i);
        p.carries[run * perSequence + within] = carry;
        carry = fast_exp2(a * p.totals[run * p.channels + channel]) * carry + p.ends[run * perSequence + within];
    }
}
