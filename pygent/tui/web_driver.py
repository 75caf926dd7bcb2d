"""How the application talks to a browser's server: a driver that leaves when its server has gone.

Textual's own driver for browsers speaks the protocol of textual-serve over the standard streams, but it goes on for
ever when the other end has vanished, and it can only be used once in a process, in the main thread.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from textual import events, messages
from textual.driver import Driver
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size

if TYPE_CHECKING:
    from textual.app import App

LEAVE = 5.0
"""Seconds that an application without a server has to end in good order."""
POLL = 0.1
"""Seconds after which a reader looks whether it should end."""


class _Driver(WebDriver):
    """Takes no signals, which are for whoever runs it, and has the focus until the page says otherwise."""

    def start_application_mode(self) -> None:
        self._write(b"__GANGLION__\n")
        self._take_terminal()
        size = Size(*(self._size or (80, 24)))
        self._app.post_message(events.Resize(size, size))
        self._request_terminal_sync_mode_support()
        self._key_thread.start()

    def _take_terminal(self) -> None:
        self.write("\x1b[?1049h")  # the alternate screen
        self._enable_mouse_support()
        self.write("\x1b[?25l")  # no cursor
        self._enable_bracketed_paste()

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """As Textual's, and ``repaint``: another page shows the application now, or one that has missed something."""
        if packet_type == "repaint":
            super().on_meta("resize", payload)
            self._app.call_later(self._repaint)
        else:
            super().on_meta(packet_type, payload)

    def tell_title(self, title: str) -> None:
        """Have the page's tab say what is going on."""
        self.write_meta({"type": "title", "title": title})

    def _repaint(self) -> None:
        self.write("\x1bc")  # whatever state the page's terminal is in
        self._take_terminal()
        self._app.refresh(layout=True)

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.input_ended()

    def input_ended(self) -> None:
        """Nobody is at the other end any more."""
        self._app.post_message(messages.ExitApp())


class BrowserDriver(_Driver):
    """For a process of ``pygent serve``, on the standard streams; at the end of its input it ends, also by force."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._write = self._send  # type: ignore[assignment]
        self._key_thread.daemon = True

    def _send(self, data: bytes) -> int:
        with contextlib.suppress(OSError):  # the server has gone; the end of input says so, too
            return os.write(self.fileno, data)
        return 0

    def input_ended(self) -> None:
        force = threading.Timer(LEAVE, os._exit, (1,))
        force.daemon = True
        force.start()
        super().input_ended()


class UnguardedDriver(BrowserDriver):
    """For a process of ``textual serve``, which asks nobody who they are."""

    def tell_title(self, title: str) -> None:
        """Its page cannot say it."""


def socket_driver(connection: socket.socket) -> type[WebDriver]:
    """A driver for an application that is shown through ``connection``, in whatever thread it runs."""

    class SocketDriver(_Driver):
        def __init__(
            self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
        ) -> None:
            # Not Textual's: that wants standard streams that can be waited for.
            Driver.__init__(self, app, debug=debug, mouse=mouse, size=size)
            connection.setblocking(True)
            self.exit_event = threading.Event()
            self._deliveries = {}
            self._write = self._send  # type: ignore[assignment]
            self._input_reader = _SocketReader(connection)  # type: ignore[assignment]
            self._key_thread = threading.Thread(target=self.run_input_thread, name="pygent-web-input", daemon=True)

        def _send(self, data: bytes) -> int:
            with contextlib.suppress(OSError):  # the browser has gone
                connection.sendall(data)
            return len(data)

    return SocketDriver


class _SocketReader:
    """Yields what arrives, and nothing now and then, as the driver's loop expects."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._open = True

    def close(self) -> None:
        self._open = False

    def __iter__(self) -> Iterator[bytes]:
        while self._open:
            try:
                ready, _, _ = select.select([self._connection], [], [], POLL)
                data = self._connection.recv(4096) if ready else None
            except (OSError, ValueError):
                return
            if data == b"":
                return
            if data:
                yield data
            yield b""
