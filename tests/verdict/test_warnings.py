"""Which of clang's warnings are causes."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.build import build_kernel, find_clang
from workbench.verdict.findings import Finding
from workbench.verdict.warnings import proven

FAULTS = {
    "int b; return b + a;": "uninitialised-read",
    "int t[4] = {0}; t[0] = a; return t[5];": "out-of-bounds",
    "return a << 40;": "shift-fault",
    "return a / 0;": "division-by-zero",
    "return a + (2147483647 + 1);": "signed-overflow",
    "signed char c = 300; return a + c;": "implicit-truncation",
}


async def warnings_of(body: str, folder: Path) -> list[tuple[str, str]]:
    source = folder / "some.c"
    source.write_text(f"int some(int a) {{ {body} }}\n")
    built = await build_kernel(str(source), find_clang(), folder / "cache", lambda lines: None, 60)
    return [(d.message, d.where) for d in built.diagnostics]


@pytest.mark.parametrize("body", FAULTS)
async def test_what_the_compiler_proves(body: str, tmp_path: Path) -> None:
    warnings = await warnings_of(body, tmp_path)
    (finding,) = proven(warnings, (), passed=False)
    assert (finding.id, finding.severity) == (FAULTS[body], "error")
    assert (finding.where or "").startswith(f"{tmp_path / 'some.c'}:1:")
    (mild,) = proven(warnings, (), passed=True)
    assert mild.severity == "warning"


async def test_what_is_known_isnt_said_twice(tmp_path: Path) -> None:
    warnings = await warnings_of("return a << 40;", tmp_path)
    known = Finding("shift-fault", "error", "", "", where=f"{tmp_path / 'some.c'}:1:30")
    assert list(proven(warnings, [known], passed=False)) == []


async def test_other_warnings_are_no_causes(tmp_path: Path) -> None:
    warnings = await warnings_of("int unused = 1; return a;", tmp_path)
    assert warnings
    assert list(proven(warnings, (), passed=False)) == []
