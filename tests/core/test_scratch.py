"""What is of use to one process alone goes with it, also where it was killed."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pygent.scratch import own_folder, scratch_folder, sweep

MAKES = """
import sys
from pygent.scratch import scratch_folder
folder = scratch_folder("x-")
(folder / "locked").mkdir()
(folder / "locked" / "file").write_text("x")
(folder / "locked").chmod(0o500)
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def started() -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", MAKES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def ended(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=20)


def test_it_goes_with_its_process(temporary: Path) -> None:
    process, folder = started()
    assert folder.is_dir()
    assert folder.is_relative_to(temporary)
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    ended(process)
    assert list(temporary.iterdir()) == []


def test_what_a_killed_one_left_is_removed_and_nothing_else(temporary: Path) -> None:
    killed, left = started()
    lives, kept = started()
    (temporary / "pygent-of-a-person").mkdir()  # has no lock, so it is not known whose it is
    (temporary / "pygent-file").write_text("x")
    (temporary / "pygent-link").symlink_to(left.parent)
    own = scratch_folder()
    killed.send_signal(signal.SIGKILL)
    ended(killed)
    sweep()
    assert sorted(path.name for path in temporary.iterdir()) == sorted(
        ["pygent-of-a-person", "pygent-file", "pygent-link", kept.parent.name, own.parent.name]
    )
    assert (kept / "locked" / "file").read_text() == "x"
    ended(lives)


def test_what_was_left_by_one_that_was_killed_as_it_made_it_goes_after_a_while(temporary: Path) -> None:
    for name, age in (("pygent-old", 120), ("pygent-new", 0)):
        (temporary / name).mkdir(mode=0o700)
        (temporary / name / ".held-new").touch()
        moment = time.time() - age
        os.utime(temporary / name / ".held-new", (moment, moment))
    sweep()
    assert [path.name for path in temporary.iterdir()] == ["pygent-new"]


def test_a_fork_has_a_folder_of_its_own(temporary: Path) -> None:
    mine = own_folder()
    assert scratch_folder().parent == mine == own_folder()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if own_folder() != mine and mine.is_dir() else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert mine.is_dir()
    assert len(list(temporary.iterdir())) == 2
    sweep()  # the fork is gone, and left its own behind
    assert list(temporary.iterdir()) == [mine]
