"""Locks on files: who has them, for how long, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pygent.locks import hold, holding, in_turn, is_still, try_lock

HOLD = """
import sys, time
from pathlib import Path
from pygent.locks import hold
print(hold(Path(sys.argv[1])) is not None, flush=True)
time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_a_lock_is_one_process_s_until_it_is_killed(file: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, file], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert hold(file) is None
        assert hold(file, shared=True, patience=0.05) is None
        with holding(file) as held:
            assert not held
        other.send_signal(signal.SIGKILL)
        other.wait()
    with holding(file) as held:
        assert held
    assert file.stat().st_mode & 0o777 == 0o600


def test_those_who_look_share_it(file: Path) -> None:
    first, second = hold(file, shared=True), hold(file, shared=True)
    assert first is not None
    assert second is not None
    assert not try_lock(first)
    os.close(second)
    assert try_lock(first)
    os.close(first)


def test_it_is_waited_for_as_long_as_was_said(file: Path) -> None:
    had = hold(file)
    assert had is not None
    threading.Timer(0.1, os.close, (had,)).start()
    taken = hold(file, patience=10)
    assert taken is not None
    os.close(taken)


def test_a_file_that_was_removed_meanwhile_is_made_anew(file: Path) -> None:
    had = hold(file)
    assert had is not None

    def release() -> None:
        file.unlink()
        os.close(had)

    threading.Timer(0.05, release).start()
    taken = hold(file, patience=10)
    assert taken is not None
    assert is_still(file, taken)
    file.unlink()
    assert not is_still(file, taken)
    os.close(taken)


def test_a_link_in_its_place_is_not_followed(file: Path, tmp_path: Path) -> None:
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError):
        hold(file)
    assert not (tmp_path / "elsewhere").exists()


def test_those_in_turn_come_one_after_the_other(file: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with in_turn(file):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.01)
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 5
