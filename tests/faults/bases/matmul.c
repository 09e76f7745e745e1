// c = a b, 16x16 int8: int32 sums, times 5/1024, rounded, halves away from zero, and saturated.
#include <stdint.h>

#include "npu_workbench.h"

enum { N = 16, SHIFT = 10 };

static int32_t clamped(int32_t value) {
    return value < -128 ? -128 : value > 127 ? 127 : value;
}

void matmul(const int8_t *a, const int8_t *b, int8_t *c, int32_t factor) {
    for (int i = 0; i < N; i++) {
        int32_t sums[N];
        for (int j = 0; j < N; j++) {
            int32_t sum = 0;
            for (int d = 0; d < N; d++) {
                sum += a[i * N + d] * b[d * N + j];
            }
            sums[j] = sum;
        }
        NPU_STAGE("sums", sums, N);
        for (int j = 0; j < N; j++) {
            int32_t scaled = sums[j] * factor;
            int32_t half = scaled < 0 ? (1 << (SHIFT - 1)) - 1 : 1 << (SHIFT - 1);
            c[i * N + j] = (int8_t)clamped((scaled + half) >> SHIFT);
        }
        NPU_STAGE("output", c + i * N, N);
    }
}
