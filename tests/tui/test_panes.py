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
        assert title(app.panes).startswith("out  STALE  [0,0]")
        assert "STALE" in Content.from_markup(str(app.panes.border_title)).plain


@pytest.mark.parametrize(
    ("width", "told"),
    [
        (
            104,
            "out  [17,42] worst  ref 38  model 47  diff +9  "
            "rows 16–23/64  columns 40–47/64  mismatch 1 of 1",
        ),
        (78, "out  [17,42] worst  ref 38  model 47  diff +9  mismatch 1 of 1"),
        (60, "out  [17,42] worst  ref 38  model 47  diff +9"),
    ],
)
async def test_a_title_leaves_out_what_the_numbers_beside_the_elements_tell(
    width: int, told: str
) -> None:
    async with (app := PanesApp(verdict(off_at(17, 42, 9)))).run_test(size=(width, 10)):
        assert title(app.panes) == told
        names, columns, first, *_ = rows(app.panes)
        assert "difference" in names
        assert columns.split()[:8] == [str(column) for column in range(40, 48)]
        assert first.startswith("16 ")
        assert len(rows(app.panes)) == 10


async def test_all_levels_are_explained() -> None:
    async with (app := PanesApp(verdict())).run_test(size=(130, 12)):
        told = rows(app.panes)[-1].strip()
        assert told == "tolerance 1:  · equal  +n within  +n~ over  +n! over 4 times"


# With room for more than eight rows


def shown_columns(panes: PanesView) -> list[int]:
    return [int(number) for number in rows(panes)[1].split()]


def shown_rows(panes: PanesView) -> list[int]:
    window = panes.window
    numbers = [row.split()[0] for row in rows(panes)[2 : 3 + window.last_row - window.top]]
    return [int(number) for number in numbers]


@pytest.mark.parametrize(
    ("size", "shape", "height", "width", "panes"),
    [
        ((158, 49), (64, 64), 40, 8, 3),
        ((198, 45), (64, 64), 40, 16, 3),
        ((78, 18), (64, 64), 16, 8, 2),
        ((78, 17), (64, 64), 8, 8, 2),
        ((40, 40), (64, 64), 32, 8, 1),
        ((200, 49), (20, 20), 20, 16, 3),
        ((400, 49), (20, 20), 20, 20, 3),
        ((200, 49), (3, 4), 3, 4, 3),
        ((100, 7), (64, 64), 6, 8, 2),
    ],
)
async def test_as_many_rows_and_columns_are_seen_as_fit(
    size: tuple[int, int], shape: tuple[int, int], height: int, width: int, panes: int
) -> None:
    shown = verdict(off_at(2, 3, 9), shape=shape)
    async with (app := PanesApp(shown)).run_test(size=size):
        window = app.panes.window
        assert (window.last_row - window.top + 1, window.last_column - window.left + 1) == (
            height,
            width,
        )
        assert all(len(row) <= size[0] for row in rows(app.panes))
        if size[1] >= 10:
            assert shown_columns(app.panes) == [*range(width)] * panes
            assert shown_rows(app.panes) == [*range(height)]
        assert (window.row, window.column) == (2, 3)


async def test_a_large_window_moves_as_a_small_one_does() -> None:
    def wrong(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        device = reference.copy()
        device[[1, 30, 60], [2, 11, 50]] += np.array([9, 5, 5])
        return device

    async with (app := PanesApp(verdict(wrong))).run_test(size=(230, 40)) as pilot:
        panes = app.panes
        assert (panes.window.height, panes.window.width) == (32, 16)
        assert (shown_rows(panes)[0], shown_columns(panes)[0]) == (0, 0)
        await pilot.press("pagedown", "pagedown", "pagedown", "pagedown")
        assert (panes.window.row, shown_rows(panes)[0]) == (33, 2)
        await pilot.press("G", "end")
        assert (shown_rows(panes)[-1], shown_columns(panes)[-1]) == (63, 63)
        assert panes.show_mismatch(1)
        assert panes.show_mismatch(1)
        assert (panes.window.row, panes.window.column) == (30, 11)
        assert (panes.window.top, panes.window.left) == (0, 0)
        layout, margin = panes._layout(panes.size.width)
        x = margin + 5 * (layout.widths[0] + layout.spacing)
        await pilot.click(PanesView, offset=(x, 2 + 20))
        assert (panes.window.row, panes.window.column) == (20, 5)
        panes.show_worst()
        assert (panes.window.row, panes.window.column) == (1, 2)


async def test_a_window_that_becomes_small_again_keeps_the_cursor() -> None:
    async with (app := PanesApp(verdict(off_at(37, 42, 9)))).run_test(size=(230, 40)) as pilot:
        assert (app.panes.window.top, app.panes.window.left) == (32, 32)
        await pilot.resize_terminal(130, 12)
        await pilot.pause()
        window = app.panes.window
        assert (window.row, window.column, window.top, window.left) == (37, 42, 32, 40)
        assert (window.last_row, window.last_column) == (39, 47)


async def test_other_panes_by_key_have_their_own_columns() -> None:
    async with (app := PanesApp(verdict(off_at(0, 0, 1)))).run_test(size=(96, 40)):
        seen = set()
        for _ in range(3):
            layout, _ = app.panes._layout(app.panes.size.width)
            seen.add((layout.shown, layout.columns, app.panes.window.width))
            assert len(shown_columns(app.panes)) == len(layout.shown) * layout.columns
            app.panes.show_others()
        assert seen == {((1, 2), 8, 8), ((0, 2), 8, 8), ((0, 1), 8, 8)}


async def test_column_numbers_stand_over_their_columns_however_long() -> None:
    shown = verdict(off_at(1, 2047, 9), shape=(4, 2048))
    async with (app := PanesApp(shown)).run_test(size=(80, 10)):
        numbers = rows(app.panes)[1]
        assert shown_columns(app.panes)[:8] == [*range(2040, 2048)]
        reverse = rows(app.panes)[3]
        assert reverse.rstrip().endswith("+9!")
        assert len(numbers) == len(reverse.rstrip()) - 1


async def test_nothing_to_show_yet() -> None:
    async with (app := PanesApp(None)).run_test(size=(130, 11)) as pilot:
        await pilot.press("j", "end", "pagedown")
        assert title(app.panes) == "panes"
        assert not any(rows(app.panes))
