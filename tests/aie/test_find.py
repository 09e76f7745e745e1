from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import SetUp
from tests.process.procs import children
from workbench.build.aie.find import Machine, find_machine
from workbench.build.aie.probe import Probe
from workbench.build.aie.runtime import PINNED_BYTES, memlock
from workbench.build.aie.tools import Generation, told_apart
from workbench.settings import Limits, Paths, Settings

MINOR = ".".join(map(str, sys.version_info[:2]))


def probe(machine: Machine, name: str) -> Probe:
    return next(probe for probe in machine.probes if probe.name == name)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["aiecc.py 19cce64c"], ("A", "19cce64c")),
        (["aiecc (C++ version) 1e400306"], ("B", "1e400306")),
        (["aiecc (mlir-aie declarative driver)", "git SHA: abc123"], ("C", "abc123")),
        (["aiecc (mlir-aie declarative driver)"], ("C", "version unknown")),
        (["USAGE: aiecc [options]", "  --get-xclbin   - ..."], ("C", "version unknown")),
        (["usage: aiecc.py [-h] ..."], ("A", "version unknown")),
        (["LLVM (http://llvm.org/):", "  LLVM version 20.0.0git"], None),
        (["aiecc.py: error: unrecognized arguments: --aie-version"], None),
        ([], None),
    ],
)
def test_generations_are_told_apart(lines: list[str], told: tuple[Generation, str] | None) -> None:
    assert told_apart(lines) == told


@pytest.mark.parametrize("generation", ["A", "B", "C"])
async def test_everything_is_found(generation: str, set_up_machine: SetUp) -> None:
    here = set_up_machine(generation)
    machine = await find_machine(Settings(paths=Paths(device=here.device)))
    toolchain = machine.toolchain
    assert toolchain is not None
    assert toolchain.generation == generation
    assert toolchain.peano == here.peano
    assert toolchain.aiecc.parent == here.root / "mlir_aie" / "bin"
    assert toolchain.include == here.root / "mlir_aie" / "include"
    assert ("alloc-scheme" in toolchain.options) == (generation == "B")
    assert machine.no_build is None
    assert probe(machine, "Peano").version == (
        "clang version 19.0.0 (Xilinx/llvm-aie 3a6f2d1c9b0e4f57a8d2c6e1b4f09d83)"
    )
    assert probe(machine, "xclbinutil").version == "2.18.0"
    assert probe(machine, "xrt-smi").version == (
        "NPU Phoenix, XRT 2.18.0, amdxdna 2.18.0_20251101, firmware 1.5.2.380"
    )
    assert probe(machine, "pyxrt").version == f"Python {MINOR}"
    assert children() == []
    if probe(machine, "memlock").ok:
        assert machine.no_npu is None
        assert machine.runtime is not None
        assert machine.runtime.family == "npu1"
        assert machine.runtime.python == Path(sys.executable)
        assert machine.runtime.pythonpath == here.xrt / "python"


async def test_nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    machine = await find_machine(Settings(paths=Paths(device=tmp_path / "accel0")))
    assert machine.toolchain is None
    assert machine.runtime is None
    assert machine.no_build == "there is no Peano here"
    assert machine.no_npu is not None
    assert machine.no_npu.startswith(f"no {tmp_path}/accel0 here: ")
    for one in machine.probes:
        assert one.ok or (one.problem and one.cost and one.mend), one


@pytest.mark.parametrize(
    ("without", "sentence", "cost"),
    [
        ("clang", "Peano: PEANO_INSTALL_DIR = {root}/llvm-aie holds no bin/clang", "compiled"),
        ("aiecc", "there is no aiecc here", "designs"),
        ("xclbinutil", "there is no xclbinutil here", "ends with exit 0 and no xclbin"),
    ],
)
async def test_what_is_missing_is_said_with_its_cost(
    without: str, sentence: str, cost: str, set_up_machine: SetUp
) -> None:
    here = set_up_machine("B", (without,))
    machine = await find_machine(Settings())
    assert machine.toolchain is None
    assert machine.no_build == sentence.format(root=here.root)
    missing = next(
        p for p in machine.probes if p.name in ("Peano", "aiecc", "xclbinutil") if not p.ok
    )
    assert missing.cost is not None
    assert cost in missing.cost


async def test_settings_win_and_are_never_passed_over(set_up_machine: SetUp) -> None:
    here = set_up_machine("A")
    nowhere = here.root / "nowhere"
    paths = Paths(peano=nowhere, aiecc=nowhere, xclbinutil=nowhere, xrt=nowhere, python=nowhere)
    machine = await find_machine(Settings(paths=paths))
    for name in ("Peano", "aiecc", "xclbinutil", "XRT", "pyxrt"):
        assert str(nowhere) in (probe(machine, name).problem or ""), name


async def test_the_machines_own_clang_is_no_peano(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("clang", "clang++"):
        script = tmp_path / "bin" / name
        script.write_text("#!/bin/sh\necho Debian clang version 19.1.0\n")
        script.chmod(0o755)
    monkeypatch.setenv("PEANO_INSTALL_DIR", str(tmp_path))
    machine = await find_machine(Settings())
    assert "is not Peano's" in (probe(machine, "Peano").problem or "")


async def test_an_aiecc_without_its_python(
    set_up_machine: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = set_up_machine("A", own=True)
    aiecc = here.root / "mlir_aie" / "bin" / "aiecc.py"
    aiecc.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'aie'\" >&2\nexit 1\n")
    machine = await find_machine(Settings())
    found = probe(machine, "aiecc")
    assert "aiecc.py ended with exit 1; it says: ModuleNotFoundError" in (found.problem or "")
    assert found.mend is not None
    assert "activate the venv" in found.mend


async def test_a_tool_that_hangs_does_not_hang_us(set_up_machine: SetUp) -> None:
    here = set_up_machine("C", own=True)
    clang = here.peano / "bin" / "clang"
    clang.write_text("#!/bin/sh\nsleep 600 & sleep 600\n")
    began = time.monotonic()
    machine = await find_machine(Settings(limits=Limits(probe=2.0)))
    assert time.monotonic() - began < 60
    assert "clang gave no answer in 2 s" in (probe(machine, "Peano").problem or "")
    assert children() == []


async def test_an_npu_that_xrt_smi_does_not_see(
    set_up_machine: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("A")
    monkeypatch.setenv("NPU_DOUBLE", "smi")
    found = probe(await find_machine(Settings()), "xrt-smi")
    assert "No such device with index '0'" in (found.problem or "")


@pytest.mark.parametrize(("npu", "family"), [("Strix", "npu2"), ("Krackan", "npu2")])
async def test_families(
    npu: str, family: str, set_up_machine: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = set_up_machine("C")
    monkeypatch.setenv("NPU_DOUBLE", f"npu={npu}")
    machine = await find_machine(Settings(paths=Paths(device=here.device)))
    if machine.runtime is not None:
        assert machine.runtime.family == family


async def test_a_pyxrt_for_another_python(set_up_machine: SetUp, tmp_path: Path) -> None:
    here = set_up_machine("A", ("pyxrt",))
    (here.xrt / "python").mkdir()
    (here.xrt / "python" / "pyxrt.cpython-399-x86_64-linux-gnu.so").touch()
    found = probe(await find_machine(Settings()), "pyxrt")
    assert "is built for Python 3.99, which is not installed" in (found.problem or "")
    assert found.mend is not None
    assert "can't be had by pip" in found.mend


async def test_a_pyxrt_that_does_not_load(set_up_machine: SetUp) -> None:
    here = set_up_machine("A", ("pyxrt",))
    (here.xrt / "python").mkdir()
    tag = MINOR.replace(".", "")
    (here.xrt / "python" / f"pyxrt.cpython-{tag}-x86_64-linux-gnu.so").write_text("no library")
    found = probe(await find_machine(Settings()), "pyxrt")
    assert "can't import it: ImportError" in (found.problem or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")
async def test_a_device_that_is_not_ours(tmp_path: Path) -> None:
    node = tmp_path / "accel0"
    node.touch(0o000)
    found = probe(await find_machine(Settings(paths=Paths(device=node))), "device")
    assert "no permission" in (found.problem or "")
    assert "render" in (found.mend or "")


@pytest.mark.parametrize(
    ("limit", "privileged", "ok"),
    [
        (resource.RLIM_INFINITY, False, True),
        (8 * 1024 * 1024, False, False),
        (PINNED_BYTES, False, False),
        (PINNED_BYTES + 1, False, True),
        (8 * 1024 * 1024, True, True),
    ],
)
def test_locked_memory(limit: int, privileged: bool, ok: bool) -> None:
    found = memlock(limit, privileged)
    assert found.ok == ok
    assert ok or "memlock" in (found.mend or "")
