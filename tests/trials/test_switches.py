"""Switches of a source: what they are without a word on the command line, and otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.trials.switches import Switch, find_switch

SOURCES = {
    "#ifndef FAST\n#define FAST 1\n#endif\n": Switch("FAST", "1", "0"),
    "#ifndef FAST\n\n  #  define FAST 0 // off\n#endif\n": Switch("FAST", "0", "1"),
    "#if !defined(FAST)\n#define FAST\n#endif\n": Switch("FAST", "1", "0"),
    "#ifdef FAST\n#endif\n": Switch("FAST", "0", "1"),
    "#ifndef FAST\n#endif\n": Switch("FAST", "0", "1"),
    "#if A\n#elif defined(FAST) && B\n#endif\n": Switch("FAST", "0", "1"),
    "# if FAST > 1\n#endif\n": Switch("FAST", "0", "1"),
    "#ifdef FASTER\n#endif\n": None,
    "int FAST; // if FAST\n": None,
    "": None,
}


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_source_says(tmp_path: Path, source: str) -> None:
    file = tmp_path / "kernel.c"
    file.write_text(source)
    assert find_switch("FAST", file) == SOURCES[source]


def test_one_that_the_source_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path("kernel.c")
    file.write_text("\n#define FAST 1\n#if FAST\n#endif\n")
    with pytest.raises(UsageError) as error:
        find_switch("FAST", file)
    assert str(error.value) == (
        "kernel.c:2: the switch FAST is defined whatever the command line says "
        "(put #ifndef FAST and #endif around its #define)"
    )
