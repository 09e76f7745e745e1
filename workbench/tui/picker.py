"""The list of a project's kernels, where the workbench was opened without one."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from workbench.loop.kernels import KernelFile, Kernels, what_it_promises
from workbench.tui.actions import bindings
from workbench.tui.key_line import KeyLine
from workbench.tui.lines import Lines
from workbench.tui.text import clean

NO_SPEC = (
    "No spec says what this kernel promises. npu-workbench new NAME writes a kernel, spec and "
    "design that pass, to start from."
)


_GAP = "   "
_NO = "no spec"


class Picker(Screen[None]):
    """Hands the path of the kernel that is picked to `on_picked`.

    Over another screen it can be left without picking one.
    """

    BINDINGS = bindings("picker")

    def __init__(self, kernels: Kernels, on_picked: Callable[[str], object]) -> None:
        super().__init__()
        self._on_picked = on_picked
        self._list = KernelList(kernels, self.pick)
        self._hint = Hint()

    def compose(self) -> ComposeResult:
        """The list, a hint on what it stands on, and the keys."""
        yield self._list
        yield self._hint
        yield KeyLine()

    def on_mount(self) -> None:
        """Say what there is to say of the first."""
        self.action_move(0)

    def pick(self, kernel: KernelFile) -> None:
        """Open a kernel."""
        self._on_picked(kernel.path)

    def action_open(self) -> None:
        """Open the kernel that the list stands on."""
        self.pick(self._list.current)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is a way back where this isn't the first screen."""
        if action == "back":
            return self is not self.app.screen_stack[0]
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Leave the kernel that is open as it is."""
        if self.is_current:
            self.dismiss()

    def action_move(self, by: int) -> None:
        """Go to another kernel."""
        self._list.move(by)
        self._hint.show(self._list.current)

    def action_page(self, by: int) -> None:
        """Go on by what is seen at once."""
        self.action_move(by * max(1, self._list.size.height - 1))

    def action_end(self, to: int) -> None:
        """Go to the first or the last."""
        self.action_move(to * self._list.count)

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """The wheel."""
        self.action_move(1)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """The wheel."""
        self.action_move(-1)


class KernelList(Lines):
    """A line for each kernel, with its spec; a click picks one."""

    def __init__(self, kernels: Kernels, on_click: Callable[[KernelFile], None]) -> None:
        super().__init__(classes="panel")
        self._kernels = kernels
        self._picked = on_click
        self._at = 0
        self._top = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._kernels.files)

    @property
    def current(self) -> KernelFile:
        """The kernel that the list stands on."""
        return self._kernels.files[self._at]

    def move(self, by: int) -> None:
        """Stand on another kernel, as far as there is one."""
        self._at = max(0, min(self._at + by, self.count - 1))
        folder = clean(self._kernels.folder)
        nearest = "" if self._kernels.complete else ", the nearest: there are too many files"
        self.border_title = Content(f"kernels of {folder}{nearest}  {self._at + 1} of {self.count}")
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The kernels that are seen, the current one among them."""
        self._top = max(min(self._top, self._at), self._at - height + 1, 0)
        seen = self._kernels.files[self._top : self._top + height]
        longest = max((len(clean(each.path)) for each in seen), default=0)
        column = min(longest, max(1, width - 2 * len(_GAP) - len(_NO)))
        return [self._line(each, column) for each in seen]

    def _line(self, kernel: KernelFile, column: int) -> Content:
        path = Content(clean(kernel.path)).truncate(column, ellipsis=True, pad=True)
        spec = (_NO, "$wb-warn") if kernel.spec is None else (f"spec {clean(kernel.spec)}", "dim")
        if kernel is not self.current:
            return Content.assemble(_GAP, path, _GAP, spec)
        return Content.assemble((" ▸ ", "$wb-busy bold"), path.stylize("bold"), _GAP, spec)

    def on_click(self, event: events.Click) -> None:
        """Pick what is under the pointer."""
        inside = event.get_content_offset(self)
        if inside is not None and self._top + inside.y < self.count:
            self._picked(self._kernels.files[self._top + inside.y])


class Hint(Lines):
    """What there is to say of the kernel that the list stands on."""

    DEFAULT_CSS = "Hint { height: 4; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._text = ""

    def show(self, kernel: KernelFile) -> None:
        """Say it of this one."""
        self._text = clean(what_it_promises(kernel)) or NO_SPEC
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The sentence, wrapped."""
        wrapped = Content(self._text).wrap(max(1, width))
        more = len(wrapped) > height > 0
        return [*wrapped[: height - 1], wrapped[height - 1].append(" …")] if more else wrapped
