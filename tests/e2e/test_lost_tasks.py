"""`kill -9` of Pygent while tasks run: the next start has them as lost, with their work, and nothing runs on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.commands.sessions import open_store
from pygent.events import Event, Notice, TaskFinished, TaskReviewed, TaskStarted
from pygent.session import Session
from pygent.settings import Settings, data_dir
from pygent.tasks.place import places
from pygent.transcript import Transcript
from tests.fakes.docker_engine import SH_IMAGE, DockerEngine
from tests.fakes.openai_server import FakeOpenAI, Step, reply

NAMES = ("one", "two")
MARK = "86399"
"""Seconds of sleep that nothing else on the machine asks for."""

Wait = Callable[[Callable[[], Any], float], None]


def until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    end_by = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end_by, "it did not come in time"
        time.sleep(0.05)


def answer(request: dict[str, Any]) -> Step:
    """The parent delegates twice and waits; each child changes a file, and then works for ever."""
    asked = next(message["content"] for message in request["messages"] if message["role"] == "user")
    results = sum(message["role"] == "tool" for message in request["messages"])
    if asked in NAMES:
        command = f"echo {asked} >> shared.txt; echo {asked} > {asked}.txt; sleep {MARK}"
        return reply(tool_calls=[("bash", {"cmd": command, "timeout": 500})])
    if asked != "delegate":
        return reply("Hello.", tool_calls=[("stop", {})])
    if results == 0:
        return reply(tool_calls=[("delegate_task", {"prompt": name}) for name in NAMES])
    return reply(tool_calls=[("wait_for_tasks", {})])


def sleepers() -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", MARK.encode()] or (len(words) > 2 and words[1:3] == [b"sleep", MARK.encode()]):
            found.append(int(folder.name))
    return found


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [
        name for name in os.environ if name.startswith(("PYGENT_", "XDG_")) and name != "PYGENT_LOCAL_SANDBOX"
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "shared.txt").write_text("zero\n")
    return folder


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(answer) as server:
        yield server


def pygent(server: FakeOpenAI, work: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pygent", *words],
        cwd=work,
        env={**os.environ, "OPENAI_BASE_URL": server.url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def killed_in_the_middle(server: FakeOpenAI, work: Path, *options: str) -> list[str]:
    """Start Pygent, wait until both children are in the middle of their work, kill it; answers the children's ids."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pygent", "-p", "delegate", "--permission-mode", "yolo", *options],
        cwd=work,
        env={**os.environ, "OPENAI_BASE_URL": server.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        folder = data_dir() / "tasks"
        until(lambda: len([*folder.glob("*/workspace/one.txt"), *folder.glob("*/workspace/two.txt")]) == 2)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return [next(folder.glob(f"*/workspace/{name}.txt")).parts[-3] for name in NAMES]


def watched(work: Path, **options: Any) -> tuple[Session, list[Event]]:
    session = Session(Settings(workspace=work, use_docker=False), model=object(), store=open_store, **options)
    events: list[Event] = []
    session.subscribe(events.append)
    session.open()
    return session, events


def test_work_of_a_killed_pygent_is_there_at_the_next_start(server: FakeOpenAI, work: Path) -> None:
    one, two = killed_in_the_middle(server, work, "--no-docker")
    until(lambda: not sleepers(), 3)
    assert (work / "shared.txt").read_text() == "zero\n"

    said = pygent(server, work, "-p", "hello", "--no-docker")
    assert (said.returncode, said.stdout) == (0, "Hello.\n")
    assert "they are lost" in said.stderr
    assert one in said.stderr
    assert two in said.stderr
    assert "lost" not in pygent(server, work, "-p", "hello", "--no-docker").stderr  # once is enough for a script

    session, events = watched(work)
    try:
        assert {event.task_id for event in events if isinstance(event, TaskStarted)} == {one, two}
        ends = {event.task_id: event for event in events if isinstance(event, TaskFinished)}
        assert {end.state for end in ends.values()} == {"lost"}
        assert ends[one].files_changed == ["one.txt", "shared.txt"]
        (notice,) = [event for event in events if isinstance(event, Notice) and event.level == "warning"]
        assert "is there to review" in notice.text
        assert session.task_contents(one, "shared.txt") == (b"zero\n", b"zero\none\n")
        assert dict(session.task_overlaps(one)) == {"shared.txt": (two,)}

        before = {path.name: path.read_bytes() for path in work.iterdir()}
        assert session.apply_task(one).paths == ("one.txt", "shared.txt")
        assert (work / "shared.txt").read_text() == "zero\none\n"
        assert session.undo_task(one) == ()
        assert {path.name: path.read_bytes() for path in work.iterdir()} == before
        session.apply_task(one, ["one.txt"])
        session.discard_task(two)
        reviews = [(event.task_id, event.review) for event in events if isinstance(event, TaskReviewed)]
        assert reviews == [(one, "applied"), (one, "undone"), (one, "partly applied"), (two, "discarded")]
        transcript = Transcript()
        for event in events:
            transcript.apply(event)
        assert {item.state for item in transcript.tasks.values()} == {"lost"}
        assert pygent(server, work, "tasks", "diff", one).returncode == 1  # it is open here
    finally:
        session.close()
    assert [path.name for path in places(data_dir() / "tasks")] == [one]  # what was given up is gone

    done = pygent(server, work, "tasks", "apply", one[:4])
    assert (done.returncode, done.stdout) == (0, "applied shared.txt\n")
    assert {path.name: path.read_text() for path in work.iterdir()} == {
        "shared.txt": "zero\none\n",
        "one.txt": "one\n",
    }


def test_a_session_that_is_gone_on_with_has_its_tasks(server: FakeOpenAI, work: Path) -> None:
    one, _ = killed_in_the_middle(server, work, "--no-docker")
    store = open_store()
    (stored,) = store.sessions()
    store.close()
    session, events = watched(work, resume=stored.id)
    try:
        past = session.take_past()
        (end,) = [event for event in past if isinstance(event, TaskFinished) and event.task_id == one]
        assert (end.state, end.files_changed) == ("lost", ["one.txt", "shared.txt"])
        assert not [event for event in events if isinstance(event, TaskStarted)]  # the past has told of them
        assert session.preview_task(one).paths == ("one.txt", "shared.txt")
        assert session.agent is not None
        (report,) = [text for text in session.agent.tasks.take_reports() if f"Task {one} (" in text]
        assert ": lost." in report
        assert "\n  A one.txt\n  M shared.txt\n" in report
    finally:
        session.close()
    deleted = pygent(server, work, "sessions", "delete", stored.id)
    assert deleted.returncode == 0
    assert list(places(data_dir() / "tasks")) == []


@pytest.mark.docker
def test_no_container_is_left_and_the_work_is(docker_engine: DockerEngine, server: FakeOpenAI, work: Path) -> None:
    image = docker_engine.image(SH_IMAGE)
    one, _ = killed_in_the_middle(server, work, "--docker", "--image", image)
    until(lambda: docker_engine.containers() == [], 3)
    until(lambda: not sleepers(), 3)
    listed = pygent(server, work, "tasks")
    assert listed.stdout.count("  lost ") == 2
    shown = pygent(server, work, "tasks", "diff", one)
    assert "+one\n" in shown.stdout
    assert pygent(server, work, "tasks", "apply", one).returncode == 0
    assert (work / "shared.txt").read_text() == "zero\none\n"
