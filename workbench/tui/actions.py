"""Every command of the app, once: keys, footer, help and palette are made from this table.

Its order is the footer's: what is needed most comes first, for the end is cut.
An action is carried out by the method `action_NAME` of the class that its scope names; a widget's
keys win over the screen's while it has the focus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.keys import key_to_character

MainScope = Literal[
    "main", "panes", "memory", "log", "search", "problems", "stages", "source", "list"
]
Scope = Literal[MainScope, "picker", "palette", "jump", "comparison", "help"]

SCOPE_TITLES: dict[Scope, str] = {
    "main": "everywhere",
    "panes": "in the panes",
    "memory": "in the memory map",
    "log": "in the log",
    "search": "while you type what to look for",
    "problems": "in the problems",
    "stages": "in the stages",
    "source": "in the source",
    "list": "in problems, metrics, stages, memory",
    "picker": "in the list of kernels",
    "palette": "while you type a command's name",
}
"""The scopes that the help shows, in its order."""


@dataclass(frozen=True, slots=True)
class Action:
    """A command: its method, keys (comma separated), footer label and help sentence."""

    scope: Scope
    name: str
    keys: str
    label: str
    help: str
    in_footer: bool = False
    words: str = ""
    """What else people call it when they look for it."""

    @property
    def id(self) -> str:
        """What settings call it: its label, after the scope where that isn't everywhere."""
        name = self.label.replace(" ", "-")
        return name if self.scope == "main" else f"{self.scope}.{name}"


ACTIONS = (
    Action("main", "app.help", "question_mark,f1", "help", "all keys and signs", True, "legend"),
    Action("main", "quit", "q,ctrl+q", "quit", "stop everything and leave", True, "exit"),
    Action("main", "app.palette", "colon,ctrl+p", "commands", "find any command by a word", True),
    Action("main", "back", "escape", "back", "all parts again, or the newest run", True),
    Action("main", "rerun", "r", "rerun", "run what is on disk again", True, "restart build"),
    Action("main", "cancel", "x", "cancel", "stop the run", True, "kill abort interrupt"),
    Action("main", "problem(1)", "n", "next", "next problem", True, "error warning finding"),
    Action("main", "edit", "o", "edit", "open the problem's place in your editor", True, "kernel"),
    Action(
        "main",
        "source('changes')",
        "d",
        "changes",
        "what changed since the last pass",
        True,
        "diff",
    ),
    Action(
        "main", "pin", "b", "baseline", "pin this run to compare others with; again: unpin", True
    ),
    Action("main", "look(-1)", "left_square_bracket", "older run", "look at the run before", True),
    Action("main", "look(1)", "right_square_bracket", "newer run", "look at the run after", True),
    Action("main", "app.theme", "T", "theme", "the next theme", True, "colours colors"),
    Action("main", "compare", "equals_sign", "compare", "two runs side by side", True, "diff"),
    Action("main", "zoom", "z", "zoom", "this part over the whole window; again: back", True),
    Action(
        "main", "source('source')", "s", "source", "the kernel with problems at their lines", True
    ),
    Action("main", "memory", "M", "memory", "the core's memory map; again: close it", True),
    Action(
        "main", "worst", "m", "worst", "go to the worst element, and again after each run", True
    ),
    Action("main", "mismatch(1)", "full_stop", "mismatch", "next element over tolerance", True),
    Action("main", "next_pane", "v", "pane", "show the panes that did not fit", True),
    Action("main", "search", "slash", "search", "look for something in the log", True, "find"),
    Action("main", "copy", "y", "copy", "copy the verdict line", True, "clipboard"),
    Action("main", "open", "O", "open", "another kernel of the project", words="kernel pick"),
    Action("main", "problem(-1)", "N", "previous", "previous problem"),
    Action("main", "mismatch(-1)", "comma", "mismatch before", "previous element over tolerance"),
    Action("main", "next_pair", "p", "pair", "compare another two of reference, model and NPU"),
    Action("main", "stages", "S", "stages", "the tensors between input and output"),
    Action("main", "look_at_newest", "right_curly_bracket", "newest run", "show the newest run"),
    Action("main", "filter", "f", "filter", "only lines of the log that match a pattern"),
    Action("main", "follow", "F", "log end", "go to the log's newest line, and on with it"),
    Action("main", "part(1)", "tab", "focus", "next part of the screen"),
    Action("main", "part(-1)", "shift+tab", "focus before", "previous part of the screen"),
    Action("main", "jump", "ctrl+o,apostrophe", "jump", "go to a part of the screen by a letter"),
    Action("main", "app.save_screen", "f8", "screenshot", "the screen as SVG into .workbench/"),
    Action("panes", "move(0,-1)", "left,h", "left", "one column to the left"),
    Action("panes", "move(1,0)", "down,j", "down", "one row down"),
    Action("panes", "move(-1,0)", "up,k", "up", "one row up"),
    Action("panes", "move(0,1)", "right,l", "right", "one column to the right"),
    Action("panes", "move(8,0)", "pagedown,J", "page down", "eight rows down"),
    Action("panes", "move(-8,0)", "pageup,K", "page up", "eight rows up"),
    Action("panes", "move(0,-8)", "ctrl+left,H", "page left", "eight columns to the left"),
    Action("panes", "move(0,8)", "ctrl+right,L", "page right", "eight columns to the right"),
    Action("panes", "edge(0,-1)", "home", "row start", "the row's first element"),
    Action("panes", "edge(0,1)", "end", "row end", "the row's last element"),
    Action("panes", "edge(-1,0)", "ctrl+home,g", "top", "the first row"),
    Action("panes", "edge(1,0)", "ctrl+end,G", "bottom", "the last row"),
    Action("memory", "core(1)", "right,l,c", "next core", "the next core"),
    Action("memory", "core(-1)", "left,h,C", "previous core", "the core before"),
    Action("memory", "screen.memory", "escape", "back", "close the map"),
    Action("log", "search_next(1)", "n", "next", "the next line with what you look for"),
    Action("log", "search_next(-1)", "N", "previous", "the line with it before"),
    Action("log", "pause", "space", "pause", "stand still, and on again", True),
    Action("log", "wrap", "w", "wrap", "long lines whole, over several rows", True),
    Action("log", "next_step", "t", "step", "only the lines of the next step, or all", True),
    Action("log", "copy", "y", "copy", "copy the lines that are seen", True),
    Action("log", "copy_all", "Y", "copy all", "copy all lines that pass step and pattern"),
    Action("log", "scroll(-1)", "up,k", "up", "one line back: the log stands still"),
    Action("log", "scroll(1)", "down,j", "down", "one line on"),
    Action("log", "page(-1)", "pageup", "page up", "one page back"),
    Action("log", "page(1)", "pagedown", "page down", "one page on"),
    Action("log", "start", "home,g", "start", "the oldest line that is kept"),
    Action("log", "follow", "end,l,G", "end", "the newest line, and on with it"),
    Action("search", "close", "escape", "close", "stop looking"),
    Action("problems", "step(1)", "down,j", "down", "the next problem, told in full"),
    Action("problems", "step(-1)", "up,k", "up", "the problem before"),
    Action("problems", "screen.edit", "enter", "edit", "open the problem's place in your editor"),
    Action("problems", "copy", "y", "copy", "copy the problem that is told in full"),
    Action("stages", "edit", "enter,o", "edit", "where this stage is recorded, in your editor"),
    Action("source", "edit", "enter,o", "edit", "this line in your editor"),
    Action("source", "file(1)", "right,l", "next file", "another file of the run"),
    Action("source", "file(-1)", "left,h", "previous file", "the file before"),
    Action("list", "scroll(-1)", "up,k", "up", "one line up"),
    Action("list", "scroll(1)", "down,j", "down", "one line down"),
    Action("list", "page(-1)", "pageup", "page up", "one page up"),
    Action("list", "page(1)", "pagedown", "page down", "one page down"),
    Action("list", "edge(-1)", "home,g", "top", "the first line"),
    Action("list", "edge(1)", "end,G", "bottom", "the last line"),
    Action("picker", "open", "enter", "open", "open this kernel", True),
    Action("picker", "back", "escape", "back", "to the kernel that is open", True),
    Action("picker", "move(1)", "down,j", "down", "the next kernel", True),
    Action("picker", "move(-1)", "up,k", "up", "the kernel before", True),
    Action("picker", "page(1)", "pagedown", "page down", "one page down"),
    Action("picker", "page(-1)", "pageup", "page up", "one page up"),
    Action("picker", "end(-1)", "home,g", "first", "the first kernel"),
    Action("picker", "end(1)", "end,G", "last", "the last kernel"),
    Action("picker", "app.help", "question_mark,f1", "help", "all keys and signs", True),
    Action("picker", "app.quit", "q,ctrl+q", "quit", "leave", True),
    Action("palette", "move(1)", "down,ctrl+n", "down", "the next command"),
    Action("palette", "move(-1)", "up,ctrl+b", "up", "the command before"),
    Action("palette", "page(1)", "pagedown", "page down", "one page down"),
    Action("palette", "page(-1)", "pageup", "page up", "one page up"),
    Action("palette", "close", "escape", "close", "back"),
    Action("jump", "close", "escape", "close", "back"),
    Action("comparison", "close", "escape,equals_sign,q,enter", "close", "back", True),
    Action("help", "close", "escape,question_mark,f1,q,enter", "close", "close the help", True),
    Action("help", "page(1)", "space", "page", "one page down", True),
)

KEY_NAMES = {
    "question_mark": "?",
    "slash": "/",
    "full_stop": ".",
    "comma": ",",
    "colon": ":",
    "apostrophe": "'",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "pagedown": "page down",
    "pageup": "page up",
    "escape": "esc",
}


def scopes_of(node: DOMNode) -> list[Scope]:
    """The scopes whose keys a widget or screen has, its own before those it inherits."""
    ids = [
        binding.id or ""
        for kind in type(node).__mro__
        for binding in vars(kind).get("BINDINGS", ())
        if isinstance(binding, Binding)
    ]
    scopes = {action.id: action.scope for action in ACTIONS}
    return list(dict.fromkeys(scopes[name] for name in ids if name in scopes))


def bindings(scope: Scope) -> list[BindingType]:
    """The bindings of a class of this scope."""
    return [
        Binding(
            action.keys,
            action.name,
            action.label,
            show=action.in_footer,
            id=action.id,
        )
        for action in ACTIONS
        if action.scope == scope
    ]


def key_name(key: str) -> str:
    """A key as people read it."""
    *modifiers, last = key.split("+")
    character = (key_to_character(last) or "").strip()
    return "+".join((*modifiers, KEY_NAMES.get(last, character or last)))
