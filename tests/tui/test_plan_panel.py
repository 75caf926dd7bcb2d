"""What becomes of a plan, above the prompt: keys count after a pause, and a plan that nobody asked for can wait."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.widgets import TextArea

from pygent.tui.screens.plan_edit import PlanEditScreen
from pygent.tui.widgets.message_input import MessageInput
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, shown, type_text, until
from tests.tui.test_inbox import keys_count

__all__ = ["_own_config"]

PLAN = "# Mend it\n\n1. Change `a.py`.\n2. Run the [tests]."


def _session(tmp_path: Path) -> FakeSession:
    session = FakeSession(tmp_path)
    session.set_permission_mode("plan")
    return session


async def _presented(app, session: FakeSession, source: str = "tool") -> str:
    session.run("plan it")
    plan_id = session.present_plan(PLAN, source=source)
    await until(lambda: "waits for you" in shown(app))
    if source == "tool":
        await until(lambda: app.focused is not None and app.focused.id == "plan-choices")
        await keys_count(app)
    return plan_id


async def test_typing_approves_nothing_and_a_key_after_a_pause_does(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "dra")
        session.run("plan it")
        plan_id = session.present_plan(PLAN)
        await until(lambda: app.focused is not None and app.focused.id == "plan-choices")
        assert "developer has a plan" in shown(app)
        for key in ("f", "t", "y", "enter", "1"):
            typed = events.Key(key, key if len(key) == 1 else None)
            typed.time = 0.0
            app.post_message(typed)
        await until(lambda: app.main.prompt.text == "drafty1")
        assert session.called("approve_plan") == []
        await keys_count(app)
        await pilot.press("2")
        await until(lambda: app.focused is app.main.prompt)
        assert session.called("approve_plan") == [("approve_plan", plan_id, "auto", "")]
        await until(lambda: "approved, auto" in shown(app))
        assert app.main.prompt.text == "drafty1"


async def test_a_plan_is_changed_before_it_is_carried_out(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, pilot):
        plan_id = await _presented(app, session)
        await pilot.press("e")
        await until(lambda: isinstance(app.screen, PlanEditScreen))
        await pilot.press(*"Now. ", "escape")
        await until(lambda: "changed by you" in shown(app))
        await keys_count(app)
        await pilot.press("3")
        await until(lambda: isinstance(app.screen, PlanEditScreen))
        assert app.screen.query_one(TextArea).text == f"Now. {PLAN}"
        await pilot.press("ctrl+r", "ctrl+s")
        await until(lambda: not isinstance(app.screen, PlanEditScreen) and "changed by you" not in shown(app))
        await pilot.pause()
        await keys_count(app)
        await pilot.press("3", *"Or: ", "ctrl+s")
        await until(lambda: "changed by you" in shown(app))
        await keys_count(app)
        await pilot.press("enter")
        await until(lambda: bool(session.called("approve_plan")))
        assert session.called("approve_plan") == [("approve_plan", plan_id, "ask", f"Or: {PLAN}")]


async def test_words_go_back_to_the_agent(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, pilot):
        plan_id = await _presented(app, session)
        await pilot.press("t")
        await until(lambda: isinstance(app.focused, MessageInput))
        await pilot.press("escape")
        await until(lambda: app.focused is not None and app.focused.id == "plan-choices")
        await pilot.press("t", *"Shorter.", "enter")
        await until(lambda: bool(session.called("change_plan")))
        assert session.called("change_plan") == [("change_plan", plan_id, "Shorter.")]
        await until(lambda: "Different: Shorter." in shown(app))
        assert app.focused is app.main.prompt


async def test_a_plan_can_wait_and_comes_back(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, pilot):
        plan_id = await _presented(app, session)
        await pilot.press("escape")
        await until(lambda: "A plan waits for you" in shown(app))
        assert app.focused is app.main.prompt
        await type_text(pilot, "/plan")
        await pilot.press("enter")
        await until(lambda: app.focused is not None and app.focused.id == "plan-choices")
        await keys_count(app)
        await pilot.press("n")
        await until(lambda: "dropped" in shown(app))
        assert session.called("drop_plan") == [("drop_plan", plan_id)]
        await pilot.press("alt+p")
        await until(lambda: [one.message for one in app._notifications] == ["There is no plan to decide on."])


async def test_an_answer_that_may_be_a_plan_takes_no_keys(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, pilot):
        plan_id = await _presented(app, session, "text")
        await until(lambda: "The answer can be carried out as a plan" in shown(app))
        assert app.focused is app.main.prompt
        await pilot.click("#plan-line")
        await until(lambda: app.focused is not None and app.focused.id == "plan-choices")
        await keys_count(app)
        await pilot.press("y")
        await until(lambda: bool(session.called("approve_plan")))
        assert session.called("approve_plan") == [("approve_plan", plan_id, "ask", "")]


async def test_an_approval_comes_first(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, _pilot):
        await _presented(app, session)
        session.task("t1", "tester")
        request = session.ask("bash", {"cmd": "make"}, agent="t1")
        await until(lambda: app.focused is not None and app.focused.id == "approval-choices")
        assert not app.main.query_one("#plan").display
        session.resolve(request, "allow_once")
        await until(lambda: app.focused is not None and app.focused.id == "plan-choices")


async def test_what_is_sent_instead_leaves_the_plan(tmp_path: Path) -> None:
    session = _session(tmp_path)
    async with running(session) as (app, pilot):
        await _presented(app, session)
        await pilot.press("escape")
        session.run("something else")
        await until(lambda: "not decided on" in shown(app) and not app.main.query_one("#plan").display)


async def test_a_plan_can_be_asked_for(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "/plan")
        await pilot.press("enter")
        await until(lambda: "There is no plan." in shown(app))
        await type_text(pilot, "/plan mend the loop")
        await pilot.press("enter")
        await until(lambda: session.prompts == ["mend the loop"])
        assert session.permission_mode == "plan"
