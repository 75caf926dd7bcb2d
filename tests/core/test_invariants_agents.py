"""Several agents and their tasks on one bus, ended and answered at random: starts have ends, calls have answers.

Streams break, models and tools raise, approvals come late, twice or not at all, runs are cancelled in every phase.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pygent import Agent, PygentError, Tool
from pygent.approvals import Approvals, Broker, Policy
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import APIError, APITemporaryError
from pygent.events import ApprovalRequested, Event, MessageFinished, TaskUpdated
from pygent.models.base import Completed, Discarded, ModelNotice, ReasoningDelta, StreamItem, TextDelta
from pygent.openai_compat import Message, Usage
from pygent.runtime import Runtime
from pygent.tools import REGISTRY, ToolRegistry
from pygent.wiring import Wiring
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import call

AGENTS, RUNS = 3, 4
PAUSE = 0.004
"""Seconds that a model or a tool takes at most."""

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("bash", {"cmd": "echo one; echo two >&2"}),
    ("bash", {"cmd": "sleep 20"}),
    ("bash", {"cmd": "curl x"}),
    ("bash", {}),
    ("write_file", {"path": "a.txt", "content": "a"}),
    ("read_file", {"path": "a.txt"}),
    ("read_file", {"path": "../../etc/passwd"}),
    ("flaky", {}),
    ("nothing", {}),
    ("delegate_task", {"prompt": "do it"}),
    ("delegate_persona_task", {"prompt": "do it", "persona": "tester"}),
    ("task_status", {"task_id": "x"}),
    ("wait_for_tasks", {}),
    ("wait_for_tasks", {"timeout": 0.01}),
    ("wait_for_tasks", {"task_ids": ["x"]}),
    ("apply_task", {"task_id": "x"}),
    ("list_personas", {}),
    ("stop", {}),
    ("continue", {"question": "well?"}),
]


def report_in(event: Event) -> str:
    """The text of a task's report that a parent got as a message."""
    told = isinstance(event, MessageFinished) and event.origin == "task"
    return str(event.message["content"]) if told and isinstance(event, MessageFinished) else ""


class MoodyModel:
    """Answers, breaks off, raises or dawdles, as chance will have it; one for all agents of a test."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._lock = threading.Lock()

    def _pick(self) -> random.Random:
        with self._lock:  # one sequence of numbers, whichever agents ask
            return random.Random(self._chance.random())

    def stream(self, messages: Any, model: Any, tools: Any, *, cancel: CancelToken) -> Iterator[StreamItem]:
        chance = self._pick()
        for _ in range(chance.randrange(3)):
            yield ReasoningDelta("hm") if chance.random() < 0.2 else TextDelta("word ")
            cancel.wait(chance.random() * PAUSE)
            cancel.check()
            if chance.random() < 0.1:
                yield Discarded("the stream broke")
            if chance.random() < 0.05:
                raise chance.choice([APIError("no"), APITemporaryError("busy"), RuntimeError("boom"), ValueError()])
            if chance.random() < 0.05:
                return
        if chance.random() < 0.1:
            yield ModelNotice("a notice")
        yield Completed(self._message(chance))

    def _message(self, chance: random.Random) -> Message:
        if chance.random() < 0.2:
            return Message("assistant", chance.choice(["", "done", None]), usage=Usage(1, 1, 2))
        message = call(*chance.sample(CALLS, chance.randrange(1, 4)), text="text")
        for one in message.tool_calls:
            one.id = chance.choice(["", "same", one.id])
            if chance.random() < 0.1:
                one.function.arguments = chance.choice(["{bad", "[]", '{"cmd": 3}'])
        message.finish_reason = chance.choice([None, "tool_calls", "length"])
        return message


class World:
    """Agents that share a bus, a policy and the people who answer."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.events: list[Event] = []
        self.requests: list[str] = []
        self.bus = EventBus()
        self.bus.subscribe(self._take)
        self.broker = Broker(self.bus.publish)
        policy = Policy("ask", allow=["bash(echo *)"], banned_commands=["curl"])
        self.approvals = Approvals(policy, self.broker, emit=self.bus.publish)
        self.life = CancelToken()
        self.over = threading.Event()
        model = MoodyModel(random.Random(seed))
        self.agents = [self._agent(number, model) for number in range(AGENTS)]

    def _agent(self, number: int, model: MoodyModel) -> Agent:
        agent = Agent(Runtime(use_docker=False), model, tools=self._tools(self.chance.random()))
        wiring = Wiring(
            bus=self.bus,
            agent_id=f"main{number}",
            approvals=self.approvals,
            cancel=self.life,
            cancellable=True,
            settle_tasks=number == 0,
            at_stop=("wait", "ask", "cancel")[number],
        )
        agent.join(wiring)
        return agent

    def _tools(self, seed: float) -> ToolRegistry:
        chance = random.Random(seed)

        def flaky(rt: Any) -> Any:
            kind = chance.random()
            if kind < 0.3:
                raise chance.choice([RuntimeError("flaky"), KeyError(), SystemExit(1)])
            time.sleep(chance.random() * PAUSE)
            return rt.bash("echo flaky") if kind < 0.6 else {"kind": kind}

        tools = REGISTRY.copy()
        tools.add(Tool("flaky", "May fail.", {"type": "object", "properties": {}}, flaky))
        return tools

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, ApprovalRequested):
            self.requests.append(event.request_id)

    def work(self, agent: Agent, seed: float) -> None:
        chance = random.Random(seed)
        for turn in range(RUNS):
            run = agent.run_until_stop if chance.random() < 0.7 else agent.converse
            limits: dict[str, Any] = {"max_steps": 6, "max_time": chance.choice([None, 0.05, 3])}
            try:
                run(f"turn {turn}", step_timeout=chance.choice([None, 0.03, 2]), **limits)
            except (PygentError, RuntimeError, ValueError, TypeError):
                continue

    def meddle(self, seed: float) -> None:
        """Answer approvals, cancel runs and tasks, at random."""
        chance = random.Random(seed)
        while not self.over.wait(chance.random() * PAUSE):
            for request in self.requests[-6:]:
                if chance.random() < 0.6:
                    decision = chance.choice(["allow_once", "allow_once", "allow_session", "deny"])
                    self.broker.resolve(request, decision, chance.choice(["", "another way"]))
            agent = chance.choice(self.agents)
            if chance.random() < 0.08:
                agent.cancel()
            self.meddle_with_tasks(agent, chance)

    def meddle_with_tasks(self, agent: Agent, chance: random.Random) -> None:
        """Start, answer, repeat and end tasks, as a person does."""
        known = list(agent.tasks.tasks.values())
        if len(known) < 12 and chance.random() < 0.1:
            with contextlib.suppress(PygentError):
                kind = chance.choice(["files", "copy"])
                agent.tasks.start_task("mine", agent.runtime, queue=chance.random() < 0.7, workspace=kind)
        if known and chance.random() < 0.3:
            task = chance.choice(known)
            with contextlib.suppress(PygentError):
                match chance.randrange(4):
                    case 0:
                        agent.tasks.cancel(task.id)
                    case 1 | 2:
                        agent.tasks.send(task.id, "an answer")
                    case _ if len(known) < 12:
                        agent.tasks.retry(task.id, queue=True)
        if chance.random() < 0.1:
            agent.tasks.reports.wake()


def test_every_start_has_one_end_and_every_call_one_answer(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_STEP_TIMEOUT", "5")
    world = World(seed)
    chance = world.chance
    people = [threading.Thread(target=world.meddle, args=(chance.random(),)) for _ in range(2)]
    workers = [threading.Thread(target=world.work, args=(agent, chance.random())) for agent in world.agents]
    for thread in [*people, *workers]:
        thread.start()
    if chance.random() < 0.3:
        time.sleep(chance.random() * 0.2)
        world.life.cancel("the session was closed")
    for thread in workers:
        thread.join(60)
        assert not thread.is_alive()
    world.over.set()
    for thread in people:
        thread.join(5)
    for agent in world.agents:
        agent.close()
    tasks = [task for agent in world.agents for task in agent.tasks.tasks.values()]

    check_events(world.events)
    children = [task.agent for task in tasks if task.agent is not None]
    for agent in [*world.agents, *children]:
        check_history(agent.history)
    for task in tasks:
        told = [event for event in world.events if f"Task {task.id} (" in report_in(event)]
        rests = [event for event in world.events if isinstance(event, TaskUpdated) and event.task_id == task.id]
        assert len(told) <= 1 + sum(event.state == "waiting" for event in rests)
    assert world.broker.waiting == ()
    assert not any(task.running for task in tasks)
    assert not any(thread.name.startswith("pygent-task") for thread in threading.enumerate())
    assert not any(agent.runtime.base_dir.exists() for agent in world.agents)
    assert not any(agent.runtime.base_dir.exists() for agent in children)
