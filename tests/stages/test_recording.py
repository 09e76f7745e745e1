"""What kernels record, and what is said of those that record too much, too little or never end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from tests.process.procs import children, until
from tests.stages.conftest import SOUND, STAGES, Bench, kernel
from workbench.verdict.findings import Finding
from workbench.verdict.stages import StageResult


def only(findings: Sequence[Finding]) -> Finding:
    (finding,) = findings
    return finding


def correlations(stages: Sequence[StageResult]) -> list[tuple[str, float | None, float | None]]:
    return [(s.name, s.correlation, s.local_correlation) for s in stages]


@pytest.mark.parametrize("name", ["kernel.c", "kernel.cpp"])
async def test_a_sound_kernel_has_stages_and_no_findings(bench: Bench, name: str) -> None:
    stages, findings = await bench.explain(kernel(SOUND), name)
    assert findings == ()
    assert correlations(stages) == [("halved", 1.0, 1.0), ("scaled", 1.0, 1.0)]
    halved, scaled = stages
    assert (halved.recorded, halved.expected) == (256, 256)
    assert [s.where for s in stages] == [
        f"{bench.folder / name}:9",
        f"{bench.folder / name}:12",
    ]
    assert (scaled.low, scaled.high) == (scaled.golden_low, scaled.golden_high)
    assert (scaled.saturated, scaled.local_error, scaled.damaged) == (0, 0, 0)


async def test_a_kernel_without_stages_isnt_built_again(bench: Bench) -> None:
    text = kernel("for (int i = 0; i < 256; i++) y[i] = (x[i] >> 1) * n;\n")
    assert await bench.explain(text) == ((), ())
    assert len(list(bench.cache.glob("objects/*"))) == 1


async def test_a_spec_without_stages_asks_for_none(bench: Bench) -> None:
    bench.spec("")
    assert await bench.explain(kernel(SOUND)) == ((), ())


async def test_stages_may_be_marked_in_a_header(bench: Bench) -> None:
    (bench.folder / "mark.h").write_text("#define MARK(n, p) NPU_STAGE(n, p, 256)\n")
    text = '#include "mark.h"\n' + kernel(SOUND.replace("NPU_STAGE(", "MARK(").replace(", 1)", ")"))
    text = text.replace(", 256);", ");")
    text = text.replace("&half", "(&half)")
    stages, _ = await bench.explain(text)
    assert [stage.name for stage in stages] == ["halved", "scaled"]


async def test_recording_is_built_once(bench: Bench) -> None:
    await bench.explain(kernel(SOUND))
    built = set(bench.cache.glob("objects/*"))
    await bench.explain(kernel(SOUND))
    assert set(bench.cache.glob("objects/*")) == built
    assert len(built) == 2


async def test_a_short_stage(bench: Bench) -> None:
    stages, findings = await bench.explain(kernel(SOUND.replace("y, 256)", "y, 200)")))
    short = only(findings)
    assert (short.id, short.severity) == ("stage-recording", "warning")
    assert short.message == ("stage scaled is recorded short: 200 elements, the spec declares 256")
    assert short.where == f"{bench.folder / 'kernel.c'}:12"
    assert correlations(stages) == [("halved", 1.0, 1.0), ("scaled", None, None)]


async def test_a_long_stage_is_never_read_past_its_size(bench: Bench) -> None:
    # To read them all would run far past every memory that there is.
    _, findings = await bench.explain(kernel(SOUND.replace("y, 256)", "y, 1LL << 40)")))
    assert "recorded too long: 1,099,511,627,776 elements" in only(findings).message


async def test_a_negative_count_is_none(bench: Bench) -> None:
    _, findings = await bench.explain(kernel(SOUND.replace("y, 256)", "y, n - 9)")))
    assert only(findings).message == "stage scaled is never recorded"


async def test_a_stage_that_is_never_recorded(bench: Bench) -> None:
    text = kernel(SOUND.replace('NPU_STAGE("scaled", y, 256);', ""))
    stages, findings = await bench.explain(text)
    never = only(findings)
    assert never.message == "stage scaled is never recorded"
    assert never.evidence == {"stage": "scaled", "recorded": 0, "expected": 256}
    assert [stage.recorded for stage in stages] == [256, 0]
    bench.spec(STAGES.replace("scaled)", "scaled, optional=True)"))
    stages, findings = await bench.explain(text)
    assert (len(stages), findings) == (1, ())


async def test_later_stages_do_without_one_that_isnt_recorded(bench: Bench) -> None:
    stages, _ = await bench.explain(kernel(SOUND.replace('NPU_STAGE("halved", &half, 1);', "")))
    assert correlations(stages) == [("halved", None, None), ("scaled", 1.0, 1.0)]


async def test_an_undeclared_stage(bench: Bench) -> None:
    text = kernel(SOUND + 'NPU_STAGE("twice", y, 256);\n')
    unknown = only((await bench.explain(text))[1])
    assert unknown.severity == "info"
    assert 'records a stage "twice"' in unknown.message


async def test_a_stage_of_another_type_is_measured_all_the_same(bench: Bench) -> None:
    bench.spec(STAGES.replace('"scaled", "int32"', '"scaled", "int16"'))
    stages, findings = await bench.explain(kernel(SOUND))
    assert only(findings).message == "stage scaled is recorded as int32, the spec declares int16"
    assert correlations(stages)[1] == ("scaled", 1.0, 1.0)


async def test_what_cant_be_recorded_is_said_at_its_line(bench: Bench) -> None:
    text = kernel("int32_t m[2][2] = {{0}};\n" + SOUND + 'NPU_STAGE("m", m, 4);\n')
    stages, findings = await bench.explain(text)
    failed = only(findings)
    assert stages == ()
    assert failed.id == "stage-recording"
    assert failed.message.startswith("the stages are unknown: the recording build failed: ")
    assert (failed.where or "").startswith(f"{bench.folder / 'kernel.c'}:14")
    assert "&m[0][0]" in failed.hint


async def test_a_recording_that_never_ends(bench: Bench) -> None:
    # As the recording build alone does when what it records for has to be there.
    endless = "#ifdef NPU_WORKBENCH_RECORD\nfor (volatile int i = 0; ; i++) {}\n#endif\n"
    stages, findings = await bench.explain(kernel(SOUND + endless), limit_s=1.0)
    hung = only(findings)
    assert stages == ()
    assert hung.message == (
        "the stages are unknown: kernel ran for more than 1 s and was killed; it was at line 14"
    )
    assert hung.where == f"{bench.folder / 'kernel.c'}:14"


async def test_a_recording_that_crashes(bench: Bench) -> None:
    null = kernel('NPU_STAGE("scaled", (int32_t *)8, 256);\n' + SOUND)
    _, findings = await bench.explain(null)
    assert "uses a null pointer" in only(findings).message


async def test_cancelling_leaves_no_process(bench: Bench) -> None:
    endless = "#ifdef NPU_WORKBENCH_RECORD\nfor (volatile int i = 0; ; i++) {}\n#endif\n"
    task = asyncio.create_task(bench.explain(kernel(SOUND + endless)))
    await until(lambda: list(bench.cache.glob("stages-*/kernel-0.so")))
    assert children()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == []
    assert list(bench.cache.glob("stages-*")) == []


async def test_what_the_design_passes_isnt_the_kernels_error(bench: Bench) -> None:
    stages, findings = await bench.explain(kernel(SOUND), scalar=6)
    scaled = stages[1]
    assert scaled.chain is not None
    assert scaled.local is not None
    assert scaled.chain.slope == pytest.approx(2)
    assert scaled.local.slope == 1
    assert scaled.local_error == 0
    finding = only(findings)
    assert (finding.id, finding.evidence["slope"]) == ("stage-scaled", pytest.approx(2))


async def test_a_wrong_factor_in_the_kernel_is(bench: Bench) -> None:
    _, findings = await bench.explain(kernel(SOUND.replace("half * n", "half * n * 4")))
    finding = only(findings)
    assert (finding.id, finding.severity) == ("error-enters-at", "error")
    assert finding.message == "the error enters at scaled: 4 times what the spec gives"


async def test_a_run_that_passes_has_no_error_to_find(bench: Bench) -> None:
    text = kernel(SOUND.replace("half * n", "half * n * 4"))
    assert (await bench.explain(text, passed=True))[1] == ()


async def test_damage_enters_where_memory_is_overwritten(bench: Bench) -> None:
    # The array reaches from the stack into x, of which the second half of what is read is then
    # something else; with the stack apart nothing happens.
    body = "volatile int32_t local[400];\nfor (int i = 0; i < 400; i++) local[i] = 12345;\n" + SOUND
    stages, findings = await bench.explain(kernel(body), stack=", stack_size = 1024 : i32")
    finding = only(findings)
    assert finding.id == "damage-enters-at"
    assert finding.evidence["stage"] == "halved"
    halved = stages[0]
    assert halved.correlation == 1
    assert halved.damaged is not None
    assert 0 < halved.damaged < 1
    assert halved.memory is not None
    assert (halved.memory.correlation or 0) < 0.9


async def test_floats_of_either_size(bench: Bench) -> None:
    bench.spec(
        'Stage("f", "float32", (256,), real), Stage("b", "bfloat16", (256,), real), '
        'Stage("bits", "bfloat16", (256,), real)',
        """
        def real(tensors, scalars, earlier):
            return tensors["x"][:256] / 16
        """,
    )
    body = """\
    for (int i = 0; i < 256; i++) {
        float f = x[i] / 16.0f;
        union { float f; uint16_t half[2]; __bf16 b[2]; } raw = {f};
        NPU_STAGE("f", &f, 1);
        NPU_STAGE("b", &raw.b[1], 1);
        NPU_STAGE("bits", &raw.half[1], 1);
        y[i] = (int32_t)f * n;
    }
    """
    stages, findings = await bench.explain(kernel(body))
    exact, rounded, bits = (stage.local_error or 0 for stage in stages)
    assert exact == 0
    assert 0 < rounded < 2**-7
    assert bits == rounded
    assert {finding.id for finding in findings} == {"error-enters-at"}


async def test_not_a_number(bench: Bench) -> None:
    bench.spec('Stage("f", "float32", (256,), halved)')
    body = """\
    float zero = (float)(n - n);
    for (int i = 0; i < 256; i++) {
        float f = i == 7 ? zero / zero : (float)(x[i] >> 1);
        NPU_STAGE("f", &f, 1);
        y[i] = i;
    }
    """
    (stage,), findings = await bench.explain(kernel(body))
    assert (stage.correlation, stage.local_error) == (None, 1)
    assert np.isfinite([stage.low or np.nan, stage.high or np.nan]).all()
    assert "1 elements are NaN or infinite" in only(findings).message
