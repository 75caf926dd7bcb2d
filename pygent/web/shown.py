"""The applications of a server, and the browsers that show them.

An application outlives its browser: while nobody looks its drawing is dropped, and whoever comes back gets all of it
anew. After a time without anybody it is ended.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from pygent.web.app_service import GRACE, Service
from pygent.web.outlet import Outlet

ENDED, TAKEN, FAILED, CHOOSE, GONE = 4000, 4001, 4002, 4003, 4004
"""What the web socket's close tells the page: the application ended; another browser shows it; it did not start; the
person has to choose; it ended while nobody looked."""
PATIENCE = 6.0
"""Seconds after which an application that draws nothing is said to hang."""

MakeService = Callable[["Shown"], Service]


class Shown:
    """One application that runs, and the browser that shows it, if one does.

    ``key`` is its name, ``number`` what people see of that, ``seen`` when a browser last came or went.
    """

    def __init__(self, number: int, make: MakeService, keep: float, over: Callable[[Shown], None]) -> None:
        self.key = secrets.token_urlsafe(12)
        self.number = number
        self.seen = time.monotonic()
        self.title = ""
        self.outlet: Outlet | None = None
        self.leaving = False
        self._keep = keep
        self._over = over
        self._began = time.time()
        self._size = (80, 24)
        self._drawn = False
        self._alone: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._life: asyncio.Task[None] | None = None
        self.service = make(self)

    async def start(self, width: int, height: int) -> None:
        """Begin. To be called once."""
        await self.service.start(width, height)
        self._life = asyncio.create_task(self._live())

    async def attach(self, outlet: Outlet, width: int, height: int) -> None:
        """Show it there, from now on only there."""
        if self.outlet is not None:
            self.outlet.finish(TAKEN)
        self._stop_waiting()
        self.outlet = outlet
        self.seen = time.monotonic()
        outlet.repaint = self._repaint_later
        self._size = (width, height)
        outlet.put(json.dumps(["app", self.key]))
        outlet.put(json.dumps(["title", self.title]))
        self._silence = asyncio.get_running_loop().call_later(PATIENCE, outlet.put, json.dumps(["silent"]))
        if self._drawn:
            await self.service.repaint(width, height)
        else:  # nothing has been missed
            await self.service.set_terminal_size(width, height)
        await self.service.focus()

    async def resize(self, width: int, height: int) -> None:
        """The browser's window has another size."""
        self._size = (width, height)
        await self.service.set_terminal_size(width, height)

    async def detach(self, outlet: Outlet) -> None:
        """That browser is gone."""
        if self.outlet is not outlet:
            return
        self.outlet = None
        self.seen = time.monotonic()
        self._stop_waiting()
        if self.leaving:
            return
        if self._keep <= 0:
            self.end()
        else:
            await self.service.blur()
            self._alone = asyncio.get_running_loop().call_later(self._keep, self.end)

    def end(self) -> None:
        """Ask it to end, and see to it that it does."""
        if not self.leaving:
            self.leaving = True
            self._stop_waiting()
            self._say_goodbye()
            self._stopping = asyncio.create_task(self.service.stop())

    async def ended(self) -> None:
        """Wait for its end."""
        if self._life is not None:
            await asyncio.wait({self._life})

    def describe(self) -> dict[str, Any]:
        """What a person needs to know to choose it."""
        return {
            "key": self.key,
            "number": self.number,
            "title": self.title,
            "since": self._began,
            "shown": self.outlet is not None,
        }

    # What its service calls.

    async def write_bytes(self, data: bytes) -> None:
        """It draws."""
        self._drawn = True
        if self._silence is not None:
            self._silence.cancel()
        if self.outlet is not None:
            self.outlet.put(data)

    async def write_str(self, text: str) -> None:
        """It wants something of the page."""
        if self.outlet is not None:
            self.outlet.put(text)

    async def show_title(self, title: str) -> None:
        """It says what is going on."""
        self.title = title
        await self.write_str(json.dumps(["title", title]))

    async def close(self) -> None:
        """It has said that it ends."""
        self.end()

    async def _live(self) -> None:
        await self.service.over()
        self.leaving = True
        self._stop_waiting()
        self._say_goodbye()
        await self.service.stop()
        self._over(self)

    def _repaint_later(self) -> None:
        self._repainting = asyncio.ensure_future(self.service.repaint(*self._size))

    def _say_goodbye(self) -> None:
        if self.outlet is None:
            return
        if self.service.failure:
            self.outlet.put(json.dumps(["failed", self.service.failure]))
            self.outlet.finish(FAILED)
        else:
            self.outlet.finish(ENDED)

    def _stop_waiting(self) -> None:
        for timer in (self._alone, self._silence):
            if timer is not None:
                timer.cancel()


class AllShown:
    """Every application of a server, ``most`` of them at once."""

    def __init__(self, make: MakeService, *, keep: float, most: int) -> None:
        self.most = most
        self._make, self._keep = make, keep
        self._running: dict[str, Shown] = {}
        self._count = 0
        self._ends = asyncio.Condition()

    def find(self, key: str) -> Shown | None:
        """The one with this key, unless it is ending."""
        shown = self._running.get(key)
        return None if shown is None or shown.leaving else shown

    def alone(self) -> Shown | None:
        """The one that was looked at last, of those that nobody looks at."""
        alone = [shown for shown in self._running.values() if shown.outlet is None and not shown.leaving]
        return max(alone, key=lambda shown: shown.seen, default=None)

    def choices(self) -> list[dict[str, Any]]:
        """What can be chosen, the newest first."""
        return [shown.describe() for shown in reversed(self._running.values()) if not shown.leaving]

    async def new(self, width: int, height: int) -> Shown | None:
        """Start one; None where there are enough. One that is ending is waited for."""
        try:
            async with asyncio.timeout(GRACE + 0.5), self._ends:
                await self._ends.wait_for(lambda: len(self._running) < self.most or not self._any_ends())
        except TimeoutError:
            return None
        if len(self._running) >= self.most:
            return None
        self._count += 1
        shown = Shown(self._count, self._make, self._keep, self._over)
        self._running[shown.key] = shown
        try:
            await shown.start(width, height)
        except BaseException:
            del self._running[shown.key]
            raise
        return shown

    async def end_all(self) -> None:
        """End them all, soon."""
        running = list(self._running.values())
        for shown in running:
            shown.service.hurry()
            if shown.outlet is not None:
                shown.outlet.finish(1001)
            shown.end()
        await asyncio.gather(*(shown.ended() for shown in running), return_exceptions=True)

    def _any_ends(self) -> bool:
        return any(shown.leaving for shown in self._running.values())

    def _over(self, shown: Shown) -> None:
        self._running.pop(shown.key, None)
        self._telling = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._ends:
            self._ends.notify_all()
