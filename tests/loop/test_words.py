from __future__ import annotations

from workbench.device.choose import DeviceInfo
from workbench.loop.result import RunResult
from workbench.loop.words import explained_lines
from workbench.verdict import Finding

MODEL = DeviceInfo("model", "core model", "no NPU here")


def test_what_is_found_out_later_is_told_and_nothing_is_told_twice() -> None:
    told, more = (
        Finding(name, "error", "it is", "mend it", evidence={"bytes": 4}) for name in ("one", "two")
    )
    before, after = (
        RunResult(1, "crash", "k.c", MODEL, 42, 0.1, concerns=concerns)
        for concerns in ((told,), (told, more))
    )
    assert explained_lines(after, before) == ["error two: it is (mend it)"]
    assert len(explained_lines(after, None)) == 2
