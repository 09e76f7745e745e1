"""Broken specs through the real child process: one sentence each, at the author's file:line."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.process.procs import children, until
from tests.spec.conftest import GOOD, HEAD, TAIL, Workshop
from workbench.errors import SpecError
from workbench.spec.cases import BrokenSpec

HELPER = """\
def fine():
    return 1

def broken():
    raise ValueError("first line\\nsecond line")
"""

BROKEN = {
    "syntax error": (GOOD + "\nx = (\n", "kernel.py:19: syntax error: '(' was never closed"),
    "null bytes": (
        "x = 1\0\n",
        "kernel.py:1: SyntaxError: source code string cannot contain null",
    ),
    "not UTF-8": ("x = '\udcff'\n", "kernel.py:1: syntax error: "),
    "syntax error in a helper": (
        "import bad\n" + GOOD,
        "bad.py:2: syntax error: invalid syntax",
    ),
    "exception in a helper": (
        "import helper\nhelper.broken()\n" + GOOD,
        "helper.py:5: ValueError: first line",
    ),
    "missing module": (
        "\nimport nothing_of_that_name\n",
        "kernel.py:2: ModuleNotFoundError: No module named 'nothing_of_that_name'",
    ),
    "no SPEC": (
        "SPECS = 1\n",
        "kernel.py:1: the spec defines no SPEC (assign SPEC = Spec(...))",
    ),
    "unknown metric": (
        GOOD.replace('"exact"', '"accuracy"'),
        "kernel.py:16: criterion on unknown metric 'accuracy' (use correlation, ",
    ),
    "missing argument": (
        GOOD.replace('    function="kernel",\n', ""),
        "kernel.py:7: TypeError: Spec.__init__() missing 1 required keyword-only argument",
    ),
    "wrong dtype": (
        GOOD.replace("    return", "    return 1j *"),
        "kernel.py:4: the reference gives y as complex128 (4, 8), the spec declares int16 (4, 8)",
    ),
    "no number in the reference": (
        GOOD.replace("    return", "    return float('nan') *"),
        "kernel.py:4: the reference gives NaN for y, int16",
    ),
    "wrong shape": (
        GOOD.replace('return tensors["x"]', 'return tensors["x"][:2]').replace("+ ", "#"),
        "kernel.py:4: the reference gives y as int16 (2, 8), the spec declares int16 (4, 8)",
    ),
    "no answer": (
        GOOD.replace("    return", "    None #"),
        "kernel.py:4: the reference gives y as object ()",
    ),
    "exception in the reference": (
        GOOD.replace('tensors["x"] +', 'tensors["w"] +'),
        "kernel.py:5: KeyError: 'w'",
    ),
    "generator without the tensor": (
        GOOD.replace("uniform(-8, 8)", "lambda tensors, random: {}"),
        "kernel.py:15: input set 'small' gives no tensor 'x'",
    ),
    "generator of something else": (
        GOOD.replace("uniform(-8, 8)", "lambda tensors, random: [1]"),
        "kernel.py:15: input set 'small' gives no mapping",
    ),
    "range that fits no element": (
        GOOD.replace("uniform(-8, 8)", "uniform(-8, 70000)"),
        "kernel.py:1: ValueError: high is out of bounds for int16",
    ),
    "sys.exit": ("import sys\nsys.exit(3)\n", "kernel.py:2: the spec ends its process (exit 3)"),
    "endless recursion": (
        "def f():\n    f()\nf()\n",
        "kernel.py:2: RecursionError: maximum recursion depth exceeded",
    ),
    "os._exit": (
        "import os\nos._exit(4)\n",
        "kernel.py: the spec's process ended before it was done (exit 4)",
    ),
    "crash": (
        "import os\nos.kill(os.getpid(), 11)\n",
        "kernel.py: the spec's process ended before it was done (SIGSEGV)",
    ),
    "stdout closed": (
        "import os\nos.closerange(0, 50)\n" + GOOD,
        "kernel.py: the spec's process ended before it was done",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_spec_is_one_sentence(name: str, workshop: Workshop) -> None:
    text, sentence = BROKEN[name]
    workshop.write(HELPER, "helper.py")
    workshop.write("x = 1\nx = = 2\n", "bad.py")
    workshop.spec.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SpecError) as broken:
        await workshop.load()
    assert str(broken.value).startswith(sentence)
    assert "\n" not in str(broken.value)
    assert not any("Traceback" in line for line in workshop.log)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("\nwhile True: pass\n", "kernel.py:2"),
        (GOOD.replace("    return", "    import time; time.sleep(100)\n    return"), "kernel.py:5"),
        ("import helper\n\nhelper.loop()\n", "helper.py:2"),
    ],
    ids=["loop", "sleep in the reference", "loop in a helper"],
)
async def test_a_spec_that_hangs_is_killed(
    text: str, where: str, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.spec.load.GRACE_S", 20)  # a busy machine starts Python slowly
    before = children()
    workshop.write("def loop():\n    while True: pass\n", "helper.py")
    workshop.write(text)
    with pytest.raises(SpecError) as hanging:
        await workshop.load(limit_s=0.5)
    assert str(hanging.value) == f"{where}: the spec took longer than 0.5 s"
    assert children() == before


async def test_a_spec_that_cannot_be_interrupted_is_killed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.spec.load.GRACE_S", 0.2)
    before = children()
    deaf = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass\n"
    workshop.write(deaf)
    started = time.monotonic()
    with pytest.raises(SpecError, match=r"the spec took longer than 0\.5 s") as hanging:
        await workshop.load(limit_s=0.5)
    assert time.monotonic() - started < 10
    assert hanging.value.where == "kernel.py"
    assert children() == before


async def test_a_cancelled_load_leaves_no_process(workshop: Workshop) -> None:
    before = children()
    workshop.write("print('ready')\nwhile True: pass\n")
    loading = asyncio.create_task(workshop.load())
    await until(lambda: workshop.log)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert children() == before


async def test_an_unknown_set_is_refused_cached_or_not(workshop: Workshop) -> None:
    workshop.write(GOOD)
    for _ in range(2):
        with pytest.raises(SpecError) as refused:
            await workshop.load("huge")
        assert str(refused.value) == ("kernel.py: no input set 'huge' (the spec has small, large)")


async def test_a_file_that_the_spec_misses_is_named(workshop: Workshop) -> None:
    workshop.write("import numpy as np\n\n\nnp.load('tiles.npz')\n")
    with pytest.raises(SpecError) as missing:
        await workshop.load()
    assert missing.value.message.startswith("can't use ")
    assert missing.value.message.endswith("tiles.npz: No such file or directory")
    assert missing.value.where == "kernel.py:4"


async def test_a_missing_spec(workshop: Workshop) -> None:
    with pytest.raises(SpecError) as missing:
        await workshop.load()
    assert str(missing.value) == "kernel.py: can't read the spec: No such file or directory"


async def test_a_cache_that_cannot_be_written(workshop: Workshop) -> None:
    workshop.write(GOOD)
    workshop.cache.write_text("this is a file")
    with pytest.raises(SpecError) as refused:
        await workshop.load()
    assert str(refused.value).startswith(f"{workshop.cache}: can't write to the cache: ")


async def test_what_may_mend_a_broken_spec_is_known(workshop: Workshop) -> None:
    helper = workshop.write("VALUE = 1\n", "helper.py")
    bad = workshop.write("x = = 1\n", "bad.py")
    workshop.write("from helper import OTHER\n" + GOOD)
    with pytest.raises(BrokenSpec) as broken:
        await workshop.load()
    assert set(broken.value.files) == {str(workshop.spec), str(helper)}
    workshop.write("import bad\n" + GOOD)
    with pytest.raises(BrokenSpec) as broken:
        await workshop.load()
    assert set(broken.value.files) == {str(workshop.spec), str(bad)}
    helper.write_text("OTHER = 1\n")
    workshop.write("from helper import OTHER\n" + HEAD + TAIL)
    await workshop.load()
