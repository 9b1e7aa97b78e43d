// Adam with decoupled weight decay, in place over many weights and their moments:
//   g = gradient*gradientScale*clip,   m += gain1*(g - m),   v = beta2*v + gain2*g*g
//   weight = weight*shrink - stepSize*m / (sqrt(v)*rootScale + epsilon)
//   clip = min(1, maxNorm / (sqrt(sumOfSquares) + epsilon));   nothing at all where loss or sumOfSquares is not finite
// Bound by memory: four arrays read, three written.
//
// Compile with -DELEMENTS=16384 (see tensor_table.cuh).
#include "adamw.cuh"
#include "earlier_launches.cuh"
#include "packs.cuh"
#include "tensor_table.cuh"

// The factor of all gradients; negative where there must be no step.
MAMBA_DEVICE float clip_of(const AdamWParams& p)
{
    if (p.loss == nullptr)
        return 1.0f;
    const double norm = sqrt(*p.sumOfSquares);
    if (!isfinite(norm) || !isfinite(*p.loss))
        return -1.0f;
    return p.maxNorm > 0.0 ? static_cast<float>(fmin(1.0, p.maxNorm / (norm + p.epsilon))) : 1.0f;
}

template <int Count>
MAMBA_DEVICE void update(const AdamWRow& p, float scale, long long at)
{
    const Vector<float, Count> gradient = load_pack<float, Count>(p.gradient, at);
    const Vector<float, Count> first = load_pack<float, Count>(p.firstMoment, at);
    const Vector<float, Count> second = load_pack<float, Count>(p.secondMoment, at);
    const Vector<float, Count> before = load_pack<float, Count>(p.weight, at);
    float m[Count], v[Count], weight[Count];
#pragma unroll
    for (int i = 0; i < Count; i++)
    {
        const float g = gradient.at[i] * scale;
        m[i] = first.at[i] + p.gain1 * (g - first.at[i]);
        v[i] = p.beta2 * second.at[i] + p.gain2 * (g * g);
        weight[i] = before.at[i] * p.shrink - p.stepSize * m[i] / (sqrtf(v[i]) * p.rootScale + p.epsilon);
    }

    store_pack<float>(p.firstMoment, at, m);
    store_pack<float>(p.secondMoment, at, v);
    store_pack<float>(p.weight, at, weight);
}

extern "C" __global__ void __launch_bounds__(Threads) adamw(const __grid_constant__ AdamWParams p)
{
    wait_for_earlier_launches();
    // One thread for all: in double, which many GPUs are slow at.
    __shared__ float clip;
    if (threadIdx.x == 0)
        clip = clip_of(p);
    const AdamWRow row = row_of_block(p.rows, p.count); // waits for all threads
    if (clip < 0.0f)
        return;
    const float scale = row.gradientScale * clip;
    const Part part(row);
    long long rest = part.first;
    if (takes_packs(address_of(row.weight) | address_of(row.gradient) | address_of(row.firstMoment) | address_of(row.secondMoment)))
    {
        rest = part.packed();
        for (long long at = part.first + threadIdx.x * 4; at < rest; at += Threads * 4)
            update<4>(row, scale, at);
    }

    for (long long at = rest + threadIdx.x; at < part.end; at += Threads)
        update<1>(row, scale, at);
}
