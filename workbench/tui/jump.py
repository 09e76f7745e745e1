"""Jump mode: a letter on every part of the screen, which is gone to by that letter or a click."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget

from workbench.tui.actions import bindings
from workbench.tui.lines import Lines, flow, is_seen
from workbench.tui.overlay import Overlay

HIDDEN_ROWS = 3
"""Most rows at the bottom that the names of hidden parts take."""


def letters_of(names: Iterable[str]) -> list[str]:
    """A letter for each name, the first of its own that is free."""
    taken: list[str] = []
    for name in names:
        own = [*name.lower(), *"abcdefghijklmnopqrstuvwxyz"]
        taken.append(next(c for c in own if c.isalpha() and c not in taken))
    return taken


def name_of(part: Widget) -> str:
    """A part's name for people: what its title begins with. Textual gives titles as markup."""
    return (part.border_title or "").split("  ")[0].replace(r"\[", "[")


class Jump(Overlay[Widget]):
    """Ends with the part that was chosen; None at any key that chooses none."""

    BINDINGS = bindings("jump")

    def __init__(self, parts: Sequence[Widget]) -> None:
        super().__init__()
        letters = letters_of(map(name_of, parts))
        self._tags = [Tag(letter, part) for letter, part in zip(letters, parts, strict=True)]
        self._hidden = Hidden([tag for tag in self._tags if not tag.has_place])

    def compose(self) -> ComposeResult:
        """A tag on each part that is seen, and those that aren't in the last row."""
        yield from (tag for tag in self._tags if tag.has_place)
        yield self._hidden

    def on_key(self, event: events.Key) -> None:
        """Choose a part by its letter."""
        if event.key != "escape":
            event.stop()
            tag = next((each for each in self._tags if each.letter == event.character), None)
            self.close_with(None if tag is None else tag.part)

    def on_click(self, event: events.Click) -> None:
        """Choose a part by its tag; anywhere else none."""
        widget, _ = self.get_widget_at(event.screen_x, event.screen_y)
        self.close_with(widget.part if isinstance(widget, Tag) else None)

    def on_resize(self) -> None:
        """The parts stand elsewhere then: there is nothing to choose from any more."""
        if any(tag.has_moved for tag in self._tags if tag.is_mounted):
            self.close_with(None)


class Tag(Lines):
    """A letter on a part, in place of its title."""

    DEFAULT_CSS = "Tag { position: absolute; height: 1; }"

    def __init__(self, letter: str, part: Widget) -> None:
        super().__init__()
        self.letter, self.part = letter, part
        self._text = f" {letter} {name_of(part)} "
        self._region = part.region
        has_title = part.gutter.top > 0
        self.styles.width = part.region.width if has_title else cell_len(self._text)
        self.styles.offset = (part.region.x, part.region.y)

    @property
    def has_place(self) -> bool:
        """Whether the part is seen, and not only where the hidden ones are named."""
        above = self.part.app.size.height - HIDDEN_ROWS
        return is_seen(self.part) and self._region.y < above

    @property
    def has_moved(self) -> bool:
        """Whether the part isn't where the tag is."""
        return self.part.region != self._region

    def lines(self, width: int, height: int) -> list[Content]:
        """The letter, what it stands for, and a line as that of the title is."""
        rest = "─" * (width - cell_len(self._text))
        return [Content.assemble((self._text, "bold reverse"), (rest, "dim"))]


class Hidden(Lines):
    """The letters of what this layout doesn't show."""

    DEFAULT_CSS = "Hidden { dock: bottom; }"

    def __init__(self, tags: Sequence[Tag]) -> None:
        super().__init__()
        names = [f"{tag.letter} {name_of(tag.part)}" for tag in tags]
        names[:1] = [f" hidden:  {name}" for name in names[:1]]
        self._told = ["letter or click goes there, esc back", *names]

    def on_mount(self) -> None:
        """As many rows as the names need."""
        self.styles.height = len(self.lines(self.app.size.width, len(self._told)))

    def lines(self, width: int, height: int) -> list[Content]:
        """`letter or click goes there, esc back   hidden:  s stages`."""
        told = flow([(0, Content(part)) for part in self._told], width - 1, height)
        return [
            Content.styled(f" {line.plain.lstrip():<{width - 1}}", "bold reverse") for line in told
        ]
