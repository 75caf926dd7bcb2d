"""Every key that the settings' ``keymap`` can change, found in the classes, and what may be wrong with a change."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys, key_to_character
from textual.screen import Screen
from textual.widgets import Input, TextArea

from pygent.settings.nodes import nearest

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp

MODIFIERS = frozenset({"alt", "ctrl", "hyper", "meta", "shift", "super"})
OTHER_NAMES = {
    "control": "ctrl",
    "option": "alt",
    "cmd": "super",
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "page_up": "pageup",
    "pgdn": "pagedown",
    "page_down": "pagedown",
    "spacebar": "space",
}
"""What people call keys, and what the terminal's driver calls them."""


@dataclass(frozen=True, slots=True)
class Known:
    """A binding with an id, and the class that binds it."""

    id: str
    binding: Binding
    owner: type[DOMNode]


@cache
def known() -> dict[str, Known]:
    """Every binding that has an id, in the order of the ids. Imports every module of the front end."""
    found: dict[str, Known] = {}
    for owner in _owners():
        for binding in own_bindings(owner):
            if binding.id:
                found.setdefault(binding.id, Known(binding.id, binding, owner))
    return dict(sorted(found.items()))


def own_bindings(owner: type[DOMNode]) -> Iterator[Binding]:
    """The bindings that stand in this very class."""
    for binding in owner.__dict__.get("BINDINGS", ()):
        yield binding if isinstance(binding, Binding) else Binding(*binding)


def checked(keymap: Mapping[str, str], source: Callable[[str], str]) -> tuple[dict[str, str], list[str]]:
    """The part of ``keymap`` that can be used, and a complaint about each other part of it.

    ``source`` answers where an id stands, as ``config.yaml:12``.
    """
    usable: dict[str, str] = {}
    problems: list[str] = []
    for name, keys in keymap.items():
        complaint = _complaint(name, keys)
        if complaint:
            problems.append(f"{source(name)}: keymap: {complaint}")
        else:
            usable[name] = ",".join(_spelled(key) for key in keys.split(","))
    while clash := _clash(usable):
        name, other, key = clash
        words, kept = known()[other].binding.description, known()[name].binding.key
        problems.append(
            f"{source(name)}: keymap: {name}: {key!r} is the key of {other} ({words}) already; {kept!r} stays"
        )
        del usable[name]
    return usable, problems


def follow(app: PygentApp) -> None:
    """On a thread: use the keymap of the settings; what of it cannot be used is told."""
    settings = app.session.settings
    keymap, problems = checked(settings.keymap, lambda name: settings.source(f"keymap.{name}"))
    app.call_later(app.set_keymap, keymap)
    for problem in problems:
        app.call_later(app.main.note, "settings", problem, level="warning")


def _complaint(name: str, keys: str) -> str:
    entry = known().get(name)
    if entry is None:
        return f"there is no key with the id {name!r}{nearest(name, known()) or ';'} F1 shows the ids"
    for key in keys.split(","):
        spelled = _spelled(key)
        if not _is_key(spelled):
            *modifiers, last = spelled.split("+")
            wrong = next((part for part in modifiers if part not in MODIFIERS), "")
            hint = nearest(wrong, MODIFIERS) if wrong else nearest(last, _names())
            hint = hint or "; accepted: keys such as f9, ctrl+t, alt+left, or several with commas between them"
            return f"{name}: there is no key {key.strip()!r}{hint}; {entry.binding.key!r} stays"
        if issubclass(entry.owner, TextArea | Input) and key_to_character(spelled):
            return f"{name}: {spelled!r} is needed for writing; {entry.binding.key!r} stays"
    return ""


def _spelled(key: str) -> str:
    """A key as the terminal's driver spells it: ``Shift+Ctrl+Esc`` is ``ctrl+shift+escape``."""
    key = key.strip()
    if len(key) == 1:
        return key
    *modifiers, name = (OTHER_NAMES.get(part, part) for part in key.lower().split("+"))
    return "+".join([*sorted(modifiers), name])


def _is_key(key: str) -> bool:
    *modifiers, name = key.split("+")
    if not set(modifiers) <= MODIFIERS or not name:
        return False
    return len(name) == 1 or name in _names() or key_to_character(name) is not None


@cache
def _names() -> frozenset[str]:
    return frozenset(key.value.rpartition("+")[2] for key in Keys if key.value.replace("+", "").isalnum())


def _clash(usable: Mapping[str, str]) -> tuple[str, str, str] | None:
    """A rebound id, the id that has one of its keys in the same place already, and that key."""
    if not usable:
        return None
    for context in _contexts():
        users: dict[str, str] = {}
        for name in (
            *(name for name in context if name not in usable),
            *(name for name in usable if name in context),
        ):
            binding = known()[name].binding
            for key in _keys(usable.get(name, binding.key)):
                other = users.setdefault(key, name)
                before = known()[other].binding
                by_default = key in _keys(binding.key) and key in _keys(before.key)
                if other != name and before.action != binding.action and name in usable and not by_default:
                    return name, other, key
    return None


def _keys(keys: str) -> list[str]:
    return [_spelled(key) for key in keys.split(",")]


@cache
def _contexts() -> tuple[frozenset[str], ...]:
    """The ids that are live together, for each class: its own, inherited ones, those of the screen and the app."""
    from pygent.tui.screens.main import MainScreen  # noqa: PLC0415 - a table that the main screen does not need

    owners = list(_owners())
    everywhere = _ids(cls for cls in owners if issubclass(cls, App))
    main = _ids(base for base in MainScreen.__mro__ if issubclass(base, DOMNode))
    found = set()
    for owner in owners:
        elsewhere = issubclass(owner, Screen) and not issubclass(owner, MainScreen)
        around = everywhere if elsewhere else everywhere | main
        found.add(around | _ids(base for base in owner.__mro__ if issubclass(base, DOMNode)))
    return tuple(found)


def _ids(owners: Iterable[type[DOMNode]]) -> frozenset[str]:
    ours = [owner for owner in owners if owner.__module__.startswith("pygent.")]
    return frozenset(binding.id for owner in ours for binding in own_bindings(owner) if binding.id)


@cache
def _owners() -> tuple[type[DOMNode], ...]:
    """Every class of the front end that can bind keys."""
    import pygent.tui as package  # noqa: PLC0415 - its own package

    found: list[type[DOMNode]] = []
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        with contextlib.suppress(ImportError):  # what this machine cannot load binds no keys here
            module = importlib.import_module(info.name)
            found += [
                value
                for value in vars(module).values()
                if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == info.name
            ]
    return tuple(found)
