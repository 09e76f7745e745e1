"""Each widget's lines as literal text, through the lines it makes for a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from textual.content import Content

from tests.tui.scripted import MISMATCH, a_run, off_at, result, started, verdict
from workbench.build import Diagnostic
from workbench.device.choose import DeviceInfo
from workbench.errors import BuildError, CrashError, OutOfBoundsError, SpecError
from workbench.loop.change import compare
from workbench.loop.events import (
    Event,
    Explained,
    Missing,
    RunFinished,
    Saved,
    StepStarted,
    Watching,
)
from workbench.loop.problems import Problem, collect, problems_of
from workbench.loop.result import NpuReport
from workbench.loop.view import Phase, StepView, View, reduce
from workbench.spec import Criterion
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.problems import Problems
from workbench.tui.step_strip import StepStrip
from workbench.tui.text import PHASE_GLYPHS, cell_text
from workbench.tui.verdict_bar import VerdictBar
from workbench.verdict import Finding, Verdict
from workbench.verdict.triage import triage


def view_of(events: Sequence[Event]) -> View:
    view = View(kernel="kernels/attention.c")
    for event in events:
        view = reduce(view, event)
    return view


def plain(lines: list[Content]) -> list[str]:
    return [line.plain.rstrip() for line in lines]


def bar(view: View, width: int = 160, height: int = 2) -> list[str]:
    return plain(VerdictBar(view).lines(width, height))


FAIL = result(1, "fail", verdict=verdict(off_at(17, 42, 9)))
BROKEN = result(
    2,
    "build-failed",
    error=BuildError("2 errors", where="k.c"),
    diagnostics=(
        Diagnostic("k.c", 9, 1, "warning", "unused variable 'x'"),
        Diagnostic("k.c", 3, 5, "error", "expected ';'"),
    ),
)


def test_a_verdict_in_two_lines() -> None:
    assert bar(view_of(a_run(FAIL))) == [
        " ✗ FAIL    MODEL   core model  corr 0.99999  max error 9  range -64..63  "
        "reference -64..63  looking for causes…",
        " run 1 · 1bcdef0 · 0.42 s · kernels/attention.c · inputs report, seed 42 · no NPU here",
    ]


def test_causes_are_named_once_they_are_looked_for() -> None:
    found = replace(FAIL, explained=True, verdict=verdict(off_at(17, 42, 9), findings=(MISMATCH,)))
    line = bar(view_of([*a_run(FAIL), Explained(1, found)]))[0]
    assert line.endswith("reference -64..63  scalar-mismatch")


def test_what_is_not_met_stands_on_the_line() -> None:
    judged = verdict(off_at(17, 42, 9), criteria=(Criterion("exact", ">=", 1.0),))
    found = replace(FAIL, explained=True, verdict=judged)
    assert bar(view_of(a_run(found)))[0].endswith("reference -64..63  ✗ equal 99.98 %")
    assert bar(view_of(a_run(found)), 80, 3)[1].endswith("✗ equal 99.98 %")


def test_causes_that_have_no_room_are_counted() -> None:
    findings = (MISMATCH, Finding("out-of-bounds", "error", "writes", ""))
    judged = verdict(off_at(17, 42, 9), findings=findings)
    view = view_of(a_run(replace(FAIL, explained=True, verdict=judged)))
    assert "scalar-mismatch  out-of-bounds" in " ".join(bar(view, 80, 3))
    assert bar(view, 40, 3)[1] == " max error 9  scalar-mismatch +1"


def test_a_failed_build_keeps_the_last_verdict_marked_stale() -> None:
    view = view_of([*a_run(FAIL), *a_run(BROKEN, failed="compile")])
    assert bar(view) == [
        " ✗ BUILD FAILED    MODEL   core model   STALE   of run 1 1bcdef0  corr 0.99999  "
        "max error 9  range -64..63  reference -64..63",
        " run 2 · 2bcdef0 · 0.42 s · kernels/attention.c · inputs report, seed 42 · no NPU here",
    ]


def test_the_state_stays_in_the_narrowest_window() -> None:
    view = view_of([*a_run(FAIL), *a_run(BROKEN, failed="compile")])
    assert bar(view, 40, 3) == [
        " ✗ BUILD FAILED    MODEL    STALE",
        " corr 0.99999  max error 9",
        " run 2 · 2bcdef0 · 0.42 s · kernels/attention.c · inputs report, seed 42 · no NPU here",
    ]


def test_the_npu_can_not_be_mistaken_for_the_model() -> None:
    npu = replace(started(1), device=DeviceInfo("npu", "NPU Phoenix", "found"))
    line = bar(view_of([npu]))[0]
    assert "  NPU   NPU Phoenix" in line
    assert "MODEL" not in line


def test_a_build_that_no_tool_had_to_make_is_said() -> None:
    cached = replace(FAIL, npu=NpuReport("build", cached=True))
    assert " · 0.42 s · build cached · " in bar(view_of(a_run(cached)))[1]


def test_running_names_the_step_and_marks_old_numbers_stale() -> None:
    view = view_of([*a_run(FAIL), started(2), StepStarted(2, "compile")])
    first, second = bar(view)
    assert first.startswith(" ▶ RUNNING compile    MODEL   core model   STALE   of run 1 1bcdef0")
    assert second == " run 2 · kernels/attention.c · no NPU here"


def test_polling_is_said() -> None:
    view = view_of([*a_run(FAIL), Watching(1, (), "no events [/x]\x1b[2J")])
    assert "polling: no events [/x]" in bar(view)[1]


def test_undefined_is_never_nan() -> None:
    constant = verdict(lambda reference: reference * 0)
    view = view_of(a_run(result(1, "fail", verdict=constant)))
    assert "corr undefined" in bar(view)[0]
    table = table_of(constant)
    assert "correlation  undefined ✗ ≥ 0.9999" in table
    assert not any("nan" in line for line in (*bar(view), *table))


@pytest.mark.parametrize("phase", Phase)
def test_each_state_has_a_glyph_and_its_word(phase: Phase) -> None:
    line = bar(View(phase=phase))[0]
    assert line.startswith(f" {PHASE_GLYPHS[phase]} {phase}")


def table_of(shown: Verdict, width: int = 50) -> list[str]:
    table = MetricsTable()
    table._result = result(1, "fail", verdict=shown)
    return plain(table.lines(width, 20))


def test_metrics_criteria_first_then_the_ranges() -> None:
    assert table_of(verdict(off_at(17, 42, 9))) == [
        "correlation    0.99999 ✓ ≥ 0.9999",
        "max error            9 ✗ ≤ 1",
        "equal          99.98 % ✓ ≥ 99.5 %",
        "range          -64..63",
        "reference      -64..63",
        "mean error      0.0022",
        "RMS error       0.1406",
        "within ±5      99.98 %",
        "cosine         0.99999",
        "SQNR           48.4 dB",
        "slope          1.00006",
    ]


def test_metrics_and_arithmetic_when_memory_corrupts() -> None:
    shown = verdict(off_at(17, 42, 9))
    shown = replace(shown, arithmetic=verdict().metrics)
    assert table_of(shown)[:4] == [
        "                 model             arithmetic",
        "           core memory            stack apart",
        "correlation    0.99999 ✓ ≥ 0.9999     1.00000",
        "max error            9 ✗ ≤ 1                0",
    ]
    assert table_of(shown, 40)[3] == "max error            9 ✗          0"
    assert table_of(shown, 34)[:2] == [
        "correlation    0.99999 ✓ ≥ 0.9999",
        "max error            9 ✗ ≤ 1",
    ]
    assert table_of(shown, 26)[1] == "max error            9 ✗"


def test_each_of_several_tensors_has_its_line() -> None:
    good, bad = verdict().metrics, verdict(off_at(17, 42, 9)).metrics
    shown = replace(verdict(off_at(17, 42, 9)), parts=(("head0", good), ("a_very_long_name", bad)))
    assert table_of(shown)[3:6] == [
        "each       correlation   max error       equal",
        "head0          1.00000           0    100.00 %",
        "a_very_lon…    0.99999           9✗    99.98 %",
    ]
    assert table_of(shown, 24)[3:5] == ["each       correlation", "head0          1.00000"]


def test_elements_that_are_not_finite_are_counted() -> None:
    def broken(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.where(reference > 60, np.nan, reference)

    assert "not finite          96" in table_of(verdict(broken, dtype="float32"))


def test_steps_with_times() -> None:
    strip = StepStrip()
    strip._steps = (
        StepView("compile", "ok", 0.061),
        StepView("load", "cached", 0),
        StepView("run", "running", limit_s=10),
        StepView("judge"),
    )
    strip._elapsed_s = 1.5
    assert plain(strip.lines(80, 1)) == [
        " compile ✓ 0.06 s ▸ load ✓ cached ▸ run ▶ 1.5 s of 10 s ▸ judge ·"
    ]
    assert plain(strip.lines(45, 1)) == [" compile ✓ ▸ load ✓ ▸ run ▶ ▸ judge ·"]


def test_errors_of_the_compiler_come_first() -> None:
    view = view_of([*a_run(FAIL), *a_run(BROKEN, failed="compile")])
    problems = collect(view)
    assert [(p.severity, p.where, p.message, p.stale) for p in problems] == [
        ("error", "k.c:3:5", "expected ';'", False),
        ("error", "k.c", "2 errors", False),
        ("warning", "k.c:9:1", "unused variable 'x'", False),
        ("error", None, "not met: max error is 9, not ≤ 1", True),
    ]


def test_an_error_that_a_diagnostic_tells_is_told_once() -> None:
    told = replace(BROKEN, error=BuildError("expected ';'", where="k.c:3:5"))
    view = view_of([started(2), RunFinished(2, told)])
    assert [p.message for p in collect(view)] == ["expected ';'", "unused variable 'x'"]


def test_findings_come_before_what_they_cause() -> None:
    judged = verdict(off_at(17, 42, 9), findings=(MISMATCH,))
    view = view_of(a_run(result(1, "fail", verdict=judged)))
    first, second = collect(view)
    assert first.name == "scalar-mismatch"
    assert first.where == MISMATCH.where
    assert second.message.startswith("not met")


def test_causes_come_first_then_errors_warnings_and_notes() -> None:
    at = {"stage": "clamped"}
    cut = Finding("stage-saturated", "error", "84.8 % saturated", "", evidence=at)
    findings = triage(
        (
            cut,
            Finding("stage-scaled", "info", "half", ""),
            Finding("input-regime", "warning", "one-hot", ""),
            Finding("implicit-truncation", "warning", "wraps", "", where="k.c:1"),
            Finding("error-enters-at", "error", "enters", "", evidence=at),
            MISMATCH,
        )
    )
    run = result(1, "fail", verdict=verdict(off_at(17, 42, 9), findings=findings))
    run = replace(run, diagnostics=(Diagnostic("k.c", 9, 1, "warning", "unused"),))
    problems = collect(view_of(a_run(run)))
    assert [p.name or p.message.partition(":")[0] for p in problems] == [
        *("error-enters-at", "scalar-mismatch", "implicit-truncation"),  # on the verdict line
        *("stage-saturated", "not met"),
        *("input-regime", "unused"),
        "stage-scaled",
    ]
    assert problems == problems_of(run)
    assert problems[4].hint == (
        "npu-workbench check kernels/attention.c --ablate tries mends, alone and together"
    )


def test_a_finding_is_told_by_its_name_first_and_a_crash_too() -> None:
    error = OutOfBoundsError("writes 4 B after of_out", where="d.mlir:9", hint="look")
    problems = Problems()
    problems._problems = collect(view_of(a_run(result(1, "crash", error=error), failed="run")))
    assert plain(problems.lines(60, 9)) == [
        "✗ out-of-bounds: writes 4 B after of_out",
        "  → look",
        "  at d.mlir:9",
    ]


def test_what_was_found_in_older_bytes_is_stale() -> None:
    broken = result(1, "error", error=SpecError("no SPEC", where="k.py:1", hint="assign it"))
    view = view_of(a_run(broken))
    assert [p.stale for p in collect(view)] == [False]
    assert [p.stale for p in collect(reduce(view, Saved(1, ())))] == [True]
    missing = collect(reduce(view, Missing(1, "k.c")))
    assert [(p.message, p.stale) for p in missing] == [
        ("the kernel is not there", False),
        ("no SPEC", True),
    ]


def test_one_problem_is_spelled_out_and_the_others_take_a_line() -> None:
    problems = Problems()
    problems._problems = (
        Problem(
            "error", "a message that is long enough to be wrapped", where="k.c:3:5", hint="mend it"
        ),
        Problem("warning", "another [/x]\x1b[2J\nline", notes=("declared here",), stale=True),
    )
    assert plain(problems.lines(30, 9)) == [
        "✗ k.c:3:5: a message that is",
        "long enough to be wrapped",
        "  → mend it",
        "~ STALE another [/x] line",
    ]
    problems.selected = 1
    assert plain(problems.lines(30, 9))[1:] == [
        "~ STALE another [/x]",
        "  line",
        "  note: declared here",
    ]


@pytest.mark.parametrize(
    ("value", "width", "whole", "text"),
    [
        (-64, 3, True, "-64"),
        (0.0, 3, True, "0"),
        (123456789, 7, True, "1.235e8"),
        (0.1 + 0.2, 7, False, "0.3"),
        (-1234.5678, 7, False, "-1234.6"),
        (1.5e-20, 7, False, "1.5e-20"),
        (float("nan"), 5, False, "nan"),
        (float("-inf"), 5, False, "-inf"),
    ],
)
def test_elements_in_their_cells(value: float, width: int, whole: bool, text: str) -> None:
    assert cell_text(value, width, whole=whole) == text


def test_a_certain_cause_of_a_crash_comes_before_its_signal() -> None:
    cause = Finding("null-pointer", "error", "a store through a null pointer", "", where="k.c:9")
    maybe = Finding("out-of-bounds", "warning", "index 64", "")
    crash = CrashError("crashed with SIGSEGV", where="k.c:9")
    run = replace(result(1, "crash", error=crash), concerns=(maybe, cause))
    told = [problem.name or problem.message for problem in problems_of(run)]
    assert told == ["null-pointer", "crashed with SIGSEGV", "out-of-bounds"]


def test_of_numbers_that_are_stale_no_change_is_told() -> None:
    before, after = (
        result(1, "fail", verdict=verdict(off_at(1, 1, 9))),
        result(2, verdict=verdict()),
    )
    view = view_of(a_run(after))
    bar_of = VerdictBar(view)
    bar_of.show(view, compare(before, after))
    assert "since run 1" in " ".join(plain(bar_of.lines(160, 2)))
    bar_of.show(reduce(view, Saved(2, ())), compare(before, after))
    assert "since run 1" not in " ".join(plain(bar_of.lines(160, 2)))
