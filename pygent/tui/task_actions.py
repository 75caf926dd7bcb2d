"""What a person does with a task, from wherever it is shown: look into it, stop it, write to it, decide on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pygent.errors import PygentError
from pygent.transcript import AgentView, TaskItem, Transcript
from pygent.tui.panes.task_words import can, live, name_of
from pygent.tui.panes.text import one_line
from pygent.tui.text import plural

if TYPE_CHECKING:
    from textual.app import App

    from pygent.events import ApprovalRequested
    from pygent.session import Session

WORDS = {
    "open": ("enter", "open"),
    "stop": ("s", "stop"),
    "message": ("m", "message"),
    "review": ("d", "review"),
    "discard": ("x", "discard"),
    "retry": ("r", "retry"),
}
"""The keys and what they do, in the order in which they are told."""


class TaskActions:
    """The actions on tasks of one session. What may take a moment runs on a thread; what cannot be is told."""

    def __init__(self, app: App[Any], session: Session, transcript: Transcript) -> None:
        self._app = app
        self._session = session
        self._transcript = transcript

    def view(self, task: TaskItem) -> AgentView | None:
        """What its agent did."""
        return self._transcript.agents.get(task.task_id)

    def possible(self, task: TaskItem) -> list[str]:
        """Which of `WORDS` make sense now."""
        found = {"open", *can(task, self.view(task))}
        return [action for action in WORDS if action in found]

    def question(self, task: TaskItem) -> ApprovalRequested | None:
        """What it asks the person, None where it asks nothing that a text answers."""
        return next(
            (
                request
                for request in self._transcript.approvals.values()
                if request.agent_id == task.task_id and request.tool == "continue"
            ),
            None,
        )

    def do(self, action: str, task: TaskItem) -> None:
        """Do one of `WORDS`, or say why it cannot be done."""
        if action not in self.possible(task):
            self._tell(f"{name_of(task)}: {_why_not(action, task)}")
        else:
            getattr(self, action)(task)

    def open(self, task: TaskItem) -> None:
        """Show its conversation and its calls."""
        from pygent.tui.screens.task_detail import TaskDetailScreen  # noqa: PLC0415 - when it is asked for

        screen = self._app.screen
        if not (isinstance(screen, TaskDetailScreen) and screen.item is task):
            self._app.push_screen(TaskDetailScreen(task, self._transcript, self._session))

    def stop(self, task: TaskItem) -> None:
        """Ask, then stop it."""

        def stopped(done: object) -> None:
            if not done:
                self._tell(f"{name_of(task)} had ended already.")

        text = f"{one_line(task.prompt, 300)}\n\nWhat it did so far stays to be reviewed; the others go on."
        self._confirm(
            f"Stop {name_of(task)}?",
            text,
            ("Stop it", "Keep running"),
            lambda: self._work(lambda: self._session.cancel_task(task.task_id), stopped),
        )

    def message(self, task: TaskItem) -> None:
        """Write something to it, or answer what it asks."""
        from pygent.tui.screens.task_message import TaskMessageScreen  # noqa: PLC0415 - when it is asked for

        def written(text: str | None) -> None:
            if text:
                self.send(task, text)

        question = self.question(task)
        asked = str(question.arguments.get("question", "")) if question is not None else ""
        self._app.push_screen(TaskMessageScreen(task, asked), written)

    def send(self, task: TaskItem, text: str) -> None:
        """Tell it ``text``."""
        question = self.question(task)
        if question is not None:
            self._work(lambda: self._session.resolve(question.request_id, "allow_once", text))
        else:
            said = f"{name_of(task)} reads it before its next step."
            self._work(lambda: self._session.send_to_task(task.task_id, text), lambda _: self._tell(said))

    def retry(self, task: TaskItem) -> None:
        """Start a new task with the same work."""
        self._work(
            lambda: self._session.retry_task(task.task_id),
            lambda new: self._tell(f"{name_of(task)} begins again, as task {new}."),
        )

    def review(self, task: TaskItem) -> None:
        """Show what it changed, to be taken over or not."""
        from pygent.tui.screens.review import ReviewScreen  # noqa: PLC0415 - when it is asked for

        self._app.push_screen(ReviewScreen(task.task_id, self._session, self._transcript))

    def discard(self, task: TaskItem) -> None:
        """Ask, then give its changes up."""
        number = len(task.changes or task.files_changed)
        what = plural(number, "file")
        text = (
            f"{what} of {name_of(task)} will not be taken over. Until the session ends its review can take that back."
        )
        self._confirm(
            f"Discard what {name_of(task)} changed?",
            text,
            ("Discard it", "Keep it"),
            lambda: self._work(lambda: self._session.discard_task(task.task_id)),
        )

    def _confirm(self, title: str, text: str, answers: tuple[str, str], then: Callable[[], object]) -> None:
        from pygent.tui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - when it is asked for

        def answered(answer: bool | None) -> None:
            if answer:
                then()

        yes, no = answers
        self._app.push_screen(ConfirmScreen(title, text, yes=yes, no=no), answered)

    def _work(self, job: Callable[[], object], then: Callable[[Any], object] = lambda _: None) -> None:
        app = self._app

        def run() -> None:
            try:
                answer = job()
            except (PygentError, ValueError, OSError) as error:
                app.call_later(self._tell, str(error), "error")
            else:
                app.call_later(then, answer)

        app.run_worker(run, thread=True, exit_on_error=False)

    def _tell(self, text: str, severity: Any = "information") -> None:
        self._app.notify(text, severity=severity, markup=False)


def _why_not(action: str, task: TaskItem) -> str:
    match action:
        case "stop" | "message" if not live(task):
            return "it has ended; r does it again."
        case "retry":
            return "it has not ended yet; s stops it."
        case "discard" if task.review == "discarded":
            return "what it changed was discarded; d can take that back."
        case "discard" if live(task):
            return "it has not ended yet; s stops it."
        case "discard" if task.review == "applied":
            return "all that it changed was taken over; d shows it."
        case _:
            return "it has changed nothing."
