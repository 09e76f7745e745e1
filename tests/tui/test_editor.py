"""Which editor is taken, what it is told, and that its failures become sentences."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.app import SuspendNotSupported

from tests.tui.conftest import Open
from tests.tui.scripted import a_run, result
from workbench.build import Diagnostic
from workbench.errors import UsageError
from workbench.loop.problems import Place
from workbench.tui.editor import edit
from workbench.tui.editors import Editor, find_editor

PLACE = Place("/k.c", 31, 17)


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder on whose PATH all editors are."""
    for name in ("vim", "vi", "nano", "emacs", "hx", "code", "clion", "subl", "typewriter"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def found(programs: Path, place: Place = PLACE, **env: str) -> Editor:
    return find_editor(place, {"PATH": str(programs), **env})


@pytest.mark.parametrize(
    ("command", "arguments", "has_window"),
    [
        ("vim", ["+call cursor(31,17)", "/k.c"], False),
        ("vi", ["+31", "/k.c"], False),
        ("nano -w", ["-w", "+31,17", "/k.c"], False),
        ("emacs -nw", ["-nw", "+31:17", "/k.c"], False),
        ("hx", ["/k.c:31:17"], False),
        ("code --wait", ["--wait", "--goto", "/k.c:31:17"], True),
        ("subl", ["/k.c:31:17"], True),
        ("clion", ["--line", "31", "--column", "17", "/k.c"], True),
        ("typewriter", ["/k.c"], False),
    ],
)
def test_each_editor_is_told_a_place_its_way(
    programs: Path, command: str, arguments: list[str], has_window: bool
) -> None:
    editor = found(programs, EDITOR=command)
    assert list(editor.argv[1:]) == arguments
    assert editor.has_window == has_window
    assert editor.knows_lines == (command != "typewriter")


def test_visual_wins_a_path_is_fine_and_a_place_may_have_no_line(programs: Path) -> None:
    path = str(programs / "vim")
    editor = found(programs, Place("/k.c"), VISUAL=path, EDITOR="nano")
    assert (editor.name, editor.variable, editor.argv) == ("vim", "VISUAL", (path, "/k.c"))
    assert found(programs, Place("-k.c", 3), EDITOR="vi").argv[1:] == (
        "+3",
        os.path.abspath("-k.c"),
    )


def test_an_emacs_has_a_window_where_there_is_a_display(programs: Path) -> None:
    assert found(programs, EDITOR="emacs", DISPLAY=":0").has_window
    assert not found(programs, EDITOR="emacs -nw", DISPLAY=":0").has_window
    assert not found(programs, EDITOR="emacs").has_window


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "no editor is named"),
        ({"EDITOR": "  "}, "no editor is named"),
        ({"EDITOR": "ed"}, "there is no ed, the editor that $EDITOR names"),
        ({"VISUAL": "'vim"}, "$VISUAL is no command: no closing quotation"),
    ],
)
def test_no_editor_is_a_sentence(programs: Path, env: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_editor(PLACE, {"PATH": str(programs), **env})
    assert caught.value.message == message


@dataclass
class Screen:
    """A terminal that notes how it is given away; Textual's is taken back only without errors."""

    calls: list[str] = field(default_factory=list)
    can_suspend: bool = True

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        if not self.can_suspend:
            raise SuspendNotSupported("in a browser")
        self.calls.append("given")
        yield
        self.calls.append("taken back")


def failure(screen: Screen, *argv: str) -> str:
    with pytest.raises(UsageError) as caught:
        edit(screen, Editor(argv[0], "EDITOR", argv, has_window=False, knows_lines=True))
    return caught.value.message


def test_the_terminal_is_taken_back_whatever_happens(tmp_path: Path) -> None:
    screen = Screen()
    broken = tmp_path / "broken"
    broken.write_text("\x7fELF")
    broken.chmod(0o755)
    assert "($EDITOR) could not be started: " in failure(screen, str(broken))
    assert "could not be started: No such file" in failure(screen, str(tmp_path / "none"))
    assert "could not be started: " in failure(screen, "vim", "a\0b")
    assert failure(screen, "sh", "-c", "exit 3") == "sh ($EDITOR) ended with exit 3"
    assert failure(screen, "sh", "-c", "kill -9 $$") == "sh ($EDITOR) was ended by signal 9"
    assert screen.calls == ["given", "taken back"] * 5


def test_where_there_is_no_terminal_to_give_it_is_said() -> None:
    assert failure(Screen(can_suspend=False), "vim") == "vim needs a terminal"


def test_a_signal_to_end_is_kept_until_the_editor_has_ended() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: got.append(number))
    try:
        screen = Screen()
        argv = ("sh", "-c", "kill -INT $PPID; kill -TERM $PPID; sleep 0.01")
        edit(screen, Editor("sh", "EDITOR", argv, has_window=False, knows_lines=True))
        assert got == [signal.SIGTERM]
        assert screen.calls == ["given", "taken back"]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """k.c in the folder we are in, and no editor."""
    monkeypatch.chdir(tmp_path)
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    Path("k.c").touch()


@pytest.mark.usefixtures("kernel")
async def test_without_an_editor_the_place_is_copied(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("o")
        assert app.clipboard == "kernels/attention.c"
        broken = (Diagnostic("k.c", 3, 5, "error", "[/x]"), Diagnostic("", 0, 0, "error", "lost"))
        app.emit(*a_run(result(1, "build-failed", diagnostics=broken), failed="compile"))
        await pilot.pause()
        await pilot.press("o")
        assert app.clipboard == "k.c:3:5"
        await pilot.press("n", "o")
        assert app.clipboard == "kernels/attention.c"
        told = [n.message for n in app._notifications][-1]
        assert told.startswith("no editor is named (set $VISUAL or $EDITOR")
        monkeypatch.setenv("EDITOR", "sh")
        await pilot.press("N", "o")
        assert [n.message for n in app._notifications][-1].startswith("sh needs a terminal")
        assert app.is_running
