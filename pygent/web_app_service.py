"""An application of this process, shown in a browser.

textual-serve talks to a child process through two pipes; here the same packets go through a socket pair to an
application that runs in the server's own event loop, so that it can show an object that lives in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import select
import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from textual.app import App
from textual.drivers.web_driver import WebDriver
from textual_serve.app_service import AppService

POLL = 0.1
"""Seconds after which a reader looks whether it should end."""


async def show_app(server: Any, request: web.Request, app: App[Any]) -> web.WebSocketResponse:
    """Show ``app`` through the request's web socket until either side ends."""
    websocket = web.WebSocketResponse(heartbeat=15)
    await websocket.prepare(request)

    async def close() -> None:
        await websocket.close()

    service = InProcessService(
        "pygent",
        write_bytes=websocket.send_bytes,
        write_str=websocket.send_str,
        close=close,
        download_manager=server.download_manager,
    )
    service.app = app
    await service.start(_size(request, "width", 80), _size(request, "height", 24))
    try:
        await server._process_messages(websocket, service)  # noqa: SLF001 - the server's own loop over messages
    finally:
        await service.stop()
        server.restore_signals()
    return websocket


def _size(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, "")
    return int(value) if value.isdigit() and 0 < int(value) < 2000 else default


class InProcessService(AppService):
    """Runs the application as a task of the server's loop instead of a process."""

    app: App[Any]

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Any:
        ours, theirs = socket.socketpair()
        reader, self._stdin = await asyncio.open_connection(sock=ours)
        self.app.driver_class = _driver_class(theirs)
        running = asyncio.create_task(self.app.run_async(size=(width, height)))
        running.add_done_callback(lambda _: theirs.shutdown(socket.SHUT_RDWR))
        silent = asyncio.StreamReader()
        silent.feed_eof()
        self._process = SimpleNamespace(stdout=reader, stderr=silent)  # type: ignore[assignment]
        return self._process


def _driver_class(connection: socket.socket) -> type[WebDriver]:
    class SocketDriver(WebDriver):
        """The driver for browsers, on a socket instead of the standard streams."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            connection.setblocking(True)
            self._write = _Writer(connection).write  # type: ignore[assignment]
            self._input_reader = _SocketReader(connection)  # type: ignore[assignment]

    return SocketDriver


class _Writer:
    """Sends on a thread of its own: both ends are served by one event loop, and a full socket must not stop it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._send, name="pygent-web-output", daemon=True).start()

    def write(self, data: bytes) -> int:
        self._waiting.put(data)
        return len(data)

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # the browser has gone
            while True:
                self._connection.sendall(self._waiting.get())


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
