// The states before each segment of a sequence (backward: the gradients of the states after each), from what each segment does alone:
// one thread for a state of a channel goes from segment to segment. Nothing follows the last, so what it does is not asked.
#include "earlier_launches.cuh"
#include "numbers.cuh"
#include "selective_scan.cuh"

constexpr int Ahead = 8;                            // segments whose numbers are under way at a time

extern "C" __global__ void __launch_bounds__(128) selective_scan_chain(const __grid_constant__ ScanChainParams p)
{
    wait_for_earlier_launches();
    const long long index = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const long long perSequence = static_cast<long long>(p.channels) * p.states;
    if (index >= p.sequences * perSequence)
        return;
    const long long sequence = index / perSequence, within = index % perSequence, channel = within / p.states;
    const float a = p.a[within] * Log2E;
    auto run_of = [&](int i) { return sequence * p.segments + (p.backward ? p.segments - 1 - i : i); };
    float carry = p.start ? p.start[index] : 0.0f;
    for (int first = 0; first < p.segments; first += Ahead)
    {
        float totals[Ahead], ends[Ahead];
#pragma unroll
        for (int i = 0; i < Ahead; i++)
        {
            const bool followed = first + i + 1 < p.segments;
            totals[i] = followed ? p.totals[run_of(first + i) * p.channels + channel] : 0.0f;
            ends[i] = followed ? p.ends[run_of(first + i) * perSequence + within] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < Ahead; i++)
            if (first + i < p.segments)
            {
                p.carries[run_of(first + i) * perSequence + within] = carry;
                carry = fast_exp2(a * totals[i]) * carry + ends[i];
            }
    }
}
