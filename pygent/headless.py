"""``pygent -p``: one run to its end, with nobody there to ask.

The answer goes to standard output and everything else to standard error, so that a script can read the one and a
person the other. The exit code says how it ended; the codes are a contract with scripts.
"""

from __future__ import annotations

import _thread
import contextlib
import io
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Literal, Self, TextIO

from pygent.errors import APITemporaryError, PygentError, SessionInUse, SettingsError
from pygent.event_lines import to_line
from pygent.events import (
    MAIN,
    ApprovalResolved,
    Event,
    Notice,
    Reason,
    RunFinished,
    RunStarted,
    StepStarted,
    TodosUpdated,
    ToolStarted,
)
from pygent.plain_text import clean, escaped, one_line
from pygent.session import Session
from pygent.todos import progress

log = logging.getLogger(__name__)

OutputFormat = Literal["text", "json", "stream-json"]

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_NEEDS_PERSON = 0, 1, 2, 3
EXIT_TEMPORARY, EXIT_LIMIT, EXIT_INTERRUPTED = 75, 124, 130


def run_headless(session: Session, prompt: str, *, output_format: OutputFormat = "text") -> int:
    """Run ``prompt`` in a session that is not open yet, until it stops, and close it; answers the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal or pipe that cannot say a character is no failure
    watch = _Watch(session, output_format, sys.stdout, sys.stderr)
    failure: BaseException | None = None
    with _signals(session, watch), watch:
        try:
            session.open()
            session.run(prompt)
        except KeyboardInterrupt:
            watch.interrupted = True
        except Exception as error:  # the boundary of the program: told in words, never as a traceback
            failure = error
            log.info("the run failed", exc_info=error)
            watch.say(f"pygent: {error}" if isinstance(error, PygentError) else f"pygent: {_unexpected(error)}")
        finally:
            if watch.finished is None:
                _tell_of_no_run(session, prompt, failure)
            session.close()
    watch.finish()
    return watch.exit_code(failure)


def read_prompt(prompt: str) -> str:
    """The prompt of ``-p``: ``-`` is all of standard input.

    Raises ``SettingsError`` where it is empty or not text.
    """
    try:
        text = sys.stdin.read() if prompt == "-" else prompt
    except UnicodeDecodeError as error:
        raise SettingsError(f"the prompt on standard input is not UTF-8 text: {error}") from error
    if not text.strip():
        raise SettingsError('the prompt is empty; give it as: pygent -p "what to do", or on standard input with -p -')
    return text


class _Watch:
    """Follows the session's events and writes what each format wants."""

    def __init__(self, session: Session, output_format: OutputFormat, out: TextIO, err: TextIO) -> None:
        self.interrupted = False
        self.finished: RunFinished | None = None
        self._unanswered = 0
        self._format = output_format
        self._out = out
        self._err = err
        self._session = session
        self._progress = err.isatty()
        self._unicode = (out.encoding or "").lower().replace("-", "") == "utf8"
        self._shown = False
        self._broken = False
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="pygent-output", daemon=True)

    def __enter__(self) -> Self:
        self._writer.start()
        self._unsubscribe = self._session.subscribe(self._take)
        return self

    def __exit__(self, *_: object) -> None:
        self._unsubscribe()
        self._lines.put(None)
        self._writer.join()

    def _take(self, event: Event) -> None:
        if self._format == "stream-json" and self.finished is None:  # its line is the last one
            self._lines.put(self._line(event))
        match event:
            case RunFinished() if event.agent_id == MAIN:
                self.finished = event
            case ApprovalResolved(by="nobody"):
                self._unanswered += 1
            case Notice():
                self.say(f"{event.level}: {event.text}" if event.level != "info" else event.text)
            case TodosUpdated() if self._format == "text" and event.agent_id == MAIN and event.todos:
                done = progress(event.todos)
                self.say(f"to-dos: {done.words}" + (f", next: {done.now}" if done.now else ""))
            case StepStarted() if event.agent_id == MAIN:
                self._status(f"step {event.step}")
            case ToolStarted():
                who = "" if event.agent_id == MAIN else f"[{event.agent_id}] "
                self._status(f"{who}{event.tool} {' '.join(str(value) for value in event.arguments.values())}")

    def say(self, text: str) -> None:
        """A line for the person, on standard error."""
        self._erase()
        self._to_err(clean(self._session.without_keys(text)) + "\n")

    def finish(self) -> None:
        """Write the answer, once everything has ended."""
        self._erase()
        event = self.finished
        if event is None:
            return
        if self._format == "json":
            self._print(self._line(event))
        elif self._format == "text":
            if event.text.strip():
                self._print(clean(event.text).strip())
            if event.reason not in ("stopped", "completed", "failed"):
                self._to_err(f"pygent: {_ENDS[event.reason]}\n")
            if event.check == "failed":
                self._to_err("pygent: the check (--check) fails\n")
            if self._unanswered:
                self._to_err(f"pygent: {self._unanswered} {_NOBODY}\n")

    def exit_code(self, failure: BaseException | None) -> int:
        """How the run ended, as a number: 130, then 1 or 75, 124, 3, 0."""
        event = self.finished
        if self.interrupted or (event is not None and event.reason == "cancelled"):
            return EXIT_INTERRUPTED
        if self._broken:
            return EXIT_FAILED
        if failure is not None:
            if isinstance(failure, SettingsError | SessionInUse):
                return EXIT_USAGE
            return EXIT_TEMPORARY if isinstance(failure, APITemporaryError) else EXIT_FAILED
        if event is None or event.reason == "failed":
            return EXIT_FAILED
        if event.reason in ("max_steps", "timeout", "budget"):
            return EXIT_LIMIT
        if event.check == "failed":
            return EXIT_FAILED
        return EXIT_NEEDS_PERSON if event.reason == "input_required" or self._unanswered else EXIT_DONE

    def _line(self, event: Event) -> str:
        return escaped(to_line(event, ascii_only=not self._unicode))

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            self._print(line)

    def _print(self, line: str) -> None:
        if self._broken:
            return
        try:
            self._out.write(line + "\n")
            self._out.flush()
        except (BrokenPipeError, OSError):  # the reader has gone; so should the run
            self._broken = True
            self._session.interrupt()
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _status(self, text: str) -> None:
        if self._progress:
            self._to_err("\r\x1b[2K\x1b[2m" + one_line(text, 76) + "\x1b[0m")
            self._shown = True

    def _erase(self) -> None:
        if self._shown:
            self._to_err("\r\x1b[2K")
            self._shown = False

    def _to_err(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._err.write(text)
            self._err.flush()


_ENDS = {
    "max_steps": "stopped at the limit of steps (--max-steps)",
    "timeout": "stopped at the time limit (--max-time, --step-timeout)",
    "budget": "stopped at the budget (--budget)",
    "cancelled": "interrupted",
    "input_required": "the agent needs an answer from you; go on with it in the full-screen application",
}
_NOBODY = "call(s) needed an approval, and nobody could answer; see --permission-mode"


def _tell_of_no_run(session: Session, prompt: str, failure: BaseException | None) -> None:
    """Give a reader of the events its one last line where nothing came to run."""
    reason: Reason = "cancelled" if failure is None else "failed"
    session.bus.publish(RunStarted(prompt=prompt))
    session.bus.publish(RunFinished(reason=reason, error=str(failure or "interrupted")))


def _unexpected(error: BaseException) -> str:
    return f"internal error: {type(error).__name__}: {error}"


@contextlib.contextmanager
def _signals(session: Session, watch: _Watch) -> Iterator[None]:
    """The first interrupt ends the run in good order, the second one at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: object) -> None:
        first, watch.interrupted = not watch.interrupted, True
        if not first:
            raise KeyboardInterrupt
        # Ending a run takes locks that this very thread may hold where the signal met it.
        _thread.start_new_thread(end, ())

    def end() -> None:
        if not session.interrupt():  # nothing runs yet, or not any more
            _thread.interrupt_main()

    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if (hangup := getattr(signal, "SIGHUP", None)) and signal.getsignal(hangup) == signal.SIG_IGN:
        numbers.remove(hangup)  # nohup means it
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
