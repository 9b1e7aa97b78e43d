// What each segment of a long sequence does to the state of the scan when it starts from zero, for sequences that are cut so that
// every multiprocessor has work. Forward: the state after the segment. Backward (BACKWARD 1): the gradient of the state before the
// segment, of which h[t-1] receives exp(delta[t]·A)·(C[t]·dy[t] + what h[t] receives). Both with a sum of delta, which tells how far
// a state from before decays. States are computed no further from where they are carried to than they remember; where that is not the
// whole segment, the sum ends there too and lets through as little of what was before the segment. Helpers prepare tiles as in the
// forward pass.
//
// Defines: those of scan_tiles.cuh; BACKWARD; MIN_BLOCKS, blocks of a multiprocessor;
// SHARED_BYTES, what the launch plan reserves.
#include "earlier_launches.cuh"
#include "scan_horizon.cuh"
#include "scan_pushes.cuh"
#include "selective_scan.cuh"

struct Prepared
{
    alignas(16) float pushes[Tile * PushPitch];
    alignas(16) float matrix[Tile * StatePitch];
};

struct Shared
{
    Row x[ChannelItems];                            // u, or dy
    Row delta[ChannelItems];
    Row z[BACKWARD ? ChannelItems : 1];
    Row staged[StateItems];
    Prepared tiles[2];
    alignas(16) float sums[Warps * Channels];
    alignas(16) float bias[Channels];
};

static_assert(sizeof(Shared) == SHARED_BYTES, "the launch plan reserves another size");

extern "C" __global__ void __launch_bounds__(Threads, MIN_BLOCKS) selective_scan_carry(const __grid_constant__ ScanCarryParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    const Place place = Place::get(p.channels, p.groups);
    const int sequence = place.run / p.segments, segment = place.run % p.segments;
    wait_for_earlier_launches();
    if (segment == (BACKWARD ? 0 : p.segments - 1))
        return;                                     // there is no segment to carry to
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;
    const long long row = sequence * p.length + begin;
    const int tiles = static_cast<int>((length + Tile - 1) / Tile);
    const int column = place.first + place.v;

    float a[EIGHTS][2], h[EIGHTS][2] = {};
    load_rates<TwosOfEights>(a, p.a, place, p.states);
    if (place.helper)
        load_of_channels(shared.bias, p.deltaBias, place);
    __syncthreads();
    const REAL* const delta = static_cast<const REAL*>(p.delta) + (row + place.t) * p.deltaStride + column;
    const Horizon horizon = find_horizon(delta, p.deltaStride, length, shared.bias, p.deltaSoftplus != 0, a, p.states, place, shared.sums);
    const int tile0 = horizon.reach < length ? tiles - static_cast<int>((horizon.reach + Tile - 1) / Tile) : 0;
    auto start_of = [&](int tile) { return static_cast<long long>(BACKWARD ? tiles - 1 - tile : tile) * Tile; };

    if (place.helper)
    {
        const long long xStride = BACKWARD ? p.dyStride : p.uStride;
        const REAL* const x = static_cast<const REAL*>(BACKWARD ? p.dy : p.u) + (row + place.t) * xStride + column;
        const REAL* const z = p.z ? static_cast<const REAL*>(p.z) + (row + place.t) * p.zStride + column : nullptr;
        const REAL* const matrix = static_cast<const REAL*>(p.matrix) + row * p.matrixStride + static_cast<long long>(place.group) * p.states
            + matrix_place(place, p.matrixStride);

        auto fetch = [&](int tile)
        {
            const long long start = start_of(tile);
            const int left = existing(length - start);
            copy_channels(shared.x, x + start * xStride, xStride, place, left);
            copy_channels(shared.delta, delta + start * p.deltaStride, p.deltaStride, place, left);
            if (BACKWARD && p.z)
                copy_channels(shared.z, z + start * p.zStride, p.zStride, place, left);
            copy_matrix(shared.staged, matrix + start * p.matrixStride, p.matrixStride, p.states, place, left);
        };

        float total[Width] = {};                    // of the step sizes of a thread's vector of channels
        auto prepare = [&](int tile)                // each thread reads what it has copied itself
        {
            Prepared& to = shared.tiles[tile % 2];
            wait_for_copies();
#pragma unroll
            for (int i = 0; i < ChannelLoads; i++)
            {
                const int t = place.t + i * Apart, item = place.thread + i * Copiers;
                if (t < Tile)
                {
                    float step[Width], push[Width];
                    step_sizes(step, shared.delta[item], shared.bias + place.v, p.deltaSoftplus, start_of(tile) + t < length);
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        total[e] += step[e];
                    const Row rowX = shared.x[item];
#pragma unroll
                    for (int e = 0; e < Width; e++)
                        push[e] = element(rowX, e) * (BACKWARD ? 1.0f : step[e]);
                    if (BACKWARD && p.z)
                    {
                        const Row rowZ = shared.z[item];
#pragma unroll
                        for (int e = 0; e < Width; e++)
                            push[e] *= silu(element(rowZ, e));
                    }
                    store_pushes(to.pushes, t, place.v, step, push);
                }
            }
            unpack_matrix(to.matrix, shared.staged, place);
        };

        if (tile0 < tiles)
        {
            fetch(tile0);
            prepare(tile0);
        }
        if (tile0 + 1 < tiles)
            fetch(tile0 + 1);
        for (int tile = tile0; tile < tiles; tile++)
        {
            __syncthreads();
            if (tile + 1 < tiles)
                prepare(tile + 1);
            if (tile + 2 < tiles)
                fetch(tile + 2);
        }
        sum_channels(shared.sums, total, place);
        __syncthreads();
        if (place.thread < Channels && place.first + place.thread < place.limit)
        {
            float sum = 0.0f;
#pragma unroll
            for (int warp = 0; warp < Warps; warp++)
                sum += shared.sums[warp * Channels + place.thread];
            p.totals[static_cast<long long>(place.run) * p.channels + place.first + place.thread] = sum;
        }
        return;
    }

    for (int tile = tile0; tile < tiles; tile++)
    {
        const Prepared& now = shared.tiles[tile % 2];
        const float *const pushes = now.pushes + push_place(place.own), *const rows = now.matrix + TwosOfEights::state(place, 0, 0);
        __syncthreads();
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
        {
            if (!horizon.holds(k, start_of(tile), length))
                continue;
#pragma unroll
            for (int i = 0; i < Tile; i++)
            {
                const int t = BACKWARD ? Tile - 1 - i : i;
                const Push push = load_push(pushes, t);
                const float2 row = *reinterpret_cast<const float2*>(rows + t * StatePitch + 8 * k);
#pragma unroll
                for (int s = 0; s < 2; s++)
                {
                    const float decay = fast_exp2(push.step * a[k][s]), added = push.push * (s == 0 ? row.x : row.y);
                    h[k][s] = BACKWARD ? decay * (h[k][s] + added) : decay * h[k][s] + added;
                }
            }
        }
    }
    __syncthreads();
    if (!place.real)
        return;
    const long long own = static_cast<long long>(place.run) * p.channels + place.channel;
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
#pragma unroll
        for (int s = 0; s < 2; s++)
        {
            const int n = TwosOfEights::state(place, k, s);
            if (n < p.states)
                p.ends[own * p.states + n] = h[k][s];
        }
}
