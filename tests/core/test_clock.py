"""Time limits do not pass while the process stands still."""

from __future__ import annotations

import threading
import time

from pygent import clock
from pygent.cancellation import CancelToken


def test_a_deadline_is_further_away_after_a_stop() -> None:
    token = CancelToken(0.1)
    ended = threading.Event()
    with token.on_cancel(ended.set):
        with clock.standing():
            time.sleep(0.15)
            assert not token.cancelled
        time.sleep(0.02)
        assert not token.cancelled
        assert not ended.is_set()
        assert 0 < (token.remaining() or 0) < 0.1
        assert ended.wait(2)
    assert token.cancelled


def test_the_clock_goes_on_where_it_stood() -> None:
    before = clock.now()
    with clock.standing():
        stood = clock.now()
        time.sleep(0.05)
        assert clock.now() == stood
    assert clock.now() - before < 0.05
