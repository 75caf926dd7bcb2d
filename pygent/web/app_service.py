"""What stands between a browser and an application: a process of its own, or one in this process.

textual-serve's packets go to a child process through two pipes. An application of this process, which can show an
object that lives here, gets the same packets through a socket pair.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, Literal

from textual.app import App
from textual_serve.app_service import AppService

from pygent.plain_text import clean, clean_line
from pygent.settings.web_password import VARIABLE as PASSWORD_VARIABLE

DRIVER = "pygent.tui.web_driver:BrowserDriver"
"""Named in the environment of a process, which tells it whose page it is on."""
GRACE = 3.0
"""Seconds that an application which is to end has for it."""
HURRY = 1.2
"""The same when the server ends."""
LONGEST_TITLE = 200
OPENED = ("http://", "https://", "mailto:")
MAX_BUFFERED = 16 * 1024 * 1024
"""Bytes kept for an application that does not read; what comes after them is dropped."""
MAX_COMPLAINT = 16 * 1024
"""Bytes kept of what a process writes to standard error."""


class Service(AppService):
    """An application that is ended when it does not end by itself."""

    _stopping: asyncio.Task[None] | None = None
    _hurried: asyncio.TimerHandle | None = None

    def __init__(self, command: str, *, show_title: Callable[[str], Awaitable[None]], **options: Any) -> None:
        super().__init__(command, **options)
        self.show_title = show_title

    @property
    def failure(self) -> str:
        """Why it never showed itself, where it has ended without."""
        return ""

    async def over(self) -> None:
        """Wait until nothing more comes from it."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def repaint(self, width: int, height: int) -> None:
        """Ask for everything that is to be seen, for a terminal of this size that shows nothing yet."""
        await self.send_meta({"type": "repaint", "width": width, "height": height})

    async def send_bytes(self, data: bytes) -> bool:
        return self._put(b"D", data)

    async def send_meta(self, data: dict[str, str | int | bool | None]) -> bool:
        return self._put(b"M", json.dumps(data).encode())

    async def on_meta(self, data: bytes) -> None:
        """As textual-serve's, but a page opens only pages."""
        meta = json.loads(data)
        if meta.get("type") == "title":
            await self.show_title(clean_line(str(meta.get("title")))[:LONGEST_TITLE])
        elif meta.get("type") != "open_url" or str(meta.get("url")).lower().startswith(OPENED):
            await super().on_meta(data)

    def _put(self, kind: Literal[b"D", b"M"], payload: bytes) -> bool:
        """Send without waiting: an application that hangs must not keep the server from seeing its browser go."""
        if self._stdin is None or self._stdin.is_closing():
            return False
        if self._stdin.transport.get_write_buffer_size() + len(payload) > MAX_BUFFERED:
            return False
        self._stdin.write(self.encode_packet(kind, payload))
        return True

    async def stop(self) -> None:
        """End the application and wait until it has; it is killed after ``GRACE`` seconds."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop())
        await asyncio.shield(self._stopping)

    def hurry(self) -> None:
        """Grant it only ``HURRY`` seconds from now."""
        if self._hurried is None:
            self._hurried = asyncio.get_running_loop().call_later(HURRY, self._kill)

    async def _stop(self) -> None:
        if self._task is None:
            return
        last = asyncio.get_running_loop().call_later(GRACE, self._kill)
        try:
            await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
            self._put(b"M", b'{"type": "quit"}')
            self._task.cancel()
            await asyncio.wait({self._task})
            await self._drain()
            await self._ended()
        finally:
            last.cancel()
            if self._hurried is not None:
                self._hurried.cancel()
            self.stdin.close()

    async def _drain(self) -> None:
        """Take what it still writes, or it would wait for that."""
        stdout = self._process.stdout if self._process is not None else None
        with contextlib.suppress(OSError):
            while stdout is not None and await stdout.read(1 << 16):
                pass

    async def _ended(self) -> None:
        raise NotImplementedError

    def _kill(self) -> None:
        raise NotImplementedError


class ProcessService(Service):
    """A process in a process group of its own."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        super().__init__("pygent", **options)
        self._words = list(command)
        self._child: asyncio.subprocess.Process
        self._seen = False
        self._complaint = b""
        self._failure = ""
        self._listening: asyncio.Task[None] | None = None

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Any:
        self._child = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._build_environment(width=width, height=height),
            start_new_session=True,  # the terminal's signals are for the server; it ends with its children
        )
        self._stdin = self._child.stdin
        self._listening = asyncio.create_task(self._listen())
        self._process = _streams(self._child.stdout)
        return self._process

    @property
    def failure(self) -> str:
        return self._failure

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        environment = super()._build_environment(width, height)
        environment["TEXTUAL_DRIVER"] = DRIVER
        environment.pop(PASSWORD_VARIABLE, None)
        return environment

    async def run(self) -> None:
        await super().run()
        if self._stopping is None and not self._seen:
            await self._find_failure()

    async def on_data(self, payload: bytes) -> None:
        self._seen = True
        await super().on_data(payload)

    async def _listen(self) -> None:
        assert self._child.stderr is not None
        while data := await self._child.stderr.read(4096):
            self._complaint = (self._complaint + data)[-MAX_COMPLAINT:]

    async def _find_failure(self) -> None:
        """An application that never showed itself has said why on standard error."""
        if self._listening is not None:
            await asyncio.wait({self._listening}, timeout=1)
        text = clean(self._complaint.decode("utf-8", "replace")).strip()
        self._failure = text or "pygent ended before it showed itself"
        sys.stderr.write(f"{self._failure}\n")

    async def _ended(self) -> None:
        await self._child.wait()
        if self._listening is not None:
            await asyncio.wait({self._listening})
        if self._seen and self._child.returncode not in {0, None} and self._complaint:
            sys.stderr.write(self._complaint.decode("utf-8", "replace"))

    def _kill(self) -> None:
        if self._child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)


class InProcessService(Service):
    """An application in a thread of this process."""

    def __init__(self, make_app: Callable[[], App[Any]], **options: Any) -> None:
        super().__init__("pygent", **options)
        self._make_app = make_app
        self._done = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Any:
        ours, theirs = socket.socketpair()
        reader, self._stdin = await asyncio.open_connection(sock=ours)
        threading.Thread(target=self._run_app, args=(theirs, (width, height)), name="pygent-web", daemon=True).start()
        self._process = _streams(reader)
        return self._process

    def _run_app(self, connection: socket.socket, size: tuple[int, int]) -> None:
        from pygent.tui.web_driver import socket_driver  # noqa: PLC0415 - only here

        app: Any = None
        try:
            app = _coloured(self._make_app)
            app.driver_class = socket_driver(connection)
            app.run(size=size)
        finally:
            if app is not None:
                app.session.close()
                app.way_out.tell()
            connection.close()
            with contextlib.suppress(RuntimeError):  # the server did not wait
                self._loop.call_soon_threadsafe(self._done.set)

    async def _ended(self) -> None:
        await self._done.wait()

    def _kill(self) -> None:
        """A thread cannot be ended; it is left behind, and dies with the process."""
        if self._stdin is not None:
            self._stdin.transport.abort()
        self._done.set()


def _coloured(make_app: Callable[[], App[Any]]) -> App[Any]:
    """A browser shows all colours, whatever terminal this process was started from."""
    from textual import constants  # noqa: PLC0415 - an application is about to be made

    names = vars(constants)
    before = names["COLOR_SYSTEM"]
    names["COLOR_SYSTEM"] = "truecolor"
    try:
        return make_app()
    finally:
        names["COLOR_SYSTEM"] = before


def _streams(stdout: asyncio.StreamReader | None) -> Any:
    """What the base class wants of a process; standard error is read by others."""
    silent = asyncio.StreamReader()
    silent.feed_eof()
    return SimpleNamespace(stdout=stdout, stderr=silent)
