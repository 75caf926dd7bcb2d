"""The tool-call log: one line a call, newest at the bottom, live while it runs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from pygent.events import MAIN, Event
from pygent.transcript import Item, ToolItem, Transcript
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.signs import TOOL_SIGNS
from pygent.tui.panes.text import fit, one_line, running_for, summary, took

if TYPE_CHECKING:
    from pygent.session import Session

NARROW = 36
"""Cells; below this a row says less on its right side."""

_LIVE = ("waiting", "running")


class ToolLogPane(RowsView):
    """All tool calls of the session and of its tasks. Enter shows one whole."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Tool calls"
    EMPTY: ClassVar[Sequence[Part]] = (
        ("", ""),
        ("No tool calls yet.", "strong"),
        ("", ""),
        ("Each command, each file written or read, and what came of it will stand here, one line a call.", "muted"),
        ("", ""),
        ("Enter shows a call whole: its arguments and all its output.", "muted"),
    )

    class Highlighted(Message):
        """The cursor is on another call."""

        def __init__(self, pane: ToolLogPane, item: ToolItem) -> None:
            super().__init__()
            self.pane = pane
            self.item = item

        @property
        def control(self) -> ToolLogPane:
            return self.pane

    class Selected(Highlighted):
        """A call was chosen; the pane itself opens its detail screen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._items: list[ToolItem] = []
        self._index: dict[str, int] = {}
        self._live: set[int] = set()
        self._seen = 0
        self._transcript: Transcript | None = None
        self._session: Session | None = None

    def on_mount(self) -> None:
        self._clock = self.set_interval(1.0, self._tick, pause=True)

    # What the main screen calls.

    @property
    def running(self) -> int:
        """How many calls run or wait."""
        return len(self._live)

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the calls of ``transcript`` and keep up from there."""
        self._session, self._transcript = session, transcript
        self._items = list(transcript.tools.values())
        self._index = {item.key: index for index, item in enumerate(self._items)}
        self._live = {index for index, item in enumerate(self._items) if item.state in _LIVE}
        self._after_change(added=True)

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the UI thread."""
        added = False
        touched: set[int] = set()
        for _, item in batch:
            if not isinstance(item, ToolItem):
                continue
            index = self._index.get(item.key)
            if index is None:
                index = self._index[item.key] = len(self._items)
                self._items.append(item)
                added = True
            touched.add(index)
            (self._live.add if item.state in _LIVE else self._live.discard)(index)
        if added:
            self._after_change(added=True)
        elif touched:
            self._after_change(added=False)
            for index in touched:
                self.row_changed(index)

    def _after_change(self, *, added: bool) -> None:
        if added:
            self.rows_changed()
        if self.is_mounted:
            (self._clock.resume if self._live else self._clock.pause)()
        self._count_line()

    def _tick(self) -> None:
        for index in self._live:
            self.row_changed(index)

    def _count_line(self) -> None:
        if self.following:
            self._seen = len(self._items)
        parts = [f"{len(self._items):,}"] if self._items else []
        waiting = sum(self._items[index].state == "waiting" for index in self._live)
        if len(self._live) > waiting:
            parts.append(f"{len(self._live) - waiting} running")
        if waiting:
            parts.append(f"{waiting} waiting")
        if len(self._items) > self._seen:
            parts.append(f"↓ {len(self._items) - self._seen} new")
        line = " · ".join(parts)
        if self.border_subtitle != line:
            self.border_subtitle = line

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._seen < len(self._items):
            self._count_line()

    # Rows.

    def count(self) -> int:
        return len(self._items)

    def empty(self) -> Sequence[Part]:
        return self.EMPTY

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        item = self._items[index]
        sign = TOOL_SIGNS[item.state]
        span = running_for(time.time() - item.at) if item.state in _LIVE else took(item.seconds)
        state = span if item.state == "ok" else sign.word
        if item.state not in {"ok", "denied", "cancelled", "waiting"} and width >= NARROW:
            state = f"{sign.word} {span}"
        right: list[Part] = [(state, "muted" if item.state == "ok" else sign.style)]
        if item.agent_id != MAIN:
            right.insert(0, (fit(self._agent(item.agent_id), 12 if width >= NARROW else 6) + " ", "secondary"))
        left = (
            (f"{sign.sign} ", sign.style),
            (f"{one_line(item.tool, 24)} ", "strong"),
            (summary(item.arguments), ""),
        )
        return left, right

    def _agent(self, agent_id: str) -> str:
        task = self._transcript.tasks.get(agent_id) if self._transcript is not None else None
        return one_line(task.persona if task is not None and task.persona else agent_id, 40)

    def cursor_moved(self) -> None:
        self._count_line()
        if 0 <= self.cursor < len(self._items):
            self.post_message(self.Highlighted(self, self._items[self.cursor]))

    def open_row(self, index: int) -> None:
        self.post_message(self.Selected(self, self._items[index]))

    def on_tool_log_pane_selected(self, event: Selected) -> None:
        from pygent.tui.screens.tool_detail import ToolDetailScreen  # noqa: PLC0415 - not needed for the first paint

        self.app.push_screen(
            ToolDetailScreen(event.item, agent=self._agent(event.item.agent_id), session=self._session)
        )
