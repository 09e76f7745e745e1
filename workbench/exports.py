"""What a library built for the model exports, by name: a build writes it, a process reads it."""

from __future__ import annotations

STACK_POINTER = "workbench_stack_pointer"
"""i64 in the library: the address where the next frame begins."""

STACK_HIGH = "workbench_stack_high"
"""i64 in the library: the highest address any frame has ended at."""

ARRAY_BYTES = "workbench_array_bytes"
"""[n x i64] in the library: the size of each local array."""

GLOBAL_BYTES = "workbench_global_bytes"
"""[n x i64] in the library: the size of each global."""

NAMES = "workbench_names"
"""A C string in the library: JSON, [[function, variable] of each local array, [each global]]."""

STAGE_HOOK = "npu_workbench_stage"
"""A function pointer in a library that records stages (`npu_workbench.h`): ours, not its data."""

TABLE = "workbench_checks"
"""ptr in the library: where it counts. The model device points it to a file of the run, so that the
counts outlive a crash."""

TABLE_BYTES = "workbench_checks_bytes"
"""i64 in the library: the size of the table."""
