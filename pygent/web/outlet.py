"""What goes to one browser: in order, and never waited for by the application that draws it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from aiohttp import web

MOST_BYTES = 4 * 1024 * 1024
"""Kept for a browser that does not read; then all of it is dropped, and drawn anew once the browser reads again."""
PATIENCE = 2.0
"""Seconds that a browser has to take the last words."""


class Outlet:
    """A queue before a web socket. ``repaint`` is called when something had to be dropped and there is room again.

    ``cut`` ends the connection of a browser that does not even take its last words.
    """

    def __init__(self, websocket: web.WebSocketResponse, cut: Callable[[], object]) -> None:
        self._websocket, self._cut = websocket, cut
        self._waiting: deque[bytes | str] = deque()
        self._size = 0
        self._dropped = False
        self._more = asyncio.Event()
        self._last: tuple[int, str] | None = None
        self._at_last: asyncio.TimerHandle | None = None
        self.repaint: Callable[[], object] = lambda: None

    @property
    def finished(self) -> bool:
        """Whether nothing more is taken."""
        return self._last is not None

    @property
    def waiting(self) -> int:
        """How much waits for its turn, in bytes, or characters of texts."""
        return self._size

    def put(self, message: bytes | str) -> None:
        """Send this when its turn comes: bytes for the terminal, a text for the page."""
        if self.finished:
            return
        self._waiting.append(message)
        self._size += len(message)
        if self._size > MOST_BYTES:
            self._dropped = True
            self._waiting.clear()
            self._size = 0
        self._more.set()

    def finish(self, code: int, why: str = "") -> None:
        """Close the web socket after what waits; ``code`` tells the page what has happened."""
        if self._last is None:
            self._last = (code, why)
            self._more.set()
            self._at_last = asyncio.get_running_loop().call_later(PATIENCE, self._cut)

    async def run(self) -> None:
        """Send until it is finished, or until the browser is gone."""
        with contextlib.suppress(ConnectionError):
            await self._send_all()
            if self._last is not None:
                code, why = self._last
                await self._websocket.close(code=code, message=why.encode())
        if self._at_last is not None:
            self._at_last.cancel()

    async def _send_all(self) -> None:
        while True:
            self._more.clear()
            while self._waiting:
                message = self._waiting.popleft()
                self._size -= len(message)
                await self._send(message)
            if self._last is not None:
                return
            if self._dropped:
                self._dropped = False
                self.repaint()
            await self._more.wait()

    async def _send(self, message: bytes | str) -> None:
        if isinstance(message, bytes):
            await self._websocket.send_bytes(message)
        else:
            await self._websocket.send_str(message)
