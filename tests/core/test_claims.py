"""A session is open in one Pygent at a time: a lock that goes with its process, and tells others who has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pygent.claims import Claim, claim, held, holder_of
from pygent.errors import SessionInUse

HOLD = """
import sys, time
from pathlib import Path
from pygent.claims import claim
kept = claim(Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


def holding(folder: Path, name: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def ended(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


@pytest.mark.hostile(62, 65)
def test_another_process_is_told_who_has_it_and_gets_it_after_a_kill(tmp_path: Path) -> None:
    process = holding(tmp_path / "open", "abc123")
    try:
        holder = holder_of(tmp_path / "open", "abc123")
        assert holder is not None
        assert (holder.pid, holder.host) == (process.pid, os.uname().nodename)
        with pytest.raises(SessionInUse, match=f"process {process.pid} on {os.uname().nodename}") as refused:
            claim(tmp_path / "open", "abc123")
        assert (refused.value.session_id, refused.value.pid) == ("abc123", process.pid)
        assert "--fork" in str(refused.value)
        claim(tmp_path / "open", "another").release()
        assert held(tmp_path / "open") == {"abc123"}
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert holder_of(tmp_path / "open", "abc123") is None
        claim(tmp_path / "open", "abc123").release()
        assert list((tmp_path / "open").iterdir()) == []
    finally:
        ended(process)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    ended(holding(tmp_path, "abc"))
    assert [file.name for file in tmp_path.iterdir()] == ["abc.lock"]
    assert held(tmp_path) == set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.hostile(65)
def test_of_many_that_want_it_at_once_exactly_one_gets_it(tmp_path: Path) -> None:
    for _ in range(5):
        got: list[Claim] = []
        refused: list[SessionInUse] = []
        start = threading.Barrier(6)

        def want(
            got: list[Claim] = got, refused: list[SessionInUse] = refused, start: threading.Barrier = start
        ) -> None:
            start.wait()
            try:
                got.append(claim(tmp_path, "one"))
            except SessionInUse as error:
                refused.append(error)

        threads = [threading.Thread(target=want) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(got), len(refused)) == (1, 5)
        got[0].release()


def test_looking_takes_it_from_nobody(tmp_path: Path) -> None:
    """Who looks holds the lock for a moment; whoever wants the session meanwhile waits for that."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            holder_of(tmp_path, "one")

    looking = [threading.Thread(target=look) for _ in range(2)]
    for thread in looking:
        thread.start()
    try:
        for _ in range(50):
            with claim(tmp_path, "one"):
                assert holder_of(tmp_path, "one") is not None
    finally:
        over.set()
        for thread in looking:
            thread.join()


def test_an_id_is_no_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no id"):
        claim(tmp_path, "../abc")
