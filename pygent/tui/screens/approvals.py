"""The requests that wait for the person, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from pygent.events import MAIN, ApprovalRequested, ApprovalResolved, Decision, Event
from pygent.tui.widgets.approval import Approval

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen


class ApprovalQueue:
    """Shows one request at a time; the focus goes back where it was once none is left."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._waiting: list[ApprovalRequested] = []
        self._focus: Widget | None = None

    def take(self, batch: Iterable[Event]) -> None:
        """Follow what was asked and what was answered, here or elsewhere."""
        touched = False
        for event in batch:
            if isinstance(event, ApprovalRequested):
                self._waiting.append(event)
                touched = True
            elif isinstance(event, ApprovalResolved):
                self._drop(event.request_id)
                touched = True
        if touched:
            self._show()

    def answer(self, request_id: str, decision: Decision, feedback: str) -> None:
        """Tell the session; the next request shows at once."""
        self._drop(request_id)
        self._screen.session.resolve(request_id, decision, feedback)
        self._show()

    def _drop(self, request_id: str) -> None:
        self._waiting = [request for request in self._waiting if request.request_id != request_id]

    def _show(self) -> None:
        widget = self._screen.query_one(Approval)
        if not self._waiting:
            if widget.request is not None:
                inside = self._screen.focused is None or widget in self._screen.focused.ancestors_with_self
                widget.close()
                if inside:
                    (
                        self._focus if self._focus is not None and self._focus.is_attached else self._screen.prompt
                    ).focus()
            self._focus = None
            return
        first = self._waiting[0]
        if widget.request is None:
            self._focus = self._screen.focused
        if widget.request is not first:
            widget.ask(first, self._who(first), self._screen.session.read_file)
        widget.waiting(len(self._waiting) - 1)

    def _who(self, request: ApprovalRequested) -> str:
        if request.agent_id == MAIN:
            return self._screen.session.status().persona
        task = self._screen.transcript.tasks.get(request.agent_id)
        return f"{task.persona} (task {request.agent_id})" if task is not None else f"task {request.agent_id}"
