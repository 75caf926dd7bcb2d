"""A session's conversation is summed up and put back, also over a resume; what the log has stays as it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pygent.errors import PygentError
from pygent.events import ContextCompacted, ContextRestored, Event, Notice
from pygent.history import History
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from pygent.tokens import Meter
from pygent.transcript import CompactionItem, Transcript
from tests.core.windowed import SUMMARY, is_question, same, size
from tests.fakes.invariants import check_events, check_history
from tests.fakes.openai_server import FakeOpenAI, Step, reply


class Sitting:
    """A session on a server, kept in a file; its events by type."""

    def __init__(self, folder: Path, url: str, resume: str | None = None, **settings: Any) -> None:
        settings = {"permission_mode": "yolo", **settings}
        given = Settings(
            model="m",
            base_url=url,
            api_key="k",
            workspace=folder / "work",
            use_docker=False,
            **{"profile": "full", **settings},
        )
        (folder / "work").mkdir(exist_ok=True)
        self.session = Session(given, store=lambda: Store(folder / "sessions.db"), resume=resume)
        self.events: list[Event] = []
        self.changed = threading.Condition()
        self.session.subscribe(self._take)
        self.session.open()

    def _take(self, event: Event) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait(self, kind: str, count: int = 1) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: sum(e.type == kind for e in self.events) >= count, 20), kind
        while self.session.running:
            time.sleep(0.001)

    def say(self, prompt: str) -> None:
        runs = sum(event.type == "run.finished" for event in self.events)
        self.session.submit(prompt)
        self.wait("run.finished", runs + 1)

    @property
    def history(self) -> History:
        agent = self.session.agent
        assert agent is not None
        check_history(agent.history)
        return agent.history


def body(sitting: Sitting) -> list[dict[str, Any]]:
    """What the model sees behind the system message."""
    return [dict(message) for message in sitting.history if message["role"] != "system"]


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    def answer(request: dict[str, Any]) -> Step:
        tokens = size(request)
        return replace(_answer(request), usage={"prompt_tokens": tokens, "total_tokens": tokens + 9})

    def _answer(request: dict[str, Any]) -> Step:
        if is_question(request):
            return reply(SUMMARY)
        said = request["messages"][-1]
        if said["role"] == "user" and "look" in said["content"]:
            return reply(tool_calls=[("bash", {"cmd": "seq 600"})])
        return reply("I have looked.")

    with FakeOpenAI(answer) as made:
        yield made


def test_compacted_undone_and_resumed_in_a_session(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url)
    for n in range(3):
        one.say(f"look {n}")
    whole = body(one)
    one.session.compact("what was seen")
    one.wait("context.compacted")
    short = body(one)
    assert len(short) < len(whole)
    assert any(SUMMARY in str(message["content"]) for message in short)
    identity = one.session.id
    one.session.close()

    two = Sitting(tmp_path, server.url, identity)
    assert body(two) == short
    two.session.undo_compaction()
    two.wait("context.restored")
    assert body(two) == whole
    with pytest.raises(PygentError, match="Nothing was compacted"):
        two.session.undo_compaction()
    two.say("and now?")
    two.session.close()

    three = Sitting(tmp_path, server.url, identity)
    assert same(three.history, two.history)
    stored = three.session.events()
    three.session.close()
    check_events(stored, stored=True)
    live = Transcript()
    for event in stored:
        live.apply(event)
    (item,) = [item for item in live.main.items if isinstance(item, CompactionItem)]
    assert (item.summary, item.undone) == (SUMMARY, True)
    assert live.main.context_tokens > 0


def test_during_a_run_it_waits_for_the_next_step(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url)
    for n in range(3):
        one.say(f"look {n}")
    agent = one.session.agent
    assert agent is not None
    begun = threading.Event()
    one.session.subscribe(lambda event: begun.set() if event.type == "tool.started" else None)
    one.session.submit("look again")
    assert begun.wait(20)
    said = one.session.compact()
    one.wait("run.finished", 4)
    if said:
        assert "before its next step" in said or "before the next step" in said
        if not any(isinstance(event, ContextCompacted) for event in one.events):
            one.say("go on")
    one.wait("context.compacted")
    one.session.close()


def test_the_settings_say_the_window_and_the_share(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url, context_window=16_000, compact_at=0.6)
    server.replies = lambda request: (
        reply(SUMMARY)
        if is_question(request)
        else reply(tool_calls=[("bash", {"cmd": "seq 2000"})])
        if len(request["messages"]) < 8
        else reply("Done.")
    )
    for n in range(4):
        one.say(f"look {n}")
    assert one.session.status().context_window == 16_000
    compacted = [event for event in one.events if isinstance(event, ContextCompacted)]
    assert compacted
    assert all(event.before_tokens > 9_000 for event in compacted)
    one.session.close()


def test_nothing_to_compact_and_nothing_to_undo(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url)
    one.session.compact()
    one.wait("notice")
    assert [event.text for event in one.events if isinstance(event, Notice)][-1].startswith("There is nothing")
    with pytest.raises(PygentError, match="Nothing was compacted"):
        one.session.undo_compaction()
    assert not any(isinstance(event, ContextRestored) for event in one.events)
    one.session.close()


def test_what_fills_the_context_is_listed_and_adds_up(tmp_path: Path, server: FakeOpenAI) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "AGENTS.md").write_text("Always answer in rhyme. " * 20, "utf-8")
    one = Sitting(tmp_path, server.url, context_window=50_000)
    before = one.session.context_use()
    assert (before.window, before.counted) == (50_000, False)
    assert {part.name for part in before.parts} == {"system prompt", "instructions", "definitions of tools"}
    one.say("look 0")
    use = one.session.context_use()
    assert abs(sum(part.tokens for part in use.parts) - use.tokens) < 10
    assert use.counted
    names = {part.name for part in use.parts}
    assert names >= {"system prompt", "instructions", "definitions of tools", "what you said", "outputs of tools"}
    assert [part.name for part in use.biggest] == ["bash seq 600"]
    assert [part.name.rpartition("/")[2] for part in use.instructions] == ["AGENTS.md"]
    sent = server.requests[-1]["messages"][0]["content"]
    assert "Always answer in rhyme." in sent
    assert use.tokens == next(e.context_tokens for e in reversed(one.events) if e.type == "step.finished")  # type: ignore[attr-defined]
    one.session.close()


def test_what_a_server_counted_still_holds_when_a_session_is_resumed(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url, context_window=50_000)
    one.say("look 0")
    one.say("look 1")
    was = one.session.context_use()
    name = one.session.id
    one.session.close()

    two = Sitting(tmp_path, server.url, name, context_window=50_000)
    assert (two.session.context_use().tokens, two.session.context_use().counted) == (was.tokens, True)
    two.say("look 2")
    first = next(step for step in two.events if step.type == "step.finished")
    requests = [request for request in server.requests if "look 2" in str(request["messages"])]
    assert first.usage["prompt_tokens"] == size(requests[0])  # type: ignore[attr-defined]
    two.session.close()


def test_a_resumed_session_is_compacted_where_the_server_counts_so(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url)
    for n in range(3):
        one.say(f"look {n}")
    counted = one.session.context_use().tokens
    by_rule = Meter().tokens(one.history, server.requests[-1]["tools"])
    assert by_rule > counted * 1.1, "the rule errs towards more"
    name = one.session.id
    one.session.close()

    window = int((counted + by_rule) / 2 / 0.8)  # near its limit by the rule, not as the server counts
    two = Sitting(tmp_path, server.url, name, context_window=window)
    two.say("go on")
    assert not any(isinstance(event, ContextCompacted) for event in two.events)
    two.session.close()
    three = Sitting(tmp_path, server.url, name, context_window=int(counted * 0.9 / 0.8))
    three.say("go on")
    assert any(isinstance(event, ContextCompacted) for event in three.events)
    three.session.close()


def test_definitions_that_a_small_model_is_not_sent_are_not_counted(tmp_path: Path, server: FakeOpenAI) -> None:
    one = Sitting(tmp_path, server.url, context_window=50_000, profile="small")
    one.say("look 0")
    use = one.session.context_use()
    assert "tools" not in server.requests[-1]
    assert not any(part.name == "definitions of tools" and part.tokens > 400 for part in use.parts), use.parts
    assert use.tokens < 1.5 * size(server.requests[-1])
    one.session.close()


def test_instructions_can_be_switched_off_and_problems_are_told(tmp_path: Path, server: FakeOpenAI) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "secret").write_text("a secret", "utf-8")
    (tmp_path / "work" / "AGENTS.md").symlink_to(tmp_path / "secret")
    one = Sitting(tmp_path, server.url)
    assert any("are not read" in event.text for event in one.events if isinstance(event, Notice))
    one.session.close()
    (tmp_path / "work" / "AGENTS.md").unlink()
    (tmp_path / "work" / "AGENTS.md").write_text("Rhyme.", "utf-8")
    two = Sitting(tmp_path, server.url, instructions=False)
    two.say("hello")
    assert "Rhyme." not in server.requests[-1]["messages"][0]["content"]
    two.session.close()
