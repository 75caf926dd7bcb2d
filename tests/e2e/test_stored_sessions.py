"""What is stored of a session, with real processes: the same as was told live, and whole again after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.commands.sessions import open_store
from pygent.events import ApprovalResolved, Event, MessageFinished, RunFinished, TaskFinished, from_dict
from pygent.session import Session
from pygent.settings import Settings
from pygent.transcript import Transcript
from tests.fakes.invariants import _state, check_events, check_history
from tests.fakes.openai_server import FakeOpenAI, Step, reply

LONG = "ä long text, kept beside the database\n" * 2_000
STOP = ("stop", {})


def said(message: dict[str, Any]) -> str:
    return str(message["content"] or "")


def busy(request: dict[str, Any]) -> Step:
    """A run with tools that work and one that fails, a long text, a denied call, and a task whose work is applied."""
    messages = request["messages"]
    results = [said(message) for message in messages if message["role"] == "tool"]
    if said(messages[1]) == "write it":
        call = ("bash", {"cmd": "echo made > made.txt"}) if not results else STOP
        return reply("It is written." if results else None, tool_calls=[call])
    match len(results):
        case 0:
            return reply("Größe: 3 µm", tool_calls=[("write_file", {"path": "ä.txt", "content": LONG})])
        case 1:
            return reply(tool_calls=[("bash", {"cmd": "echo out; exit 3"}), ("read_file", {"path": "nothing.txt"})])
        case 3:
            return reply(tool_calls=[("bash", {"cmd": "sudo ls"}), ("delegate_task", {"prompt": "write it"})])
        case 5:
            return reply(tool_calls=[("wait_for_tasks", {})])
        case 6:
            return reply(tool_calls=[("apply_task", {"task_id": results[4].split()[-1]})])
    return reply("All is there.", tool_calls=[STOP])


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [
        name
        for name in os.environ
        if name.startswith(("PYGENT_", "XDG_", "OPENAI_")) and name != "PYGENT_LOCAL_SANDBOX"
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def run(server: FakeOpenAI, work: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=work,
        env={**os.environ, "OPENAI_BASE_URL": server.url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_live_stream_and_its_export_agree_on_every_durable_event(work: Path) -> None:
    with FakeOpenAI(busy) as server:
        words = ("-p", "work", "--no-docker", "--permission-mode", "auto", "--output-format", "stream-json")
        live = run(server, work, "-m", "pygent", *words)
        assert live.returncode == 3, live.stderr  # what asks is denied: nobody is there
        streamed = [json.loads(line) for line in live.stdout.splitlines()]
        session_id = streamed[0]["session_id"]
        exported = run(server, work, "-m", "pygent", "sessions", "export", session_id, "--format", "jsonl")
    assert exported.returncode == 0, exported.stderr
    durable = [line for line in streamed if from_dict(line).durable]
    assert [json.loads(line) for line in exported.stdout.splitlines()] == durable
    assert len(durable) < len(streamed)
    kinds = {line["type"] for line in durable}
    assert {
        "tool.started",
        "tool.finished",
        "task.started",
        "task.finished",
        "task.reviewed",
        "files.changed",
    } <= kinds
    assert {line["agent_id"] for line in durable} > {"main"}
    assert any(line.get("arguments", {}).get("content") == LONG for line in durable)

    events = [from_dict(line) for line in streamed]
    check_events(events)
    live_view, stored_view = Transcript(), Transcript()
    for event in events:
        live_view.apply(event)
    store = open_store()
    stored = list(store.events(session_id))
    store.close()
    for event in stored:
        stored_view.apply(event)
    assert _state(live_view) == _state(stored_view)


KILLED = """
import os, signal, sys
from pathlib import Path
from pygent.commands.sessions import open_store
from pygent.session import Session
from pygent.settings import load

def die(event):
    if event.type == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)

settings = load(workspace=Path.cwd(), options={"use_docker": False, "permission_mode": sys.argv[1]})
session = Session(settings, store=open_store)
session.open()
session.subscribe(die)
session.run("work")
"""


@pytest.fixture
def killed(work: Path) -> Iterator[Callable[..., tuple[Session, list[Event]]]]:
    """A session whose process was killed at an event, gone on with here; answers it and its whole past."""
    opened: list[Any] = []

    def killed(mode: str, event: str, script: list[Step]) -> tuple[Session, list[Event]]:
        server = FakeOpenAI(script)
        opened.append(server)
        done = run(server, work, "-c", KILLED, mode, event)
        assert done.returncode == -signal.SIGKILL, done.stderr
        store = open_store()
        (stored,) = store.sessions()
        store.close()
        settings = Settings(
            workspace=work, use_docker=False, permission_mode="ask", base_url=server.url, api_key="k", model="m"
        )
        session = Session(settings, store=open_store, resume=stored.id)
        opened.append(session)
        session.open()
        return session, session.take_past()

    yield killed
    for one in reversed(opened):
        one.close()


def whole(session: Session, past: list[Event]) -> Transcript:
    """What must hold of every session that was killed and is gone on with."""
    check_events(past, stored=True)
    assert session.agent is not None
    check_history(session.agent.history)
    transcript = Transcript()
    for event in past:
        transcript.apply(event)
    assert not transcript.approvals
    assert not any(view.running for view in transcript.agents.values())
    assert {tool.state for tool in transcript.tools.values()} <= {"ok", "error", "denied", "cancelled", "timeout"}
    (end,) = [event for event in past if isinstance(event, RunFinished) and event.agent_id == "main"]
    assert end.reason == "cancelled"
    assert session.run("go on").text == "I go on."
    check_history(session.agent.history)
    return transcript


@pytest.mark.hostile(63)
def test_an_approval_that_was_open(killed: Callable[..., Any]) -> None:
    calls = [("bash", {"cmd": "rm -rf x"}), ("bash", {"cmd": "ls"})]
    session, past = killed(
        "ask", "approval.requested", [reply("I remove it.", tool_calls=calls), reply("I go on.", tool_calls=[STOP])]
    )
    (answer,) = [event for event in past if isinstance(event, ApprovalResolved)]
    assert (answer.decision, answer.by) == ("deny", "nobody")
    assert session.agent is not None
    results = [message["content"] for message in session.agent.history if message["role"] == "tool"]
    assert len(results) == 2
    assert all("interrupted" in result for result in results)
    transcript = whole(session, past)
    assert [tool.state for tool in transcript.tools.values()] == ["cancelled"]


@pytest.mark.hostile(63)
def test_a_reply_that_was_streaming(killed: Callable[..., Any]) -> None:
    script = [reply("A long reply that does not come to its end", chunk_size=5), reply("I go on.", tool_calls=[STOP])]
    session, past = killed("ask", "message.delta", script)
    (left,) = [event for event in past if isinstance(event, MessageFinished) and event.discarded]
    assert left.message["content"] == ""
    assert session.agent is not None
    assert [message["role"] for message in session.agent.history] == ["user"]
    whole(session, past)


def test_a_plan_that_was_shown(killed: Callable[..., Any]) -> None:
    plan = [("present_plan", {"plan": "1. look\n2. mend"})]
    session, past = killed(
        "plan", "plan.presented", [reply("A plan:", tool_calls=plan), reply("I go on.", tool_calls=[STOP])]
    )
    assert session.plan is not None
    assert session.plan.plan == "1. look\n2. mend"
    whole(session, past)


@pytest.mark.hostile(63, 66)
def test_a_task_that_was_at_work(killed: Callable[..., Any], work: Path) -> None:
    script = [
        reply(tool_calls=[("delegate_task", {"prompt": "write it"})]),
        reply(tool_calls=[("wait_for_tasks", {})]),
        reply(tool_calls=[("write_file", {"path": "part.txt", "content": "part\n"})]),
        reply("I go on.", tool_calls=[STOP]),
    ]

    def by_role(request: dict[str, Any]) -> Step:
        messages = request["messages"]
        if said(messages[1]) == "write it":
            return script[2]
        if said(messages[-1]).startswith("go on") or any("go on" in said(one) for one in messages):
            return script[3]
        return script[0] if len(messages) == 2 else script[1]

    session, past = killed("yolo", "files.changed", by_role)
    (end,) = [event for event in past if isinstance(event, TaskFinished)]
    assert end.state == "lost"
    whole(session, past)
    assert session.task_contents(end.task_id, "part.txt")[1] == b"part\n"
    assert not (work / "part.txt").exists()
