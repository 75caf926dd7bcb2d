"""What keys do where: every place of a screen with its actions, for the help and the palette."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

from pygent.tui.keys import bindings_of

PANES = (
    ("Prompt", "#prompt"),
    ("Queued prompts", "#queue"),
    ("Approval", "#approval"),
    ("Conversation", "#conversation"),
    ("Tool calls", "#tool-log"),
    ("Tasks", "#tasks"),
    ("Workspace", "#workspace"),
)
"""Where keys belong on the main screen, and the widget that has them."""

EVERYWHERE = "Everywhere"


@dataclass(frozen=True, slots=True)
class KeyAction:
    """What a key does: its keys as people write them, and the node that the action is run on."""

    keys: str
    words: str
    id: str
    action: str
    node: DOMNode
    shown: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The keys of one place on the screen; ``selector`` finds its pane, "" where it is none."""

    title: str
    actions: tuple[KeyAction, ...]
    selector: str = ""


def places(screen: Screen[Any]) -> list[Place]:
    """All keys that work on ``screen``, where they work, the place that has the focus first."""
    app, focused = screen.app, screen.focused
    if screen is not getattr(app, "main", None):
        inside = [node for node in screen.query("*") if node.focusable]
        return [Place("Here", _actions([screen, *inside])), Place(EVERYWHERE, _actions([app]))]
    found: list[Place] = []
    for title, selector in PANES:
        for pane in screen.query(selector):
            place = Place(title, _actions([pane, *pane.query("*")]), selector)
            here = focused is not None and pane in focused.ancestors_with_self
            found.insert(0 if here else len(found), place)
    found.insert(1, Place(EVERYWHERE, _actions([app, screen])))
    return [place for place in found if place.actions]


def _actions(nodes: Iterable[DOMNode]) -> tuple[KeyAction, ...]:
    return tuple(sorted(_unique(nodes), key=lambda action: not action.shown))


def _unique(nodes: Iterable[DOMNode]) -> Iterator[KeyAction]:
    seen: set[str] = set()
    for node in nodes:
        for keys, binding in bindings_of(node):
            name = binding.id or binding.action
            if name not in seen:
                seen.add(name)
                yield KeyAction(keys, binding.description, binding.id or "", binding.action, node, binding.show)
