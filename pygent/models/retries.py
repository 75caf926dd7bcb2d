"""When a request that failed for a passing reason is made again."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, cast

from pygent.models.endpoint import Failed

if TYPE_CHECKING:
    from tenacity import RetryCallState

LONGEST_PAUSE = 16.0
"""Seconds of a pause that the server does not ask for."""

_SPREAD = 0.1


class Retries:
    """The pauses of one request: they grow, are spread by chance, and are those that the server asks for.

    Only the pauses are decided here: whoever asks for them tells of them and waits, in a way that can be ended.
    """

    def __init__(self, most: int, first_pause: float) -> None:
        import tenacity  # noqa: PLC0415 - only where a request fails

        self.most = most
        self.made = 0
        growing = tenacity.wait_exponential(multiplier=first_pause, max=LONGEST_PAUSE)
        self._growing = growing + tenacity.wait_random(0, first_pause)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(most + 1),
            wait=self._wait,
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, Failed) and error.failure.temporary),
            reraise=True,
        )
        self._state = tenacity.RetryCallState(self._retrying, None, (), {})
        self._retrying.begin()

    def pause(self, failed: Failed) -> float:
        """The seconds to wait after ``failed``. Raises it where no other try is made."""
        self._state.set_exception((type(failed), failed, failed.__traceback__))
        pause = cast("float", self._retrying.iter(retry_state=self._state))
        self._state.prepare_for_next_attempt()
        self.made += 1
        return pause

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = error.failure.wait if isinstance(error, Failed) else None
        if asked is None:
            return self._growing(state)
        # Never less than asked for; a little more, so that those that were sent away together do not come together.
        return asked * (1 + random.random() * _SPREAD)  # noqa: S311 - not a secret
