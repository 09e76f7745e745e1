// Kernel functions that designs of the tests call.

#include <stdint.h>

void add_number(const int32_t *in, int32_t *out, int32_t number, int32_t count) {
    for (int i = 0; i < count; i++) {
        out[i] = in[i] + number;
    }
}

void scale(const int32_t *in, int32_t *out, int32_t count) {
    for (int i = 0; i < count; i++) {
        out[i] = in[i] * 3;
    }
}

// Each core has static data of its own.
void count_calls(int32_t *out) {
    static int32_t calls;
    out[0] = ++calls;
}

int32_t largest(const int32_t *in, int32_t count) {
    int32_t found = in[0];
    for (int i = 1; i < count; i++) {
        found = in[i] > found ? in[i] : found;
    }
    return found;
}

// Declared with i32 in designs, as many are.
void narrowed(int32_t *out, uint8_t byte, int16_t half) {
    out[0] = byte;
    out[1] = half;
}

void scalars(float *out, float single, int64_t wide, _Bool flag) {
    out[0] = single;
    out[1] = (float)wide;
    out[2] = flag ? 1.0f : -1.0f;
}

void negate_halves(const __bf16 *in, __bf16 *out, int32_t count) {
    for (int i = 0; i < count; i++) {
        out[i] = (__bf16)(-(float)in[i]);
    }
}

void copy_bytes(const uint8_t *in, uint8_t *out, int32_t count) {
    for (int i = 0; i < count; i++) {
        out[i] = in[i];
    }
}
