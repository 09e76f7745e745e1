"""The JSON object where it is hard: undefined metrics, NaN, constants, runs that end early."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.headless.command import check, run, strict
from tests.headless.contract import breaches
from tests.projects import Project
from workbench.loop.record import to_json

KERNEL = "kernels/scale.c"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=50)
@given(JSON)
def test_json_is_strict_whatever_is_in_it(value: object) -> None:
    strict(to_json(value) + "\n")


@settings(max_examples=50)
@given(
    st.recursive(
        st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_keeps_what_can_be_kept(value: object) -> None:
    assert json.loads(to_json(value)) == value


def test_json_of_what_cannot_be_kept() -> None:
    value = {"a": [float("nan"), float("-inf"), (1.5,)], "b": "no \udcff text"}
    assert json.loads(to_json(value)) == {"a": [None, None, [1.5]], "b": "no ? text"}


def as_floats(project: Project) -> None:
    """Make the project's tensors float32."""
    for file in (project.kernel, project.spec, project.design):
        text = file.read_text()
        text = text.replace("int8_t", "float").replace("(float)", "").replace('"int8"', '"float32"')
        file.write_text(text.replace("256xi8", "256xf32"))


@pytest.fixture
def floats(project: Project) -> Project:
    as_floats(project)
    return project


def record_of(body: str, project: Project, code: int = 1) -> dict[str, Any]:
    """The record of a check of the kernel with some statements added."""
    project.with_body(body)
    done = check(KERNEL)
    assert (done.code, done.err) == (code, "")
    assert breaches(done.record) == []
    return done.record


def findings(record: dict[str, Any]) -> list[str]:
    return [finding["id"] for finding in record["findings"]]


def test_floats(floats: Project) -> None:
    record = record_of("", floats, 0)
    assert record["metrics"]["exact"] == 1
    assert record["metrics"]["sqnr_db"] is None  # there is no error


def test_not_a_number(floats: Project) -> None:
    record = record_of("out[0] = 0 / (factor - 3.0f); out[9] = 1 / (factor - 3.0f);", floats)
    assert set(findings(record)) >= {"division-by-zero", "not-finite"}
    assert findings(record)[0] == "division-by-zero"
    metrics = record["metrics"]
    assert {name for name, value in metrics.items() if value is not None} == {"within_5", "exact"}
    assert record["health"]["y"]["nan"] + record["health"]["y"]["infinite"] == 2
    assert metrics["exact"] == 254 / 256
    assert record["panes"]["device"][0][:2] == [None, record["panes"]["reference"][0][1]]
    assert record["panes"]["difference"][0][0] is None
    assert record["output"]["max"] is not None


def test_infinite_everywhere(floats: Project) -> None:
    record = record_of("for (int i = 0; i < COUNT; i++) out[i] = 1 / (factor - 3.0f);", floats)
    assert findings(record)[:2] == ["division-by-zero", "not-finite"]
    assert record["output"]["min"] is None
    assert record["output"]["reference_min"] is not None
    assert record["metrics"]["exact"] == 0


def test_a_constant_output(project: Project) -> None:
    record = record_of("memset(out, 7, COUNT);", project)
    assert record["metrics"]["correlation"] is None
    assert record["metrics"]["slope"] == 0
    constant = record["findings"][0]
    assert (constant["id"], constant["severity"]) == ("constant-output", "error")
    assert constant["message"].startswith("every one of the 256 output elements is 7: correlation ")
    assert constant["evidence"] == {"value": 7, "elements": 256}
    assert (record["output"]["min"], record["output"]["max"]) == (7, 7)


def test_a_constant_reference(project: Project) -> None:
    done = check(KERNEL, "--inputs", "ones")
    # An output that is right for such a reference may be right by chance.
    assert done.code == 1
    assert done.record["metrics"]["correlation"] is None
    assert done.record["metrics"]["exact"] == 1
    assert "input-regime" in findings(done.record)


def test_a_reference_in_floats_tells_the_best(project: Project) -> None:
    exact = '{"y": 0.3 + tensors["x"] * float(scalars["factor"])}'
    product = '{"y": tensors["x"] * tensors["x"].dtype.type(scalars["factor"])}'
    project.edit(project.spec, product, exact)
    project.edit(project.spec, 'Criterion("exact", ">=", 1)', 'Criterion("times_best", "<=", 1)')
    record = record_of("", project, 0)
    assert record["metrics"]["times_best"] == 1
    assert record["criteria"][0]["value"] == 1
    assert record_of("out[3]++;", project)["metrics"]["times_best"] > 1


def test_how_the_error_is_spread(project: Project) -> None:
    record = record_of("memcpy(out + 128, in, 128);", project)
    assert record["profile"]["rows"][:8] == [0] * 8
    assert all(record["profile"]["rows"][8:])
    assert record["fit"]["gain"] < 3
    pattern = next(f["evidence"] for f in record["findings"] if f["id"] == "error-pattern")
    assert pattern["pattern"] == "half-tile"


def test_the_text_says_undefined(project: Project) -> None:
    project.with_body("memset(out, 7, COUNT);")
    done = run("check", KERNEL)
    first, *lines = done.out.splitlines()
    assert first.startswith(
        "FAIL kernels/scale.c on the model: CONSTANT OUTPUT, correlation undefined, "
    )
    assert "  correlation    undefined" in lines
    assert any(line.startswith("error constant-output: every one ") for line in lines)
    assert "nan" not in done.out


def test_an_infinite_target(project: Project) -> None:
    project.edit(project.spec, 'Criterion("exact", ">=", 1)', 'Criterion("mae", "<", 1e999)')
    done = check(KERNEL)
    assert done.code == 0
    assert done.record["criteria"] == [
        {"metric": "mae", "op": "<", "target": None, "value": 0.0, "met": True, "tensor": None}
    ]


def test_a_build_that_fails(project: Project) -> None:
    project.kernel.write_text("int 7;\nint 8;\n")
    record = check(KERNEL).record
    assert [step["status"] for step in record["steps"]][::2] == ["failed", "skipped"]
    assert [(d["line"], d["column"], d["severity"]) for d in record["diagnostics"]] == [
        (1, 5, "error"),
        (2, 5, "error"),
    ]
    assert record["error"]["hint"] == "1 more error"
    assert len(record["source_sha256"]) == 64


def test_steps_and_artifacts(project: Project) -> None:
    record = check(KERNEL).record
    compile_step, load, run_step, judge = record["steps"]
    assert [s["name"] for s in record["steps"]] == ["compile", "load", "run", "judge"]
    assert KERNEL in compile_step["command"]
    artifact = compile_step["artifacts"][0]
    assert Path(artifact["path"]).stat().st_size == artifact["bytes"]
    assert {s["status"] for s in (load, run_step, judge)} <= {"ok", "cached"}
    assert record["core"]["tile"] == [0, 2]
    assert record["core"]["memory"][0]["name"] == "(stack)"


def test_no_kernel(project: Project) -> None:
    record = check("nope.c").record
    assert breaches(record) == []
    assert record["steps"] == [
        {"name": n, "status": "skipped", "seconds": 0.0, "command": [], "artifacts": []}
        for n in ("compile", "load", "run", "judge")
    ]
    assert record["error"]["where"] == "nope.c"
