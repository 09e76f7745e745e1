// One 64x64 tile of int8 attention with int32 scores and a table for exp: the report's sequel.
// workbench: spec=attention_report.py
//
// Kept as a specimen, faults included, since the sequel's figures hang on them:
// - the scores stay whole, but are divided by another 256 before exp, which flattens it;
// - exp is looked up at whole numbers only, the weights have 7 bits and are truncated;
// - the local arrays need 2.6 KB in a core whose stack has 1 KB.
// attention.c does the same job properly.

#include <stdint.h>

#include "npu_workbench.h"

enum { N = 64, TILE_ROWS = 32, EXP_ENTRIES = 14 };

// floor(exp(-i) * 2^20); further down it would be 0, for which 1 stands.
static const int32_t EXP[EXP_ENTRIES] = {
    1048576, 385749, 141909, 52205, 19205, 7065, 2599, 956, 351, 129, 47, 17, 6, 2,
};

static int32_t clamp(int32_t value, int32_t low, int32_t high) {
    return value < low ? low : value > high ? high : value;
}

static void softmax(const int32_t *row, int8_t *weights) {
    int32_t e[N];
    int32_t max = row[0];
    for (int j = 1; j < N; j++) {
        max = row[j] > max ? row[j] : max;
    }
    int32_t sum = 0;
    for (int j = 0; j < N; j++) {
        int32_t x = clamp((row[j] - max) >> 8, -127, 0);
        e[j] = -x < EXP_ENTRIES ? EXP[-x] : 1;
        sum += e[j];
    }
    NPU_STAGE("exp", e, N);
    int32_t total = (sum >> 10) < 1 ? 1 : sum >> 10;
    for (int j = 0; j < N; j++) {
        weights[j] = (int8_t)clamp((e[j] >> 10) * 127 / total, 0, 127);
    }
}

static void attention_tile(const int8_t *q, const int8_t *k, const int8_t *v, int8_t *out,
                           uint32_t scale_shift) {
    int8_t weights[TILE_ROWS * N];
    int32_t row[N];

    for (int i = 0; i < TILE_ROWS; i++) {
        for (int j = 0; j < N; j++) {
            int32_t dot = 0;
            for (int d = 0; d < N; d++) {
                dot += q[i * N + d] * k[j * N + d];
            }
            row[j] = dot >> scale_shift;
        }
        NPU_STAGE("scores", row, N);
        softmax(row, weights + i * N);
    }
    NPU_STAGE("weights", weights, TILE_ROWS * N);
    for (int i = 0; i < TILE_ROWS; i++) {
        for (int d = 0; d < N; d++) {
            int32_t sum = 0;
            for (int j = 0; j < N; j++) {
                sum += weights[i * N + j] * v[j * N + d];
            }
            int32_t half = sum < 0 ? -64 : 64;
            out[i * N + d] = (int8_t)clamp((sum + half) >> 7, -128, 127);
        }
    }
    NPU_STAGE("output", out, TILE_ROWS * N);
}

void attention_64x64(const int8_t *qkv, int8_t *out, uint32_t scale_shift) {
    const int8_t *q = qkv, *k = qkv + N * N, *v = qkv + 2 * N * N;
    for (int row = 0; row < N; row += TILE_ROWS) {
        attention_tile(q + row * N, k, v, out + row * N, scale_shift);
    }
}
