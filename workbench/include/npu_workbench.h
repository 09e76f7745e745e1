/* npu_workbench.h: marks the stages of a kernel's computation, in C and in C++.
 *
 *     #include "npu_workbench.h"
 *
 *     NPU_STAGE("scores", scores, 64);
 *
 * A stage is an intermediate tensor: the `count` elements at `pointer`, under the string literal
 * `name`. The macro is a statement that does nothing and costs nothing, whatever builds it: none of
 * its arguments is evaluated, and an argument that is no pointer is an error all the same.
 */
#ifndef NPU_WORKBENCH_H
#define NPU_WORKBENCH_H

#define NPU_STAGE(name, pointer, count) \
    ((void)sizeof("" name), (void)sizeof(*(pointer)), (void)sizeof(count))

#endif
