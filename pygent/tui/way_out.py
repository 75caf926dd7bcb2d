"""The ways out of the application: asked for, by a signal, by a failure of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygent.tui.app import PygentApp

AGAIN = 2.0
"""Seconds within which a second Ctrl+C quits."""


class WayOut:
    """Closes the session beside the screen, then ends ``app``. On the interface's thread."""

    def __init__(self, app: PygentApp) -> None:
        self._app = app
        self._leaving = False
        self._asked_at = 0.0
        self._signals: list[int] = []
        self.failure: BaseException | None = None

    def ask(self) -> None:
        """A key that could be meant so: it has to come twice."""
        now = time.monotonic()
        if now - self._asked_at < AGAIN:
            self._app.leave()
            return
        self._asked_at = now
        self._say("Ctrl+C again quits")
        self._app.set_timer(AGAIN, lambda: None if self._leaving else self._say(""))

    def leave(self, code: int) -> None:
        """Close the session, then go. Asked for again, it goes at once."""
        app = self._app
        if self._leaving:
            if app.lifeline is not None:
                app.lifeline.hurry()
            app.exit(code or 130)
            return
        self._leaving = True
        self._say("closing: ending what runs, cleaning up … (Ctrl+Q again leaves at once)")
        app.run_worker(lambda: self._close(code), thread=True, exit_on_error=False)

    def catch_signals(self) -> None:
        """Leave where a signal asks for it. Where there is a lifeline it has them."""
        if self._app.lifeline is not None:
            return
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread, or Windows
            for number in (signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, self._app.leave)
                self._signals.append(number)

    def release_signals(self) -> None:
        """The application has ended."""
        with contextlib.suppress(RuntimeError, ValueError):
            for number in self._signals:
                asyncio.get_running_loop().remove_signal_handler(number)

    def failed(self, error: BaseException) -> bool:
        """The application failed; the session is closed meanwhile. False where it had failed before."""
        if self.failure is not None:
            return False
        self.failure = error
        threading.Thread(target=self._app.session.close, name="pygent-closing", daemon=True).start()
        return True

    def tell(self) -> None:
        """Keep a report of what ended the application, and say on standard error where it is and how to go on."""
        if self.failure is None:
            return
        from pygent.tui.crash import farewell, write_report  # noqa: PLC0415 - only where something failed

        session = self._app.session
        kept = session.id if session.is_stored and self._app.main.transcript.main.items else None
        for line in farewell(self.failure, write_report(self.failure), kept):
            sys.stderr.write(f"pygent: {line}\n")

    def _say(self, text: str) -> None:
        self._app.main.status.note = text
        self._app.main.status.changed()

    def _close(self, code: int) -> None:
        try:
            self._app.session.close()
        finally:
            self._app.call_later(self._app.exit, code)
