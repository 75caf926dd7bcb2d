"""Whose turn it is: conversations compute side by side as long as all of them fit into one window."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from pygent.cancellation import CancelToken


class Turns:
    """Lets requests in together, or one of them alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._waiting = 0  # for being alone
        self._alone = False

    @property
    def idle(self) -> bool:
        """True while there is no request, and none waits."""
        return not self._under_way and not self._waiting

    @contextlib.contextmanager
    def take(self, cancel: CancelToken | None = None, *, alone: bool = False) -> Iterator[None]:
        """Wait until it is this request's turn, ``alone`` until there is no other; raises what ``cancel`` does."""
        self._enter(cancel, alone=alone)
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._alone = self._alone and not alone
                self._changed.notify_all()

    def _enter(self, cancel: CancelToken | None, *, alone: bool) -> None:
        with self._changed:
            self._waiting += alone
            try:
                self._wait((lambda: not self._under_way) if alone else (lambda: not self._waiting), cancel)
            finally:
                self._waiting -= alone
                self._changed.notify_all()
            self._alone = alone
            self._under_way += 1

    def _wait(self, free: Callable[[], bool], cancel: CancelToken | None) -> None:
        if cancel is None:
            self._changed.wait_for(lambda: free() and not self._alone)
            return
        with cancel.on_cancel(self._wake):
            self._changed.wait_for(lambda: cancel.cancelled or (free() and not self._alone))
        cancel.check()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
