"""The status line: what goes on at its left, where and as whom it goes on at its right. The sandbox always shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from pygent.transcript import Transcript
from pygent.tui.keys import key_of
from pygent.tui.text import clean_line, count, money, plural, seconds

if TYPE_CHECKING:
    from pygent.session import Session

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"

Part = tuple[str, str]
"""Text and style."""


class StatusLine(Widget):
    """One line, drawn from the session and the transcript whenever either changed."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 2;
        background: $background;
        color: $text-muted;
    }
    """

    auto_links = False  # what can be clicked keeps its colours

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.session: Session | None = None
        self.transcript = Transcript()
        self.queued = 0
        self.note = ""
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self._timer = self.set_interval(1 / 10, self.refresh, pause=True)

    def changed(self) -> None:
        """Draw anew, and turn the spinner while something runs."""
        if self._timer is not None:
            if self._busy:
                self._timer.resume()
            else:
                self._timer.pause()
        self.refresh()

    @property
    def _busy(self) -> bool:
        main = self.transcript.main
        at_work = main.running or main.doing == "compacting"
        return (at_work and not self.transcript.approvals) or (self.session is not None and not self.session.opened)

    def render(self) -> Content:
        width = self.content_size.width
        left = self._left()
        room = width - _width(left) - 2
        right: list[list[Part]] = []
        help_part = self._help(width)
        room -= _width(help_part) + 3
        for part in self._right():  # in order of importance; drawn in the reverse
            size = _width(part) + (3 if right else 0)
            if size <= room:
                right.append(part)
                room -= size
        parts: list[Part] = []
        for part in reversed(right):
            if parts:
                parts.append((" · ", "$foreground 45%"))
            parts.extend(part)
        if parts:
            parts.append((" · ", "$foreground 45%"))
        parts.extend(help_part)
        gap = max(1, width - _width(left) - _width(parts))
        return Content.assemble(*left, " " * gap, *parts)

    def plain(self) -> str:
        """The text of the line."""
        return self.render().plain

    def _left(self) -> list[Part]:
        main, session = self.transcript.main, self.session
        frame = FRAMES[int(time.monotonic() * 10) % len(FRAMES)]
        if self.note:
            return [(self.note, "$text-warning")]
        if session is not None and not session.opened:
            return [(f"{frame} ", "$primary"), ("opening", "$foreground")]
        if self.transcript.approvals:
            return [("? ", "bold $warning"), (self._who_waits(), "$text-warning")]
        if main.doing == "compacting":
            took = seconds(max(0.0, time.time() - main.doing_since))
            return [(f"{frame} ", "bold $primary"), (f"compacting the conversation · {took}", "$foreground")]
        if main.running:
            took = seconds(max(0.0, time.time() - main.started_at)) if main.started_at else ""
            left = [
                (f"{frame} ", "bold $primary"),
                (f"step {main.step}" if main.step else "working", "$foreground"),
                (f" · {took}", ""),
            ]
            if main.doing in {"waiting for the model", "thinking"}:  # else the conversation shows it moving
                left.append((f" · {main.doing} {seconds(max(0.0, time.time() - main.doing_since))}", ""))
            if self.queued:
                left.append((f" · {self.queued} queued", ""))
            if tasks := self._tasks_at_work():
                left.append((f" · {plural(tasks, 'task')}", ""))
            if self.content_size.width >= 100:
                escape = key_of(self.app, "run.interrupt", "escape")
                left.append((f" · {escape.lower()} interrupts", "$foreground 45%"))
            return [(text, f"{style} @click=screen.interrupt_run") for text, style in left]
        if tasks := self._tasks_at_work():
            return [("◆ ", "$primary"), (f"{plural(tasks, 'task')} at work", "$foreground")]
        return [("● ", "$success"), ("ready", "")]

    def _tasks_at_work(self) -> int:
        return sum(task.ended_at is None for task in self.transcript.tasks.values())

    def _who_waits(self) -> str:
        """The first that asks, where that is a task; the main agent's question stands there to be seen."""
        requests = self.transcript.approvals
        task = self.transcript.tasks.get(next(iter(requests.values())).agent_id)
        who = f"{clean_line(task.persona)[:20]} waits for you" if task is not None else "waiting for you"
        return f"{who}, {len(requests) - 1} more" if len(requests) > 1 else who

    def _help(self, width: int) -> list[Part]:
        """The way to everything for a mouse; as many words of it as there is room for."""
        shown, palette = key_of(self.app, "app.help", "f1"), key_of(self.app, "app.palette", "ctrl+p")
        parts = [(f"{shown} help", "$foreground 45% @click=app.help")]
        if width >= 150:
            parts.append((f"  {palette} everything", "$foreground 45% @click=app.command_palette"))
        return parts if width >= 60 else [(shown, "$foreground 45% @click=app.help")]

    def _right(self) -> list[list[Part]]:
        if self.session is None:
            return []
        status = self.session.status()
        parts: list[list[Part]] = []
        if status.sandbox:
            sandbox = clean_line(status.sandbox)
            parts.append([(sandbox, "" if status.confined else "bold $text-warning")])
        mode = status.permission_mode
        parts.append([(mode, f"{_MODE_STYLES.get(mode, '')} @click=screen.next_mode")])
        parts.append([(clean_line(status.model), "$foreground @click=screen.command('model')")])
        main = self.transcript.main
        if main.context_tokens:
            used = count(main.context_tokens)
            if status.context_window:
                share = 100 * main.context_tokens / status.context_window
                style = "$text-warning" if share >= 80 else ""
                parts.append([(f"{used} ({share:.0f}% of context)", style)])
            else:
                parts.append([(f"{used} in context", "")])
        share = self.session.costs().share
        if share:
            style = "$text-warning" if share >= 0.8 else ""
            parts.append([(f"{share:.0%} of budget", f"{style} @click=screen.command('budget')")])
        total, cost = self.transcript.tokens, self.transcript.cost
        if cost is not None:
            parts.append([(f"cost {money(cost)}", "@click=screen.show_costs")])
        if total:
            parts.append([(f"{count(total)} tokens", "@click=screen.show_costs")])
        parts.append([(clean_line(status.persona), "@click=screen.command('persona')")])
        if status.demo:
            parts.insert(1, [("demo", "bold $text-accent")])
        return parts


_MODE_STYLES = {"plan": "$text-success", "ask": "$text-primary", "auto": "", "yolo": "bold $text-error"}


def _width(parts: list[Part]) -> int:
    return sum(cell_len(text) for text, _ in parts)
