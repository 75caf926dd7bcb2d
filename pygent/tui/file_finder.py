"""The workspace's files by what is typed of them: listed on a thread, looked through at once or on a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from textual.dom import DOMNode
from textual.widget import Widget

from pygent.errors import PygentError
from pygent.tui.file_index import FileIndex

if TYPE_CHECKING:
    from pygent.session import Session

AGE = 10.0
"""Seconds after which a list is made anew when files are asked for the next time."""

LISTING = "listing the files …"
NONE = "no file has these letters in this order"


class Answer(NamedTuple):
    """Paths for what was typed, best first. ``note`` says why there are none, or not yet all."""

    typed: str
    paths: list[str]
    note: str = ""


_WAITING = Answer("", [], LISTING)


class FileFinder:
    """The files of one session's workspace. Its methods are for the UI thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._index: FileIndex | None = None
        self._problem = ""
        self._stale = True
        self._listing = False
        self._listed_at = 0.0
        self._took = 0.0
        self.recent: Callable[[], list[str]] = list

    @property
    def index(self) -> FileIndex | None:
        """The list as it was made last, None before that."""
        return self._index

    def stale(self) -> None:
        """Files may be others now: they are listed anew when they are asked for."""
        self._stale = True

    def refresh(self, node: DOMNode, done: Callable[[], None]) -> None:
        """List the files, on a thread, if the list is stale or old; ``done`` is called once there is a new one."""
        old = time.monotonic() - self._listed_at > max(AGE, 20 * self._took)
        if self._listing or not (self._stale or old) or not self._session.opened:
            return
        self._listing, self._stale = True, False
        node.run_worker(self._list(done), exit_on_error=False)

    async def _list(self, done: Callable[[], None]) -> None:
        began = time.monotonic()
        try:
            self._index = await asyncio.to_thread(lambda: FileIndex(self._session.list_files()))
            self._problem = ""
        except (PygentError, OSError) as error:
            self._problem = f"the files cannot be listed: {error}"
        finally:
            self._listing = False
            self._listed_at = time.monotonic()
            self._took = self._listed_at - began
        done()

    def waiting(self) -> Answer | None:
        """What to say while there is no list; None once there is one."""
        if self._index is not None:
            return None
        return _WAITING._replace(note=self._problem) if self._problem else _WAITING

    def now(self, typed: str, limit: int) -> Answer | None:
        """The answer, if it takes no more than a few milliseconds; else None, and `Search` is to be asked."""
        if self._index is None:
            return self.waiting()
        if not self._index.quick(typed):
            return None
        return self.search(typed, limit)

    def search(self, typed: str, limit: int, stop: Callable[[], bool] = lambda: False) -> Answer:
        """The answer, at any cost; for a thread."""
        assert self._index is not None
        found = self._index.search(typed, limit, self.recent(), stop)
        return Answer(typed, found, "" if found else NONE)


class Search:
    """One who asks a finder: the newest question counts, and an older answer never comes after a newer one."""

    def __init__(self, node: Widget, limit: int, show: Callable[[Answer], None]) -> None:
        self._node = node
        self._limit = limit
        self._show = show
        self._typed: str | None = None
        self._working = False

    def ask(self, finder: FileFinder, typed: str) -> Answer | None:
        """The answer, where it is there at once; else ``show`` gets it later, unless something newer is asked."""
        self._typed = typed
        finder.refresh(self._node, lambda: self._again(finder))
        answer = finder.now(typed, self._limit)
        if answer is None and not self._working:
            self._working = True
            self._node.run_worker(self._work(finder), exit_on_error=False)
        return answer

    def forget(self) -> None:
        """Nothing is asked any longer."""
        self._typed = None

    def _again(self, finder: FileFinder) -> None:
        if self._typed is not None and self._node.is_mounted:
            answer = self.ask(finder, self._typed)
            if answer is not None:
                self._show(answer)

    async def _work(self, finder: FileFinder) -> None:
        try:
            done: str | None = None
            while self._typed is not None and self._typed != done:
                typed = done = self._typed
                answer = await asyncio.to_thread(finder.search, typed, self._limit, partial(self._is_old, typed))
                if self._typed == typed and self._node.is_mounted:
                    self._show(answer)
        finally:
            self._working = False

    def _is_old(self, typed: str) -> bool:
        return self._typed != typed


_FINDERS: WeakKeyDictionary[Session, FileFinder] = WeakKeyDictionary()


def finder_of(session: Session) -> FileFinder:
    """The one finder of a session: what is listed for one place serves the others."""
    finder = _FINDERS.get(session)
    if finder is None:
        finder = _FINDERS[session] = FileFinder(session)
    return finder
