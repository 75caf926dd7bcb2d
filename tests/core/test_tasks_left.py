"""What tasks of other processes left: found, taken over once, kept for a while and within a size, removed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from pygent.errors import TaskError
from pygent.tasks.left import KEPT_SECONDS, disk_use, find, forget, left, take_left, tidy
from pygent.tasks.place import Place, Record, read_record

DAY = 86_400.0


def leave(folder: Path, task_id: str, *, size: int = 0, **fields: Any) -> Path:
    """A place that nobody holds any more; without ``ended_at`` its process was killed."""
    place = Place.make(folder, Record(id=task_id))
    (place.workspace / "file").write_bytes(b"x" * size)
    place.save(**fields)
    place.close()
    return place.root


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_list_tells_what_runs_from_what_is_lost(tmp_path: Path) -> None:
    now = time.time()
    mine = Place.make(tmp_path, Record(id="aa1", started_at=now))
    leave(tmp_path, "bb2", started_at=now - 1)
    leave(tmp_path, "bb3", started_at=now - 2, ended_at=now - 1, state="timeout")
    assert [(one.record.id, one.state, one.held) for one in left(tmp_path)] == [
        ("aa1", "running", True),
        ("bb2", "lost", False),
        ("bb3", "timeout", False),
    ]
    assert find(tmp_path, "bb2").record.id == "bb2"
    for prefix, words in (("bb", "2 tasks' ids begin"), ("x", "no task's id begins"), ("", "no task's id")):
        with pytest.raises(TaskError, match=words):
            find(tmp_path, prefix)
    mine.remove()
    assert left(tmp_path / "not there") == []


def test_a_session_takes_over_its_own_and_what_is_open_in_its_workspace(tmp_path: Path) -> None:
    leave(tmp_path, "own", session_id="s1", parent="/w", ended_at=5.0, state="finished", started_at=1.0)
    leave(tmp_path, "lost", session_id="s0", parent="/w", started_at=2.0)
    leave(tmp_path, "given-up", session_id="s0", parent="/w", review="discarded")
    leave(tmp_path, "ended", session_id="s0", parent="/w", ended_at=5.0, state="finished")
    leave(tmp_path, "elsewhere", session_id="s0", parent="/v")
    change = [{"path": "a.txt", "kind": "changed"}]
    leave(
        tmp_path, "open", session_id="s0", parent="/w", ended_at=5.0, state="finished", changes=change, started_at=3.0
    )
    leave(tmp_path, "done", session_id="s0", parent="/w", ended_at=5.0, changes=change, review="applied")
    taken = list(take_left(tmp_path, session_id="s1", workspace="/w"))
    assert [(place.record.id, place.record.state) for place in taken] == [
        ("own", "finished"),
        ("lost", "lost"),
        ("open", "finished"),
    ]
    assert list(take_left(tmp_path, session_id="s1", workspace="/w")) == []  # they are this one's now
    for place in taken:
        place.save()
        place.close()
    again = list(take_left(tmp_path, session_id=None, workspace="/w"))
    assert [place.record.id for place in again] == ["lost", "open"]  # until somebody decides
    for place in again:
        place.close()


def test_work_of_a_deleted_session_goes_with_it(tmp_path: Path) -> None:
    leave(tmp_path, "a", session_id="s1")
    leave(tmp_path, "b", session_id="s2")
    leave(tmp_path, "c")
    held = Place.make(tmp_path, Record(id="d", session_id="s1"))
    forget(tmp_path, ["s1", ""])
    assert names(tmp_path) == ["b", "c", "d"]
    held.remove()


def test_old_work_goes_decided_work_sooner_and_open_work_never(tmp_path: Path) -> None:
    now = time.time()
    leave(tmp_path, "old", ended_at=now - KEPT_SECONDS - 1, state="finished")
    leave(tmp_path, "young", ended_at=now - KEPT_SECONDS + 60, state="finished")
    leave(tmp_path, "applied", ended_at=now - 2 * DAY, state="finished", review="applied")
    leave(tmp_path, "in-part", ended_at=now - 2 * DAY, state="finished", review="partly applied")
    lost = leave(tmp_path, "lost-long-ago")
    os.utime(lost / "task.json", (now - KEPT_SECONDS - 1,) * 2)
    held = Place.make(tmp_path, Record(id="held", ended_at=1.0))
    assert sorted(record.id for record in tidy(tmp_path, now)) == ["lost-long-ago", "old"]  # told of
    assert names(tmp_path) == ["held", "in-part", "young"]
    held.remove()


def test_the_oldest_goes_where_all_is_too_large_but_nothing_of_today(tmp_path: Path) -> None:
    now = time.time()
    for task_id, days in (("a", 5), ("b", 4), ("c", 3), ("today", 0)):
        leave(tmp_path, task_id, size=100_000, ended_at=now - days * DAY, state="finished")
    one = disk_use(tmp_path / "a")
    assert one >= 100_000
    assert tidy(tmp_path, now, limit=4 * one + 50_000) == []
    record = read_record(tmp_path / "a")
    assert record is not None
    assert record.size is not None
    assert abs(record.size - one) < 20_000  # counted once
    assert [gone.id for gone in tidy(tmp_path, now, limit=2 * one + 50_000)] == ["a", "b"]
    assert [gone.id for gone in tidy(tmp_path, now, limit=0)] == ["c"]
    assert names(tmp_path) == ["today"]


def test_what_cannot_be_read_is_left_alone_until_it_is_old(tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "task.json").write_text('{"id": ["no')
    os.utime(tmp_path / "old" / "task.json", (1, 1))
    assert left(tmp_path) == []
    tidy(tmp_path)
    assert names(tmp_path) == ["new"]
