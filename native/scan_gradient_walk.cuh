// How a warp goes through the states of eight positions, forward and then backward.
//
// A thread has four states of each sixteen of its part, side by side. It sums over its own states first; the matrix unit adds what the
// four lanes of a channel have, a pair of positions at a time. Sums over the eight channels of a warp: where results are 16-bit numbers,
// they are products on the matrix unit of operands rounded to bfloat16. Else lanes are halved: of two states, a lane keeps one and gives
// the other to its partner. So that these are the same registers in all lanes, lanes have their four states in different orders, and B
// and C lie in shared memory in each of them.
#pragma once
#include "scan_gradient_tile.cuh"

// The order of a thread's fours.
MAMBA_DEVICE int order_of(const Place& place) { return Exact ? place.g % 4 : 0; }

struct TurnedFours
{
    MAMBA_DEVICE static int state(const Place& place, int k, int s) { return FoursOfSixteens::state(place, k, s) ^ order_of(place); }
};

// Sums over the warp's channels of what a four of states gives to dB and dC at a position, by halving lanes three times. What a lane is
// given is added a position later than it is asked for, so that no one waits for it.
struct Halving
{
    float kept[2][2], given[2][2];                  // of dB and dC

    MAMBA_DEVICE void first(const float (&gradient)[4], const float (&state)[4], const Factors& factors)
    {
#pragma unroll
        for (int i = 0; i < 2; i++)
        {
            kept[0][i] = gradient[2 * i] * factors.push;
            kept[1][i] = state[2 * i] * factors.grad;
            given[0][i] = __shfl_xor_sync(0xffffffffu, gradient[2 * i + 1] * factors.push, 4);
            given[1][i] = __shfl_xor_sync(0xffffffffu, state[2 * i + 1] * factors.grad, 4);
        }
    }

    MAMBA_DEVICE void second()
    {
#pragma unroll
        for (int m = 0; m < 2; m++)
        {
            kept[m][0] += given[m][0];
            given[m][0] = __shfl_xor_sync(0xffffffffu, kept[m][1] + given[m][1], 8);
        }
    }

    // Lanes with g < 4 keep dB, the others dC.
    MAMBA_DEVICE void third(bool upper)
    {
        const float db = kept[0][0] + given[0][0], dc = kept[1][0] + given[1][0];
        kept[0][0] = upper ? dc : db;
        given[0][0] = __shfl_xor_sync(0xffffffffu, upper ? db : dc, 16);
    }

    // Of state g % 4 of the four.
    MAMBA_DEVICE float sum() const { return kept[0][0] + given[0][0]; }
};

// A thread's place in the tile that it walks.
struct Walk
{
    const float* factors;                           // of its channel
    const float* b;                                 // its first four states, in its order
    const float* c;
    float* starts;
    float* matrices;                                // of its warp
    float lanesOfPair[4];                           // for add_lanes: of the four pairs of positions, 1 where g stands for one of the two

    MAMBA_DEVICE Walk(Shared& shared, const Place& place)
    {
        const int states0 = place.part * EIGHTS * 8, row = order_of(place) * States + states0 + 4 * place.j;
        factors = shared.factors + factor_place(place.own);
        b = shared.b + row;
        c = shared.c + row;
        starts = shared.starts + 4 * place.thread;
        matrices = shared.matrices + place.own / 8 * Tile * MatrixPitch + states0;
#pragma unroll
        for (int pair = 0; pair < 4; pair++)
            lanesOfPair[pair] = place.g / 2 == pair ? 1.0f : 0.0f;
    }

    MAMBA_DEVICE Factors factors_at(int t) const { return load_factors(factors + t * FactorPitch); }

    MAMBA_DEVICE static float4 four_at(const float* rows, int t, int q) { return *reinterpret_cast<const float4*>(rows + t * OrderPitch + 16 * q); }

    MAMBA_DEVICE float4& start(int eight, int q) const { return *reinterpret_cast<float4*>(starts + (eight * Fours + q) * 4 * Threads); }

    // Keeps the states before each eight positions of the tile; h are those at its start.
    MAMBA_DEVICE void keep_starts(float (&h)[EIGHTS][2], const float (&a)[EIGHTS][2]) const
    {
#pragma unroll 1
        for (int eight = 0; eight < Eights; eight++)
#pragma unroll
            for (int q = 0; q < Fours; q++)
            {
                start(eight, q) = float4{h[2 * q][0], h[2 * q][1], h[2 * q + 1][0], h[2 * q + 1][1]};
                if (eight < Eights - 1)
#pragma unroll
                    for (int t = 8 * eight; t < 8 * eight + 8; t++)
                    {
                        const Factors factor = factors_at(t);
                        const float4 row = four_at(b, t, q);
#pragma unroll
                        for (int r = 0; r < 4; r++)
                        {
                            float& state = h[2 * q + r / 2][r % 2];
                            state = fast_exp2(factor.step * a[2 * q + r / 2][r % 2]) * state + factor.push * at(row, r);
                        }
                    }
            }
    }

    // From the gradient of the state after the eight, carry, to that of the state before.
    MAMBA_DEVICE void eight_positions(
        Shared& shared, const Place& place, int eight, const float (&a)[EIGHTS][2], float (&carry)[EIGHTS][2], float (&dA)[EIGHTS][2]) const
    {
        const int t0 = 8 * eight, g = place.g, j = place.j;
        Sums y = {}, gb = {}, ar = {};
#pragma unroll
        for (int q = 0; q < Fours; q++)
        {
            float decay[8][4], states[8][4];
            const float4 before = start(eight, q);
            auto state_before = [&](int n, int r) { return n > 0 ? states[n > 0 ? n - 1 : 0][r] : at(before, r); };
#pragma unroll
            for (int n = 0; n < 8; n++)
            {
                const Factors factor = factors_at(t0 + n);
                const float4 rowB = four_at(b, t0 + n, q);
#pragma unroll
                for (int r = 0; r < 4; r++)
                {
                    decay[n][r] = fast_exp2(factor.step * a[2 * q + r / 2][r % 2]);
                    states[n][r] = decay[n][r] * state_before(n, r) + factor.push * at(rowB, r);
                }
            }
            Pair pushRow, gradRow;                  // of channels 2j and 2j + 1 at position g
            if (!Exact)
            {
                const float* const row = shared.factors + (t0 + g) * FactorPitch;
                const int left = place.own - g + 2 * j;
                const Factors ofLeft = load_factors(row + factor_place(left)), ofRight = load_factors(row + factor_place(left + 1));
                pushRow = rounded(ofLeft.push, ofRight.push);
                gradRow = rounded(ofLeft.grad, ofRight.grad);
            }
            Halving halvings[8];                    // where results are float32
            auto go_on = [&](int n)                 // with the positions from n on
            {
                auto is_one = [](int position) { return position >= 0 && position < 8; };
                if (is_one(n))
                    halvings[n & 7].second();
                if (is_one(n + 1))
                    halvings[(n + 1) & 7].third(g >= 4);
                if (is_one(n + 2))
                    matrices[(t0 + n + 2) * MatrixPitch + g / 4 * States + 16 * q + 4 * j + g % 4] = halvings[(n + 2) & 7].sum();
            };
            Sums db = {}, dc = {};                  // where results are 16-bit numbers
#pragma unroll
            for (int pair = 3; pair >= 0; pair--)
            {
                float ofC[2], ofB[2], ofA[2];
                Pair gradientPairs[2][2], statePairs[2][2];     // of each position, rows are states
#pragma unroll
                for (int i = 1; i >= 0; i--)
                {
                    const int n = 2 * pair + i, t = t0 + n;
                    const Factors factor = factors_at(t);
                    const float4 rowB = four_at(b, t, q), rowC = four_at(c, t, q);
                    float gradient[4];
                    ofC[i] = ofB[i] = ofA[i] = 0.0f;
#pragma unroll
                    for (int r = 0; r < 4; r++)
                    {
                        const int k = 2 * q + r / 2, s = r % 2;
                        gradient[r] = carry[k][s] + factor.grad * at(rowC, r);
                        carry[k][s] = decay[n][r] * gradient[r];
                        const float decayed = carry[k][s] * state_before(n, r);
                        dA[k][s] += factor.step * decayed;
                        ofA[i] += a[k][s] * decayed;
                        ofB[i] += at(rowB, r) * gradient[r];
                        ofC[i] += at(rowC, r) * states[n][r];
                    }
                    if (Exact)
                    {
                        halvings[n].first(gradient, states[n], factor);
                        go_on(n + 1);
                    }
                    else
#pragma unroll
                        for (int half = 0; half < 2; half++)
                        {
                            gradientPairs[i][half] = transposed(rounded(gradient[2 * half], gradient[2 * half + 1]));
                            statePairs[i][half] = transposed(rounded(states[n][2 * half], states[n][2 * half + 1]));
                        }
                }
                add_lanes(y, ofC, lanesOfPair[pair]);
                add_lanes(gb, ofB, lanesOfPair[pair]);
                add_lanes(ar, ofA, lanesOfPair[pair]);
                if (!Exact)
                {
                    // Columns are the eight positions, of which a position's factors fill its own.
                    auto own = [&](Pair row, int i) { return g == 2 * pair + i ? row : Pair{0}; };
                    add_pair_product(db, gradientPairs, {own(pushRow, 0), own(pushRow, 1)});
                    add_pair_product(dc, statePairs, {own(gradRow, 0), own(gradRow, 1)});
                }
            }
            if (Exact)
#pragma unroll
                for (int n = 0; n >= -2; n--)
                    go_on(n);
            else
#pragma unroll
                for (int i = 0; i < 4; i++)
                {
                    float* const to = matrices + (t0 + 2 * j + i % 2) * MatrixPitch + 16 * q + g / 2 * 4 + g % 2 + i / 2 * 2;
                    to[0] = db.at[i];
                    to[States] = dc.at[i];
                }
        }
        const int sumsAt = (place.part * Tile + t0 + 2 * j) * SumPitch + place.own;
#pragma unroll
        for (int i = 0; i < 2; i++)
        {
            shared.y[sumsAt + i * SumPitch] = y.at[2 * i];
            shared.gb[sumsAt + i * SumPitch] = gb.at[2 * i];
            shared.ar[sumsAt + i * SumPitch] = ar.at[2 * i];
        }
    }
};
