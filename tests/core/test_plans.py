"""Plan mode: nothing is written, the run ends with a plan, and what a person decides reaches the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pygent.approvals import Approvals, Policy
from pygent.errors import PygentError
from pygent.events import Event, PlanDecided, PlanPresented, RunFinished, RunStarted, ToolFinished
from pygent.export import export
from pygent.persona import Persona
from pygent.plans import last_plan, looks_like_plan
from pygent.prompts import PLAN_AGAIN
from pygent.session import Session
from pygent.session_plans import APPROVED
from pygent.settings import Settings
from pygent.store import Store
from pygent.transcript import PlanItem, Transcript
from tests.core.test_loop import Case
from tests.core.test_session import Watched, made
from tests.fakes.models import ScriptedModel, call, say

__all__ = ["made"]

PLAN = "1. Change `a.py`.\n2. Run the tests."
IN_PLAN = {"permission_mode": "plan"}
PRESENT = call(("present_plan", {"plan": PLAN}))


def _offered(model: ScriptedModel) -> list[set[str]]:
    return [{tool["function"]["name"] for tool in tools or ()} for tools in model.tools]


def _of(events: list[Event], kind: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def _opened(tmp_path: Path, made: list[Watched], *script: Any, **options: Any) -> Watched:
    options.setdefault("settings", IN_PLAN)
    made.append(watched := Watched(tmp_path, list(script), **options))
    watched.session.open()
    return watched


def test_what_looks_like_a_plan() -> None:
    assert looks_like_plan(PLAN)
    assert looks_like_plan("Here:\n- one\n- two")
    assert looks_like_plan("## Plan\nChange a.py.")
    assert not looks_like_plan("I look at the files first.")
    assert not looks_like_plan("It is -1 - 2 = -3.")


def test_the_run_ends_with_the_plan_and_nothing_was_written(tmp_path: Path, made: list[Watched]) -> None:
    write = call(("write_file", {"path": "a.py", "content": "x"}))
    watched = _opened(tmp_path, made, write, PRESENT, interactive=False)
    result = watched.session.run("plan it")
    assert (result.reason, result.text, result.files_changed) == ("stopped", PLAN, ())
    assert not (tmp_path / "work" / "a.py").exists()
    denied, presented = _of(watched.events, ToolFinished)
    assert denied.status == "denied"
    assert "call present_plan with what you would do" in denied.output
    assert presented.status == "ok"
    assert [(event.plan, event.source) for event in _of(watched.events, PlanPresented)] == [(PLAN, "tool")]
    assert watched.events[-1].type == "run.finished"


def test_the_tool_and_the_words_for_it_are_there_in_plan_mode_only(tmp_path: Path, made: list[Watched]) -> None:
    watched = _opened(tmp_path, made, say("nothing to do"), say("done"))
    watched.say("look")
    watched.session.set_permission_mode("auto")
    watched.say("work")
    model = watched.session.agent.model  # type: ignore[union-attr]
    planning, working = _offered(model)
    assert planning - working == {"present_plan"}
    first, second = (request[0]["content"] for request in model.requests)
    assert "call present_plan" in first
    assert "present_plan" not in second


def test_who_enters_plan_mode_in_the_middle_of_a_run_gets_a_plan(tmp_path: Path, made: list[Watched]) -> None:
    def switch(_: object) -> Any:
        watched.session.set_permission_mode("plan")
        return call(("search", {"pattern": "x"}))

    watched = _opened(tmp_path, made, switch, PRESENT, settings={"permission_mode": "auto"})
    watched.say("work")
    before, after = _offered(watched.session.agent.model)  # type: ignore[union-attr]
    assert after - before == {"present_plan"}
    assert watched.session.plan is not None


def test_the_users_check_is_for_what_is_carried_out(tmp_path: Path, made: list[Watched]) -> None:
    write = call(("write_file", {"path": "a.py", "content": "x"}))
    settings = {**IN_PLAN, "check": "test -f a.py"}
    watched = _opened(tmp_path, made, PRESENT, write, say("done"), settings=settings)
    watched.say("plan")
    assert _of(watched.events, RunFinished)[0].check == ""
    assert watched.session.plan is not None
    watched.session.approve_plan(watched.session.plan.plan_id, "auto")
    assert watched.ended.acquire(timeout=20)
    assert _of(watched.events, RunFinished)[1].check == "passed"


def test_an_empty_plan_is_none(tmp_path: Path, made: list[Watched]) -> None:
    watched = _opened(tmp_path, made, call(("present_plan", {"plan": " "})), PRESENT)
    watched.say("plan")
    assert [event.status for event in _of(watched.events, ToolFinished)] == ["error", "ok"]
    assert len(_of(watched.events, PlanPresented)) == 1


@pytest.mark.parametrize(
    ("script", "source"),
    [
        ([say(PLAN)], "text"),
        ([call(("search", {"pattern": "x"})), say("I would change a.py.")], "text"),
        ([say("Hello!")], ""),
    ],
)
def test_an_answer_is_offered_as_the_plan(
    tmp_path: Path, made: list[Watched], script: list[Any], source: str
) -> None:
    watched = _opened(tmp_path, made, *script)
    watched.say("plan it")
    found = _of(watched.events, PlanPresented)
    assert [event.source for event in found] == ([source] if source else [])
    assert _of(watched.events, RunFinished)[0].reason == "completed"


def test_without_a_person_a_plan_in_words_is_enough_and_less_is_asked_for_once() -> None:
    plan_mode: dict[str, Any] = {"approvals": Approvals(Policy("plan"))}
    case = Case(say(PLAN), **plan_mode)
    assert (case.run().reason, case.model.script) == ("completed", [])
    case = Case(say("I look at it first."), say("I would change a.py."), **plan_mode)
    result = case.run()
    assert (result.reason, result.text) == ("completed", "I would change a.py.")
    assert case.agent.history[-2]["content"] == PLAN_AGAIN
    assert [event.plan for event in _of(case.events, PlanPresented)] == ["I would change a.py."]


def test_at_a_limit_the_plan_is_asked_for(tmp_path: Path, made: list[Watched]) -> None:
    watched = _opened(tmp_path, made, call(("search", {"pattern": "x"})), say("Change a.py."), interactive=False)
    result = watched.session.run("plan", max_steps=1)
    assert (result.reason, result.text) == ("max_steps", "Change a.py.")
    assert [event.source for event in _of(watched.events, PlanPresented)] == ["text"]


def test_a_task_presents_nothing() -> None:
    case = Case(say("x"), say("y"), approvals=Approvals(Policy("plan")), depth=1, agent_id="3f2a91c0")
    assert "present_plan" not in case.agent.tool_names()
    case.run()
    assert _of(case.events, PlanPresented) == []


def test_an_approved_plan_is_carried_out_in_the_mode_that_was_chosen(tmp_path: Path, made: list[Watched]) -> None:
    write = call(("write_file", {"path": "a.py", "content": "x"}))
    watched = _opened(tmp_path, made, PRESENT, write, say("done"))
    session = watched.session
    watched.say("plan")
    assert session.plan is not None
    plan_id = session.plan.plan_id
    with pytest.raises(ValueError, match="not in 'plan'"):
        session.approve_plan(plan_id, "plan")
    session.approve_plan(plan_id, "auto")
    assert watched.ended.acquire(timeout=20)
    assert session.permission_mode == "auto"
    assert (tmp_path / "work" / "a.py").exists()
    assert _of(watched.events, RunStarted)[1].prompt == APPROVED
    decided = _of(watched.events, PlanDecided)[0]
    assert (decided.decision, decided.plan, decided.mode) == ("approved", PLAN, "auto")
    with pytest.raises(PygentError, match="decided on already"):
        session.approve_plan(plan_id, "auto")


def test_a_changed_plan_goes_to_the_model_whole(tmp_path: Path, made: list[Watched]) -> None:
    watched = _opened(tmp_path, made, say(PLAN), say("done"))
    watched.say("plan")
    assert watched.session.plan is not None
    watched.session.approve_plan(watched.session.plan.plan_id, "ask", "1. Only `a.py`.\n")
    assert watched.ended.acquire(timeout=20)
    assert _of(watched.events, RunStarted)[1].prompt.endswith("Carry out this one now:\n\n1. Only `a.py`.")


def test_words_ask_for_another_plan_in_plan_mode(tmp_path: Path, made: list[Watched]) -> None:
    another = call(("present_plan", {"plan": "1. Other.\n2. Way."}))
    watched = _opened(tmp_path, made, PRESENT, another)
    session = watched.session
    watched.say("plan")
    assert session.plan is not None
    with pytest.raises(ValueError, match="what should be different"):
        session.change_plan(session.plan.plan_id, " ")
    session.change_plan(session.plan.plan_id, "Shorter.")
    assert watched.ended.acquire(timeout=20)
    assert session.permission_mode == "plan"
    assert _of(watched.events, RunStarted)[1].prompt.endswith("\n\nShorter.")
    assert session.plan.plan == "1. Other.\n2. Way."
    session.drop_plan(session.plan.plan_id)
    assert session.plan is None
    assert [event.decision for event in _of(watched.events, PlanDecided)] == ["changes", "dropped"]


def test_a_persona_that_may_only_plan_carries_nothing_out(tmp_path: Path, made: list[Watched]) -> None:
    thinker = Persona("thinker", "thinks", permission_mode="plan")
    watched = _opened(tmp_path, made, PRESENT, settings={**IN_PLAN, "persona": thinker})
    watched.say("plan")
    assert watched.session.plan_modes() == []
    assert watched.session.plan is not None
    with pytest.raises(ValueError, match="plan at most"):
        watched.session.approve_plan(watched.session.plan.plan_id, "ask")
    assert watched.session.plan is not None
    assert _of(watched.events, PlanDecided) == []


def test_what_was_queued_before_there_was_a_plan_waits(tmp_path: Path, made: list[Watched]) -> None:
    def queue(_: object) -> Any:
        watched.session.submit("and the docs")
        return PRESENT

    watched = _opened(tmp_path, made, queue)
    watched.say("plan")
    assert [(item.text, item.waiting) for item in watched.session.queued()] == [("and the docs", "held")]


def test_a_plan_is_still_there_another_day(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "work", use_docker=False, permission_mode="plan")
    store = partial(Store, tmp_path / "sessions.db")
    first = Session(settings, model=ScriptedModel([PRESENT]), store=store)
    first.open()
    first.agent.converse("plan")  # type: ignore[union-attr]
    first.close()
    again = Session(settings, model=ScriptedModel([]), store=store, resume=first.id)
    again.open()
    assert again.plan is not None
    assert again.plan.plan == PLAN
    again.new()
    assert again.plan is None
    again.close()
    assert last_plan(first.past) is None


def _folded(*events: Event) -> tuple[Transcript, PlanItem]:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    plan = transcript.main.plan
    assert plan is not None
    return transcript, plan


def test_what_a_screen_shows_of_a_plan() -> None:
    presented = PlanPresented(plan_id="p", plan=PLAN, source="text")
    decided: Callable[..., PlanDecided] = partial(PlanDecided, plan_id="p")
    _, plan = _folded(presented)
    assert (plan.state, plan.written) == ("open", True)
    assert _folded(presented, RunStarted(prompt="x"))[1].state == "left"
    assert _folded(presented, RunStarted(prompt="x", agent_id="t"))[1].state == "open"
    _, plan = _folded(presented, decided(decision="approved", plan="1. Else.", mode="auto"), RunStarted(prompt="x"))
    assert (plan.state, plan.text, plan.mode) == ("approved", "1. Else.", "auto")
    _, plan = _folded(presented, decided(decision="approved", plan=PLAN, mode="ask"))
    assert plan.text == ""
    _, plan = _folded(presented, decided(decision="changes", feedback="Shorter."))
    assert (plan.state, plan.feedback, plan.text) == ("changes", "Shorter.", "")
    assert _folded(presented, PlanDecided(plan_id="other", decision="dropped"))[1].state == "open"


def test_a_plan_is_exported() -> None:
    events = [
        PlanPresented(plan_id="p", plan=PLAN),
        PlanDecided(plan_id="p", decision="changes", feedback="Shorter."),
    ]
    text = export(events, "markdown")
    assert f"## Plan (changes)\n\n{PLAN}\n" in text
    assert "To be different: Shorter." in text
