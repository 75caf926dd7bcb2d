"""A list of to-dos as lines of a block."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment

from pygent.tui.colours import Palette
from pygent.tui.text import clean_line
from pygent.tui.wrap import Aside, Line, wrap

SIGNS = {"done": "✓", "active": "●", "pending": "○"}


def todo_lines(todos: object, width: int, palette: Palette) -> list[Line]:
    """The to-dos that a call was given, each with the sign of its state; what is none is left out."""
    out: list[Line] = []
    for one in todos if isinstance(todos, list) else ():
        if not isinstance(one, Mapping):
            continue
        state = str(one.get("state"))
        sign = SIGNS.get(state, SIGNS["pending"])
        sign_style = palette.success if state == "done" else palette.accent if state == "active" else palette.faint
        text_style = palette.muted if state == "done" else palette.text
        lines = wrap([(clean_line(str(one.get("text"))), text_style)], max(1, width - 2))
        out += [[Aside(f"{sign} " if not n else "  ", sign_style), *line] for n, line in enumerate(lines)]
    return out or [[Segment("no to-dos", palette.muted)]]
