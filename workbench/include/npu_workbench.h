/* npu_workbench.h: marks the stages of a kernel's computation, in C and in C++.
 *
 *     #include "npu_workbench.h"
 *
 *     NPU_STAGE("scores", scores, 64);
 *
 * A stage is an intermediate tensor: the `count` elements at `pointer`, under the string literal
 * `name`. The macro is a statement that does nothing and costs nothing, whatever builds it: none of
 * its arguments is evaluated, and an argument that is no pointer is an error all the same.
 *
 * Only npu-workbench's own recording build defines NPU_WORKBENCH_RECORD. There the elements are
 * handed to the model device, each time the statement is passed; elements are integers or floats.
 */
#ifndef NPU_WORKBENCH_H
#define NPU_WORKBENCH_H

#ifndef NPU_WORKBENCH_RECORD

#define NPU_STAGE(name, pointer, count) \
    ((void)sizeof("" name), (void)sizeof(*(pointer)), (void)sizeof(count))

#else

#ifdef __cplusplus
extern "C" {
#endif
/* Set by the model device before a call: name, file, line, kind and size of an element, elements,
 * count. */
__attribute__((weak)) void (*npu_workbench_stage)(const char *, const char *, int, char,
                                                  unsigned long, const volatile void *, long long);
#ifdef __cplusplus
}
#endif

/* A number as an element. */
#define NPU_WORKBENCH_AS(pointer, number) ((__typeof__(*(pointer)))(number))

/* f: a float, b: one with bfloat16's 8 significant bits, i: a signed integer, u: an unsigned one. */
#define NPU_WORKBENCH_KIND(pointer)                                                             \
    (NPU_WORKBENCH_AS(pointer, 0.5f) == NPU_WORKBENCH_AS(pointer, 0) ||                         \
             NPU_WORKBENCH_AS(pointer, 0.5f) == NPU_WORKBENCH_AS(pointer, 1)                    \
         ? (NPU_WORKBENCH_AS(pointer, -1) < NPU_WORKBENCH_AS(pointer, 0) ? 'i' : 'u')           \
         : (NPU_WORKBENCH_AS(pointer, 1.001953125f) == NPU_WORKBENCH_AS(pointer, 1) ? 'b' : 'f'))

#define NPU_STAGE(name, pointer, count)                                           \
    npu_workbench_stage("" name, __FILE__, __LINE__, NPU_WORKBENCH_KIND(pointer), \
                        sizeof(*(pointer)), (pointer), (count))

#endif

#endif
