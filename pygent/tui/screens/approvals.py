"""The requests that wait for the person, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.widget import Widget

from pygent.events import MAIN, ApprovalRequested, ApprovalResolved, Decision, Event

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen
    from pygent.tui.widgets.approval import Approval


class ApprovalQueue:
    """Shows one request at a time; the focus goes back where it was once none is left."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._waiting: list[ApprovalRequested] = []
        self._focus: Widget | None = None
        self._widget: Approval | None = None

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

    def seen_again(self) -> None:
        """Another screen lay over the question, which may have come meanwhile."""
        if self._widget is not None and self._widget.request is not None:
            self._widget.seen_again()

    def back(self) -> bool:
        """From the words for the model to the answers; False where nobody was writing any."""
        if self._widget is None or self._widget.request is None or not self._widget.telling:
            return False
        self._widget.back()
        return True

    def answer_by_key(self) -> bool:
        """Give the keys to the question; False where there is none, or it has them."""
        widget, focused = self._widget, self._screen.focused
        if widget is None or widget.request is None or (focused and widget in focused.ancestors_with_self):
            return False
        widget.back()
        return True

    def _show(self) -> None:
        if not self._waiting:
            self._close()
            return
        first, screen = self._waiting[0], self._screen
        if self._widget is None or self._widget.request is None:
            self._focus = screen.focused
        if self._widget is None:
            from pygent.tui.widgets.approval import Approval  # noqa: PLC0415 - most sessions begin without a question

            root = str(screen.session.workspace)
            self._widget = Approval(first, self._who(first), screen.session.read_file, root, id="approval")
            screen.mount(self._widget, before="#queue")
        elif self._widget.request is not first:
            self._widget.ask(first, self._who(first))
        self._widget.waiting([self._name(request) for request in self._waiting[1:]])

    def _close(self) -> None:
        widget, focused = self._widget, self._screen.focused
        if widget is None or widget.request is None:
            return
        widget.close()
        if focused is None or widget in focused.ancestors_with_self:
            back = self._focus if self._focus is not None and self._focus.is_attached else self._screen.prompt
            back.focus()
        self._focus = None

    def open_task(self) -> None:
        """Show the conversation of the task that asks."""
        screen = self._screen
        task = screen.transcript.tasks.get(self._waiting[0].agent_id) if self._waiting else None
        if task is not None:
            screen.task_actions.open(task)

    def _name(self, request: ApprovalRequested) -> str:
        if request.agent_id == MAIN:
            return self._screen.session.status().persona
        task = self._screen.transcript.tasks.get(request.agent_id)
        return task.persona if task is not None else f"task {request.agent_id}"

    def _who(self, request: ApprovalRequested) -> str:
        name = self._name(request)
        return f"{name} (task {request.agent_id})" if request.agent_id in self._screen.transcript.tasks else name
