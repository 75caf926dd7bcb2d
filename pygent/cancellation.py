"""A tree of cancel tokens with deadlines.

Cancelling a token cancels everything below it and nothing above it. A deadline is a cancellation that comes by
itself. A token is thread-safe; whoever does the work asks it (``check``, ``remaining``, ``wait``) or hands it a
callback that ends the work from outside (``on_cancel``).
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator

from pygent import clock
from pygent.errors import Cancelled, DeadlineExceeded, Stopped


class CancelToken:
    """One node of the tree.

    ``timeout`` is in seconds from now, None for no limit of its own. The effective deadline is the earliest one on
    the way to the root.
    """

    def __init__(self, timeout: float | None = None, *, parent: CancelToken | None = None) -> None:
        self._lock = threading.Lock()
        self._event = threading.Event()
        self._callbacks: dict[int, Callable[[], object]] = {}
        self._next_key = 0
        self._children: weakref.WeakSet[CancelToken] = weakref.WeakSet()
        self._error: Stopped | None = None
        self._parent = parent  # a child keeps its parents alive, never the other way round
        own = None if timeout is None else clock.now() + timeout
        inherited = parent.deadline if parent is not None else None
        limits = [limit for limit in (own, inherited) if limit is not None]
        self.deadline: float | None = min(limits) if limits else None
        if parent is not None:
            parent._adopt(self)

    def child(self, timeout: float | None = None) -> CancelToken:
        """A token below this one that ends with it, or after ``timeout`` seconds."""
        return CancelToken(timeout, parent=self)

    def cancel(self, reason: str = "cancelled") -> None:
        """End the work of this token and of all below it. Later calls change nothing."""
        self._end(Cancelled(reason))

    @property
    def cancelled(self) -> bool:
        """True once the work should end, whether by ``cancel`` or by the deadline."""
        if self._error is None and self.deadline is not None and clock.now() >= self.deadline:
            self._end(DeadlineExceeded("the time limit was reached"))
        return self._error is not None

    @property
    def error(self) -> Stopped | None:
        """Why the work should end: ``Cancelled`` or ``DeadlineExceeded``, None while it may go on."""
        return self._error if self.cancelled else None

    def check(self) -> None:
        """Raise ``Cancelled`` or ``DeadlineExceeded`` if the work should end."""
        error = self.error
        if error is not None:
            raise type(error)(*error.args)

    def remaining(self) -> float | None:
        """Seconds until the deadline (0.0 once it has passed), None without one."""
        if self.deadline is None:
            return None
        return max(0.0, self.deadline - clock.now())

    def wait(self, seconds: float | None = None) -> bool:
        """Sleep until the work should end, at most ``seconds``. Answers whether it should."""
        left = self.remaining()
        if left is not None:
            seconds = left if seconds is None else min(seconds, left)
        self._event.wait(seconds)
        return self.cancelled

    @contextlib.contextmanager
    def on_cancel(self, callback: Callable[[], object]) -> Iterator[None]:
        """Call ``callback`` once, from another thread, if the work should end inside the ``with`` block.

        It is called at once where that is already so. The callback must be quick and must not raise.
        """
        with self._lock:
            key = self._next_key
            self._next_key += 1
            ended = self._error is not None
            if not ended:
                self._callbacks[key] = callback
        over = threading.Event()
        if ended:
            callback()
        elif self.deadline is not None:
            threading.Thread(target=self._watch, args=(over,), name="pygent-deadline", daemon=True).start()
        try:
            yield
        finally:
            over.set()
            with self._lock:
                self._callbacks.pop(key, None)

    def _watch(self, over: threading.Event) -> None:
        """Wait for the deadline; it is further away than it was where the process was suspended meanwhile."""
        while not self.cancelled and not over.wait(self.remaining()):
            pass

    def _adopt(self, child: CancelToken) -> None:
        with self._lock:
            self._children.add(child)
            error = self._error
        if error is not None:
            child._end(error)

    def _end(self, error: Stopped) -> None:
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
            children = list(self._children)
        self._event.set()
        for callback in callbacks:
            callback()
        for child in children:
            child._end(error)
