"""The terminal, and how the application leaves it for the shell and comes back.

Textual's own driver does it inside a signal handler, which may interrupt the very write it then waits for, and takes
every ``SIGCONT`` for the end of a stop of its own. Here the event loop does it, between two other things.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import Any

from textual.drivers.linux_driver import LinuxDriver

TRIES = 1000
"""How often it can be sent to the background and brought back."""


class TerminalDriver(LinuxDriver):
    """Stops the process for Ctrl+Z, as shells expect it, and draws anew when it goes on.

    While another program has the terminal, such as an editor, the signals have their usual effect: the shell's.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._keeps_keys = False
        for number in (signal.SIGTSTP, signal.SIGCONT):
            signal.signal(number, signal.SIG_DFL)

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        loop = asyncio.get_running_loop()
        with contextlib.suppress(RuntimeError, ValueError):  # not in the main thread
            loop.add_signal_handler(signal.SIGTSTP, self.stop_process)
            loop.add_signal_handler(signal.SIGCONT, self._continued)

    def stop_application_mode(self) -> None:
        with contextlib.suppress(RuntimeError, ValueError):
            loop = asyncio.get_running_loop()
            loop.remove_signal_handler(signal.SIGTSTP)
            loop.remove_signal_handler(signal.SIGCONT)
        super().stop_application_mode()

    def disable_input(self) -> None:
        """Read no more. What was typed and not read is dropped, so that no shell takes it, or kept where told so."""
        if not self._keeps_keys:
            super().disable_input()
            return
        self._disable_mouse_support()
        self.exit_event.set()
        if self._key_thread is not None:
            self._key_thread.join()
        self.exit_event.clear()

    def stop_process(self) -> None:
        """Give the terminal back, stop until a shell lets the process go on, take the terminal again."""
        from pygent.session import standing_still  # noqa: PLC0415 - the clock of the core

        self.suspend_application_mode()
        with standing_still():
            os.kill(os.getpid(), signal.SIGSTOP)
        self._take_again()

    def _continued(self) -> None:
        """It was stopped in a way that nobody can be told of, so the terminal may be in any state.

        What was typed since then is for the application. The shell's settings, under which it would be echoed, are
        therefore left out on the way, and kept for the end.
        """
        shell, self.attrs_before = self.attrs_before, None
        self._keeps_keys = True
        try:
            self.suspend_application_mode()
        finally:
            self._keeps_keys = False
        self._take_again()
        self.attrs_before = shell

    def _take_again(self) -> None:
        """Take the terminal. A shell that let the process go on in the background stops it in the middle of that."""
        for _ in range(TRIES):
            self._must_signal_resume = True
            self.resume_application_mode()
            if self._key_thread is not None and self._key_thread.is_alive():
                break

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # the boundary of the thread: a terminal that cannot be read any more
            self._app.call_later(self._app._handle_exception, error)  # noqa: SLF001 - ends the application
