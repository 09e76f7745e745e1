"""The memory map: its rows, its lines as literal text, and when it is on screen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.conftest import Open
from tests.tui.scripted import a_run, core_memory, off_at, result, rows, verdict, with_memory
from workbench.design.observed import CoreMemory, Overwritten
from workbench.loop.events import Saved
from workbench.tui.core_map import FREE, findings_of, rows_of, worst_first
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.panes import PanesView
from workbench.tui.screen import MainScreen
from workbench.verdict import Verdict

WRONG = verdict(off_at(17, 42, 9))
OVERRUN = with_memory(WRONG, core_memory(4512))
SOUND = with_memory(verdict(), core_memory(600))
OUTSIDE = Overwritten(
    reach="elsewhere",
    region=None,
    after="of_out_buff_0",
    first=0,
    last=3,
    address=0x7400,
    changed=4,
    calls=1,
    function="f",
    where="d.mlir:32",
)


def map_of(*cores: CoreMemory, judged: Verdict = WRONG) -> MemoryMap:
    shown = MemoryMap()
    shown._verdict = with_memory(judged, *cores)
    shown._cores = worst_first(shown._verdict)
    return shown


def plain(shown: MemoryMap, width: int = 90, height: int = 20) -> list[str]:
    return [line.plain.rstrip() for line in shown.lines(width, height)]


def test_an_overrun_at_one_look() -> None:
    assert plain(map_of(core_memory(4512)), 84) == [
        "✗ stack needs 4,512 B of 1,024 B (the default)",
        "█" * 16 + "╳" * 56,
        "1,024 B         └ overwrites of_QKV_cons_buff_0 = q rows 0-54",
        "→ set stack_size = 4768 : i32 on the core, or make scores (2,048 B) static, or pass",
        "a buffer  d.mlir:19",
        "address   bytes name",
        "0x0000    1,024 (stack)              ███",
        "0x0400   12,288 of_QKV_cons_buff_0 ✗ " + "╳" * 10 + "░" * 25 + " q rows 0-54",
        "0x3400   12,288 of_QKV_cons_buff_1   " + "░" * 35,
        "0x6400    4,096 of_out_buff_0        " + "░" * 12,
        "0x7400   35,840 free",
    ]


def test_victim_and_mend_come_first_where_there_is_little_room() -> None:
    assert plain(map_of(core_memory(4512)), 38, 6)[:6] == [
        "✗ stack needs 4,512 B of 1,024 B",
        "overwrites of_QKV_cons_buff_0 = q rows",
        "0-54",
        "→ set stack_size = 4768 : i32 on the",
        "core, or make scores (2,048 B) static, …",
        "address name",
    ]


def test_a_stack_that_fits() -> None:
    lines = plain(map_of(core_memory(600), judged=verdict()))
    assert lines[:2] == ["✓ stack needs 600 B of 1,024 B (the default)", "█" * 42 + "░" * 30]
    assert not any("╳" in line for line in lines)


def test_a_write_outside_is_marked_where_it_happened() -> None:
    lines = plain(map_of(core_memory(600, more=(OUTSIDE,))))
    assert lines[2].startswith("✗ f writes 4 bytes outside its buffers")
    assert lines[-1].startswith("0x7400   35,840 free               ✗ ╳")
    assert lines[-1].endswith("bytes 0 to 3")


def test_an_input_that_the_kernel_changes_is_a_warning() -> None:
    changed = replace(OUTSIDE, reach="input", region="of_QKV_cons_buff_1", address=0x3400)
    lines = plain(map_of(core_memory(600, more=(changed,))))
    assert next(line for line in lines if "╳" in line).startswith(
        "0x3400   12,288 of_QKV_cons_buff_1 ~ ╳░░"
    )


def test_the_worst_core_comes_first() -> None:
    cores = (core_memory(700), core_memory(4512, (1, 2)), core_memory(900, (2, 2)))
    judged = with_memory(WRONG, *cores)
    assert [core.tile for core in worst_first(judged)] == [(1, 2), (2, 2), (0, 2)]
    assert findings_of(judged, cores[0]) == ()


def test_nothing_known_is_said() -> None:
    shown = MemoryMap()
    assert plain(shown) == ["the map comes with the first verdict"]
    shown._verdict = verdict()
    assert plain(shown) == ["the device doesn't tell what its memory holds"]


@given(need=st.integers(0, 70000), width=st.integers(1, 200), height=st.integers(1, 40))
def test_any_stack_at_any_size(need: int, width: int, height: int) -> None:
    shown = map_of(core_memory(need))
    assert plain(shown, width, height)
    core = shown._cores[0]
    found = rows_of(core, findings_of(shown._verdict or WRONG, core))
    assert [row.address for row in found] == sorted(row.address for row in found)
    assert sum(row.bytes for row in found) == 65536
    assert any(row.hit for row in found) == (need > 1024)
    for row in found:
        assert row.hit is None or 0 <= row.hit[0] <= row.hit[1]
    assert found[-1].name == FREE


async def test_unasked_only_with_room_and_a_cause(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        shown = app.screen.query_one(MemoryMap)
        app.emit(*a_run(result(1, verdict=SOUND)))
        await pilot.pause()
        assert not shown.display
        app.emit(*a_run(replace(result(2, "fail", verdict=OVERRUN), explained=True)))
        await pilot.pause()
        assert shown.display
        assert app.screen.query_one(LogView).region.width > 30
        assert isinstance(app.focused, PanesView)
        app.emit(Saved(2, ()))
        await pilot.pause()
        assert shown.display
        assert str(shown.border_title).startswith("memory  STALE  core (0,2)")
        await pilot.press("M")
        assert not shown.display
        app.emit(*a_run(result(3, "fail", verdict=OVERRUN)))
        await pilot.pause()
        assert not shown.display


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 34), (160, 45), (200, 50)])
async def test_by_key_at_any_size(open_app: Open, size: tuple[int, int]) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(result(1, verdict=SOUND)))
        await pilot.pause()
        await pilot.press("M")
        await pilot.pause()
        shown = app.screen.query_one(MemoryMap)
        assert app.focused is shown
        assert rows(shown)[0].startswith("✓ stack needs 600 B of 1,024 B")
        await pilot.press("escape")
        await pilot.pause()
        assert not shown.display
        assert app.focused is not None
        assert app.focused is not shown
        await pilot.press("M", "M")
        await pilot.pause()
        assert not shown.display


async def test_other_cores_by_key(open_app: Open) -> None:
    judged = with_memory(WRONG, core_memory(600), core_memory(4512, (1, 2)))
    async with open_app((80, 24)) as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=judged)))
        await pilot.pause()
        await pilot.press("M")
        shown = app.screen.query_one(MemoryMap)
        assert str(shown.border_title) == "memory  core (1,2) ✗   c: others, (0,2)"
        await pilot.press("c")
        assert str(shown.border_title) == "memory  core (0,2)   c: others, (1,2) ✗"
        assert rows(shown)[0].startswith("✓ stack needs 600 B")
        app.emit(*a_run(result(2, "fail", verdict=judged)))
        await pilot.pause()
        assert str(shown.border_title).startswith("memory  core (0,2)")
        await pilot.press("left")
        assert "core (1,2)" in str(shown.border_title)
        assert isinstance(app.screen, MainScreen)
