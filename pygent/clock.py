"""A clock that stands still while the process is suspended, so that no time limit passes meanwhile."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

_lock = threading.Lock()
_stood = 0.0
_since: float | None = None


def now() -> float:
    """Seconds from some moment on, as ``time.monotonic`` counts them, without those spent in ``standing``."""
    with _lock:
        return (time.monotonic() if _since is None else _since) - _stood


@contextlib.contextmanager
def standing() -> Iterator[None]:
    """Let the clock stand. The process is stopped in here; what wakes up with it finds the time as it was."""
    global _since, _stood  # noqa: PLW0603 - there is one time
    with _lock:
        _since = time.monotonic()
    try:
        yield
    finally:
        with _lock:
            _stood += time.monotonic() - _since
            _since = None
