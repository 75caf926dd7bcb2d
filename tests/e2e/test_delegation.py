"""Three children that change the same files: the library alone, and a run without a person, accept just a part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from pygent import Agent, Runtime
from pygent.events import from_dict
from pygent.models import OpenAIModel
from tests.fakes.invariants import check_events
from tests.fakes.openai_server import FakeOpenAI, Step, reply

BEFORE = "".join(f"line {number}\n" for number in range(1, 13))
EDITS = {
    "first": {"shared.txt": [("line 1\n", "eins\n"), ("line 12\n", "zwölf\n")], "first.txt": "new\n"},
    "second": {"shared.txt": [("line 6\n", "sechs\n")], "gone.txt": None},
    "third": {"shared.txt": [("line 1\n", "one\n")], "first.txt": "another\n"},
}
ACCEPTED = BEFORE.replace("line 1\n", "one\n", 1).replace("line 6\n", "sechs\n")
"""Of the first child one hunk, then what the third says instead; all of the second's."""

OPTIONS = ("--no-docker", "--output-format", "stream-json", "--permission-mode", "yolo")


def edited(name: str) -> str:
    text = BEFORE
    for old, new in EDITS[name]["shared.txt"]:
        text = text.replace(old, new, 1)
    return text


class Script:
    """The server's script; children are known by their prompts."""

    def __init__(self) -> None:
        self.together = threading.Barrier(3)

    def __call__(self, request: dict[str, Any]) -> Step:
        messages = request["messages"]
        prompt = next(message["content"] for message in messages if message["role"] == "user")
        results = [message["content"] for message in messages if message["role"] == "tool"]
        if prompt not in EDITS:
            return self.parent(results)
        if results:
            return reply(f"The {prompt} is done.", tool_calls=[("stop", {})])
        self.together.wait(20)
        calls: list[tuple[str, dict[str, Any]]] = [
            ("write_file", {"path": "shared.txt", "content": edited(prompt)}),
        ]
        for path, content in EDITS[prompt].items():
            if content is None:
                calls.append(("bash", {"cmd": f"rm {path}"}))
            elif isinstance(content, str):
                calls.append(("write_file", {"path": path, "content": content}))
        return reply(tool_calls=calls)

    def parent(self, results: list[str]) -> Step:
        ids = [text.split()[-1] for text in results[:3]]
        if not results:
            return reply(tool_calls=[("delegate_task", {"prompt": name}) for name in EDITS])
        if len(results) == 3:
            return reply(tool_calls=[("wait_for_tasks", {})])
        first, second, third = ids
        applies = [
            {"task_id": first, "paths": ["first.txt"]},
            {"task_id": second},
            {"task_id": third},
            {"task_id": first, "paths": ["shared.txt"]},
            {"task_id": first, "paths": ["shared.txt"], "on_conflict": "theirs"},
        ]
        if len(results) - 4 < len(applies):
            return reply(tool_calls=[("apply_task", applies[len(results) - 4])])
        return reply("Taken over.", tool_calls=[("stop", {})])


def fill(folder: Path) -> Path:
    folder.mkdir()
    (folder / "shared.txt").write_text(BEFORE)
    (folder / "gone.txt").write_text("still here\n")
    return folder


def test_the_library_accepts_in_part_decides_a_conflict_and_gives_one_up(tmp_path: Path) -> None:
    work = fill(tmp_path / "work")
    with FakeOpenAI(Script()) as server:
        agent = Agent(Runtime(use_docker=False, workspace=work), OpenAIModel(server.url, "key"), "fake")
        tasks = agent.tasks
        first, second, third = (
            tasks.start_task(name, agent.runtime, workspace="copy", persona="developer") for name in EDITS
        )
        assert all(tasks.wait(task, 20) for task in (first, second, third))
        assert [tasks.status(task) for task in (first, second, third)] == ["finished"] * 3
        assert tasks.result(second) == "The second is done."

        assert tasks.diff(first).paths == ("first.txt", "shared.txt")
        assert tasks.overlaps(first) == {"first.txt": (third,), "shared.txt": (second, third)}
        applied = tasks.apply(first, hunks={"shared.txt": [0]})
        assert (applied.paths, applied.conflicts) == (("shared.txt",), ())
        assert len(tasks.diff(first).files[1].hunks) == 1  # the other one is still to be decided on

        applied = tasks.apply(second)
        assert (applied.paths, applied.merged) == (("gone.txt", "shared.txt"), ("shared.txt",))

        assert [conflict.path for conflict in tasks.preview(third, paths=["shared.txt"]).conflicts] == ["shared.txt"]
        applied = tasks.apply(third, paths=["shared.txt"])
        assert (applied.paths, len(applied.conflicts)) == ((), 1)
        assert "eins\n" in (work / "shared.txt").read_text()
        tasks.apply(third, paths=["shared.txt"], on_conflict="theirs")
        tasks.discard(first)
        assert not tasks.diff(first)
        assert tasks.diff(third).paths == ("first.txt",)
        agent.close()
    assert (work / "shared.txt").read_text() == ACCEPTED
    assert sorted(path.name for path in work.iterdir()) == ["shared.txt"]


def test_a_run_without_a_person_accepts_in_part_and_its_lines_say_whose_they_are(tmp_path: Path) -> None:
    work = fill(tmp_path / "work")
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "LANG")}
    with FakeOpenAI(Script()) as server:
        done = subprocess.run(
            [sys.executable, "-m", "pygent", "-p", "Have it done.", *OPTIONS],
            check=False,
            cwd=work,
            env={**keep, "HOME": str(tmp_path), "OPENAI_API_KEY": "key", "OPENAI_BASE_URL": server.url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
        )
    assert done.returncode == 0, done.stderr
    events = [from_dict(json.loads(line)) for line in done.stdout.splitlines()]
    check_events(events)
    ids = [event.task_id for event in events if event.type == "task.started"]
    assert len(set(ids)) == 3
    seen = Counter(event.agent_id for event in events)
    assert set(seen) == {"main", *ids}
    for task in ids:
        own = {event.type for event in events if event.agent_id == task}
        assert own >= {
            "run.started",
            "step.started",
            "message.started",
            "tool.started",
            "tool.finished",
            "run.finished",
        }
    outputs = [event.output for event in events if event.type == "tool.finished" and event.agent_id == "main"]
    assert "Conflict, left as it is here (on_conflict says otherwise): shared.txt" in outputs[7]
    assert (work / "shared.txt").read_text() == edited("first").replace("line 6\n", "sechs\n")
    assert (work / "first.txt").read_text() == "new\n"
    assert sorted(path.name for path in work.iterdir()) == ["first.txt", "shared.txt"]
    *_, last = events
    assert (last.text, last.files_changed) == ("Taken over.", ["first.txt", "gone.txt", "shared.txt"])
    assert last.total_usage["total_tokens"] == sum(
        event.usage["total_tokens"] for event in events if event.type == "step.finished"
    )
