"""Input sets that bring a constant of their own, which a built design can't be passed."""

from __future__ import annotations

from tests.headless.command import check, run
from tests.projects import Project


def test_a_set_with_a_constant_is_for_the_model(npu_project: Project) -> None:
    project = npu_project
    brings = 'lambda t, random: {**uniform(1, 3)(t, random), "factor": 5}'
    project.edit(project.spec, "uniform(1, 2)", brings)
    done = run("check", "kernels/scale.c", "--device", "npu", "--inputs", "ones")
    assert (done.code, done.out) == (2, "")
    assert done.sentence == (
        "kernels/scale.py: input set ones brings factor = 5, but on the NPU the design decides "
        "(--device model passes it; for the NPU write a design that does)"
    )
    assert check("kernels/scale.c", "--device", "model", "--inputs", "ones").code == 0
