"""Places that other processes left behind: found, taken over, kept for a while, removed."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pygent.errors import TaskError
from pygent.scratch import remove_folder
from pygent.tasks.place import Place, Record, is_held, last_written, places, read_record, sweep

log = logging.getLogger(__name__)

KEPT_SECONDS = 30 * 86_400.0
"""How long the work of a task is kept after its end at most."""

DECIDED_SECONDS = 86_400.0
"""How long work is kept that was applied or given up, so that this can be taken back."""

HELD_SECONDS = 1.0
"""How long a session waits for a place of its own that another Pygent is just looking at."""

SIZE_LIMIT = 4 * 1024**3
"""Bytes of disk (as `du` counts them) that all places may take; the oldest work goes first, none of the last day."""


@dataclass(frozen=True, slots=True)
class Left:
    """A place as a list shows it. ``held``: a Pygent that lives has it open."""

    root: Path
    record: Record
    held: bool

    @property
    def state(self) -> str:
        """The task's state; ``lost`` where its process is gone and it had not ended."""
        return "lost" if self.record.ended_at is None and not self.held else self.record.state

    @property
    def is_open(self) -> bool:
        """Whether it was lost, or changed something, and nobody has decided on that."""
        undecided = self.record.review not in ("applied", "discarded")
        return undecided and (self.state == "lost" or bool(self.record.changes))

    @property
    def moment(self) -> float:
        """When it ended, or was last heard of, in Unix seconds."""
        return self.record.ended_at or last_written(self.root)


def left(folder: Path) -> list[Left]:
    """All places below ``folder``, newest first."""
    found = [Left(root, record, is_held(root)) for root in places(folder) if (record := read_record(root))]
    return sorted(found, key=lambda one: one.record.started_at, reverse=True)


def find(folder: Path, prefix: str) -> Left:
    """The one place whose task's id begins with ``prefix``. Raises ``TaskError`` for none or several."""
    found = [one for one in left(folder) if one.record.id.startswith(prefix)] if prefix else []
    if len(found) != 1:
        what = "no task's id begins" if not found else f"{len(found)} tasks' ids begin"
        raise TaskError(f"{what} with {prefix!r}; `pygent tasks list` shows them")
    return found[0]


def take_left(folder: Path, *, session_id: str | None, workspace: str | None) -> Iterator[Place]:
    """Take over the places of a session, and those that have work to decide on in ``workspace``, oldest first."""
    for one in reversed(left(folder)):
        own = session_id is not None and one.record.session_id == session_id
        here = workspace is not None and one.record.parent == workspace
        if not own and (one.held or not (here and one.is_open)):
            continue
        end_by = time.monotonic() + (HELD_SECONDS if own else 0.0)
        while (place := Place.take(one.root)) is None and time.monotonic() < end_by:
            time.sleep(0.02)
        if place is not None:
            yield place


def forget(folder: Path, session_ids: Iterable[str]) -> None:
    """Remove what tasks of these sessions left; what a Pygent that lives has open stays."""
    ids = set(session_ids) - {""}
    for one in left(folder):
        if one.record.session_id in ids and (place := Place.take(one.root)) is not None:
            place.remove()


def tidy(folder: Path, now: float | None = None, limit: int = SIZE_LIMIT) -> list[Record]:
    """Remove what is too old, and the oldest where all together is too large; answers what was still to be decided.

    What a Pygent that lives has open stays.
    """
    now = time.time() if now is None else now
    sweep(folder)
    _sweep_unreadable(folder, now)
    gone: list[Record] = []
    sizes: list[tuple[float, int, Left]] = []
    for one in left(folder):
        if one.held:
            continue
        decided = one.record.review in ("applied", "discarded")
        if now - one.moment > (DECIDED_SECONDS if decided else KEPT_SECONDS):
            gone += _remove(one)
        else:
            sizes.append((one.moment, _size(one), one))
    total = sum(size for _, size, _ in sizes)
    for moment, size, one in sorted(sizes, key=lambda entry: entry[0]):
        if total <= limit or now - moment < DECIDED_SECONDS:
            break
        gone += _remove(one)
        total -= size
    return gone


def disk_use(folder: Path) -> int:
    """Bytes of disk below a folder, as `du` counts them; what is gone meanwhile counts nothing."""
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in found:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue
    return total


def _size(one: Left) -> int:
    """As it was once counted, since nobody works there any more."""
    if one.record.size is not None:
        return one.record.size
    size = disk_use(one.root)
    if (place := Place.take(one.root)) is not None:
        with contextlib.suppress(OSError):
            place.save(size=size)
        place.close()
    return size


def _remove(one: Left) -> list[Record]:
    place = Place.take(one.root)
    if place is None:
        return []
    place.remove()
    log.info("the work of task %s was removed", one.record.id)
    return [] if one.record.review in ("applied", "discarded") else [one.record]


def _sweep_unreadable(folder: Path, now: float) -> None:
    for root in places(folder):
        if read_record(root) is None and now - last_written(root) > KEPT_SECONDS and not is_held(root):
            remove_folder(root)
