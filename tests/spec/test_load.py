"""Good specs through the real child process: what comes back, and when it is computed again."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from tests.process.procs import children
from tests.spec.conftest import GOOD, HEAD, Workshop
from workbench import process
from workbench.manifest import sha256_file
from workbench.spec.cases import Case, LoadedSpec
from workbench.spec.load import load_case


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The processes that are started, for real."""
    started: list[str] = []

    class Counted(process.Process):
        def __init__(self, *args: object, **options: object) -> None:
            started.append("child")
            super().__init__(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("workbench.spec.load.Process", Counted)
    return started


def same(one: tuple[LoadedSpec, Case], two: tuple[LoadedSpec, Case]) -> bool:
    (spec, case), (other_spec, other) = one, two
    return spec == other_spec and all(
        np.array_equal(a[name], b[name]) and a[name].dtype == b[name].dtype
        for a, b in ((case.inputs, other.inputs), (case.reference, other.reference))
        for name in a
    )


async def test_a_good_spec(workshop: Workshop) -> None:
    workshop.write(GOOD)
    loaded, case = await workshop.load()
    assert loaded.path == workshop.spec
    assert loaded.files == {str(workshop.spec): sha256_file(workshop.spec)}
    promise = loaded.promise
    assert promise.design == str(workshop.folder / "design.mlir")
    assert (promise.input_sets, promise.allocation) == (("small", "large"), "bank-aware")
    assert (case.set_name, case.seed) == ("small", 42)
    x = np.random.RandomState(42).randint(-8, 8, (4, 8), dtype=np.int16)
    assert np.array_equal(case.inputs["x"], x)
    assert np.array_equal(case.reference["y"], x + x)
    assert case.inputs["x"].dtype == case.reference["y"].dtype == np.int16
    assert sorted(p.name for p in workshop.folder.iterdir()) == ["kernel.py"]


async def test_the_second_time_no_process_is_needed(workshop: Workshop, runs: list[str]) -> None:
    workshop.write(GOOD)
    first = await workshop.load()
    os.utime(workshop.spec)
    started = time.perf_counter()
    again = await workshop.load()
    assert time.perf_counter() - started < 0.05
    assert len(runs) == 1
    assert same(first, again)


async def test_each_set_and_seed_is_a_case(workshop: Workshop, runs: list[str]) -> None:
    workshop.write(GOOD)
    for _ in range(2):
        cases = [
            (await workshop.load(name, seed))[1].inputs["x"].tobytes()
            for name, seed in (("small", 1), ("small", 2), ("large", 1))
        ]
        assert len(set(cases)) == 3
    assert len(runs) == 3


async def test_an_edited_spec_is_run_again(workshop: Workshop, runs: list[str]) -> None:
    workshop.write(GOOD)
    first = await workshop.load()
    workshop.write(GOOD.replace('+ tensors["x"]', "* 3"))
    _, case = await workshop.load()
    assert np.array_equal(case.reference["y"], 3 * case.inputs["x"])
    workshop.write(GOOD)
    assert same(first, await workshop.load())
    assert len(runs) == 2


HELPED = GOOD.replace('return tensors["x"] +', "from helper import add; return add(").replace(
    'tensors["x"]\n', 'tensors["x"], tensors["x"])\n', 1
)


@pytest.mark.parametrize(
    "text", [HELPED, "import helper\n" + HELPED], ids=["imported late", "imported at once"]
)
async def test_an_edited_helper_is_run_again(
    text: str, workshop: Workshop, runs: list[str]
) -> None:
    workshop.write(text)
    helper = workshop.write("def add(a, b):\n    return a + b\n", "helper.py")
    for operator in "+-*":
        # As fast as this, and of the same size: Python's own cache would take one for the other.
        workshop.write(f"def add(a, b):\n    return a {operator} b\n", "helper.py")
        loaded, case = await workshop.load()
        x = case.inputs["x"].astype(np.int16)
        assert np.array_equal(case.reference["y"], {"+": x + x, "-": x - x, "*": x * x}[operator])
        assert loaded.files[str(helper)] == sha256_file(helper)
        os.utime(helper)
        assert (await workshop.load())[0] == loaded
    assert len(runs) == 3
    assert not list(workshop.folder.rglob("__pycache__"))


async def test_packages_and_data_of_the_author_are_files_too(
    workshop: Workshop, runs: list[str]
) -> None:
    package = workshop.write("from . import inner\n", "mine/__init__.py")
    inner = workshop.write("OFFSET = 1\n", "mine/inner.py")
    data = workshop.folder.parent / "data.npy"
    np.save(data, np.int16(7))
    text = GOOD.replace("def ref", "import mine\ndef ref").replace(
        'return tensors["x"]', 'return np.load("../data.npy") + mine.inner.OFFSET + tensors["x"]'
    )
    workshop.write(text)
    loaded, case = await workshop.load()
    assert set(loaded.files) == {str(p) for p in (workshop.spec, package, inner, data)}
    assert np.array_equal(case.reference["y"], 2 * case.inputs["x"] + 8)
    np.save(data, np.int16(8))
    _, case = await workshop.load()
    assert np.array_equal(case.reference["y"], 2 * case.inputs["x"] + 9)
    assert len(runs) == 2


async def test_hidden_and_written_files_are_none_of_them(workshop: Workshop) -> None:
    workshop.write("secret", ".hidden/x.txt")
    opened = 'open(".hidden/x.txt").read(); open("made.txt", "w").close(); open("/etc/passwd")\n'
    workshop.write(opened + GOOD)
    loaded, _ = await workshop.load()
    assert set(loaded.files) == {str(workshop.spec)}


async def test_a_spec_that_builds_on_another(workshop: Workshop) -> None:
    workshop.write(GOOD, "base.py")
    workshop.write(
        """\
        from dataclasses import replace
        import base
        SPEC = replace(base.SPEC, criteria=[])
        """
    )
    loaded, _ = await workshop.load()
    assert set(loaded.files) == {str(workshop.spec), str(workshop.folder / "base.py")}
    assert loaded.promise.criteria == ()


@pytest.mark.parametrize("name", ["json.py", "numpy.py", "attention 1.py", "größe;$(id).py"])
async def test_names_of_specs(name: str, workshop: Workshop) -> None:
    workshop.spec = workshop.folder / name
    dataclass = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    workshop.write("from __future__ import annotations\n" + dataclass + GOOD, name)
    _, case = await workshop.load()
    assert np.array_equal(case.reference["y"], 2 * case.inputs["x"])


async def test_what_a_spec_prints_is_its_log(workshop: Workshop) -> None:
    noise = (
        'print("hello")\nimport os, sys\nos.write(1, b"raw\\n")\nprint("err", file=sys.stderr)\n'
    )
    workshop.write(noise + GOOD.replace("    return", '    print(tensors["x"].shape)\n    return'))
    await workshop.load()
    assert workshop.log == ["hello", "raw", "err", "(4, 8)"]


async def test_inputs_are_the_references_own(workshop: Workshop) -> None:
    workshop.write(GOOD.replace("    return", '    tensors["x"] *= 0\n    return'))
    _, case = await workshop.load()
    assert case.inputs["x"].any()
    assert not case.reference["y"].any()


async def test_several_outputs_and_an_inout(workshop: Workshop) -> None:
    workshop.write(
        HEAD
        + """
def both(tensors, scalars):
    return {"y": tensors["x"] * scalars["gain"], "z": tensors["z"].astype(np.float32)}

SPEC = Spec(
    design="d.mlir", function="f", reference=both, inputs={"a": uniform(0, 9)},
    scalars=[Scalar("gain", 2, 3)],
    buffers=[
        HostBuffer((Tensor("x", "int32", (3,)),)),
        HostBuffer((Tensor("y", "int32", (3,)), Tensor("z", "float32", (2, 2, 2))), "inout"),
    ],
)
""".replace('{"y": tensors["x"] * scalars["gain"]', '{"y": tensors["x"] * int(scalars["gain"])')
    )
    _, case = await workshop.load()
    assert set(case.inputs) == {"x", "y", "z"}
    assert np.array_equal(case.reference["y"], 3 * case.inputs["x"])
    assert np.array_equal(case.reference["z"], case.inputs["z"])


async def test_bfloat16_is_stored_as_bits(workshop: Workshop) -> None:
    text = GOOD.replace("int16", "bfloat16").replace('tensors["x"] + tensors["x"]', "answer()")
    for answer in ("np.full((4, 8), 1.5, np.float32)", "np.full((4, 8), 0x3FC0, np.uint16)"):
        workshop.write(text + f"\ndef answer(): return {answer}\n")
        _, case = await workshop.load()
        assert case.inputs["x"].dtype == np.uint16
        assert (case.reference["y"] == 0x3FC0).all()


async def test_a_reference_in_floats_is_rounded(workshop: Workshop) -> None:
    answer = "np.resize([0.5, 1.5, 2.5, -0.5, 4e4, -np.inf], (4, 8))"
    workshop.write(GOOD.replace('tensors["x"] + tensors["x"]', answer))
    for _ in ("computed", "cached"):
        _, case = await workshop.load()
        assert case.reference["y"].dtype == np.int16
        assert case.reference["y"].flat[:6].tolist() == [0, 2, 2, 0, 32767, -32768]
        assert case.ideal["y"].flat[:5].tolist() == [0.5, 1.5, 2.5, -0.5, 4e4]
    workshop.write(GOOD)
    assert (await workshop.load())[1].ideal == {}


async def test_torch_tensors(workshop: Workshop) -> None:
    pair = 'Tensor("y", "int16", (4, 8)), Tensor("z", "bfloat16", (2,))'
    text = GOOD.replace('Tensor("y", "int16", (4, 8)),', f"{pair},").replace(
        'tensors["x"] + tensors["x"]',
        '{"y": 2 * torch.from_numpy(tensors["x"]), "z": torch.ones(2).bfloat16()}',
    )
    workshop.write("import torch\n" + text)
    loaded, case = await workshop.load()
    assert np.array_equal(case.reference["y"], 2 * case.inputs["x"])
    assert (case.reference["z"] == 0x3F80).all()
    assert set(loaded.files) == {str(workshop.spec)}


@pytest.mark.parametrize("damage", ["", "half", "gone"])
async def test_a_damaged_cache_is_computed_again(
    damage: str, workshop: Workshop, runs: list[str]
) -> None:
    workshop.write(GOOD)
    first = await workshop.load()
    (arrays,) = workshop.cache.glob("cases/*.npz")
    if damage == "gone":
        arrays.unlink()
    else:
        arrays.write_bytes(arrays.read_bytes()[:200] if damage else b"")
    assert same(first, await workshop.load())
    assert len(runs) == 2


async def test_the_oldest_cases_are_deleted(workshop: Workshop) -> None:
    workshop.write(GOOD)
    for kind in ("cases", "promises"):
        (workshop.cache / kind).mkdir(parents=True)
        for number in range(150):
            old = workshop.cache / kind / f"{number}.json"
            old.touch()
            os.utime(old, (number, number))
    await workshop.load()
    await workshop.load()
    assert len(list((workshop.cache / "cases").iterdir())) == 100
    assert len(list((workshop.cache / "promises").iterdir())) == 100


async def test_no_process_stays_behind(workshop: Workshop) -> None:
    before = children()
    workshop.write("import subprocess; subprocess.Popen(['sleep', '100'])\n" + GOOD)
    await workshop.load()
    assert children() == before


async def test_threads_that_a_spec_leaves_behind_hold_nothing_up(workshop: Workshop) -> None:
    late = "import atexit, threading, time\natexit.register(time.sleep, 100)\n"
    thread = "threading.Thread(target=time.sleep, args=(100,)).start()\n"
    workshop.write(late + thread + GOOD)
    started = time.monotonic()
    await load_case(workshop.request(), workshop.log.extend, 60)
    assert time.monotonic() - started < 20
