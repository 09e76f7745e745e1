// y = 3 x + z, int16 with saturation, 64 elements a call.
#include <stdint.h>

#include "npu_workbench.h"

enum { COUNT = 64 };

static int32_t clamped(int32_t value) {
    return value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value;
}

void scale_add(const int16_t *x, const int16_t *z, int16_t *y, int32_t factor) {
    for (int i = 0; i < COUNT; i++) {
        int32_t scaled = x[i] * factor;
        NPU_STAGE("scaled", &scaled, 1);
        int32_t sum = scaled + z[i];
        y[i] = (int16_t)clamped(sum);
    }
    NPU_STAGE("output", y, COUNT);
}
