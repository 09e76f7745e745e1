"""The fix matrix: which changes mend a kernel, alone and together; no file is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.headless.command import check, run
from tests.projects import Project

KERNEL = "kernels/scale.c"

SWITCHED = """
#include <stdint.h>
#ifndef NEGATE
#define NEGATE 1
#endif
void scale(const int8_t *in, int8_t *out, int32_t factor) {
    int8_t lines[ROOM];
    for (int i = 0; i < 256; i++) {
        lines[i % ROOM] = in[i];
        __asm__ volatile("" : : "r"(lines) : "memory");
        int8_t value = lines[i % ROOM];
#ifdef DOUBLED
        value *= 2;
#endif
        out[i] = (int8_t)((NEGATE ? -value : value) * factor);
    }
}
"""

Changes = frozenset[str]


def matrix(project: Project, code: int, *arguments: str) -> dict[str, Any]:
    before = {file: file.read_bytes() for file in project.folder.glob("*/*.*")}
    done = check(KERNEL, "--ablate", *arguments)
    assert done.code == code
    assert before == {file: file.read_bytes() for file in project.folder.glob("*/*.*")}
    found: dict[str, Any] = done.record["ablation"]
    return found


def statuses(found: dict[str, Any]) -> dict[Changes, str]:
    return {frozenset(case["changes"]): case["status"] for case in found["cases"]}


def with_switches(project: Project, room: int) -> None:
    project.kernel.write_text(SWITCHED.replace("ROOM", str(room)))
    project.edit(
        project.spec,
        "    reference=",
        '    switches=("NEGATE", "DOUBLED", "NONE"),\n    reference=',
    )


def test_two_faults_that_hide_each_other(project: Project) -> None:
    with_switches(project, 64)
    project.edit(project.design, "constant 3 : i32", "constant 2 : i32")
    found = matrix(project, 1)
    assert [(a["kind"], a["name"], a["as_is"], a["changed"]) for a in found["axes"]] == [
        ("scalar", "factor", "2", "3"),
        ("switch", "NEGATE", "1", "0"),
        ("switch", "DOUBLED", "0", "1"),
    ]
    told = statuses(found)
    assert len(told) == 8
    assert [changes for changes, status in told.items() if status == "pass"] == [
        frozenset({"factor", "NEGATE"})
    ]
    assert found["smallest"] == [["factor", "NEGATE"]]
    assert found["best"] == ["factor", "NEGATE"]
    notes = {tuple(case["changes"]): case["notes"] for case in found["cases"]}
    assert notes["factor",] == ["factor = 3 passed on trial in place of the design's 2"]
    assert notes["NEGATE",] == []


def test_in_words(project: Project) -> None:
    with_switches(project, 64)
    project.edit(project.design, "constant 3 : i32", "constant 2 : i32")
    done = run("check", KERNEL, "--ablate")
    head, as_is, *rest = done.out.splitlines()
    assert head.split()[:3] == ["factor", "NEGATE", "DOUBLED"]
    assert as_is.split() == ["2", "1", "0", "as", "it", "is"]
    assert rest[-2] == "passes only with factor = 3 and NEGATE = 0 together"
    assert rest[-1] == (
        "correlation: as it is -1.00000, factor alone -1.00000, NEGATE alone 1.00000, "
        "together 1.00000"
    )


def test_a_stack_that_is_too_small(project: Project) -> None:
    with_switches(project, 1200)
    found = matrix(project, 1)
    assert [axis["name"] for axis in found["axes"]] == ["NEGATE", "DOUBLED", "stack"]
    stack = found["axes"][-1]
    assert stack["as_is"] == "1,024"
    assert int(stack["changed"].replace(",", "")) >= 1200
    assert len(found["cases"]) == 8
    overrun = {
        frozenset(case["changes"])
        for case in found["cases"]
        if any(finding["id"] == "stack-overrun" for finding in case["findings"])
    }
    assert overrun == {changes for changes in statuses(found) if "stack" not in changes}


def test_nothing_to_try(project: Project) -> None:
    assert matrix(project, 0)["axes"] == []
    done = run("check", KERNEL, "--ablate")
    assert done.code == 0
    assert done.out.startswith("nothing to try: ")


def test_an_input_set_with_a_constant_of_its_own(project: Project) -> None:
    """What it brings is what is passed: there is no constant to try then."""
    project.edit(
        project.spec,
        "uniform(1, 2)",
        'lambda t, random: {**uniform(1, 3)(t, random), "factor": 5}',
    )
    project.edit(project.design, "constant 3 : i32", "constant 2 : i32")
    found = matrix(project, 0, "--inputs", "ones")
    assert found["axes"] == []
    (case,) = found["cases"]
    assert case["notes"] == ["factor = 5 passed for this input set in place of the design's 2"]


def test_too_many(project: Project) -> None:
    names = [f"S{number}" for number in range(8)]
    text = project.kernel.read_text()
    project.kernel.write_text("".join(f"#if {n}\n#endif\n" for n in names) + text)
    project.edit(project.spec, "    reference=", f"    switches={names},\n    reference=")
    done = run("check", KERNEL, "--ablate")
    assert done.code == 2
    assert done.sentence == (
        "8 things to change are 256 combinations: too many (name fewer switches in the spec)"
    )


@pytest.mark.parametrize("name", ["polynomial", "piecewise"])
def test_the_reports_kernels(ours: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each mends little alone: the scores' clamp only matters on a stack that holds them."""
    monkeypatch.chdir(ours)
    done = check(f"kernels/attention_{name}.c", "--ablate")
    assert done.code == 1
    found = done.record["ablation"]
    alone = {
        tuple(case["changes"]): case["metrics"]["correlation"]
        for case in found["cases"]
        if case["metrics"]
    }
    together = ("scale_shift", "CLAMP_SCORES", "stack")
    assert found["smallest"] == []
    assert found["best"] == list(together)
    assert max(alone[()], *(alone[change,] for change in together)) < 0.2
    assert alone["stack",] == pytest.approx(
        {"polynomial": 0.1909, "piecewise": 0.1942}[name], abs=1e-4
    )
    assert alone[together] == pytest.approx(
        {"polynomial": 0.3597, "piecewise": 0.9871}[name], abs=1e-3
    )
