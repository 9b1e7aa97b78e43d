// What each segment of a long sequence does to the state of the scan when it starts from zero, for sequences that are cut so that
// every multiprocessor has work. Forward: the state after the segment. Backward (BACKWARD 1): the gradient of the state before the
// segment, of which h[t-1] receives exp(delta[t]·A)·(C[t]·dy[t] + what h[t] receives). Both with a sum of delta, which tells how far
// a state from before decays. States are computed no further from where they are carried to than they remember; where that is not the
// whole segment, the sum ends there too and lets through as little of what was before the segment.
//
// Defines: those of scan_tiles.cuh; BACKWARD; MIN_BLOCKS, blocks of a multiprocessor;
// SHARED_BYTES, what the launch plan reserves.
#include "scan_horizon.cuh"
#include "selective_scan.cuh"

struct Staged
{
    Row x[ChannelItems];                            // u, or dy
    Row delta[ChannelItems];
    Row z[BACKWARD ? ChannelItems : 1];
    Row matrix[StateItems];
};

struct Shared
{
    Staged staged[2];
    alignas(16) float steps[Tile * Channels];
    alignas(16) float pushes[Tile * (Channels + 8)];
    alignas(16) float matrix[Tile * StatePitch];
    alignas(16) float sums[Warps * Channels];
    alignas(16) float bias[Channels];
};

static_assert(sizeof(Shared) == SHARED_BYTES, "the launch plan reserves another size");

extern "C" __global__ void __launch_bounds__(Threads, MIN_BLOCKS) selective_scan_carry(const __grid_constant__ ScanCarryParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    constexpr int PushPitch = Channels + 8;
    const Place place = Place::get(p.channels, p.groups);
    const int sequence = place.run / p.segments, segment = place.run % p.segments;
    if (segment == (BACKWARD ? 0 : p.segments - 1))
        return;                                     // there is no segment to carry to
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;
    const int tiles = static_cast<int>((length + Tile - 1) / Tile);

    float a[EIGHTS][2], h[EIGHTS][2] = {};
    load_rates(a, p.a, place, p.states);
    load_of_channels(shared.bias, p.deltaBias, place);

    const long long row = sequence * p.length + begin;
    const int column = place.first + place.v;
    const long long xStride = BACKWARD ? p.dyStride : p.uStride;
    const REAL* const x = static_cast<const REAL*>(BACKWARD ? p.dy : p.u) + (row + place.t) * xStride + column;
    const REAL* const delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
    const REAL* const z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : nullptr;
    const REAL* const matrix = static_cast<const REAL*>(p.matrix) + row * p.matrixStride + static_cast<long long>(place.group) * p.states;

    auto fetch = [&](Staged& to, long long start)
    {
        const long long left = length - start;
        copy_channels(to.x, x + start * xStride, xStride, place, left);
        copy_channels(to.delta, delta + start * p.deltaStride, p.deltaStride, place, left);
        if (BACKWARD && p.z)
            copy_channels(to.z, z + start * p.zStride, p.zStride, place, left);
        copy_matrix(to.matrix, matrix + start * p.matrixStride, p.matrixStride, p.states, place, left);
    };

    const int j = place.j;
    const float* const steps = shared.steps + place.own;
    const float* const pushes = shared.pushes + j / 2 * PushPitch + place.own;
    const float* const rows = shared.matrix + j / 2 * StatePitch + place.part * EIGHTS * 8 + place.g;
    const bool second = j >= 2, low = j % 2 != 0;

    __syncthreads();
    const Horizon horizon = find_horizon(delta, p.deltaStride, length, shared.bias, p.deltaSoftplus, a, p.states, place, shared.sums);

    auto start_of = [&](int tile) { return static_cast<long long>(BACKWARD ? tiles - 1 - tile : tile) * Tile; };
    const int tile0 = horizon.walked < length ? tiles - static_cast<int>((horizon.walked + Tile - 1) / Tile) : 0;
    if (tiles > 0)
        fetch(shared.staged[tile0 % 2], start_of(tile0));
    for (int tile = tile0; tile < tiles; tile++)
    {
        const long long start = start_of(tile);
        const Staged& staged = shared.staged[tile % 2];
        wait_for_copies();
        __syncthreads();
#pragma unroll
        for (int i = 0; i < ChannelLoads; i++)
        {
            const int t = place.t + i * Apart, item = place.thread + i * Copiers;
            if (t < Tile)
            {
                float step[Width], push[Width];
                step_sizes(step, staged.delta[item], shared.bias + place.v, p.deltaSoftplus, start + t < length);
                store_floats(&shared.steps[t * Channels + place.v], step);
                const Row rowX = staged.x[item];
#pragma unroll
                for (int e = 0; e < Width; e++)
                    push[e] = element(rowX, e) * (BACKWARD ? 1.0f : step[e]);
                if (BACKWARD && p.z)
                {
                    const Row rowZ = staged.z[item];
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        push[e] *= silu(element(rowZ, e));
                }
                store_floats(&shared.pushes[t * PushPitch + place.v], push);
            }
        }
        unpack_matrix(shared.matrix, staged.matrix, place);
        __syncthreads();
        if (tile + 1 < tiles)
            fetch(shared.staged[(tile + 1) % 2], start_of(tile + 1));

        bool held[EIGHTS];
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
            held[k] = horizon.holds(k, start, length);
#pragma unroll 1
        for (int eight = 0; eight < Tile; eight += 8)
        {
            const int t0 = BACKWARD ? Tile - 8 - eight : eight;
#pragma unroll
            for (int k = 0; k < EIGHTS; k++)
            {
                if (!held[k])
                    continue;
#pragma unroll
                for (int pair = 0; pair < 4; pair++)
                {
                    const int t = t0 + 2 * (BACKWARD ? 3 - pair : pair);
                    const float x = pushes[t * PushPitch];
                    const Sums push = outer_products(low ? x - high_part(x) : high_part(x), second, rows[t * StatePitch + 8 * k]);
#pragma unroll
                    for (int s = 0; s < 2; s++)
                    {
                        const float decay0 = fast_exp2(steps[t * Channels] * a[k][s]), decay1 = fast_exp2(steps[(t + 1) * Channels] * a[k][s]);
                        if (BACKWARD)
                            h[k][s] = decay0 * (decay1 * (h[k][s] + push.at[2 + s]) + push.at[s]);
                        else
                            h[k][s] = decay1 * (decay0 * h[k][s] + push.at[s]) + push.at[2 + s];
                    }
                }
            }
        }
    }
    if (!place.real)
        return;
    const long long own = static_cast<long long>(place.run) * p.channels + place.channel;
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
            if (place.state + 8 * k + s < p.states)
                p.ends[own * p.states + place.state + 8 * k + s] = h[k][s];
    if (j == 0 && place.part == 0)
        p.totals[own] = horizon.total;
}
