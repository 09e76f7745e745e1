from __future__ import annotations

from textual.app import App, ComposeResult
from textual.content import Content

from tests.tui.scripted import rows
from workbench.tui.log_store import Heading
from workbench.tui.log_view import LogView


class LogApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.log_view = LogView()

    def compose(self) -> ComposeResult:
        yield self.log_view

    def on_mount(self) -> None:
        self.log_view.focus()


def filled(log: LogView, count: int, start: int = 0) -> None:
    log.append(f"line {n}" for n in range(start, start + count))
    log.flush()


async def test_follows_the_end() -> None:
    app = LogApp()
    async with app.run_test(size=(20, 3)):
        filled(app.log_view, 10)
        assert rows(app.log_view) == [
            "line 7             │",
            "line 8             │",
            "line 9             █",
        ]


async def test_lines_are_taken_over_by_themselves() -> None:
    app = LogApp()
    async with app.run_test(size=(20, 3)) as pilot:
        app.log_view.append(["by itself"])
        while not app.log_view.store.end:
            await pilot.pause(0.01)
        assert rows(app.log_view)[0] == "by itself"


async def test_scrolling_back_pauses_and_nothing_slides() -> None:
    app = LogApp()
    async with app.run_test(size=(20, 3)) as pilot:
        log = app.log_view
        filled(log, 100)
        await pilot.press("pageup")
        assert not log.following
        seen = [row[:8] for row in rows(log)]
        filled(log, 1234, start=100)
        assert [row[:8] for row in rows(log)] == seen
        assert log.unseen == 1234
        assert "+1,234 lines" in Content.from_markup(str(log.border_title)).plain
        await pilot.press("end")
        assert log.following
        assert rows(log)[-1].startswith("line 1333")


async def test_scrolling_down_to_the_end_resumes() -> None:
    app = LogApp()
    async with app.run_test(size=(20, 3)) as pilot:
        filled(app.log_view, 10)
        await pilot.press("up", "up", "down")
        assert not app.log_view.following
        await pilot.press("down")
        assert app.log_view.following


async def test_a_dropped_reader_lands_at_the_line_that_says_so() -> None:
    app = LogApp()
    async with app.run_test(size=(30, 3)) as pilot:
        log = app.log_view
        filled(log, 100)
        await pilot.press("home")
        assert rows(log)[0].startswith("line 0 ")
        filled(log, 100_000, start=100)
        assert rows(log)[0].startswith("… 100 lines dropped")
        assert rows(log)[1].startswith("line 100 ")


async def test_hostile_text_is_only_text() -> None:
    app = LogApp()
    async with app.run_test(size=(30, 4)):
        app.log_view.append(
            ["[/x] [bold]b", "\x1b[31mred\x1b[2J\x1b]0;t\x07!", Heading("[/y]\x1b[1m")]
        )
        app.log_view.flush()
        assert rows(app.log_view) == ["[/x] [bold]b", "red!", "[/y]", ""]


async def test_lines_are_cut_at_the_width_in_cells() -> None:
    app = LogApp()
    async with app.run_test(size=(10, 2)):
        app.log_view.append(["界界界界界界", "e\u0301" * 20])
        app.log_view.flush()
        for y in range(2):
            strip = app.log_view.render_line(y)
            assert strip.cell_length == 10
            assert "…" in strip.text


async def test_a_resize_keeps_a_reader_at_the_line() -> None:
    app = LogApp()
    async with app.run_test(size=(20, 5)) as pilot:
        filled(app.log_view, 100)
        await pilot.press("pageup", "pageup")
        top = rows(app.log_view)[0][:8]
        await pilot.resize_terminal(40, 3)
        assert rows(app.log_view)[0][:8] == top


async def test_a_flood_is_kept_within_bounds() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        log = app.log_view
        for batch in range(40):
            log.append(f"\x1b[33mwarning\x1b[0m: line {batch}-{n}" for n in range(5000))
            log.flush()
            await pilot.pause()
        assert log.store.end == 200_000
        assert log.store.end - log.store.first == 100_000
