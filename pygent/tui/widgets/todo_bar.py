"""The agent's to-dos, above the prompt: one line where they are folded, else the part of the list that matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual import events
from textual.content import Content
from textual.widget import Widget

from pygent.todos import Progress, progress
from pygent.tui.keys import key_of
from pygent.tui.panes.text import fit
from pygent.tui.text import clean_line

SHOWN = 6
"""To-dos that show at once."""
TALL = 30
"""Rows of a screen from which the list is unfolded by itself."""
FAINT = "$foreground 45%"

SIGNS = {"done": ("✓", "$text-success"), "active": ("●", "bold $primary"), "pending": ("○", FAINT)}
"""The sign of a state and its style."""
STYLES = {"done": "$text-muted", "active": "bold $foreground", "pending": "$foreground"}


class TodoBar(Widget):
    """Shows how far the work is. A click or a key folds it; it never takes the focus."""

    DEFAULT_CSS = """
    TodoBar {
        display: none;
        height: auto;
        padding: 0 3;
        color: $text-muted;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.todos: Sequence[Mapping[str, Any]] = ()
        self._folded: bool | None = None
        self._crowded = False

    @property
    def folded(self) -> bool:
        """Whether it is one line: as the person said, else by the height of the screen."""
        short = self.app.size.height < TALL
        return self._crowded or (short if self._folded is None else self._folded)

    def show(self, todos: Sequence[Mapping[str, Any]], *, crowded: bool) -> None:
        """Show this list; an empty one hides it. It is one line where the room above the prompt is ``crowded``."""
        if todos == self.todos and crowded == self._crowded:
            return
        self.todos, self._crowded = todos, crowded
        self.display = bool(todos)
        self.refresh(layout=True)

    def toggle(self) -> None:
        """Fold it, or unfold it."""
        if not self._crowded:
            self._folded = not self.folded
            self.refresh(layout=True)

    def render(self) -> Content:
        width = max(1, self.content_size.width)
        found = progress(self.todos)
        lines = [self._head(found, width)]
        if not self.folded:
            first = _first(self.todos)
            rest = self.todos[first:]
            shown = rest if len(rest) == SHOWN + 1 else rest[:SHOWN]
            lines += [_line(one, width) for one in shown]
            if left := len(rest) - len(shown):
                lines.append(Content.styled(f"  … {left} more", FAINT))
        return Content("\n").join(lines)

    def _head(self, found: Progress, width: int) -> Content:
        folded = self.folded
        all_done = found.done == found.total
        head = Content.assemble(
            ("▸ " if folded else "▾ ", FAINT),
            ("To-dos", "bold $text-success" if all_done else "bold $foreground"),
            (f"  {found.words}", "$text-muted"),
        )
        key = key_of(self.app, "todos.fold", "alt+t")
        hint = "" if self._crowded else f"{key} {'shows them' if folded else 'folds'}"
        room = width - head.cell_length - len(hint) - 2
        if folded and found.now and room > 12:
            text = fit(clean_line(found.now), room - 4)
            head = Content.assemble(head, (" · ", FAINT), (text, "$foreground"))
            room -= Content(text).cell_length + 3
        return Content.assemble(head, " " * (room + 2), (hint, FAINT)) if room >= 0 else head

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.toggle()

    def on_resize(self) -> None:
        self.refresh(layout=True)


def _first(todos: Sequence[Mapping[str, Any]]) -> int:
    """The first to-do that shows: the one before what is open, as far as the list goes on for that long."""
    opened = next((n for n, one in enumerate(todos) if one.get("state") != "done"), len(todos))
    return max(0, min(opened - 1, len(todos) - SHOWN))


def _line(todo: Mapping[str, Any], width: int) -> Content:
    state = str(todo.get("state"))
    sign, style = SIGNS.get(state, SIGNS["pending"])
    text = fit(clean_line(str(todo.get("text"))), width - 4)
    return Content.assemble(("  ", ""), (f"{sign} ", style), (text, STYLES.get(state, "")))
