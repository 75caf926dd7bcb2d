"""The tool-call log: one line a call, newest at the bottom, live while it runs, and a filter over them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from pygent.events import MAIN, Event
from pygent.transcript import Item, ToolItem, Transcript
from pygent.tui.keys import LeavesKeys, key_of
from pygent.tui.panes.text import one_line
from pygent.tui.panes.tool_filter import CYCLE, LIVE, ToolIndex, parse_filter, value_of, with_value
from pygent.tui.panes.tool_rows import ToolRows
from pygent.tui.panes.word_filter import WordFilter

if TYPE_CHECKING:
    from pygent.session import Session


class ToolLogPane(Vertical):
    """All tool calls of the session and of its tasks. Enter shows one whole."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Tool calls"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,slash", "filter", "Filter the calls", id="tools.filter"),
        Binding("s", "next_status", "All, running or failed calls", id="tools.filter-status"),
        Binding("a", "next_agent", "Calls of one agent", id="tools.filter-agent"),
        Binding("r", "run_again", "Run again", id="tools.run-again"),
    ]

    home = MAIN
    """The agent that the rows need not name."""

    class Selected(Message):
        """A call was chosen; the pane itself opens its detail screen."""

        def __init__(self, pane: ToolLogPane, item: ToolItem) -> None:
            super().__init__()
            self.pane = pane
            self.item = item

        @property
        def control(self) -> ToolLogPane:
            return self.pane

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._index = ToolIndex(self._agent)
        self.rows = ToolRows(self._index, self._agent, self.home)
        self._seen = 0
        self._prepared: ToolIndex | None = None
        self._transcript: Transcript | None = None
        self._session: Session | None = None

    def compose(self) -> ComposeResult:
        yield self.rows
        yield ToolFilterLine()

    def on_mount(self) -> None:
        self._clock = self.set_interval(1.0, self._tick, pause=not self._index.live)

    def focus(self, scroll_visible: bool = True) -> ToolLogPane:
        """Give the focus to the rows."""
        self.rows.focus(scroll_visible)
        return self

    # What the main screen calls.

    @property
    def running(self) -> int:
        """How many calls run or wait."""
        return len(self._index.live)

    def prepare(self, transcript: Transcript) -> None:
        """Look at the calls that ``attach`` will show; on any thread."""
        self._transcript = transcript
        prepared = ToolIndex(self._agent)
        prepared.fill(list(transcript.tools.values()))
        self._prepared = prepared

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the calls of ``transcript`` and keep up from there."""
        self._session, self._transcript = session, transcript
        prepared, self._prepared = self._prepared, None
        if prepared is not None:
            self._index.take_over(prepared)
        else:
            self._index.fill(transcript.tools.values())
        self.rows.rows_changed()
        self._after_change()

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the UI thread."""
        self._take_in(item for _, item in batch if isinstance(item, ToolItem))

    def _take_in(self, items: Iterable[ToolItem]) -> None:
        moved = False
        touched: set[int] = set()
        for item in items:
            number, others = self._index.take(item)
            touched.add(number)
            moved = moved or others
        if moved:
            self.rows.rows_changed()
        elif touched:
            self._draw(touched)
        if touched:
            self._after_change()

    def _draw(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.rows.row_changed(self._index.row_of(number))

    def _after_change(self) -> None:
        if self.is_mounted:
            (self._clock.resume if self._index.live else self._clock.pause)()
        self._count_line()

    def _tick(self) -> None:
        self._draw(self._index.live)

    def _count_line(self) -> None:
        index = self._index
        shown, total = len(index.shown), len(index.items)
        if self.rows.following:
            self._seen = total
        parts = [f"{shown:,} of {total:,}" if index.filter else f"{total:,}"] if total else []
        waiting = sum(index.items[number].state == "waiting" for number in index.live)
        if len(index.live) > waiting:
            parts.append(f"{len(index.live) - waiting} running")
        if waiting:
            parts.append(f"{waiting} waiting")
        if total > self._seen and (new := shown - index.row_of(self._seen)):
            parts.append(f"↓ {new:,} new")
        line = Content(" · ".join(parts))
        if total and not index.filter:
            hint = Content(f"{key_of(self.app, 'tools.filter', 'f').lower()} filter").stylize("@click=filter")
            line = Content.assemble(line, " · ", hint) if parts else hint
        if str(self.border_subtitle or "") != line.markup:
            self.border_subtitle = line

    def _agent(self, agent_id: str) -> str:
        task = self._transcript.tasks.get(agent_id) if self._transcript is not None else None
        return one_line(task.persona if task is not None and task.persona else agent_id, 40)

    # The filter.

    @property
    def filter_line(self) -> WordFilter:
        return self.query_one(WordFilter)

    def action_filter(self) -> None:
        self.filter_line.begin()

    def action_next_status(self) -> None:
        value = value_of(self.filter_line.text, "status")
        following = CYCLE[(CYCLE.index(value) + 1) % len(CYCLE)] if value in CYCLE else ""
        self._filter_by("status", following)

    def action_next_agent(self) -> None:
        agents = ["", *dict.fromkeys(self._index.agents.values())]
        value = value_of(self.filter_line.text, "agent")
        self._filter_by("agent", agents[(agents.index(value) + 1) % len(agents)] if value in agents else "")

    def _filter_by(self, kind: str, value: str) -> None:
        self.filter_line.set_text(with_value(self.filter_line.text, kind, value))

    def on_word_filter_changed(self, event: WordFilter.Changed) -> None:
        event.stop()
        item, index = self.rows.item, self._index
        number = index.shown[self.rows.cursor] if item is not None else len(index.items) - 1
        newest = self.rows.following and number == len(index.items) - 1
        index.set_filter(parse_filter(event.text))
        self.rows.rows_changed(keep_cursor=not newest)
        if not newest:
            self.rows.cursor = index.row_of(number)
            self.rows.show_cursor()
        self._count_line()

    def on_word_filter_left(self, event: WordFilter.Left) -> None:
        event.stop()
        self.rows.focus()

    # The rows.

    def on_tool_rows_moved(self, event: ToolRows.Moved) -> None:
        event.stop()
        self._count_line()

    def on_tool_rows_opened(self, event: ToolRows.Opened) -> None:
        event.stop()
        self.post_message(self.Selected(self, event.item))

    def on_tool_log_pane_selected(self, event: Selected) -> None:
        from pygent.tui.screens.tool_detail import ToolDetailScreen  # noqa: PLC0415 - not needed for the first paint

        agent = self._agent(event.item.agent_id)
        self.app.push_screen(ToolDetailScreen(event.item, agent=agent, session=self._session))

    def action_run_again(self) -> None:
        from pygent.tui.screens.run_again import ask_to_run_again  # noqa: PLC0415 - only once it is asked for

        if self.rows.item is not None and self._session is not None:
            ask_to_run_again(self.app, self._session, self.rows.item)


class ToolFilterLine(WordFilter):
    """The filter of the calls."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear the filter", id="tools.filter-clear"),
        Binding("down", "leave", "To the calls", show=False, id="tools.filter-leave"),
    ]
    HINT = "tool:bash status:failed agent:tester words"


class TaskCalls(ToolLogPane, LeavesKeys):
    """The calls of one task, for its own screen, which has keys for the task."""

    BORDER_TITLE = ""
    LEFT = frozenset({"next_status", "next_agent", "run_again"})

    def __init__(self, task_id: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        self.home = task_id
        super().__init__(id=id)
        self._known = 0

    @property
    def total(self) -> int:
        """How many calls there are."""
        return len(self._index.items)

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the calls of the task and keep up from there, with `keep_up`."""
        self._session, self._transcript = session, transcript
        self.keep_up()

    def keep_up(self) -> None:
        """Take in what is new in the transcript, and what has ended since."""
        if self._transcript is None:
            return
        items = self._transcript.agent(self.home).items
        new = items[self._known :]
        self._known = len(items)
        index = self._index
        over = [index.items[number] for number in index.live if index.items[number].state not in LIVE]
        self._take_in([*over, *(item for item in new if isinstance(item, ToolItem))])
