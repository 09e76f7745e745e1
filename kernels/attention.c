// One 64x64 tile of int8 attention: out = softmax(Q K^T / 2^scale_shift) V, rounded half to even.
//
// Before it is rounded the result lies within 0.005 of the exact value, whatever the int8 input and
// the shift: the sum of what the comments below call lost. So it is at most one step off, and only
// where the exact value comes that close to a half: 1 element in 20,000 of random matrices, 1 in
// 60,000 of Whisper's.
//
// The rules it keeps, and why they suit a scalar AIE2 core:
// - 32-bit integers only: 64-bit products and floating point are library calls there.
// - One division a row, 64 in all: division is a library call too.
// - 256 B of local arrays. A core's stack has 1 KB unless the design says otherwise, and no guard:
//   what overruns it silently overwrites the buffer above it.
// - Nothing is narrowed before the last line. Scores of int8 data need 21 bits, and the weights of
//   one row span a factor of millions; clamping either to int8 loses the answer, not a digit.
//
// Qn means: times 2^n. A right shift of a negative number rounds down, in clang and in Peano.

#include <stdint.h>

#include "npu_workbench.h"

enum {
    N = 64,            // rows, columns and head dimension of a tile
    CUTOFF = 18,       // exp(-18) is half a unit of Q25: from here on exp is 0
    X_BITS = 16,       // the exponent to base e is Q16 ...
    LOG2_E = 378194,   // ... log2(e) is Q18, off by 4e-7 of itself ...
    Y_BITS = 26,       // ... and the exponent to base 2 is Q26
    STEP_BITS = 6,     // the table has 64 steps ...
    BETWEEN_BITS = 12, // ... with 4096 places between two entries
    TOTAL_BITS = 23,   // the weights of a row add up to 2^22 .. 2^23
};

// 2^(-i/64) in Q25. A chord lies above the curve by at most (ln 2 / 64)^2 / 8 = 1.5e-5 of it.
static const int32_t POWERS[(1 << STEP_BITS) + 1] = {
    33554432, 33192984, 32835430, 32481727, 32131834, 31785710, 31443315, 31104608, 30769550,
    30438101, 30110222, 29785875, 29465022, 29147625, 28833647, 28523052, 28215802, 27911861,
    27611195, 27313768, 27019544, 26728490, 26440571, 26155754, 25874004, 25595290, 25319578,
    25046835, 24777031, 24510133, 24246111, 23984932, 23726566, 23470984, 23218155, 22968049,
    22720638, 22475891, 22233781, 21994279, 21757357, 21522987, 21291142, 21061794, 20834917,
    20610483, 20388467, 20168843, 19951585, 19736666, 19524063, 19313750, 19105703, 18899897,
    18696307, 18494911, 18295684, 18098603, 17903645, 17710787, 17520007, 17331282, 17144589,
    16959908, 16777216,
};

// exp(-distance / 2^shift) in Q25, for a distance from 0 to 2^21.
//
// Lost: the chord's 1.5e-5 of each weight, and as much for x beyond a shift of 16. A factor that
// all weights share cancels in the division; one that only some of them have, whichever these are,
// moves a mean of int8 values by at most a quarter of it times their range of 255: 0.002 in all.
static int32_t exponential(int32_t distance, uint32_t shift) {
    if ((distance >> shift) >= CUTOFF) {
        return 0;
    }
    // Up to a shift of 16 nothing is cut off here. x < 18 * 2^16.
    int32_t x = shift <= X_BITS ? distance << (X_BITS - shift) : distance >> (shift - X_BITS);
    // exp(-x) = 2^(-x log2 e). The product has 40 bits, so it is made of two that fit and lose only
    // what lies below Q26: (x >> 8) * LOG2_E < 4608 * LOG2_E < 2^31.
    int32_t y = (x >> 8) * LOG2_E + (((x & 255) * LOG2_E) >> 8);
    int32_t whole = y >> Y_BITS;
    int32_t step = (y >> (Y_BITS - STEP_BITS)) & ((1 << STEP_BITS) - 1);
    int32_t between = (y >> (Y_BITS - STEP_BITS - BETWEEN_BITS)) & ((1 << BETWEEN_BITS) - 1);
    // Neighbours in the table differ by less than 2^19; times 12 bits that is 31.
    int32_t drop = ((POWERS[step] - POWERS[step + 1]) * between) >> BETWEEN_BITS;
    return (POWERS[step] - drop) >> whole;
}

// Puts the dot products of one query with all keys into row, and returns the largest.
// |score| <= 64 * 128 * 128 = 2^20.
static int32_t score(const int8_t *query, const int8_t *keys, int32_t *row) {
    int32_t largest = INT32_MIN;
    for (int j = 0; j < N; j++) {
        int32_t dot = 0;
        for (int d = 0; d < N; d++) {
            dot += query[d] * keys[j * N + d];
        }
        row[j] = dot;
        largest = dot > largest ? dot : largest;
    }
    return largest;
}

// Turns the scores in row into weights and returns their total, 2^22 .. 2^23 give or take 33.
//
// The weights stay unnormalised: to divide them here would round 64 times what one division rounds
// once. All share one shift, chosen so that every row, flat or peaked, fills the bits that the sums
// in `blend` have room for.
// Lost: 0.5 by rounding and 0.25 cut off before, of each weight but the largest, which is exact.
// Should all 63 err to the same harm: 63 * 0.75 * 255 / 2^22 = 0.003.
static int32_t weigh(int32_t *row, int32_t largest, uint32_t shift) {
    uint32_t sum = 0; // 2^25 for the largest alone, 2^31 when all are equal
    for (int j = 0; j < N; j++) {
        row[j] = exponential(largest - row[j], shift);
        sum += (uint32_t)row[j];
    }
    NPU_STAGE("exp", row, N);
    int down = 2;
    while ((sum >> down) > (1u << TOTAL_BITS)) {
        down++;
    }
    int32_t total = 0;
    for (int j = 0; j < N; j++) {
        row[j] = (row[j] + (1 << (down - 1))) >> down;
        total += row[j];
    }
    NPU_STAGE("weights", row, N);
    return total;
}

// sum / total to the nearest integer, halves to the even one as in PyTorch; nothing is lost.
// reciprocal is 2^31 / total, cut off: 255 .. 512.
//
// The product with the reciprocal is off by 0.5 + 2^-12 at most (one unit of the reciprocal, nine
// bits of sum), its rounding by another half. The remainder, which is exact, tells which neighbour
// is the nearest. No clamp is needed: a mean of int8 values is in their range.
static int8_t quotient(int32_t sum, int32_t total, int32_t reciprocal) {
    int32_t estimate = ((sum >> 9) * reciprocal + (1 << 21)) >> 22;
    int32_t twice = 2 * (sum - estimate * total);
    int32_t odd = estimate & 1;
    if (twice + odd > total) {
        estimate++;
    } else if (twice - odd < -total) {
        estimate--;
    }
    return (int8_t)estimate;
}

// The mean of the values under the weights in row. |sum| <= 128 * total, 2^30 and a little: the bit
// to spare is for `quotient`, where estimate * total may lie 1.01 * total beyond sum.
static void blend(const int32_t *row, int32_t total, const int8_t *values, int8_t *out) {
    int32_t reciprocal = (int32_t)((1u << 31) / (uint32_t)total);
    for (int d = 0; d < N; d++) {
        int32_t sum = 0;
        for (int j = 0; j < N; j++) {
            sum += row[j] * values[j * N + d];
        }
        out[d] = quotient(sum, total, reciprocal);
    }
}

// qkv holds Q, K and V, 64x64 int8 each, row by row; out is 64x64 int8. scale_shift is 0 to 31;
// 3 is the usual 1 / sqrt(64).
void attention_64x64(const int8_t *qkv, int8_t *out, uint32_t scale_shift) {
    const int8_t *queries = qkv, *keys = qkv + N * N, *values = qkv + 2 * N * N;
    int32_t row[N];
    for (int i = 0; i < N; i++) {
        int32_t largest = score(queries + i * N, keys, row);
        NPU_STAGE("scores", row, N);
        int32_t total = weigh(row, largest, scale_shift);
        blend(row, total, values, out + i * N);
        NPU_STAGE("output", out + i * N, N);
    }
}
