"""The rows of the tool-call log: state, tool, argument, what it says last, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.message import Message

from pygent.events import MAIN
from pygent.transcript import ToolItem
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.signs import TOOL_SIGNS
from pygent.tui.panes.text import fit, one_line, running_for, took
from pygent.tui.panes.tool_filter import LIVE, STATES, ToolIndex

NARROW = 36
"""Cells; below this a row says less on its right side."""

LAST = 400
"""Characters of a live output in which its last line is looked for."""


class ToolRows(RowsView):
    """One row for each call of ``index`` that its filter lets through.

    ``agent`` names an agent by its id; ``home`` is not named.
    """

    EMPTY: ClassVar[Sequence[Part]] = (
        ("", ""),
        ("No tool calls yet.", "strong"),
        ("", ""),
        ("Each command, each file written or read, and what came of it will stand here, one line a call.", "muted"),
        ("", ""),
        ("Enter shows a call whole: its arguments and all its output.", "muted"),
    )

    class Moved(Message):
        """The cursor or the view is elsewhere."""

    class Opened(Message):
        """A row was chosen."""

        def __init__(self, item: ToolItem) -> None:
            super().__init__()
            self.item = item

    def __init__(self, index: ToolIndex, agent: Callable[[str], str], home: str = MAIN) -> None:
        super().__init__()
        self._index = index
        self._home = home
        self._agent = agent

    @property
    def item(self) -> ToolItem | None:
        """The call under the cursor."""
        shown = self._index.shown
        return self._index.items[shown[self.cursor]] if 0 <= self.cursor < len(shown) else None

    def count(self) -> int:
        return len(self._index.shown)

    def empty(self) -> Sequence[Part]:
        index = self._index
        if not index.items:
            return self.EMPTY
        why = "Esc in the filter clears it."
        if index.filter.unknown:
            why = f"There is no status {index.filter.unknown[0]!r}; there are: {', '.join(STATES)}, failed."
        return (("", ""), ("No call fits the filter.", "strong"), ("", ""), (why, "muted"))

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        number = self._index.shown[index]
        item = self._index.items[number]
        sign = TOOL_SIGNS[item.state]
        right: list[Part] = [(self._state(item, width), "muted" if item.state == "ok" else sign.style)]
        if item.by_user:
            right.insert(0, ("you ", "primary"))
        if item.agent_id != self._home:
            right.insert(0, (fit(self._agent(item.agent_id), 12 if width >= NARROW else 6) + " ", "secondary"))
        left = [
            (f"{sign.sign} ", sign.style),
            (f"{one_line(item.tool, 24)} ", "strong"),
            (self._index.summary(number), ""),
        ]
        if item.state == "running" and (said := last_line(item.output)):
            left[2] = (fit(left[2][0], max(8, width // 2 - 8)), "")
            left.append((f"  › {said}", "muted"))
        return left, right

    @staticmethod
    def _state(item: ToolItem, width: int) -> str:
        sign = TOOL_SIGNS[item.state]
        if item.state == "ok":
            return took(item.seconds)
        word = f"exit {item.exit_status}" if item.state == "error" and item.exit_status else sign.word
        if item.state in {"denied", "cancelled", "waiting"} or width < NARROW:
            return word
        return f"{word} {running_for(time.time() - item.at) if item.state in LIVE else took(item.seconds)}"

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Moved())

    def open_row(self, index: int) -> None:
        self.post_message(self.Opened(self._index.items[self._index.shown[index]]))


def last_line(output: str) -> str:
    """The last line of an output that has something in it; the cost does not grow with the output."""
    lines = [line for line in output[-LAST:].replace("\r", "\n").split("\n") if line.strip()]
    return one_line(lines[-1], LAST) if lines else ""
