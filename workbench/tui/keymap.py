"""Keys that a project's settings give to actions, checked; what each action's keys are then. Pure.

Textual ignores the names of actions and keys that it doesn't know, and lets one key of two win;
here they are refused before the app starts.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from workbench.settings import KeyChoice, SettingsError
from workbench.tui.actions import ACTIONS, KEY_NAMES, Action, key_name

Keymap = Mapping[str, str]
"""Keys, comma separated, of those actions whose keys are not their own, by the actions' ids."""

_ARRIVES_AS = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape"}
"""What terminals send for these keys is another key."""
_MODIFIERS = ("ctrl", "alt", "shift", "super")
_NAMED = {
    *(key.value for key in Keys if "+" not in key.value and "<" not in key.value),
    *KEY_NAME_REPLACEMENTS.values(),
    *KEY_NAMES,
}
_AS_SHOWN = {shown: name for name, shown in KEY_NAMES.items()}


def keymap_of(choices: Iterable[KeyChoice]) -> Keymap:
    """The keymap of these settings.

    Raises SettingsError for an action or a key that there isn't, and for one key of two actions.
    """
    actions = {action.id for action in ACTIONS}
    keymap: dict[str, str] = {}
    where: dict[str, str] = {}
    for choice in choices:
        if choice.action not in actions:
            near = get_close_matches(choice.action, actions, 1)
            hint = f"did you mean {near[0]}?" if near else "the help (?) names all actions"
            raise SettingsError(
                f"there is no action {choice.action}", where=choice.where, hint=hint
            )
        keymap[choice.action] = ",".join(_key(name, choice) for name in choice.keys)
        where[choice.action] = choice.where
    _refuse_clashes(keymap, where)
    return keymap


def keys_of(action: Action, keymap: Keymap) -> str:
    """An action's keys, comma separated."""
    return keymap.get(action.id, action.keys)


def shown_keys(action: Action, keymap: Keymap) -> str:
    """An action's keys as people read them."""
    return "  ".join(key_name(key) for key in keys_of(action, keymap).split(","))


def _key(name: str, choice: KeyChoice) -> str:
    """Textual's name of a key, from that name, its character or what the help calls it."""
    *modifiers, last = name.split("+") if len(name) > 1 else [name]
    if last in _AS_SHOWN:
        last = _AS_SHOWN[last]
    elif len(last) == 1 and not last.isalnum():
        character = unicodedata.name(last, "").lower().replace("-", "_").replace(" ", "_")
        last = KEY_NAME_REPLACEMENTS.get(character, character)
    key = "+".join((*modifiers, last))
    known = (len(last) == 1 and last.isprintable()) or last in _NAMED or _is_character(last)
    if not last or not known or not set(modifiers) <= set(_MODIFIERS):
        near = get_close_matches(last, [*_NAMED, *_AS_SHOWN], 1)
        hint = f"did you mean {near[0]}?" if near else 'such as "r", "f5", "ctrl+r" or "?"'
        what = f"keys.{choice.action}: there is no key {name!r}"
        raise SettingsError(what, where=choice.where, hint=hint)
    if key in _ARRIVES_AS:
        what = f"keys.{choice.action}: in a terminal {key} is {_ARRIVES_AS[key]}"
        raise SettingsError(what, where=choice.where, hint="choose another key")
    return key


def _is_character(name: str) -> bool:
    try:
        return unicodedata.lookup(name.replace("_", " ")).isprintable()
    except KeyError:
        return False


def _refuse_clashes(keymap: Keymap, where: Mapping[str, str]) -> None:
    owners: dict[tuple[str, str], Action] = {}
    for action in ACTIONS:
        for key in keys_of(action, keymap).split(","):
            other = owners.setdefault((action.scope, key), action)
            if other is not action:
                moved, kept = (action, other) if action.id in keymap else (other, action)
                raise SettingsError(
                    f"keys.{moved.id}: {key_name(key)} is the key of {kept.id} too",
                    where=where[moved.id],
                    hint=f"give {kept.id} another key as well",
                )
