"""Delegation with a model behind a real server: three children at once, waited for, taken over; a person steers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pygent import Agent, Runtime
from pygent.bus import EventBus
from pygent.events import (
    Event,
    FilesChanged,
    MessageFinished,
    TaskFinished,
    TaskReviewed,
    TaskStarted,
    ToolFinished,
    from_dict,
    to_dict,
)
from pygent.models import OpenAIModel
from pygent.wiring import Wiring
from tests.core.test_session import Watched
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import call, say
from tests.fakes.openai_server import FakeOpenAI, Step, reply

TEXT = "first\nsecond\nthird\nfourth\nfifth\n"
EDITS = {
    "child 1": [("shared.txt", "first", "one")],
    "child 2": [("shared.txt", "fifth", "five")],
    "child 3": [("shared.txt", "first", "eins")],
}


class Scripted:
    """The server's script: who asks is told by the prompt, how far they are by their calls."""

    def __init__(self) -> None:
        self.together = threading.Barrier(3)
        self.parents = 0

    def __call__(self, request: dict[str, Any]) -> Step:
        messages = request["messages"]
        prompt = next(message["content"] for message in messages if message["role"] == "user")
        done = [message["content"] for message in messages if message["role"] == "tool"]
        if prompt in EDITS:
            return self.child(prompt, len(done))
        self.parents += 1
        ids = [text.split()[-1] for text in done if text.startswith("started ")]
        match len(done):
            case 0:
                return reply(tool_calls=[("delegate_task", {"prompt": name}) for name in EDITS])
            case 3:
                return reply(tool_calls=[("wait_for_tasks", {"task_ids": ids})])
            case 4 | 5:
                return reply(tool_calls=[("apply_task", {"task_id": ids[len(done) - 4]})])
            case 6:
                return reply(tool_calls=[("apply_task", {"task_id": ids[2], "paths": ["shared.txt", "3.txt"]})])
            case _:
                return reply("All is taken over.", tool_calls=[("stop", {})])

    def child(self, prompt: str, done: int) -> Step:
        if done == 0:
            self.together.wait(20)  # none goes on before all three have asked
            edits = [("edit_file", dict(zip(("path", "old", "new"), edit, strict=True))) for edit in EDITS[prompt]]
            return reply(tool_calls=[*edits, ("write_file", {"path": f"{prompt[-1]}.txt", "content": prompt})])
        return reply(f"{prompt} is done.", tool_calls=[("stop", {})])


def in_the_library(url: str, folder: Path) -> list[Event]:
    events: list[Event] = []
    bus = EventBus()
    bus.subscribe(events.append)
    agent = Agent(Runtime(use_docker=False, workspace=folder), OpenAIModel(url, "k"), "fake", wiring=Wiring(bus=bus))
    result = agent.run_until_stop("Have it done.")
    assert [task.status for task in agent.tasks.tasks.values()] == ["finished"] * 3
    agent.close()
    assert (result.reason, result.text) == ("stopped", "All is taken over.")
    check_history(agent.history)
    return events


def headless(url: str, folder: Path) -> list[Event]:
    options = ("-p", "Have it done.", "--no-docker", "--permission-mode", "yolo", "--output-format", "stream-json")
    known = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    done = subprocess.run(
        [sys.executable, "-m", "pygent", *options],
        cwd=folder,
        env={**known, "HOME": str(folder.parent), "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [from_dict(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("run", [in_the_library, headless])
def test_three_children_at_once_are_waited_for_and_taken_over(
    tmp_path: Path, run: Callable[[str, Path], list[Event]]
) -> None:
    script, tmp_path = Scripted(), tmp_path / "work"
    tmp_path.mkdir()
    (tmp_path / "shared.txt").write_text(TEXT)
    with FakeOpenAI(script) as server:
        events = run(server.url, tmp_path)
    tasks = [event.task_id for event in events if isinstance(event, TaskStarted)]
    assert script.parents == 6  # nobody asked again and again
    assert (tmp_path / "shared.txt").read_text() == "one\nsecond\nthird\nfourth\nfive\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.txt", "2.txt", "3.txt", "shared.txt"]

    outputs = [event.output for event in events if isinstance(event, ToolFinished) and event.agent_id == "main"]
    assert all(outputs[3].count(f"Task {task} (") == 1 for task in tasks)
    assert "child 2 is done." in outputs[3]
    assert outputs[3].count("  M shared.txt\n") == 3
    assert outputs[3].count(" changed shared.txt, too.") >= 3  # the second names one, the third both
    assert "Merged with what was changed here meanwhile: shared.txt" in outputs[5]
    assert "Conflict" in outputs[6]
    assert "3.txt" in outputs[6]
    assert not [event for event in events if isinstance(event, MessageFinished) and event.origin == "task"]

    reviews = [(event.review, event.conflicts, event.by) for event in events if isinstance(event, TaskReviewed)]
    assert reviews == [("applied", [], "main"), ("applied", [], "main"), ("partly applied", ["shared.txt"], "main")]
    for number, task in enumerate(tasks, 1):
        own = [event for event in events if event.agent_id == task]
        assert {"run.started", "step.started", "tool.started", "files.changed", "run.finished"} <= {
            e.type for e in own
        }
        assert [e.paths for e in own if isinstance(e, FilesChanged)] == [["shared.txt"], [f"{number}.txt"]]
        assert all(json.loads(json.dumps(to_dict(event)))["agent_id"] == task for event in own)
    assert {event.agent_id for event in events} == {"main", *tasks}
    ended = [event for event in events if isinstance(event, TaskFinished)]
    assert all(event.usage["total_tokens"] == 220 and event.steps == 2 for event in ended)
    check_events(events)


def test_a_person_who_steers_is_heard_while_the_agent_waits_for_tasks(tmp_path: Path) -> None:
    child = threading.Event()

    def answer(messages: list[dict[str, Any]]) -> Any:
        if messages[1]["content"] == "the child's":
            child.wait(20)
            return call(("stop", {}))
        results = [message["content"] for message in messages if message["role"] == "tool"]
        if len(results) < 2:
            return call(("delegate_task", {"prompt": "the child's"}) if not results else ("wait_for_tasks", {}))
        return say("I hear you.")

    watched = Watched(tmp_path, [answer] * 9, settings={"permission_mode": "yolo"})
    session = watched.session
    waits = threading.Event()
    session.subscribe(
        lambda event: waits.set() if getattr(event, "tool", "") == "wait_for_tasks" else None  # type: ignore[arg-type]
    )
    session.open()
    session.submit("go")
    assert waits.wait(20)
    session.steer(session.submit("never mind"))
    assert watched.ended.acquire(timeout=20)
    assert session.agent is not None
    *_, waited, said, answered = [message["content"] for message in session.agent.history]
    assert waited.endswith(": running.\n\nThe user said something meanwhile; it comes next.")
    assert (said, answered) == ("never mind", "I hear you.")
    child.set()
    session.close()
    check_events(watched.events)


def test_what_other_programs_trust_is_taken_over_only_by_name(tmp_path: Path) -> None:
    def answer(messages: list[dict[str, Any]]) -> Any:
        if messages[1]["content"] == "the child's":
            done = messages[-1]["role"] == "tool"
            return call(("stop", {})) if done else call(("bash", {"cmd": "echo x > .envrc; echo y > a.txt"}))
        results = [message["content"] for message in messages if message["role"] == "tool"]
        task = {"task_id": results[0].split()[-1]} if results else {}
        return (
            lambda: call(("delegate_task", {"prompt": "the child's"})),
            lambda: call(("wait_for_tasks", {})),
            lambda: call(("apply_task", task)),
            lambda: call(("apply_task", {**task, "paths": ["."]})),
            lambda: call(("apply_task", {**task, "paths": ["b.txt"]})),
            lambda: call(("apply_task", {**task, "paths": [".envrc"]})),
            lambda: say("done"),
        )[len(results)]()

    watched = Watched(tmp_path, [answer] * 9, settings={"permission_mode": "yolo"})
    watched.session.open()
    watched.say("go")
    outputs = [event.output for event in watched.events if isinstance(event, ToolFinished)]
    left_out = "Left out, since other programs trust them: .envrc. To have them, name them in paths."
    assert outputs[-4:] == [
        "Took over: a.txt\n" + left_out,
        "Nothing was taken over.\n" + left_out,
        "Error: the task changed no b.txt; it changed: .envrc",
        "Took over: .envrc",
    ]
    watched.session.close()
    check_events(watched.events)
