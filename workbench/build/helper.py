"""A library that calls one helper function of a kernel on an array.

The helper may be `static`: what is compiled is a source that includes the kernel's, by the same
step, and with the same options, as the kernel itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench import manifest
from workbench.build.clang import Clang
from workbench.build.diagnostics import Diagnostic
from workbench.build.kernel import OnLines, SourceChanged, build_kernel
from workbench.errors import BuildError

SWEEP = "npu_workbench_sweep"
"""The function of the library: (const ARGUMENT *in, RESULT *out, uint64_t *at, uint64_t count).

It writes to *at the index of the value that it is about to try.
"""

_TEXT = """\
#include <stdint.h>
#include "{kernel}"
#pragma clang diagnostic error "-Wfloat-conversion"
#pragma clang diagnostic error "-Wimplicit-int-conversion"
#ifdef __cplusplus
extern "C"
#endif
void {sweep}(const {argument} *in, {result} *out, volatile uint64_t *at, uint64_t count) {{
    for (uint64_t i = 0; i < count; i++) {{
        *at = i;
        {argument} x = in[i];
        out[i] = {expression};
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Helper:
    """A C expression in x with the C types of x and of itself; `name` is what it is of."""

    name: str
    expression: str
    argument: str
    result: str


async def build_helper(
    helper: Helper, kernel: str, clang: Clang, cache: Path, on_lines: OnLines, limit_s: float
) -> Path | None:
    """The library of a helper; None when the kernel declares nothing of its name.

    Raises BuildError when the expression can't be compiled, OSError when the cache can't be
    written.
    """
    source = _source(helper, kernel, cache)
    log: list[str] = []
    while True:
        try:
            built = await build_kernel(str(source), clang, cache, log.extend, limit_s)
            break
        except SourceChanged:
            log.clear()
    errors = [d for d in built.diagnostics if d.severity == "error"]
    if built.library is None and any(_is_missing(d, helper.name) for d in errors):
        return None
    if built.library is None:
        on_lines(log)
        why = errors[0] if errors else None
        place = why.where if why is not None and why.file and why.file != str(source) else kernel
        raise BuildError(
            f"can't sweep {helper.expression}: {why.message if why else 'it does not compile'}",
            where=place,
            hint="the spec gives its argument and result as int32 unless it says otherwise",
        )
    return built.library


def _source(helper: Helper, kernel: str, cache: Path) -> Path:
    text = _TEXT.format(
        kernel=os.path.abspath(kernel),
        sweep=SWEEP,
        argument=helper.argument,
        result=helper.result,
        expression=helper.expression,
    )
    folder = cache / "helpers"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{manifest.key_of(text)}{Path(kernel).suffix}"
    if manifest.sha256_file(path) != manifest.sha256_bytes(text.encode()):
        draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        draft.write_text(text)
        os.replace(draft, path)
    manifest.prune(folder)
    return path


def _is_missing(diagnostic: Diagnostic, name: str) -> bool:
    """Whether clang says that it doesn't know the name, in C's words or in C++'s."""
    message = diagnostic.message
    return f"'{name}'" in message and "undeclared" in message
