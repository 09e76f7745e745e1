// y = x / sqrt(mean(x^2) + epsilon) for each row of 16 floats.
#include <stdint.h>

#include "npu_workbench.h"

enum { ROWS = 16, COLUMNS = 16 };

// 1 / sqrt(x) by Newton's method, from the exponent's half.
static float inverse_root(float x) {
    union {
        float value;
        uint32_t bits;
    } guess = {x};
    guess.bits = 0x5f3759df - (guess.bits >> 1);
    float y = guess.value;
    for (int i = 0; i < 3; i++) {
        y = y * (1.5f - 0.5f * x * y * y);
    }
    return y;
}

void normalise(const float *x, float *y) {
    for (int i = 0; i < ROWS; i++) {
        float squares = 0;
        for (int j = 0; j < COLUMNS; j++) {
            squares += x[i * COLUMNS + j] * x[i * COLUMNS + j];
        }
        float mean = squares / COLUMNS;
        NPU_STAGE("mean", &mean, 1);
        float scale = inverse_root(mean + 1e-5f);
        NPU_STAGE("scale", &scale, 1);
        for (int j = 0; j < COLUMNS; j++) {
            y[i * COLUMNS + j] = x[i * COLUMNS + j] * scale;
        }
    }
}
