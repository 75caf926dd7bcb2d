"""The session that front ends hold: its life, its rights, its store."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.budget import Budget
from pygent.errors import PygentError
from pygent.events import ApprovalRequested, Event, RunFinished
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import ScriptedModel, call, say


class Watched:
    """A session on a scripted model; its events are kept, approvals are answered as told."""

    def __init__(self, folder: Path, script: list[Any], *, answer: str = "", **options: Any) -> None:
        given = {"use_docker": False, **options.pop("settings", {})}
        settings = Settings(workspace=folder / "work", **given)
        self.session = Session(settings, model=ScriptedModel(script), **options)
        self.events: list[Event] = []
        self.ended = threading.Semaphore(0)
        self._answer = answer
        self.session.subscribe(self._take)

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ApprovalRequested) and self._answer:
            threading.Thread(target=self.session.resolve, args=(event.request_id, self._answer)).start()
        if isinstance(event, RunFinished):
            self.ended.release()

    def say(self, prompt: str) -> None:
        self.session.submit(prompt)
        assert self.ended.acquire(timeout=20)
        while self.session.running:  # its end is told a moment before its thread is free
            time.sleep(0.001)


@pytest.fixture
def made() -> Iterator[list[Watched]]:
    sessions: list[Watched] = []
    yield sessions
    for one in sessions:
        one.session.close()
        check_events([event for event in one.events if event.session_id == one.events[0].session_id])


def test_prompts_wait_for_their_turn_and_the_history_is_one(tmp_path: Path, made: list[Watched]) -> None:
    made.append(watched := Watched(tmp_path, [say("one"), say("two")]))
    watched.session.open()
    watched.session.submit("a")
    watched.session.submit("b")
    assert watched.ended.acquire(timeout=20)
    assert watched.ended.acquire(timeout=20)
    agent = watched.session.agent
    assert agent is not None
    check_history(agent.history)
    assert [message["content"] for message in agent.history[1:]] == ["a", "one", "b", "two"]


def test_in_ask_mode_a_write_waits_for_an_answer(tmp_path: Path, made: list[Watched]) -> None:
    for answer, there in (("deny", False), ("allow_once", True)):
        script = [call(("write_file", {"path": answer, "content": "x"})), say("ok")]
        made.append(watched := Watched(tmp_path, script, answer=answer, settings={"permission_mode": "ask"}))
        watched.session.open()
        watched.say("go")
        assert (tmp_path / "work" / answer).exists() is there


def test_absolute_paths_in_the_workspace_are_inside_it(tmp_path: Path, made: list[Watched]) -> None:
    path = str(tmp_path / "work" / "a.txt")
    script = [call(("write_file", {"path": path, "content": "x"})), say("ok")]
    made.append(watched := Watched(tmp_path, script, settings={"permission_mode": "auto"}))
    watched.session.open()
    watched.say("go")
    assert Path(path).read_text() == "x"
    assert not [event for event in watched.events if isinstance(event, ApprovalRequested)]


def test_a_ban_holds_at_once_and_in_every_mode(tmp_path: Path, made: list[Watched]) -> None:
    script = [call(("bash", {"cmd": "touch banned"})), say("ok")]
    made.append(watched := Watched(tmp_path, script, settings={"permission_mode": "yolo"}))
    watched.session.open()
    watched.session.ban("touch")
    watched.say("go")
    assert not (tmp_path / "work" / "banned").exists()
    watched.session.unban("touch")
    with pytest.raises(ValueError, match="not banned"):
        watched.session.unban("touch")


def test_settings_before_and_after_opening(tmp_path: Path, made: list[Watched]) -> None:
    made.append(watched := Watched(tmp_path, [], settings={"local_sandbox": "off"}))
    session = watched.session
    assert session.permission_mode == "ask"
    session.set_permission_mode("plan")
    session.open()
    assert session.permission_mode == session.status().permission_mode == "plan"
    assert session.cycle_permission_mode() == "ask"
    with pytest.raises(ValueError, match="ask, auto, plan, yolo"):
        session.set_permission_mode("maybe")
    session.set_model("other")
    session.set_persona("Tester")
    assert (session.status().model, session.status().persona) == ("other", "tester")
    with pytest.raises(ValueError, match="there are"):
        session.set_persona("nobody")
    session.enable_tool("bash", False)
    assert {tool.name: tool.enabled for tool in session.tools()}["bash"] is False
    with pytest.raises(PygentError, match="only a sandbox's can be switched"):
        session.set_network(True)


@pytest.mark.bubblewrap
def test_the_network_of_the_local_sandbox_is_switched_in_a_session(tmp_path: Path, made: list[Watched]) -> None:
    look = call(("bash", {"cmd": "readlink /proc/self/ns/net"}))
    script = [look, say("off"), look, say("on"), look, say("off")]
    options = {"local_sandbox": "on", "permission_mode": "yolo"}
    made.append(watched := Watched(tmp_path, script, settings=options))
    watched.session.open()
    for on in (False, True, False):
        watched.session.set_network(on)
        assert watched.session.status().sandbox.endswith("network on" if on else "network off")
        watched.say("go")
    outputs = [event.output for event in watched.events if event.type == "tool.finished"]  # type: ignore[attr-defined]
    ours = os.readlink("/proc/self/ns/net")
    assert [ours in text for text in outputs] == [False, True, False], outputs


def test_a_command_of_the_user_s_own_shows_as_a_tool_call(tmp_path: Path, made: list[Watched]) -> None:
    made.append(watched := Watched(tmp_path, []))
    watched.session.open()
    for cmd in ("echo hello", "echo \0"):
        before = sum(event.type == "tool.finished" for event in watched.events)
        watched.session.run_command(cmd)
        until = time.monotonic() + 10
        while sum(event.type == "tool.finished" for event in watched.events) == before and time.monotonic() < until:
            time.sleep(0.01)
    outputs = [event.output for event in watched.events if event.type == "tool.finished"]  # type: ignore[attr-defined]
    assert "hello" in outputs[0]
    assert "NUL" in outputs[1]


def test_a_new_conversation_is_a_session_of_its_own(tmp_path: Path, made: list[Watched]) -> None:
    made.append(watched := Watched(tmp_path, [say("one"), say("two")], store=lambda: Store(tmp_path / "s.db")))
    session = watched.session
    session.open()
    watched.say("first")
    first = session.id
    session.new()
    watched.say("second")
    assert session.agent is not None
    assert [message["content"] for message in session.agent.history[1:]] == ["second", "two"]
    assert [stored.title for stored in session.stored()] == ["second", "first"]
    session.close()
    store = Store(tmp_path / "s.db")
    for session_id in (first, session.id):
        check_events(list(store.events(session_id)), stored=True)
    store.close()


def test_a_session_that_goes_on_has_its_past_and_numbers_on(tmp_path: Path, made: list[Watched]) -> None:
    made.append(first := Watched(tmp_path, [say("one")], store=lambda: Store(tmp_path / "s.db")))
    first.session.open()
    first.say("a")
    first.session.close()
    again = Watched(tmp_path, [say("two")], store=lambda: Store(tmp_path / "s.db"), resume=first.session.id)
    again.session.open()
    again.say("b")
    again.session.close()
    assert again.session.agent is not None
    assert [message["content"] for message in again.session.agent.history[1:]] == ["a", "one", "b", "two"]
    store = Store(tmp_path / "s.db")
    events = list(store.events(first.session.id))
    store.close()
    check_events(events, stored=True)
    assert [event for event in [*again.session.past, *again.events] if event.durable] == events


def test_closing_ends_a_run_and_can_be_done_twice(tmp_path: Path, made: list[Watched]) -> None:
    made.append(
        watched := Watched(tmp_path, [call(("bash", {"cmd": "sleep 60"}))], settings={"permission_mode": "yolo"})
    )
    watched.session.open()
    watched.session.submit("go")
    while not any(event.type == "tool.started" for event in watched.events):
        time.sleep(0.01)
    began = time.monotonic()
    watched.session.close()
    watched.session.close()
    assert time.monotonic() - began < 5
    with pytest.raises(PygentError, match="closed"):
        watched.session.submit("more")


def test_without_a_person_tasks_end_with_their_run_and_that_is_told(tmp_path: Path, made: list[Watched]) -> None:
    gate = threading.Event()

    def answer(messages: list[dict[str, Any]]) -> Any:
        if messages[1]["content"] == "the child's":
            gate.wait(20)
            return say("late")
        started = messages[-1]["role"] == "tool"
        return call(("stop", {})) if started else call(("delegate_task", {"prompt": "the child's"}))

    settings = {"permission_mode": "yolo", "tasks_at_stop": "cancel"}
    made.append(watched := Watched(tmp_path, [answer] * 5, interactive=False, settings=settings))
    watched.session.open()
    assert watched.session.run("go").reason == "stopped"
    gate.set()
    told = [event.text for event in watched.events if event.type == "notice"]  # type: ignore[attr-defined]
    assert "ended before they are done: developer" in told[0]
    assert [event.status for event in watched.events if event.type == "task.finished"] == ["cancelled"]  # type: ignore[attr-defined]
    assert watched.events[-1].type == "run.finished"


@pytest.mark.parametrize("stored", [True, False])
def test_what_happened_is_read_back(tmp_path: Path, made: list[Watched], stored: bool) -> None:
    store = (lambda: Store(tmp_path / "s.db")) if stored else None
    made.append(watched := Watched(tmp_path, [say("one")], store=store))
    watched.session.open()
    watched.say("a")
    assert watched.session.events() == [event for event in watched.events if event.durable]


def test_the_past_is_taken_once(tmp_path: Path) -> None:
    first = Watched(tmp_path, [say("one")], store=lambda: Store(tmp_path / "s.db"))
    first.session.open()
    first.say("a")
    first.session.close()
    again = Watched(tmp_path, [], store=lambda: Store(tmp_path / "s.db"), resume=first.session.id)
    again.session.open()
    assert again.session.take_past() == [event for event in first.events if event.durable]
    assert again.session.take_past() == again.session.past == []
    assert again.session.events()[-1] == again.events[-1]
    again.session.close()


def test_a_stored_session_takes_the_place_of_the_one_at_hand(tmp_path: Path, made: list[Watched]) -> None:
    made.append(watched := Watched(tmp_path, [say("one"), say("two")], store=lambda: Store(tmp_path / "s.db")))
    session = watched.session
    session.open()
    watched.say("first")
    first = session.id
    session.new()
    assert session.busy_with == ""
    stored = next(one for one in session.stored(everywhere=True) if one.id == first)
    with pytest.raises(PygentError, match="is open"):
        session.delete_stored(session.id)
    with pytest.raises(PygentError, match="is not there any more"):
        session.resumed(dataclasses.replace(stored, workspace=str(tmp_path / "gone")))
    other = session.resumed(stored)
    session.close()
    assert [one.id for one in other.search_stored("one")] == [first]
    other.open()
    assert other.agent is not None
    assert [message["content"] for message in other.agent.history] == ["first", "one"]
    assert other.id == first
    other.rename_stored(first, "named")
    assert [one.title for one in other.stored()] == ["named"]
    other.close()


def test_a_resumed_session_goes_on_with_what_it_has_cost_and_a_new_one_begins_anew(
    tmp_path: Path, made: list[Watched]
) -> None:
    prices = {"gpt-4.1-mini": {"input": 100_000.0, "output": 0.0}}  # 1 for a request of 10 tokens
    settings = {"permission_mode": "auto", "prices": prices, "budget": Budget(tokens=40, money=9)}
    options: dict[str, Any] = {"settings": settings, "store": lambda: Store(tmp_path / "store")}
    first = Watched(tmp_path, [call(("bash", {"cmd": "sleep 0.05"})), say("one")], **options)
    made.append(first)
    first.session.open()
    first.say("go")
    used = first.session.costs().used
    assert (used.steps, used.tokens, used.money) == (2, 27, 2.0)
    first.session.close()

    made.append(again := Watched(tmp_path, [say("two")], **options, resume=first.session.id))
    again.session.open()
    costs = again.session.costs()
    assert (costs.used.steps, costs.used.usage(), costs.used.money) == (2, used.usage(), 2.0)
    assert costs.used.seconds == pytest.approx(used.seconds, abs=0.1)
    assert costs.used.seconds >= 0.05
    assert costs.personas["Pygent"].used.tokens == 27
    assert costs.share == 27 / 40
    again.session.set_budget(Budget(tokens=27))
    again.say("and now")
    (end,) = [event for event in again.events if isinstance(event, RunFinished)]
    assert (end.reason, end.steps) == ("budget", 0)
    again.session.new()
    assert (again.session.costs().used.tokens, again.session.costs().budget) == (0, Budget(tokens=27))
    again.say("and now")
    assert again.session.costs().used.tokens == 12
