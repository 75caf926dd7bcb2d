"""A session that is open in another Pygent, with real processes: told, forked, and free again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.claims import held
from pygent.commands.sessions import open_store
from pygent.settings import data_dir
from tests.fakes.openai_server import FakeOpenAI, Step, reply

SECONDS = 30


class Gate:
    """A model that answers at once, but for prompts that end with "wait": those when ``free`` is set."""

    def __init__(self) -> None:
        self.free = threading.Event()

    def __call__(self, request: dict[str, Any]) -> Step:
        prompt = str([message for message in request["messages"] if message["role"] == "user"][-1]["content"])
        if prompt.endswith("wait"):
            self.free.wait(SECONDS)
        return reply("Done.", tool_calls=[("stop", {})])


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(gate: Gate) -> Iterator[FakeOpenAI]:
    with FakeOpenAI(gate) as server:
        yield server
        gate.free.set()


@pytest.fixture
def start(server: FakeOpenAI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    for name in [
        name
        for name in os.environ
        if name.startswith(("PYGENT_", "XDG_", "OPENAI_")) and name != "PYGENT_LOCAL_SANDBOX"
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "work").mkdir()
    begun: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "pygent", "--no-docker", *words],
            cwd=tmp_path / "work",
            env={**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "test-key"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        with process:
            process.kill()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def sessions() -> list[str]:
    store = open_store()
    try:
        return [one.id for one in store.sessions()]
    finally:
        store.close()


def said(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out, err


@pytest.mark.hostile(65)
def test_a_session_that_is_open_elsewhere_says_so_and_can_be_forked(
    start: Callable[..., subprocess.Popen[str]], server: FakeOpenAI
) -> None:
    first = start("-p", "please wait")
    until(lambda: server.requests)
    (session_id,) = sessions()
    assert held(data_dir() / "open") == {session_id}
    refused = start("-p", "me too", "--resume", session_id[:8]), start("-p", "me too", "--continue")
    for process in refused:
        code, out, err = said(process)
        assert (code, out) == (2, "")
        assert f"session {session_id[:8]} is open in another Pygent (process {first.pid} on" in err
        assert "--fork goes on with a copy" in err
    code, out, err = said(start("-p", "me too", "--resume", session_id[:8], "--fork"))
    assert (code, out) == (0, "Done.\n"), err
    copy = next(one for one in sessions() if one != session_id)
    assert "me too" in str(server.requests[-1]["messages"])
    assert "please wait" in str(server.requests[-1]["messages"])
    code, _, err = said(start("sessions", "delete", session_id[:8]))
    assert code == 1
    assert "is open in another Pygent" in err
    first.send_signal(signal.SIGKILL)
    first.wait()
    code, out, err = said(start("-p", "go on", "--resume", session_id[:8]))
    assert (code, out) == (0, "Done.\n"), err
    store = open_store()
    assert "me too" not in str(list(store.events(session_id)))
    assert [one.title for one in store.sessions() if one.id == copy] == ["please wait (fork)"]
    store.close()
    assert held(data_dir() / "open") == set()


@pytest.mark.hostile(65)
def test_of_two_that_resume_in_the_same_moment_exactly_one_gets_it(
    start: Callable[..., subprocess.Popen[str]], gate: Gate
) -> None:
    assert said(start("-p", "hello"))[0] == 0
    (session_id,) = sessions()
    both = [start("-p", f"{number} wait", "--resume", session_id) for number in range(2)]
    until(lambda: any(process.poll() is not None for process in both))
    loser, winner = sorted(both, key=lambda process: process.poll() is None)
    code, out, err = said(loser)
    assert (code, out) == (2, "")
    assert f"process {winner.pid} on" in err
    gate.free.set()
    assert said(winner)[:2] == (0, "Done.\n")
    store = open_store()
    prompts = [event.prompt for event in store.events(session_id) if event.type == "run.started"]
    store.close()
    assert prompts == ["hello", f"{both.index(winner)} wait"]


def test_fork_needs_a_session(start: Callable[..., subprocess.Popen[str]]) -> None:
    code, _, err = said(start("-p", "hello", "--fork"))
    assert code == 2
    assert "--fork copies a session: give --resume" in err
