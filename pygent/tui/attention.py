"""The terminal's title, and the call when a person who looks elsewhere is needed."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from pygent.events import MAIN, ApprovalRequested, Event, RunFinished, RunStarted, TaskFinished, TaskStarted
from pygent.settings import terminal
from pygent.tui import calls
from pygent.tui.text import plural, seconds

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp

SHORT, LONG = 5.0, 30.0
"""Seconds: a shorter run ends without a call; a longer one calls also where nobody knows who is looking."""

APART = 3.0
"""Seconds between two calls; what comes sooner is not called for."""

_ENDS = {
    "stopped": "finished",
    "completed": "finished",
    "max_steps": "stopped at its limit of steps",
    "timeout": "ran out of time",
    "budget": "reached its budget",
    "input_required": "waits for you",
}


class Calls:
    """Calls by the setting ``notify``; ``write`` takes a sequence for the terminal.

    ``focused`` says whether the person looks at it; None where the terminal has not told.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        variables: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        which: Callable[[str], object] | None = None,
        start: Callable[[list[str]], object] | None = None,
    ) -> None:
        self._write = write
        self._variables = variables
        self._clock = clock
        self._channel = calls.channel(variables) if which is None else calls.channel(variables, which)
        self._start = start or _started
        self._last = float("-inf")
        self._run_at: dict[str, float] = {}
        self._tasks: dict[str, tuple[str, float]] = {}  # the persona of each, and when it began
        self.focused: bool | None = None

    def take(self, events: Iterable[Event], setting: str, workspace: str) -> None:
        """Call, where one of ``events`` is a reason to."""
        for event in events:
            if isinstance(event, RunStarted) and event.agent_id == MAIN:
                self._run_at[event.session_id] = event.at
            elif isinstance(event, ApprovalRequested):
                who, _ = self._tasks.get(event.agent_id, ("", 0.0))
                self._call(setting, workspace, f"{who} asks: {event.summary}".strip(), LONG)
            elif isinstance(event, TaskStarted):
                self._tasks[event.task_id] = event.persona, event.at
            elif isinstance(event, TaskFinished):
                who, began = self._tasks.pop(event.task_id, ("", event.at))
                took = max(0.0, event.at - began)
                if took >= SHORT and event.state not in {"cancelled", "lost"}:
                    text = f"{who or event.task_id}: {event.status} after {seconds(took)}"
                    changed = f", {plural(len(event.changes), 'file')} to review" if event.changes else ""
                    self._call(setting, workspace, text + changed, took)
            elif isinstance(event, RunFinished) and event.agent_id == MAIN:
                took = max(0.0, event.at - self._run_at.pop(event.session_id, event.at))
                if took >= SHORT and event.reason != "cancelled":
                    self._call(setting, workspace, f"{_end(event)} in {seconds(took)}", took)

    def _call(self, setting: str, workspace: str, text: str, weight: float) -> None:
        now = self._clock()
        if setting == "off" or self.focused or now - self._last < APART:
            return
        if setting == "auto" and self.focused is None:
            if weight < LONG:
                return
            setting = "bell"
        self._last = now
        if setting == "auto":
            setting = "desktop" if self._channel else "bell"
        if setting in {"bell", "both"} or self._channel is None:
            self._write(calls.BELL)
        if setting in {"desktop", "both"} and self._channel is not None:
            title = f"Pygent · {workspace}"
            if command := calls.program(self._channel, title, text):
                self._start(command)
            else:
                in_tmux = bool(self._variables.get("TMUX"))
                self._write(calls.sequence(self._channel, title, text, in_tmux=in_tmux))


def _end(event: RunFinished) -> str:
    if event.reason == "failed":
        return f"failed: {event.error}" if event.error else "failed"
    return _ENDS.get(event.reason, event.reason)


def _started(command: list[str]) -> None:
    """Run a small program beside everything; whether it works is not worth a word."""

    def run() -> None:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=10,
                check=False,
            )

    threading.Thread(target=run, name="pygent-notify", daemon=True).start()


class Title:
    """``pygent · workspace · state``, written when it changes, and what stood there before given back at the end."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._shown = ""

    def show(self, workspace: str, state: str) -> None:
        """Tell ``state``; the first time what stands there is put away."""
        title = f"pygent · {workspace} · {state}"
        if title != self._shown:
            keep = "" if self._shown else calls.KEEP_TITLE
            self._shown = title
            self._write(keep + calls.title_sequence(title))

    def give_back(self) -> None:
        """What stood there before stands there again."""
        if self._shown:
            self._shown = ""
            self._write(calls.GIVE_TITLE_BACK)


class Attention:
    """Joins both to the application: its events, its focus, its suspension."""

    def __init__(self, app: PygentApp) -> None:
        self._app = app
        self._calls = Calls(self._write, terminal())
        self._title = Title(self._write)
        self._told = ""
        app.watch(app, "app_focus", self._focus_changed, init=False)
        app.app_suspend_signal.subscribe(app, lambda _: self.end(), immediate=True)
        app.app_resume_signal.subscribe(app, lambda _: self.changed())
        self.changed()

    def take(self, events: Iterable[Event]) -> None:
        """Events came, and the transcript has them."""
        self._calls.take(events, self._app.session.settings.notify, self._workspace)
        self.changed()

    def changed(self) -> None:
        """The state, or the session, may be another."""
        tell = getattr(self._app._driver, "tell_title", None)  # noqa: SLF001 - only drivers for browsers have it
        if tell is not None and self._told != (told := f"{self._state} · {self._workspace}"):
            self._told = told
            tell(told)
        if self._app.session.settings.terminal_title:
            self._title.show(self._workspace, self._state)
            if self._app.lifeline is not None:
                self._app.lifeline.farewell = calls.GIVE_TITLE_BACK.encode()
        else:
            self._title.give_back()

    def end(self) -> None:
        """The terminal is to be as it was."""
        self._title.give_back()

    @property
    def _workspace(self) -> str:
        path = self._app.session.workspace
        return path.name or str(path)

    @property
    def _state(self) -> str:
        transcript = self._app.main.transcript
        if transcript.approvals:
            return "? asks you"
        if transcript.main.running or any(task.ended_at is None for task in transcript.tasks.values()):
            return "● working"
        return "✓ done" if transcript.main.items else "ready"

    def _focus_changed(self, focused: bool) -> None:
        self._calls.focused = focused

    def _write(self, text: str) -> None:
        driver = self._app._driver  # noqa: SLF001 - as Textual's own bell and clipboard do
        if driver is not None and not self._app.is_headless and not self._app.is_web:
            driver.write(text)
