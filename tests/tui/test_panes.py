from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from textual.app import App, ComposeResult
from textual.content import Content

from tests.tui.scripted import off_at, result, rows, verdict
from workbench.loop.result import RunResult
from workbench.spec import Criterion
from workbench.tui.elements import elements_of
from workbench.tui.panes import PanesView
from workbench.verdict import Verdict

NAMES = ("reference", "device", "difference")


def of(shown: Verdict) -> RunResult:
    return result(1, "pass" if shown.passed else "fail", verdict=shown)


class PanesApp(App[None]):
    def __init__(self, shown: Verdict | None) -> None:
        super().__init__()
        self.panes = PanesView()
        self._shown = None if shown is None else of(shown)

    def get_css_variables(self) -> dict[str, str]:
        theme = super().get_css_variables()
        return {**theme, "wb-pass": "green", "wb-warn": "yellow", "wb-fail": "red"}

    def compose(self) -> ComposeResult:
        yield self.panes

    def on_mount(self) -> None:
        self.panes.focus()
        self.panes.show(self._shown, mark="")


def title(panes: PanesView) -> str:
    return panes.title().plain


async def test_opens_at_the_worst_element() -> None:
    async with (app := PanesApp(verdict(off_at(17, 42, 9)))).run_test(size=(130, 11)):
        assert title(app.panes) == (
            "out  [17,42] worst  reference 38  model 47  difference +9  "
            "rows 16–23/64  columns 40–47/64  mismatch 1 of 1"
        )
        assert [row.rstrip() for row in rows(app.panes)[:4]] == [
            f"    {'reference':<43}{'model':<43}difference",
            "     40   41   42   43   44   45   46   47 "
            "     40   41   42   43   44   45   46   47 "
            "    40  41  42  43  44  45  46  47",
            "16  -40  -33  -26  -19  -12   -5    2    9 "
            "    -40  -33  -26  -19  -12   -5    2    9 "
            "     ·   ·   ·   ·   ·   ·   ·   ·",
            "17   24   31   38   45   52   59  -62  -55 "
            "     24   31   47   45   52   59  -62  -55 "
            "     ·   ·  +9!  ·   ·   ·   ·   ·",
        ]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("l", (0, 1)),
        ("j", (1, 0)),
        ("right", (0, 1)),
        ("down", (1, 0)),
        ("pagedown", (8, 0)),
        ("L", (0, 8)),
        ("end", (0, 63)),
        ("G", (63, 0)),
        ("ctrl+end", (63, 0)),
    ],
)
async def test_keys_move_the_cursor_there_and_back(key: str, place: tuple[int, int]) -> None:
    back = {"l": "h", "j": "k", "right": "left", "down": "up", "pagedown": "K", "L": "H"}
    back |= {"end": "home", "G": "g", "ctrl+end": "ctrl+home"}
    async with (app := PanesApp(verdict())).run_test(size=(130, 11)) as pilot:
        await pilot.press(key)
        assert (app.panes.window.row, app.panes.window.column) == place
        await pilot.press(back[key])
        assert (app.panes.window.row, app.panes.window.column) == (0, 0)


async def test_a_moved_window_stays_over_new_verdicts_until_worst_is_asked_for() -> None:
    async with (app := PanesApp(verdict(off_at(17, 42, 9)))).run_test(size=(130, 11)) as pilot:
        app.panes.show(of(verdict(off_at(3, 5, 9))), mark="")
        assert (app.panes.window.row, app.panes.window.column) == (3, 5)
        await pilot.press("j")
        app.panes.show(of(verdict(off_at(50, 50, 9))), mark="")
        assert (app.panes.window.row, app.panes.window.column) == (4, 5)
        app.panes.show_worst()
        assert (app.panes.window.row, app.panes.window.column) == (50, 50)
        app.panes.show(of(verdict(off_at(9, 9, 9))), mark="")
        assert (app.panes.window.row, app.panes.window.column) == (9, 9)


async def test_another_shape_opens_anew() -> None:
    async with (app := PanesApp(verdict(off_at(60, 60, 9)))).run_test(size=(130, 11)) as pilot:
        await pilot.press("h")
        app.panes.show(of(verdict(shape=(3, 4))), mark="")
        assert (app.panes.window.rows, app.panes.window.columns) == (3, 4)
        assert len([row for row in rows(app.panes)[2:5] if row]) == 3


async def test_narrow_windows_show_what_fits_and_name_the_rest() -> None:
    async with (app := PanesApp(verdict(off_at(0, 0, 1)))).run_test(size=(80, 9)):
        assert rows(app.panes)[0].split() == ["model", "difference", "v:", "reference"]
        app.panes.show_others()
        assert rows(app.panes)[0].split() == ["reference", "difference", "v:", "model"]
    async with (app := PanesApp(verdict(off_at(0, 0, 1)))).run_test(size=(42, 9)):
        assert rows(app.panes)[0].split()[0] == "difference"


async def test_differences_are_marked_by_tolerance() -> None:
    def graded(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        device = reference.copy()
        device[0, :5] += np.array([0, 1, 4, 5, -5])
        return device

    async with (app := PanesApp(verdict(graded))).run_test(size=(42, 9)):
        assert rows(app.panes)[1][3:].split() == ["·", "+1", "+4~", "+5!", "-5!", "·", "·", "·"]


def floats(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    device = reference / 7
    device[0, :3] = [np.nan, np.inf, 1e-20]
    return device


async def test_floats_and_non_finite_elements_fit_their_cells() -> None:
    shown = verdict(floats, dtype="float32", criteria=[Criterion("correlation", ">=", 0.9)])
    async with (app := PanesApp(shown)).run_test(size=(160, 11)):
        first = rows(app.panes)[2].split()
        assert "nan" in first
        assert "inf" in first
        assert "1e-20" in first
        assert all(len(row) <= 160 for row in rows(app.panes))


def test_whole_numbers_are_seen_as_such() -> None:
    assert elements_of(verdict(), NAMES).whole
    assert not elements_of(verdict(floats, dtype="float32"), NAMES).whole


@pytest.mark.parametrize(
    ("criteria", "limit"),
    [
        ([Criterion("max_abs", "<=", 3)], 3),
        ([Criterion("within_5", ">=", 0.9)], 5),
        ([], 1),
    ],
)
def test_the_tolerance_is_the_criterions(criteria: list[Criterion], limit: float) -> None:
    assert elements_of(verdict(criteria=criteria), NAMES).limit == limit


async def test_stale_is_said() -> None:
    async with (app := PanesApp(shown := verdict())).run_test(size=(130, 11)):
        app.panes.show(of(shown), mark="STALE")
        assert title(app.panes).startswith("STALE")
        assert "STALE" in Content.from_markup(str(app.panes.border_title)).plain


async def test_nothing_to_show_yet() -> None:
    async with (app := PanesApp(None)).run_test(size=(130, 11)) as pilot:
        await pilot.press("j", "end", "pagedown")
        assert title(app.panes) == "panes"
        assert not any(rows(app.panes))
