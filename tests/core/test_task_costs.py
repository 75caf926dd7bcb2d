"""What tasks cost is held to a tree of budgets, and adds up: over tasks, retries and runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pygent import Agent, Budget, Persona, Runtime, TaskError
from pygent.approvals import Approvals, Policy
from pygent.bus import EventBus
from pygent.events import Event, Notice, RunFinished, TaskFinished, ToolFinished
from pygent.ledger import Account
from pygent.openai_compat import Message, Usage
from pygent.wiring import Wiring
from tests.fakes.models import call, say

PRICES = {"small": {"input": 1_000_000.0, "output": 2_000_000.0}, "big": {"input": 10_000_000.0, "output": 0.0}}
"""A step, of 10 tokens in and 5 out, costs 20 with the small model and 100 with the big one."""


class Counting:
    """Says how often it should work in the prompt, works as often, and stops; may be asked from many threads."""

    def chat(self, messages: list[dict[str, Any]], model: str | None, tools: Any) -> Message:
        prompt = next(str(one["content"]) for one in messages if one["role"] == "user")
        done = sum(one["role"] == "assistant" for one in messages)
        if not tools:
            return Message("assistant", "That is what I did.", usage=Usage(10, 5, 15))
        wanted = re.search(r"work (\d+)", prompt)  # the reports of tasks may stand behind it
        if wanted and done < int(wanted.group(1)):
            return call(("write_file", {"path": "f", "content": str(done)}))
        return call(("stop", {}), text="done")


class Case:
    """An agent that nobody talks to, with what its tasks tell."""

    def __init__(self, folder: Path, budget: Budget | None = None, persona: Persona | None = None, **wiring: Any):
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.account = Account(budget)
        self.runtime = Runtime(workspace=folder, use_docker=False)
        self.agent = Agent(self.runtime, Counting(), "small", persona)
        self.agent.join(Wiring(bus=bus, budget=self.account, prices=PRICES, **wiring))
        self.agent.tasks.max_tasks = 60

    def start(self, prompt: str, **options: Any) -> str:
        return self.agent.tasks.start_task(prompt, self.runtime, **options)

    def end(self, task_id: str) -> TaskFinished:
        assert self.agent.tasks.wait(task_id, 30)
        return next(e for e in self.events if isinstance(e, TaskFinished) and e.task_id == task_id)


@pytest.fixture
def cases() -> Iterator[list[Case]]:
    made: list[Case] = []
    yield made
    for case in made:
        case.agent.close()
        case.runtime.cleanup()


def test_a_task_s_own_budget_ends_it_after_a_last_word(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path))
    end = case.end(case.start("work 9", budget={"steps": 3}))
    assert (end.state, end.result, end.steps) == ("timeout", "That is what I did.", 4)
    assert end.status.startswith("timeout after ")
    (run,) = [e for e in case.events if isinstance(e, RunFinished)]
    assert run.reason == "budget"
    assert [e.text for e in case.events if isinstance(e, Notice)] == [
        "The budget of the task is spent: 4 of 3 steps."
    ]
    with pytest.raises(TaskError, match="steps: 0 cannot be used; accepted: a whole number from 1"):
        case.start("work 1", budget={"steps": 0})


def test_all_tasks_of_a_persona_share_its_budget_and_others_go_on(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path))
    frugal = Persona("frugal", budget=Budget(tokens=60))
    assert case.end(case.start("work 1", persona=frugal)).state == "finished"  # two steps of 15
    second = case.end(case.start("work 9", persona=frugal))
    assert (second.state, second.usage["total_tokens"]) == ("timeout", 45)
    with pytest.raises(TaskError, match="The budget of the persona frugal is spent: 75 of 60 tokens"):
        case.start("work 1", persona=frugal)
    assert case.end(case.start("work 1", persona=Persona("other"))).state == "finished"
    assert case.account.used().tokens == 105
    case.account.personas()["frugal"].budget = Budget(tokens=110)  # as a person raises it
    assert case.end(case.start("work 1", persona=frugal)).state == "finished"
    assert case.end(case.start("work 1", persona=replace(frugal, budget=Budget(tokens=120)))).state == "timeout"


def test_the_session_s_budget_ends_them_all(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path, Budget(money=400)))
    together = threading.Barrier(3)

    class Together(Counting):
        def chat(self, messages: list[dict[str, Any]], model: str | None, tools: Any) -> Message:
            if len(messages) == 2:
                together.wait(20)
            return super().chat(messages, model, tools)

    case.agent.model = Together()
    tasks = [case.start("work 99", persona=Persona("p", model="big")) for _ in range(3)]
    assert {case.end(task).state for task in tasks} == {"timeout"}
    used = case.account.used()
    assert used.money is not None
    assert 400 <= used.money <= 400 + 100 * 2 + 100 * 3  # two were in the middle of a step; three last words
    with pytest.raises(TaskError, match="The budget of the session is spent"):
        case.start("work 1")


def test_costs_add_up_over_fifty_tasks_at_once_and_retries(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path))
    personas = [Persona("a"), Persona("b", model="big"), Persona("free", model="free")]
    tasks = [case.start(f"work {n % 4}", persona=personas[n % 3]) for n in range(50)]
    ends = [case.end(task) for task in tasks]
    retries = [case.agent.tasks.retry(task) for task in tasks[:4]]
    ends += [case.end(task) for task in retries]
    result = case.agent.run_until_stop("work 2")
    ends_tokens = sum(end.usage["total_tokens"] for end in ends)
    used, by_persona = case.account.used(), case.account.personas()
    assert used.tokens == ends_tokens + result.usage.total_tokens == 15 * used.steps
    assert used.steps == sum(end.steps for end in ends) + result.steps
    assert used.money == pytest.approx(sum(end.cost or 0 for end in ends) + (result.cost or 0))
    assert used.tokens == sum(account.used().tokens for account in by_persona.values())
    assert used.money == sum(account.used().money or 0 for account in by_persona.values())
    assert by_persona["free"].used().money is None
    assert result.total_usage == result.usage  # the others were started by nobody's run
    assert {end.cost for end in ends if end.cost is not None} <= {20.0 * n for n in range(1, 5)} | {
        100.0 * n for n in range(1, 5)
    }


def test_a_task_s_rights_follow_its_parent_s_while_it_runs(tmp_path: Path, cases: list[Case]) -> None:
    policy = Policy("yolo")
    cases.append(case := Case(tmp_path, approvals=Approvals(policy)))
    reached, go = threading.Event(), threading.Event()

    class Waiting(Counting):
        def chat(self, messages: list[dict[str, Any]], model: str | None, tools: Any) -> Message:
            if sum(one["role"] == "assistant" for one in messages) == 1:
                reached.set()
                go.wait(20)
            return super().chat(messages, model, tools)

    case.agent.model = Waiting()
    task = case.start("work 2", persona=Persona("p", permission_mode="auto", deny=("bash",)))
    assert reached.wait(20)
    policy.mode = "plan"
    go.set()
    case.end(task)
    statuses = [e.status for e in case.events if isinstance(e, ToolFinished)]
    assert statuses == ["ok", "denied", "ok"]


def test_a_task_has_no_tool_that_its_parent_lacks(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path, persona=Persona("parent", tools=("read_file", "write_file"))))
    task = case.start("work 0", persona=Persona("p", tools=("bash", "write_file")))
    case.end(task)
    assert case.agent.tasks.tasks[task].agent.tool_names() == ["write_file", "continue", "stop"]


def test_a_network_that_cannot_be_closed_is_told(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path))
    case.end(case.start("work 0", persona=Persona("quiet", network=False)))
    (note,) = [e.text for e in case.events if isinstance(e, Notice)]
    assert note.startswith("The persona quiet is to work without a network, but its commands run on this machine")


def test_a_run_s_totals_have_its_tasks_in_them(tmp_path: Path, cases: list[Case]) -> None:
    cases.append(case := Case(tmp_path))

    class Delegating(Counting):
        def chat(self, messages: list[dict[str, Any]], model: str | None, tools: Any) -> Message:
            if "delegate" not in str(messages[1]["content"]):
                return super().chat(messages, model, tools)
            match sum(one["role"] == "assistant" for one in messages):
                case 0:
                    return call(("delegate_task", {"prompt": "work 2"}), ("delegate_task", {"prompt": "work 1"}))
                case 1:
                    return call(("wait_for_tasks", {}))
            return say("both are done")

    case.agent.model = Delegating()
    result = case.agent.converse("delegate")
    ends = [e for e in case.events if isinstance(e, TaskFinished)]
    assert [end.usage["total_tokens"] for end in sorted(ends, key=lambda end: end.steps)] == [30, 45]
    assert result.usage.total_tokens == 42
    assert result.total_usage.total_tokens == 42 + 75
    assert (result.cost, result.total_cost) == (54.0, 54.0 + 100.0)
    (told,) = [e for e in case.events if isinstance(e, RunFinished) and e.agent_id == "main"]
    assert (told.total_usage["total_tokens"], told.total_cost) == (117, 154.0)
