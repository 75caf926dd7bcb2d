"""A session whose processes are killed, and what must hold after each of the kills."""

from __future__ import annotations

import json
import os
import random
import select
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pygent.blobs import FOLDER, Blobs
from pygent.event_lines import to_line
from pygent.events import (
    MAIN,
    CheckpointMade,
    ContextCompacted,
    Event,
    FilesChanged,
    MessageFinished,
    RunStarted,
    SessionStarted,
    StepStarted,
    TaskFinished,
    TaskStarted,
    ToolFinished,
    from_dict,
)
from pygent.export import export
from pygent.history import INTERRUPTED, History
from pygent.store import Store
from pygent.tasks.place import is_held, places
from tests.e2e.kill_script import DONE, Script
from tests.fakes.invariants import check_events, check_history
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.pygents import Process, Pygents

OPTIONS = ("--no-docker", "--permission-mode", "yolo", "--output-format", "stream-json")
WINDOW = 9_000
"""Tokens of the model's window, so few that every second process has to compact the conversation."""


@dataclass(frozen=True)
class Moment:
    """When to kill: so many seconds after the ``line``-th line of output, or after the start where that is 0."""

    line: int
    seconds: float

    @classmethod
    def random(cls, dice: random.Random, lines: int, seconds: float) -> Moment:
        """A moment in a process that prints so many lines in so many seconds."""
        kind = dice.random()
        if kind < 0.7:
            return cls(dice.randint(1, lines), dice.choice((0.0, dice.random() * 0.003)))
        return cls(0, dice.random() * seconds * (1.0 if kind < 0.85 else 0.3))


@dataclass
class Life:
    """What one process printed. ``end`` is its exit code, -9 where it was killed."""

    lines: list[str]
    seconds: float
    end: int


class KilledSession:
    """One session, its workspace, its server, and all that its processes have acknowledged."""

    def __init__(self, top: Path, pygents: Pygents, *, afresh: bool = False) -> None:
        self.folder = top / "work"
        self.folder.mkdir(parents=True)
        (self.folder / "shared.txt").write_text("first\n")
        (self.folder / "gone.txt").write_text("soon\n")
        self.afresh = afresh
        self.script = Script()
        self.acknowledged = 0
        self.lost: set[str] = set()
        self.resumed: list[float] = []
        self.errors = ""
        self.stored: list[str] = []
        self.events: Sequence[Event] = []
        self._seen: tuple[list[dict[str, Any]], int] | None = None  # by the model, and how many events before that
        self.id: str | None = None
        self._pygents = pygents
        self._data = top / ".local/share/pygent"
        self._temporary = top / "tmp"
        self._temporary.mkdir()
        settings = top / ".config/pygent/config.yaml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"context_window: {WINDOW}\n")
        self._server = FakeOpenAI(self.script)
        keep = {name: value for name, value in os.environ.items() if name in {"PATH", "PYTHONPATH", "LANG"}}
        self.environment: Mapping[str, str] = {
            **keep,
            "HOME": str(top),
            "TMPDIR": str(self._temporary),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self._server.url,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _start(self, jump: tuple[int, float] | None = None) -> Process:
        words = [*OPTIONS, *(["--resume", self.id] if self.id is not None else [])]
        words += ["-p", f"Do it all, time {self.script.life}."]
        return self._pygents.start(words, self.folder, self.environment, afresh=self.afresh, jump=jump)

    def live_twice(self) -> str:
        """Two processes go on with the session in the same moment; answers what the one says that cannot."""
        self.script.begin()
        self.script.gate.clear()  # who has it waits for the other one's end
        both = [self._start(), self._start()]
        outs: dict[int, list[str]] = {}
        ends: dict[int, int] = {}

        def follow(process: Process) -> None:
            outs[process.pid] = _read(process, None)[0]
            self.script.gate.set()

        threads = [threading.Thread(target=follow, args=(process,)) for process in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for process in both:
            ends[process.pid] = self._pygents.wait(process)
            os.close(process.out)
        assert sorted(ends.values()) == [0, 2], [process.errors.read_text() for process in both]
        winner, loser = sorted(both, key=lambda process: ends[process.pid])
        told = [json.loads(line) for line in outs[loser.pid]]
        assert [(event["type"], event.get("reason")) for event in told] == [
            ("run.started", None),
            ("run.finished", "failed"),
        ]
        self._check_store(outs[winner.pid])
        self._check_requests()
        assert self._pygents.left() == [], "processes go on"
        return loser.errors.read_text("utf-8", "replace")

    def live(self, moment: Moment | None, *, jump: tuple[int, float] | None = None) -> Life:
        """Start a process that begins the session or goes on with it, and kill it at a moment; look at its output.

        ``jump`` is as in ``Pygents.start``.
        """
        self.script.begin()
        resumed = self.id is not None
        began = time.monotonic()
        process = self._start(jump)
        lines, first = _read(process, moment)
        end = self._pygents.wait(process)
        os.close(process.out)
        life = Life(lines, time.monotonic() - began, end)
        if first is not None and resumed:
            self.resumed.append(first)
        self.errors = process.errors.read_text("utf-8", "replace")
        assert "Traceback" not in self.errors, self.errors
        assert "internal error" not in self.errors, self.errors
        assert self.script.wrong == [], self.script.wrong[0]
        self._check_store(lines)
        self._check_requests()
        assert self._pygents.left() == [], "processes go on"
        return life

    def _check_store(self, lines: list[str]) -> None:
        """The database is whole and has every line that was printed, and what it had before is as it was."""
        before, self._before_life = self.stored, self.stored
        file = self._data / "sessions.db"
        if not file.exists():
            assert not lines, lines
            return
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.close()
        store = Store(file)
        try:
            found = [one for one in store.sessions() if self.id in {None, one.id}]
            if self.id is None and len(found) == 1:
                self.id = found[0].id
            assert self.id is None or len(found) == 1
            events = list(store.events(self.id)) if self.id is not None else []
            self.stored = [to_line(event) for event in events]
            assert self.stored[: len(before)] == before, "what was stored has changed"
            known = {(event.session_id, event.seq): line for event, line in zip(events, self.stored, strict=True)}
            for line in lines:
                event = from_dict(json.loads(line))
                if event.durable:
                    if self.id is None:  # killed before anything was asked: such a session is not listed
                        known |= {(one.session_id, one.seq): to_line(one) for one in store.events(event.session_id)}
                    assert known.get((event.session_id, event.seq)) == line, f"not stored as it was printed: {line}"
                    self.acknowledged += 1
        finally:
            store.close()
        self.events = events

    def check_kill(self) -> None:
        """What is there of the tasks that were killed, and of the contents that a step's undoing needs."""
        blobs = Blobs(self._data / FOLDER)
        for event in self.events:
            if isinstance(event, CheckpointMade):
                for change in event.changes:
                    for state in (change["before"], change["after"]):
                        if state is not None and state.get("blob"):
                            blobs.get(state["blob"])  # raises where it is not there, or not whole
        tasks = {event.task_id for event in self.events if isinstance(event, TaskStarted)}
        over = {event.task_id for event in self.events if isinstance(event, TaskFinished)}
        self.lost |= tasks - over
        for event in self.events:
            if isinstance(event, FilesChanged) and event.agent_id in tasks - over:
                for path in event.paths:
                    assert (self._data / "tasks" / event.agent_id / "workspace" / path).exists(), event

    def _check_requests(self) -> None:
        """A process that went on has told the model what it was told before the kill, and what was stored since."""
        events = self.events[len(self._before_life) :]
        steps = [at for at, event in enumerate(events) if isinstance(event, StepStarted) and event.agent_id == MAIN]
        compacted = [at for at, event in enumerate(events) if is_compaction(event)]
        asked = self.script.asked
        if asked and self._seen and not (compacted and compacted[0] < (steps[1] if steps[1:] else len(events))):
            past = [from_dict(json.loads(line)) for line in self._before_life]
            check_goes_on(self._seen[0], past[self._seen[1] :], asked[0])
        before = len(self._before_life)
        if compacted and compacted[-1] > (steps[len(asked)] if steps[len(asked) :] else len(events)):
            last = events[compacted[-1]]
            assert isinstance(last, ContextCompacted)
            seen = [{name: one[name] for name in one if name not in {"origin", "words"}} for one in last.messages]
            self._seen = [{"role": "system"}, *seen], before + compacted[-1]
        elif asked:
            self._seen = asked[-1], before + steps[len(asked) - 1]

    def check_end(self) -> None:
        """A process has gone on to the end: all is whole, nothing is held, and each lost task is told of."""
        assert self.id is not None
        check_events(self.events, stored=True)
        assert all(isinstance(event, Event) for event in self.events)
        seqs = [event.seq for event in self.events]
        assert seqs == sorted(set(seqs))
        assert isinstance(self.events[0], SessionStarted)
        assert sum(isinstance(event, RunStarted) and event.agent_id == MAIN for event in self.events)
        ends = {event.task_id: event for event in self.events if isinstance(event, TaskFinished)}
        history = History()
        history.replay(self.events)
        check_history(history)
        said = "\n".join(
            str(event.message.get("content")) if isinstance(event, MessageFinished) else event.output
            for event in self.events
            if isinstance(event, MessageFinished | ToolFinished) and event.agent_id == MAIN
        )
        for task in tuple(self.lost):
            if ends[task].state == "finished":  # killed after it had ended, and before that was told
                assert ends[task].result == DONE
                self.lost.discard(task)
            else:
                assert ends[task].state == "lost", ends[task]
            assert f"Task {task} (" in said, f"the model was not told of {task}"
        rest = [path.name for path in self._temporary.iterdir() if path.name.startswith("pygent-")]
        assert rest == [], "folders of killed processes are left"
        held = [place.name for place in places(self._data / "tasks") if is_held(place)]
        assert held == [], "places of tasks are held"
        for file in self._data.glob("tasks/*/task.json"):
            assert json.loads(file.read_text("utf-8"))["ended_at"] is not None, "a task that nobody ends"
        assert export(self.events, "jsonl").splitlines() == self.stored


def is_compaction(event: Event) -> bool:
    return isinstance(event, ContextCompacted) and event.agent_id == MAIN


def check_goes_on(seen: list[dict[str, Any]], since: Sequence[Event], asked: list[dict[str, Any]]) -> None:
    """``asked`` begins as ``seen``, and goes on with what the main agent's events ``since`` then tell of."""
    *first, last = seen[1:]
    place = len(first)
    assert asked[1 : place + 1] == first, "another beginning than before the kill"
    assert {**asked[place + 1], "content": ""} == {**last, "content": ""}
    assert str(asked[place + 1]["content"]).startswith(str(last["content"]))
    rest = asked[place + 1 :]
    said = "\n".join(str(message["content"]) for message in rest if message["role"] == "user")
    results = {message["tool_call_id"]: message["content"] for message in rest if message["role"] == "tool"}
    ended: dict[str, str] = {}
    for event in since:
        if event.agent_id == MAIN and isinstance(event, ToolFinished):
            ended[event.call_id] = event.output
        elif event.agent_id == MAIN and isinstance(event, MessageFinished) and not event.discarded:
            if event.message["role"] == "user":
                assert event.message["content"] in said
            for call in event.message.get("tool_calls") or ():
                assert call["id"] in results, f"a call that the model is not told of: {call}"
    for call_id, text in results.items():
        if last.get("tool_call_id") != call_id:
            assert text == ended.get(call_id, INTERRUPTED), f"another result of {call_id}: {text[:500]}"


def _read(process: Process, moment: Moment | None) -> tuple[list[str], float | None]:
    """The whole lines of a process's output, and when the first came, in seconds; it is killed at ``moment``."""
    began = time.monotonic()
    data, first, waits = bytearray(), None, moment is not None
    kill_at = began + moment.seconds if moment is not None and moment.line == 0 else None
    end_by = began + 60
    while True:
        now = time.monotonic()
        if waits and kill_at is not None and now >= kill_at:
            process.kill()
            waits = False
        patience = end_by - now if kill_at is None or not waits else kill_at - now
        if not select.select([process.out], [], [], max(0.0, patience))[0]:
            assert time.monotonic() < end_by, "Pygent neither says anything nor ends"
            continue
        piece = os.read(process.out, 4096)
        if not piece:
            break
        first = time.monotonic() - began if first is None else first
        data += piece
        if waits and moment is not None and moment.line and data.count(b"\n") >= moment.line:
            time.sleep(moment.seconds)
            process.kill()
            waits = False
    return data.decode("utf-8", "replace").rpartition("\n")[0].splitlines(), first
