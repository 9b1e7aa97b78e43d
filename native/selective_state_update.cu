// One step of the selective scan:
//   h = exp(delta*A)*h + delta*B*x,   y = (C*h + D*x)*silu(z)
// `lanes` neighbouring threads have one channel of one sequence, each VECTOR states at a time. Bound by memory: the state is read
// and written once.
//
// Compile with -DREAL=float|bf16|f16 -DVECTOR=1|2|4 (states of one access; N must be a multiple of it).
#include "earlier_launches.cuh"
#include "packs.cuh"
#include "selective_state_update.cuh"

extern "C" __global__ void __launch_bounds__(128) selective_state_update(const __grid_constant__ StateUpdateParams p)
{
    wait_for_earlier_launches();
    const long long item = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const int lane = threadIdx.x % p.lanes;
    const long long row = item / p.lanes;
    const long long sequence = row / p.channels;
    const long long channel = row - sequence * p.channels;
    const bool inside = sequence < p.batch;
    float x = 0.0f;
    float y = 0.0f;
    if (inside)
    {
        x = to_float(static_cast<const REAL*>(p.x)[sequence * p.xStride + channel]);
        float delta = to_float(static_cast<const REAL*>(p.delta)[sequence * p.deltaStride + channel]);
        if (p.deltaBias)
            delta += p.deltaBias[channel];
        if (p.softplus)
            delta = softplus(delta);
        const long long group = channel / p.channelsPerGroup * p.states;
        const REAL* b = static_cast<const REAL*>(p.b) + sequence * p.bStride + group;
        const REAL* c = static_cast<const REAL*>(p.c) + sequence * p.cStride + group;
        const float* a = p.a + channel * p.states;
        float* state = p.state + row * p.states;
        for (int n = lane * VECTOR; n < p.states; n += p.lanes * VECTOR)
        {
            const Vector<float, VECTOR> rates = load_pack<float, VECTOR>(a, n);
            const Vector<float, VECTOR> before = load_pack<float, VECTOR>(state, n);
            float h[VECTOR];
#pragma unroll
            for (int v = 0; v < VECTOR; v++)
            {
                const float rate = p.aIsLog ? -fast_exp2(Log2E * rates.at[v]) : rates.at[v];
                h[v] = fast_exp2(Log2E * delta * rate) * before.at[v] + delta * x * to_float(b[n + v]);
                y += to_float(c[n + v]) * h[v];
            }

            store_pack<float>(state, n, h);
        }
    }

    for (int distance = p.lanes / 2; distance > 0; distance /= 2)
        y += __shfl_xor_sync(0xffffffffu, y, distance);
    if (!inside || lane != 0)
        return;
    if (p.d)
        y += p.d[channel] * x;
    if (p.z)
        y *= silu(to_float(static_cast<const REAL*>(p.z)[sequence * p.zStride + channel]));
    static_cast<REAL*>(p.y)[row] = from_float<REAL>(y);
}
