"""Asks git again when something may have changed, never twice at once and never so often that it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widget import Widget

from pygent.errors import PygentError
from pygent.tui.panes.git_marks import GitMarks
from pygent.tui.text import clean_line

if TYPE_CHECKING:
    from pygent.git import GitStatus
    from pygent.session import Session

SOON = 0.4
"""Seconds after a change before git is asked, so that many changes are one question."""

EVERY = 10.0
"""Seconds after which it is asked anyway: others change files too."""

SHARE = 20
"""So many times as long as the last answer took it is not asked again."""

TOO_LONG = "git status takes too long"


class GitWatch:
    """What git says of a session's workspace; ``changed`` is called when that is something else."""

    def __init__(self, widget: Widget, changed: Callable[[], object]) -> None:
        self._widget = widget
        self._changed = changed
        self._session: Session | None = None
        self._status: GitStatus | None = None
        self._delay: Timer | None = None
        self._asking = False
        self._again = False
        self._asked_at = 0.0
        self._took = 0.0
        self.stopped = False
        self.problem = ""
        self.marks = GitMarks()

    @property
    def found(self) -> bool:
        """Whether the workspace lies in a repository, as far as is known."""
        return self._status is not None

    @property
    def line(self) -> str:
        """The branch, and how far it is from its upstream; or why there is nothing to tell."""
        if self.problem or self._status is None:
            return self.problem
        status = self._status
        parts = [clean_line(status.branch)[:40] or f"at {status.commit[:8]}"]
        parts += [f"↑{status.ahead}"] if status.ahead else []
        parts += [f"↓{status.behind}"] if status.behind else []
        return " ".join(parts)

    def attach(self, session: Session) -> None:
        """Watch this session's workspace."""
        self._session, self._status, self.marks, self.stopped = session, None, GitMarks(), False
        self.refresh()

    def soon(self) -> None:
        """Something changed: ask in a moment."""
        if not self.stopped and self._delay is None and self._widget.is_mounted:
            wait = max(SOON, self._asked_at + SHARE * self._took - time.monotonic())
            self._delay = self._widget.set_timer(wait, self.refresh)

    def now_and_then(self) -> None:
        """Called often: asks where the last answer is old."""
        if time.monotonic() - self._asked_at > max(EVERY, SHARE * self._took):
            self.soon()

    def try_again(self) -> None:
        """Ask though it took too long before."""
        self.stopped = False
        self.refresh()

    def refresh(self) -> None:
        """Ask now."""
        if self._delay is not None:
            self._delay.stop()
            self._delay = None
        self._again = self._asking
        if not self._asking and not self.stopped and self._session is not None and self._widget.is_mounted:
            self._asking = True
            self._widget.run_worker(self._ask(self._session), group="git", exit_on_error=False)

    async def _ask(self, session: Session) -> None:
        began = time.monotonic()
        try:
            status, marks, problem, late = await asyncio.to_thread(_answer, session)
        finally:
            self._asking = False
            self._asked_at = time.monotonic()
            self._took = self._asked_at - began
        if session is self._session and self._widget.is_mounted:
            self.stopped, self.problem = late, problem
            if status is not None or not problem:  # a status that cannot be had now leaves the last one
                self._status, self.marks = status, marks
            self._changed()
        if self._again:
            self._again = False
            self.soon()


def _answer(session: Session) -> tuple[GitStatus | None, GitMarks, str, bool]:
    from pygent.git import GitTimeout  # noqa: PLC0415 - not for the first paint

    try:
        status = session.git_status(ignored=True)
    except GitTimeout:
        return None, GitMarks(), TOO_LONG, True
    except (PygentError, OSError):
        return None, GitMarks(), "", False
    return status, GitMarks(status.changes if status is not None else None), "", False
