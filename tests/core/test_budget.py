"""Budgets: what can be said, that sums agree whatever the threads do, and how a run ends at its limit."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygent import Agent, Runtime
from pygent.budget import Budget
from pygent.errors import TaskError
from pygent.events import Notice, RunFinished
from pygent.ledger import Account, Spent
from pygent.openai_compat import Message, Usage
from tests.core.test_loop import Case
from tests.fakes.models import ScriptedModel, call, say

PRICES = {"small": {"input": 1_000_000.0, "output": 2_000_000.0}}
"""A token of the input costs 1, one of the output 2."""


def test_a_budget_is_read_from_what_people_write() -> None:
    same = Budget(steps=5, tokens=1000, money=0.5)
    assert (
        Budget.of("steps=5, tokens=1000 money=0.5") == same == Budget.of({"steps": 5, "tokens": 1000, "money": 0.5})
    )
    assert Budget.of("{steps: 5, tokens: 1000, money: 0.5}") == same
    assert Budget.of(None) == Budget() == Budget.of("")
    assert not Budget()
    assert same
    assert str(Budget(tokens=1_000_000, money=2)) == "tokens=1000000, money=2"
    assert same.narrowed(Budget(steps=9, tokens=10, seconds=3)) == Budget(steps=5, tokens=10, money=0.5, seconds=3)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"steps": 0}, "steps: 0 cannot be used; accepted: a whole number from 1"),
        ({"steps": 1.5}, "accepted: a whole number from 1"),
        ({"tokens": True}, "accepted: a whole number from 1"),
        ({"money": float("nan")}, "accepted: an amount greater than 0"),
        ({"money": -1}, "accepted: an amount greater than 0"),
        ({"seconds": float("inf")}, "accepted: a number of seconds greater than 0"),
        ({"seconds": "5"}, "accepted: a number of seconds greater than 0"),
        ({"step": 1}, "a budget has no 'step'; accepted: steps, seconds, tokens, money"),
        ("tokens", "accepted: NAME=NUMBER"),
        ("tokens=1 tokens=2", "once for each"),
        ("tokens=many", "tokens: 'many' cannot be used"),
        (5, "5 is not a budget; accepted: {steps, seconds, tokens, money}"),
    ],
)
def test_what_is_no_budget_is_refused_with_what_is_accepted(value: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"accepted") as caught:
        Budget.of(value)
    assert said in str(caught.value)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 500), st.integers(0, 500), st.none() | st.floats(0, 9)),
        min_size=50,
        max_size=120,
    )
)
def test_sums_agree_when_fifty_threads_charge_at_once(charges: list[tuple[str, int, int, float | None]]) -> None:
    session = Account()
    run = session.persona("main").below()
    tasks = [session.persona(name).below(None, run) for name, *_ in charges]  # a retry is one more of them
    start = threading.Barrier(50)

    def charge(index: int) -> None:
        if index < 50:
            start.wait()
        _, prompt, completion, cost = charges[index]
        assert tasks[index].take_step()
        tasks[index].charge(Usage(prompt, completion, prompt + completion), cost)

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(charge, range(len(charges))))
    of_tasks = [task.used() for task in tasks]
    of_personas = [account.used() for account in session.personas().values()]
    assert session.personas()["main"].used() == Spent()  # its run has started them; they are no cost of its own
    for parts in (of_tasks, of_personas):
        assert _sum(parts) == _sum([session.used()])
    assert _sum([run.used()]) == _sum(of_tasks)
    assert session.used().tokens == sum(prompt + completion for _, prompt, completion, _ in charges)


def _sum(parts: list[Spent]) -> tuple[int, int, int, int, int]:
    money = sum(round((part.money or 0.0) * 10**12) for part in parts)
    return (
        sum(part.steps for part in parts),
        sum(part.prompt_tokens for part in parts),
        sum(part.completion_tokens for part in parts),
        sum(part.tokens for part in parts),
        round(money / 10**3),
    )


def test_never_more_steps_are_taken_than_there_are_whoever_takes_them() -> None:
    session = Account(Budget(steps=100))
    tasks = [session.persona("p", Budget(steps=60)).below(Budget(steps=30), what="the task") for _ in range(40)]
    taken = []

    def work(task: Account) -> None:
        while task.take_step():
            taken.append(task)

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(work, tasks))
    assert len(taken) == session.used().steps == 60
    assert max(taken.count(task) for task in tasks) <= 30
    assert tasks[0].why in {
        "The budget of the task is spent: 30 of 30 steps.",
        "The budget of the persona p is spent: 60 of 60 steps.",
    }
    assert session.persona("q").below().take_step()


def test_a_notice_comes_once_for_each_limit_and_again_where_that_is_raised() -> None:
    session = Account(Budget(tokens=100, money=10))
    task = session.persona("p").below(what="the task", agent_id="t")
    texts = [[c.text for c in task.charge(Usage(10, 0, 10), 0.5)] for _ in range(9)]
    assert texts[:7] == [[]] * 7
    assert texts[7:] == [["80% of the budget of the session is used: 80 of 100 tokens."], []]
    session.budget = Budget(tokens=200)
    assert not session.spent
    (told,) = task.charge(Usage(80, 0, 80), None)
    assert (told.agent_id, told.text) == ("main", "85% of the budget of the session is used: 170 of 200 tokens.")


def test_time_counts_while_somebody_works_and_once_for_all() -> None:
    session = Account(Budget(seconds=60))
    one, two = session.below(), session.below()
    assert session.seconds_left() == 60
    with one.working(), two.working():
        time.sleep(0.05)
    assert 0.05 <= session.used().seconds < 0.09
    assert one.used().seconds + two.used().seconds > session.used().seconds
    resting = session.used().seconds
    time.sleep(0.01)
    assert session.used().seconds == resting


def test_accounts_of_two_sessions_do_not_mix() -> None:
    with pytest.raises(ValueError, match="two sessions"):
        Account(None, Account(), Account())


# In the loop.


def work(times: int) -> list[Message]:
    return [call(("bash", {"cmd": f"echo {n}"})) for n in range(times)]


def budgeted(script: list[Any], budget: Budget, **more: Any) -> Case:
    return Case(*script, budget=Account(budget), **more)


def test_a_run_ends_where_its_budget_of_tokens_does() -> None:
    case = budgeted(work(9), Budget(tokens=100))  # 15 in each step
    result = case.run()
    assert (result.reason, result.steps, result.usage.total_tokens) == (
        "budget",
        8,
        120,
    )  # the last one says what it did
    notices = [event.text for event in case.events if isinstance(event, Notice)]
    assert notices == [
        "90% of the budget of the session is used: 90 of 100 tokens.",
        "The budget of the session is spent: 120 of 100 tokens.",
    ]
    assert "Finish what matters most" in str(case.model.requests[-2][-1]["content"])
    assert case.model.tools[-1] is None


def test_a_run_ends_where_its_budget_of_steps_does_and_the_next_one_before_it_begins() -> None:
    case = budgeted(work(9), Budget(steps=3))
    assert (case.run().reason, case.run().steps, len(case.model.requests)) == ("budget", 0, 4)


def test_what_has_a_price_is_held_to_a_budget_of_money() -> None:
    case = budgeted(work(9), Budget(money=60), prices=PRICES)
    case.agent.model_name = "small"
    result = case.run()
    assert (result.reason, result.steps, result.cost, result.total_cost) == ("budget", 4, 80.0, 80.0)


def test_where_nothing_has_a_price_it_is_said_once_and_tokens_count() -> None:
    case = budgeted([*work(3), call(("stop", {}))], Budget(money=1))
    case.agent.model_name = "local"
    result = case.run()
    assert (result.reason, result.total_cost, result.total_usage.total_tokens) == ("stopped", None, 60)
    texts = [event.text for event in case.events if isinstance(event, Notice)]
    assert texts == ["What local costs is not known, so no budget of money can hold (prices in the settings)."]


def test_a_server_that_counts_no_tokens_escapes_no_budget() -> None:
    def uncounted(_: object) -> Message:
        message = call(("bash", {"cmd": "echo " + "x" * 4000}))
        message.usage = None
        return message

    result = budgeted([uncounted] * 9, Budget(tokens=5000)).run()
    assert (result.reason, result.steps) == ("budget", 3)


def test_a_command_ends_with_the_budget_of_time() -> None:
    with Runtime(use_docker=False) as runtime:
        case = budgeted([call(("bash", {"cmd": "sleep 30"}))], Budget(seconds=0.3))
        case.agent.runtime = runtime
        began = time.monotonic()
        assert case.run().reason == "budget"
        assert time.monotonic() - began < 5
    assert "seconds." in next(event.text for event in case.events if isinstance(event, Notice))


def test_a_time_limit_is_no_budget() -> None:
    assert budgeted(work(1), Budget(seconds=99)).run(max_time=0.0001).reason == "timeout"


def test_a_runs_totals_have_its_tasks_in_them_and_a_spent_persona_starts_none() -> None:
    with Runtime(use_docker=False) as runtime:
        script = [
            call(("delegate_task", {"prompt": "count"})),
            lambda _: (agent.tasks.wait(next(iter(agent.tasks.tasks)), 20), call(("stop", {})))[1],
        ]
        agent = Agent(runtime, ScriptedModel(script))
        agent.wiring.budget.budget = Budget(tokens=42)
        agent.tasks._around.factory = lambda persona: Agent(
            Runtime(temporary=True, use_docker=False), ScriptedModel([say("one"), say("two")]), persona=persona
        )
        events: list[Any] = []
        agent.wiring.bus.subscribe(events.append)
        result = agent.run_until_stop("go")
        (task,) = agent.tasks.tasks.values()
        assert task.account is not None
        assert (result.usage.total_tokens, task.account.used().tokens) == (30, 24)
        assert result.total_usage.total_tokens == 54 == agent.wiring.budget.used().tokens
        (mine,) = [e for e in events if isinstance(e, RunFinished) and e.agent_id == "main"]
        assert mine.total_usage["total_tokens"] == 54
        with pytest.raises(TaskError, match="The budget of the session is spent: 54 of 42 tokens"):
            agent.tasks.start_task("again", runtime)
        agent.close()
