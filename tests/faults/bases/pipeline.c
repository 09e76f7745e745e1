// Two cores: the first doubles, the second takes 100 away and leaves nothing below zero.
#include <stdint.h>

#include "npu_workbench.h"

enum { COUNT = 64, LESS = 100 };

void twice(const int16_t *x, int16_t *doubled) {
    for (int i = 0; i < COUNT; i++) {
        doubled[i] = (int16_t)(2 * x[i]);
    }
    NPU_STAGE("doubled", doubled, COUNT);
}

void rectify(const int16_t *doubled, int16_t *y) {
    for (int i = 0; i < COUNT; i++) {
        int32_t less = doubled[i] - LESS;
        y[i] = (int16_t)(less < 0 ? 0 : less);
    }
    NPU_STAGE("output", y, COUNT);
}
