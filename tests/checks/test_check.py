"""What `check` says of a kernel's arithmetic, beside its verdict."""

from __future__ import annotations

from tests.headless.command import run
from tests.projects import Project


def test_a_wrapped_value_is_a_warning_beside_a_pass(project: Project) -> None:
    project.with_body("static int8_t spare; spare = in[0] * 1000 + 1000;")
    done = run("check", "kernels/scale.c", "--json")
    (finding,) = (f for f in done.record["findings"] if f["id"] == "implicit-truncation")
    assert (done.code, done.record["status"]) == (0, "pass")
    assert finding["severity"] == "warning"
    assert finding["where"].startswith("kernels/scale.c:")
    assert finding["evidence"]["evaluations"] == 1


def test_a_crash_has_a_place_in_the_source(project: Project) -> None:
    project.with_body("volatile int zero = 0; out[0] = (int8_t)(factor / zero);")
    done = run("check", "kernels/scale.c", "--json")
    (finding,) = (f for f in done.record["findings"] if f["id"] == "division-by-zero")
    line = (
        project.kernel.read_text()
        .splitlines()
        .index("    volatile int zero = 0; out[0] = (int8_t)(factor / zero);")
        + 1
    )
    assert (done.code, done.record["status"]) == (4, "crash")
    assert finding["message"] == "3 is divided by zero, in its only evaluation"
    assert finding["where"].startswith(f"kernels/scale.c:{line}:")


def test_what_a_core_lacks_flips_no_verdict(project: Project) -> None:
    project.with_body("volatile float spare; spare = sqrtf((float)in[0]) * 0.1;")
    project.edit(project.kernel, "#include <stdio.h>", "#include <math.h>")
    done = run("check", "kernels/scale.c")
    assert done.code == 0
    assert "warning freestanding: kernels/scale.c:" in done.out
    assert "sqrtf is libm's" in done.out


def test_the_project_itself_is_clean(project: Project) -> None:
    assert run("check", "kernels/scale.c", "--json").record["findings"] == []
