// The selective scan, backward. A block walks a segment of a sequence from its last tile to its first. The states of a tile are
// computed again from the checkpoint at its start; of each eight positions a warp then holds decays and states in registers and goes
// through them backward: g = C·dy' + what the next position hands over, e·g for the position before, where dy' = dy·SiLU(z).
//   dB = Σ_channels g·delta·u     dC = Σ_channels dy'·h           summed over a block here, over blocks by selective_scan_matrices
//   du = delta·Σ_n g·B + D·dy'    ddelta = u·Σ_n g·B + Σ_n A·r    with r = g·e·h[t-1]; times the slope of softplus
//   dA = Σ_t delta·r              dD = Σ_t dy'·u                  dz = dy·y·SiLU'(z)
//
// Defines: those of scan_gradient_tile.cuh; MIN_BLOCKS, blocks of a multiprocessor.
#include "earlier_launches.cuh"
#include "scan_gradient_walk.cuh"

extern "C" __global__ void __launch_bounds__(Threads, MIN_BLOCKS) selective_scan_backward(const __grid_constant__ ScanBackwardParams p)
{
    extern __shared__ __align__(16) unsigned char memory[];
    Shared& shared = *reinterpret_cast<Shared*>(memory);
    const Place place = Place::get(p.channels, p.groups);
    const int blocks = p.groups * ((p.channels / p.groups + Channels - 1) / Channels);
    const int sequence = place.run / p.segments, segment = place.run % p.segments;
    const long long begin = segment * p.segmentLength;
    const long long length = p.length - begin < p.segmentLength ? p.length - begin : p.segmentLength;
    const int tiles = static_cast<int>((length + Tile - 1) / Tile);
    wait_for_earlier_launches();

    Cursor& cursor = shared.cursors[place.thread];          // of the tile whose gradients are to be finished, or that is copied
    const long long last = static_cast<long long>(tiles - 1) * Tile;
    if (tiles > 0)
    {
        cursor = first_cursor(p, place, sequence * p.length + begin, last, blocks);
        fetch_tile(shared.staged[0], cursor, place, p.states, existing(length - last));
    }

    float a[EIGHTS][2], carry[EIGHTS][2], dA[EIGHTS][2];    // carry: the gradient of the state before the positions that are done
    load_rates<TurnedFours>(a, p.a, place, p.states);
    const long long own = (static_cast<long long>(place.run) * p.channels + place.channel) * p.states;
    load_states<TurnedFours>(carry, p.carries ? p.carries + own : nullptr, 1, place, p.states);
#pragma unroll
    for (int k = 0; k < EIGHTS; k++)
        dA[k][0] = dA[k][1] = 0.0f;
    load_of_channels(shared.bias, p.deltaBias, place);
    load_of_channels(shared.skip, p.d, place);
#pragma unroll
    for (int e = 0; e < Width; e++)
        shared.dSkip[place.thread * Width + e] = shared.dBias[place.thread * Width + e] = 0.0f;

    const Walk walk(shared, place);
    const float* checkpoint = p.checkpoints
        + (sequence * ((p.length + Tile - 1) / Tile) + begin / Tile + tiles - 1) * p.states * p.channels + place.channel;
    for (int tile = tiles - 1; tile >= 0; tile--)
    {
        const long long left = length - static_cast<long long>(tile) * Tile;
        const int now = (tiles - 1 - tile) % 2;
        const Place copier = place.anew();
        wait_for_copies();
        __syncthreads();
        // The gradients of the tile before; of what is overwritten below a thread reads there what it has written itself.
        if (tile + 1 < tiles)
        {
            finish_tile(shared, shared.staged[1 - now], cursor, p, copier, blocks, existing(left - Tile));
            cursor.out -= static_cast<long long>(Tile) * p.channels;
            cursor.outZ -= static_cast<long long>(Tile) * p.dzStride;
            cursor.sums -= static_cast<long long>(Tile) * blocks * 2 * p.states;
        }
        float h[EIGHTS][2];
        load_states<TurnedFours>(h, checkpoint, p.channels, place, p.states);
        checkpoint -= static_cast<long long>(p.states) * p.channels;
        prepare_tile(shared, shared.staged[now], p, copier, existing(left));
        __syncthreads();
        if (tile > 0)
        {
            if (cursor.channels)
                cursor.channels -= Tile * cursor.channelStride;
            cursor.matrix -= Tile * cursor.matrixStride;
            fetch_tile(shared.staged[1 - now], cursor, copier, p.states, Tile);
        }
        walk.keep_starts(h, a);
#pragma unroll 1
        for (int eight = Eights - 1; eight >= 0; eight--)
            walk.eight_positions(shared, place, eight, a, carry, dA);
    }
    __syncthreads();
    if (tiles > 0)
        finish_tile(shared, shared.staged[(tiles - 1) % 2], cursor, p, place, blocks, existing(length));

    if (place.real)
    {
        const long long out = static_cast<long long>(place.run) * (p.states + 2) * p.channels + place.channel;
#pragma unroll
        for (int k = 0; k < EIGHTS; k++)
#pragma unroll
            for (int s = 0; s < 2; s++)
            {
                const int n = TurnedFours::state(place, k, s);
                if (n < p.states)
                {
                    p.sums[out + static_cast<long long>(n) * p.channels] = dA[k][s];
                    if (p.dInitialState && segment == 0)
                        p.dInitialState[(static_cast<long long>(sequence) * p.channels + place.channel) * p.states + n] = carry[k][s];
                }
            }
    }

    // dD and the gradient of the bias: the threads that have read the same channels, in order of their positions.
    __syncthreads();
    if (place.thread < Channels && place.first + place.thread < place.limit)
    {
        float skip = 0.0f, bias = 0.0f;
        for (int t = 0; t < Apart; t++)
        {
            skip += shared.dSkip[t * Channels + place.thread];
            bias += shared.dBias[t * Channels + place.thread];
        }
        float* const out = p.sums + (static_cast<long long>(place.run) * (p.states + 2) + p.states) * p.channels + place.first + place.thread;
        out[0] = bias;
        out[p.channels] = skip;
    }
}
