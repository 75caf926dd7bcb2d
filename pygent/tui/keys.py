"""The keys that are live, with what they do, as the help and the palette tell them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.dom import DOMNode

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen

NAMES = {
    "escape": "Esc",
    "enter": "Enter",
    "tab": "Tab",
    "space": "Space",
    "delete": "Delete",
    "backspace": "Backspace",
}


def key_name(keys: str) -> str:
    """``shift+enter,ctrl+j`` as people write it: ``Shift+Enter, Ctrl+J``."""
    return ", ".join("+".join(_part(part) for part in key.strip().split("+")) for key in keys.split(","))


def bindings_of(node: DOMNode) -> list[tuple[str, Binding]]:
    """The keys that ``node``'s own class and our classes above it bind, as the keymap has them."""
    keymap = node.app._keymap  # noqa: SLF001 - Textual has no other way to ask
    found: dict[str, tuple[str, Binding]] = {}
    for owner in type(node).__mro__:
        if not owner.__module__.startswith("pygent."):
            continue
        for binding in owner.__dict__.get("BINDINGS", ()):
            made = binding if isinstance(binding, Binding) else Binding(*binding)
            if made.description and made.action not in found:
                keys = keymap.get(made.id, made.key) if made.id else made.key
                found[made.action] = (key_name(keys), made)
    return list(found.values())


def actions(main: MainScreen) -> Iterator[tuple[str, str, str]]:
    """Key, words and action of what can be asked for from anywhere."""
    for node, space in ((main, "screen"), (main.app, "app")):
        for keys, binding in bindings_of(node):
            if binding.action not in {"command_palette", "copy_or_quit"}:
                yield keys, binding.description, f"{space}.{binding.action}"


def _part(part: str) -> str:
    if part in NAMES:
        return NAMES[part]
    return {"up": "↑", "down": "↓", "left": "←", "right": "→"}.get(
        part, part.upper() if len(part) <= 2 else part.title()
    )
