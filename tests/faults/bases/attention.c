// A 16x16 tile of int8 attention: out = softmax2(Q K^T / 2^shift / 64) V, in powers of two.
#include <stdint.h>

#include "npu_workbench.h"

enum { N = 16 };

// 2^(-i/64) in Q14.
static const int16_t POWERS[64] = {
    16384, 16208, 16033, 15860, 15689, 15520, 15353, 15188, 15024, 14862, 14702, 14544, 14387, 14232,
    14079, 13927, 13777, 13629, 13482, 13337, 13193, 13051, 12910, 12771, 12634, 12498, 12363, 12230,
    12098, 11968, 11839, 11711, 11585, 11460, 11337, 11215, 11094, 10975, 10856, 10739, 10624, 10509,
    10396, 10284, 10173, 10064, 9955, 9848, 9742, 9637, 9533, 9431, 9329, 9228, 9129, 9031,
    8933, 8837, 8742, 8648, 8555, 8463, 8371, 8281,
};

static int32_t power(int32_t distance) {
    int32_t whole = distance >> 6;
    return whole > 14 ? 0 : POWERS[distance & 63] >> whole;
}

static int32_t divided(int32_t value, int32_t by) {
    return (2 * value + (value < 0 ? -by : by)) / (2 * by);
}

void attention(const int8_t *qkv, int8_t *out, int32_t shift) {
    const int8_t *q = qkv, *k = qkv + N * N, *v = qkv + 2 * N * N;
    for (int i = 0; i < N; i++) {
        int32_t row[N];
        int32_t largest = INT32_MIN;
        for (int j = 0; j < N; j++) {
            int32_t dot = 0;
            for (int d = 0; d < N; d++) {
                dot += q[i * N + d] * k[j * N + d];
            }
            row[j] = dot >> shift;
            largest = row[j] > largest ? row[j] : largest;
        }
        NPU_STAGE("scores", row, N);
        int32_t sum = 0;
        for (int j = 0; j < N; j++) {
            int32_t distance = largest - row[j];
            row[j] = power(distance);
            sum += row[j];
        }
        NPU_STAGE("weights", row, N);
        for (int d = 0; d < N; d++) {
            int32_t total = 0;
            for (int j = 0; j < N; j++) {
                total += row[j] * v[j * N + d];
            }
            out[i * N + d] = (int8_t)divided(total, sum);
        }
        NPU_STAGE("output", out + i * N, N);
    }
}
