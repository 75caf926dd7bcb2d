"""The keys that are live, as the help, the palette and all hints tell them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import key_to_character

if TYPE_CHECKING:
    from textual.app import App

NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "delete": "Delete",
    "backspace": "Backspace",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "slash": "/",
    "backslash": "\\",
    "minus": "-",
    "plus": "+",
    "underscore": "_",
    "at": "@",
}


class LeavesKeys(DOMNode):
    """A widget that leaves the keys of some of its actions to the screen around it.

    It stands behind the widget's own base, whose styles a first one would hide.
    """

    LEFT: ClassVar[frozenset[str]] = frozenset()
    """The actions."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return False if action in self.LEFT else super().check_action(action, parameters)


def key_name(keys: str) -> str:
    """``shift+enter,ctrl+j`` as people write it: ``Shift+Enter, Ctrl+J``."""
    return ", ".join(_name(key.strip()) for key in keys.split(","))


def key_of(app: App[Any], binding_id: str, default: str, *, plain: bool = False) -> str:
    """The first key of a binding, as people write it and as the settings have it; ``plain``: all, as Textual does."""
    if plain:
        return _keymap(app).get(binding_id, default)
    return key_name(_keymap(app).get(binding_id, default).partition(",")[0])


def bindings_of(node: DOMNode) -> list[tuple[str, Binding]]:
    """The keys that ``node``'s own class and our classes above it bind, as the keymap has them."""
    keymap = _keymap(node.app)
    left = node.LEFT if isinstance(node, LeavesKeys) else frozenset()
    found: dict[str, tuple[str, Binding]] = {}
    for owner in type(node).__mro__:
        if not owner.__module__.startswith("pygent."):
            continue
        for binding in owner.__dict__.get("BINDINGS", ()):
            made = binding if isinstance(binding, Binding) else Binding(*binding)
            name = made.id or made.action
            if made.description and name not in found and made.action not in left:
                keys = keymap.get(made.id, made.key) if made.id else made.key
                found[name] = (key_name(keys), made)
    return list(found.values())


def rebound(node: DOMNode) -> dict[str, str]:
    """The keys that the settings changed on ``node``, by their actions."""
    keymap = _keymap(node.app)
    return {binding.action: keys for keys, binding in bindings_of(node) if binding.id in keymap}


def _keymap(app: App[Any]) -> Mapping[str, str]:
    return app._keymap  # noqa: SLF001 - Textual has no other way to ask


def _name(key: str) -> str:
    """A letter alone stays as it is typed: ``g`` is not ``G``. Signs stand for themselves."""
    return key if len(key) == 1 else "+".join(_part(part) for part in key.split("+"))


def _part(part: str) -> str:
    if part in NAMES:
        return NAMES[part]
    character = key_to_character(part) if len(part) > 1 else None
    return character or (part.upper() if len(part) == 1 or part[1:].isdigit() else part.title())
