"""A task's place: held by its process, found after that is gone, removed whatever stands in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pygent.errors import TaskError
from pygent.scratch import remove_folder
from pygent.tasks.place import Place, Record, is_held, places, read_record, sweep

HOLD = """
import sys, time
from pathlib import Path
from pygent.tasks.place import Place, Record
place = Place.make(Path(sys.argv[1]), Record(id="a1", persona="tester", prompt="try it \u00fc"))
(place.workspace / "work.txt").write_text("done so far")
print("held", flush=True)
time.sleep(60)
"""


def test_a_place_is_taken_over_only_once_its_process_is_gone(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    root = tmp_path / "a1"
    assert list(places(tmp_path)) == [root]
    assert is_held(root)
    assert Place.take(root) is None

    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    place = Place.take(root)
    assert place is not None
    assert (place.record.state, place.record.persona, place.record.prompt) == ("lost", "tester", "try it ü")
    assert (place.workspace / "work.txt").read_text() == "done so far"
    assert Place.take(root) is None  # it is this process's now
    place.save(review="discarded")
    place.close()
    assert not is_held(root)
    again = Place.take(root)
    assert again is not None
    assert again.record.review == "discarded"
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_one_that_ended_is_not_lost(tmp_path: Path) -> None:
    place = Place.make(tmp_path / "tasks", Record(id="b2"))
    place.save(state="finished", status="finished", ended_at=5.0, result="all well")
    place.close()
    record = read_record(tmp_path / "tasks" / "b2")
    assert record is not None
    assert (record.state, record.result, record.ended_at) == ("finished", "all well", 5.0)
    assert (tmp_path / "tasks").stat().st_mode & 0o777 == 0o700


def test_a_temporary_one_goes_with_its_user() -> None:
    place = Place.make(None, Record(id="c3"))
    root = place.root
    (place.workspace / "x").write_text("x")
    place.save(state="finished")
    place.close()
    place.close()
    place.remove()
    assert not root.exists()


def test_removing_does_not_care_what_a_task_did_to_its_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o755)
    place = Place.make(tmp_path / "tasks", Record(id="d4"))
    locked = place.workspace / "a" / "b"
    locked.mkdir(parents=True)
    (locked / "f").write_text("f")
    (place.workspace / "a" / "link").symlink_to(outside)
    for folder in (locked, locked.parent):
        folder.chmod(0)
    place.remove()
    assert list((tmp_path / "tasks").iterdir()) == []
    assert outside.stat().st_mode & 0o777 == 0o755


def test_what_was_left_half_way_is_swept_up(tmp_path: Path) -> None:
    for name in (".new-1", ".gone-2", "e5"):
        (tmp_path / name / "workspace").mkdir(parents=True)
    os.utime(tmp_path / ".new-1", (1, 1))
    (tmp_path / ".new-3").mkdir()  # somebody is about to make one
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-3", "e5"]
    assert Place.take(tmp_path / "e5") is None  # it does not say what it is
    remove_folder(tmp_path / "e5")
    assert list(places(tmp_path)) == []


def test_no_room_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "tasks").write_text("a file is in the way")
    with pytest.raises(TaskError, match="no place to work in"):
        Place.make(tmp_path / "tasks", Record(id="f6"))
    kept = Place.make(tmp_path / "other", Record(id="g7"))
    with pytest.raises(TaskError, match="no place to work in"):
        Place.make(tmp_path / "other", Record(id="g7"))
    kept.close()
    assert len(list((tmp_path / "other").iterdir())) == 1


def test_a_kept_one_is_gone_for_others_at_once(tmp_path: Path) -> None:
    place = Place.make(tmp_path, Record(id="h8"))
    for number in range(300):
        (place.workspace / str(number)).write_text("x")
    place.remove(patience=0)
    assert list(places(tmp_path)) == []
    end_by = time.monotonic() + 5
    while list(tmp_path.iterdir()) and time.monotonic() < end_by:
        time.sleep(0.01)
    assert list(tmp_path.iterdir()) == []
