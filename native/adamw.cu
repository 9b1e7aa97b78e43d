// Adam with decoupled weight decay, in place over weight and moments:
//   g = gradient*gradientScale,   m += gain1*(g - m),   v = beta2*v + gain2*g*g
//   weight = weight*shrink - stepSize*m / (sqrt(v)*rootScale + epsilon)
// Bound by memory: four arrays read, three written.
//
// Compile with -DVECTOR=1|4 (elements of one access; the addresses must be so aligned).
#include "adamw.cuh"
#include "packs.cuh"

template <int Count>
MAMBA_DEVICE void update(const AdamWParams& p, long long at)
{
    const Vector<float, Count> gradient = load_pack<float, Count>(p.gradient, at);
    const Vector<float, Count> first = load_pack<float, Count>(p.firstMoment, at);
    const Vector<float, Count> second = load_pack<float, Count>(p.secondMoment, at);
    const Vector<float, Count> before = load_pack<float, Count>(p.weight, at);
    float m[Count], v[Count], weight[Count];
#pragma unroll
    for (int i = 0; i < Count; i++)
    {
        const float g = gradient.at[i] * p.gradientScale;
        m[i] = first.at[i] + p.gain1 * (g - first.at[i]);
        v[i] = p.beta2 * second.at[i] + p.gain2 * (g * g);
        weight[i] = before.at[i] * p.shrink - p.stepSize * m[i] / (sqrtf(v[i]) * p.rootScale + p.epsilon);
    }

    store_pack<float>(p.firstMoment, at, m);
    store_pack<float>(p.secondMoment, at, v);
    store_pack<float>(p.weight, at, weight);
}

extern "C" __global__ void __launch_bounds__(256) adamw(const __grid_constant__ AdamWParams p)
{
    const long long item = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    const long long items = static_cast<long long>(gridDim.x) * blockDim.x;
    const long long packs = p.count / VECTOR;
    for (long long i = item; i < packs; i += items)
        update<VECTOR>(p, i * VECTOR);
    for (long long i = packs * VECTOR + item; i < p.count; i += items)
        update<1>(p, i);
}
