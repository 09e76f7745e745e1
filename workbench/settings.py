"""A project's settings: where the NPU's tools are, what they are given, how long they may take.

They stand in `npu-workbench.toml` in the project, or in `[tool.npu-workbench]` of its
pyproject.toml; where both give a key, the former wins. Everything has a default.

    target = "aie2"                    # aie2 | aie2p, in place of what the design's device says
    alloc-scheme = "basic-sequential"  # in place of the spec's

    [paths]    # peano, aiecc, xclbinutil, xrt, python (the one that has pyxrt), device
    peano = "~/llvm-aie"

    [flags]    # compile, archive, aiecc: added after ours
    compile = ["-O1"]

    [limits]   # seconds: probe, compile, archive, aiecc, load, run
    aiecc = 300

    [screen]
    theme = "light"            # a theme by its name, or a TOML file
    signal = "bell"            # none | bell | notify (OSC 9): when a long run has ended
    long-run = 10              # seconds from which on a run is long

    [keys]     # an action's name, as the help shows it, and its keys
    rerun = ["r", "f5"]
    log.wrap = "W"
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from workbench.errors import WorkbenchError

FILE = "npu-workbench.toml"
PYPROJECT = "pyproject.toml"
TABLE = "npu-workbench"

Target: TypeAlias = Literal["aie2", "aie2p"]
TARGETS: tuple[Target, ...] = get_args(Target)
Signal: TypeAlias = Literal["none", "bell", "notify"]
SIGNALS: tuple[Signal, ...] = get_args(Signal)


class SettingsError(WorkbenchError):
    """A settings file can't be read, or holds what no setting is."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute paths that are used in place of what would be found; None: look for it."""

    peano: Path | None = None
    """Peano's root, the folder that holds bin/clang."""
    aiecc: Path | None = None
    xclbinutil: Path | None = None
    xrt: Path | None = None
    """XRT's root, what XILINX_XRT names."""
    python: Path | None = None
    """The Python that imports pyxrt."""
    device: Path = Path("/dev/accel/accel0")


@dataclass(frozen=True, slots=True)
class Flags:
    """Arguments for each tool, added after our own."""

    compile: tuple[str, ...] = ()
    archive: tuple[str, ...] = ()
    aiecc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest that each step, and each look for a tool, may take: seconds."""

    probe: float = 20.0
    compile: float = 120.0
    archive: float = 30.0
    aiecc: float = 600.0
    load: float = 120.0
    run: float | None = None
    """None: the command line's --time-limit."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the terminal's app looks like, and how it tells that a long run has ended."""

    theme: str | None = None
    """A theme's name, or the absolute path of its file; None: the default."""
    signal: Signal = "none"
    long_run: float = 10.0
    """Seconds from which on a run is long."""


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """Keys of an action in place of its own: `action` is `rerun`, or `log.wrap` with its scope.

    Whether there are such an action and such keys is known to the screen alone.
    """

    action: str
    keys: tuple[str, ...]
    where: str
    """The file that says so."""


LIMITS = Limits()
"""Those of a project that sets none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a project; `files` are those that they were read from."""

    paths: Paths = field(default_factory=Paths)
    flags: Flags = field(default_factory=Flags)
    limits: Limits = field(default_factory=Limits)
    alloc_scheme: str | None = None
    """aiecc's --alloc-scheme; None: the spec's."""
    target: Target | None = None
    """Peano's target; None: what the design's device says."""
    files: tuple[Path, ...] = ()
    screen: Screen = field(default_factory=Screen)
    keys: tuple[KeyChoice, ...] = ()


def settings_files(project: Path) -> tuple[Path, Path]:
    """The files in which settings may stand, the stronger one last."""
    return project / PYPROJECT, project / FILE


def load_settings(project: Path) -> Settings:
    """The settings of a project, every one of them checked.

    Raises SettingsError, naming file and key, for a file that isn't TOML, a key that there isn't
    and a value of the wrong type.
    """
    given: dict[_Key, Any] = {}
    found = []
    for path in settings_files(project):
        content = _content(path)
        if content is not None:
            found.append(path)
            given |= _checked(content, path, project)
    return Settings(
        **{table: kind(**_of(given, table)) for table, (kind, _) in _TABLES.items()},
        **_of(given, ""),
        files=tuple(found),
        keys=tuple(_of(given, _KEYS).values()),
    )


_Key: TypeAlias = tuple[str, str]
"""(table, field); the table is "" at the top."""


def _of(given: Mapping[_Key, Any], table: str) -> dict[str, Any]:
    return {name: value for (where, name), value in given.items() if where == table}


def _content(path: Path) -> Mapping[str, Any] | None:
    """What a file says to us; None when it isn't there or says nothing."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SettingsError("the settings are not UTF-8 text", where=str(path)) from None
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(f"the settings can't be read: {reason}", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{path}:{line[1]}" if line else str(path)
        raise SettingsError(f"the settings are not TOML: {error}", where=where) from None
    if path.name == FILE:
        return content
    tools = content.get("tool", {})
    table = tools.get(TABLE) if isinstance(tools, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise _wrong(path, f"tool.{TABLE}", "a table", table)
    return table


def _checked(content: Mapping[str, Any], path: Path, project: Path) -> dict[_Key, Any]:
    return dict(_entries(content, path, project))


def _entries(content: Mapping[str, Any], path: Path, project: Path) -> Iterator[tuple[_Key, Any]]:
    for key, value in content.items():
        if key in _TOP:
            yield ("", _TOP[key]), _chosen(value, _choices(key), path, key)
        elif key not in _TABLES and key != _KEYS:
            raise _unknown(path, key, key, [*_TOP, *_TABLES, _KEYS])
        elif not isinstance(value, dict):
            raise _wrong(path, key, "a table", value)
        elif key == _KEYS:
            yield from (((_KEYS, choice.action), choice) for choice in _keys(value, path))
        else:
            kind, read = _TABLES[key]
            names = {f.name.replace("_", "-"): f.name for f in fields(kind)}
            for name, inner in value.items():
                if name not in names:
                    raise _unknown(path, f"{key}.{name}", name, list(names))
                yield (key, names[name]), read(inner, path, f"{key}.{name}", project)


def _keys(table: Mapping[str, Any], path: Path, scope: str = "") -> Iterator[KeyChoice]:
    """`rerun = "r"`, and within a table of its scope `wrap = ["w", "W"]`."""
    for name, value in table.items():
        if isinstance(value, dict) and not scope:
            yield from _keys(value, path, f"{name}.")
            continue
        keys = [value] if isinstance(value, str) else value
        if not (isinstance(keys, list) and keys and all(k and isinstance(k, str) for k in keys)):
            wanted = 'a key in quotes, or a list such as ["r", "f5"]'
            raise _wrong(path, f"{_KEYS}.{scope}{name}", wanted, value)
        yield KeyChoice(f"{scope}{name}", tuple(keys), str(path))


def _path(value: object, path: Path, key: str, project: Path) -> Path:
    if not isinstance(value, str) or not value:
        raise _wrong(path, key, "a path in quotes", value)
    try:
        return project.absolute() / Path(value).expanduser()
    except RuntimeError:
        raise _wrong(path, key, "a path whose ~ names a home", value) from None


def _flags(value: object, path: Path, key: str, project: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(path, key, 'a list of strings, such as ["-O1"]', value)
    return tuple(value)


def _seconds(value: object, path: Path, key: str, project: Path) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < float(value) < float("inf"):  # type: ignore[arg-type]
        raise _wrong(path, key, "a positive number of seconds", value)
    return float(value)  # type: ignore[arg-type]


def _chosen(value: object, choices: tuple[str, ...], path: Path, key: str) -> str:
    if not isinstance(value, str) or value not in choices:
        raise _wrong(path, key, " or ".join(f'"{choice}"' for choice in choices), value)
    return value


def _screen(value: object, path: Path, key: str, project: Path) -> object:
    if key.endswith(".theme"):
        is_file = isinstance(value, str) and value.endswith(".toml")
        if not is_file and (not isinstance(value, str) or not value):
            raise _wrong(path, key, "a theme's name, or the path of its TOML file", value)
        return str(_path(value, path, key, project)) if is_file else value
    if key.endswith(".signal"):
        return _chosen(value, SIGNALS, path, key)
    return _seconds(value, path, key, project)


_TABLES: Mapping[str, tuple[type[Any], Callable[[object, Path, str, Path], object]]] = {
    "paths": (Paths, _path),
    "flags": (Flags, _flags),
    "limits": (Limits, _seconds),
    "screen": (Screen, _screen),
}
_KEYS = "keys"
_TOP = {"alloc-scheme": "alloc_scheme", "target": "target"}


def _choices(key: str) -> tuple[str, ...]:
    if key == "target":
        return TARGETS
    from workbench.spec.model import ALLOCATIONS  # NumPy comes with it

    return ALLOCATIONS


def _unknown(path: Path, key: str, name: str, valid: list[str]) -> SettingsError:
    near = difflib.get_close_matches(name, valid, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(valid)}"
    return SettingsError(f"there is no setting {key}", where=str(path), hint=hint)


def _wrong(path: Path, key: str, wanted: str, value: object) -> SettingsError:
    return SettingsError(f"{key} must be {wanted}, not {value!r}", where=str(path))
