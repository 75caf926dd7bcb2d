"""How long stored sessions are kept, and how much room they may take: what is beyond that goes, the oldest first."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pygent.claims import claim, held
from pygent.errors import SessionInUse
from pygent.store import Store, StoredSession

log = logging.getLogger(__name__)

DAY = 86_400.0
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """``days`` since a session was last at work, and ``size`` in bytes of all together; None for no limit."""

    days: float | None = None
    size: int | None = None


def tidy(
    store: Store, claims: Path, limits: Limits, ended: Callable[[], bool] = lambda: False
) -> list[StoredSession]:
    """Remove the sessions that are beyond ``limits``, and what nothing uses any more; answers those sessions.

    One that is open in any Pygent stays. ``ended`` is asked between two sessions whether to stop. Raises
    ``StoreError``.
    """
    store.finish_deleting()
    gone: list[StoredSession] = []
    for one in _beyond(store, held(claims), limits):
        if ended():
            return gone
        # Whoever opens it at this moment has it; and whoever has not, cannot until it is gone.
        with contextlib.suppress(SessionInUse, OSError), claim(claims, one.id):
            store.delete(one.id)
            gone.append(one)
    if gone:
        _forget_tasks(store, gone)
    store.sweep()
    return gone


def told(gone: list[StoredSession], limits: Limits) -> str:
    """What was removed, for people; "" where nothing was."""
    if not gone:
        return ""
    what = "1 session was" if len(gone) == 1 else f"{len(gone):,} sessions were"
    kept = [f"for {limits.days:g} days"] if limits.days is not None else []
    if limits.size is not None:
        kept.append(f"as long as all take no more than {limits.size // MEGABYTE:,} MB")
    return f"{what} removed, the oldest: they are kept {' and '.join(kept)} (sessions_keep_days, sessions_keep_size)."


def _beyond(store: Store, is_open: set[str], limits: Limits) -> Iterator[StoredSession]:
    """The oldest first. Sizes are looked at anew for each: what is shared goes with the last that uses it."""
    sessions = [one for one in store.all_sessions() if one.id not in is_open]
    # A clock that is wrong for once must not make all sessions old: the newest one is never older than today.
    now = min(time.time(), max((one.updated_at for one in sessions), default=0.0))
    for one, moment in zip(sessions, _moments(sessions, now), strict=True):
        too_old = limits.days is not None and now - moment > limits.days * DAY
        if too_old or (limits.size is not None and store.size() > limits.size):
            yield one
        else:
            return


def _moments(sessions: Sequence[StoredSession], now: float) -> list[float]:
    """When each was last at work, in Unix seconds, as far as clocks are to be believed; they are in that order.

    What came later is no older, though its clock had been put back. One whose clock ran ahead of ``now`` was at work
    no later than the one that came after it, which is all that is known of it.
    """
    moments: list[float] = []
    latest = 0.0
    for count, one in enumerate(sessions, start=1):
        if one.updated_at <= now + DAY:
            latest = max(latest, one.updated_at)
            moments += [latest] * (count - len(moments))
    return moments + [now] * (len(sessions) - len(moments))


def _forget_tasks(store: Store, gone: list[StoredSession]) -> None:
    from pygent.tasks.left import forget  # noqa: PLC0415 - only where something was removed

    forget(store.file.parent / "tasks", [one.id for one in gone])
