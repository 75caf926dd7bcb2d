"""What asks the person, of the agent and of its tasks: who, for how long, how many more, and answers in words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual import events

from pygent.tui.app import PygentApp
from pygent.tui.panes.tasks import TasksPane
from pygent.tui.screens.task_detail import TaskDetailScreen
from pygent.tui.screens.task_message import TaskMessageScreen
from pygent.tui.widgets.approval import Approval
from pygent.tui.widgets.choices import GRACE, Choices
from pygent.tui.widgets.message_input import MessageInput
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import HOSTILE, _own_config, running, shown, type_text, until

__all__ = ["_own_config"]


async def keys_count(app: PygentApp) -> None:
    """Wait until what is asked on the main screen has the keys, and takes them for answers."""

    def counts() -> bool:
        choices = app.main.focused
        return isinstance(choices, Choices) and time.monotonic() - choices._quiet_since > GRACE

    await until(counts)


async def test_a_question_is_answered_with_words_once_that_is_asked_for(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.task("t1", "tester")
        request = session.question("Which [name]?\nAda or Bob?", agent="t1")
        await until(lambda: "tester (task t1) asks you" in shown(app))
        text = shown(app)
        assert "Which [name]?" in text
        assert "Ada or Bob?" in text
        assert "Allow for this session" not in text
        await keys_count(app)
        await pilot.press("1")
        await until(lambda: isinstance(app.focused, MessageInput))
        await pilot.press("enter")
        await pilot.pause()
        assert session.called("resolve") == []
        await type_text(pilot, "Ada")
        await pilot.press("ctrl+j", *"Lovelace", "enter")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve") == [("resolve", request, "allow_once", "Ada\nLovelace")]
        await until(lambda: app.focused is app.main.prompt)


@pytest.mark.hostile(37)
async def test_what_is_being_typed_answers_no_question(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.task("t1", "tester")
        await type_text(pilot, "dra")
        session.question("Which name?", agent="t1")
        await until(lambda: app.focused is not None and app.focused.id == "approval-choices")
        for key in ("f", "t", "y", "enter", "1"):
            typed = events.Key(key, key if len(key) == 1 else None)
            typed.time = 0.0
            app.post_message(typed)
        await until(lambda: app.main.prompt.text == "drafty1")
        await keys_count(app)
        await pilot.press(*"look", "enter")
        await until(lambda: app.main.prompt.text == "drafty1look")
        assert session.called("resolve") == []
        await keys_count(app)
        await pilot.press("n")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve")[0][2] == "deny"


@pytest.mark.hostile(37)
async def test_what_is_typed_on_a_screen_over_a_question_does_not_answer_it(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        session.task("t1", "tester")
        await until(lambda: bool(app.main.transcript.tasks))
        await pilot.press("f4", "m")
        await until(lambda: isinstance(app.screen, TaskMessageScreen))
        request = session.ask()
        await until(lambda: bool(app.main.query("#approval")))
        await keys_count(app)
        await pilot.press(*"hi", "enter", "y")
        await until(lambda: app.main.prompt.text == "y")
        assert session.called("resolve") == []
        await keys_count(app)
        await pilot.press("y")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve") == [("resolve", request, "allow_once", "")]


async def test_esc_goes_from_the_words_to_the_answers(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.task("t1", "tester")
        session.question("Which name?", agent="t1")
        await until(lambda: "Which name?" in shown(app))
        await keys_count(app)
        await pilot.press("enter", *"xyz", "escape")
        await until(lambda: app.focused is not None and app.focused.id == "approval-choices")
        assert not app.main.query_one(MessageInput).display
        assert session.called("resolve") == []


@pytest.mark.hostile(40)
async def test_it_says_who_waits_how_long_and_who_else(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(140, 40)) as (app, pilot):
        session.run("x")
        session.task("t1", "tester")
        session.task("t2", "[b]writer")
        session.ask("bash", {"cmd": "make"}, agent="t1")
        session.question("Which name?", agent="t2")
        session.ask("bash", {"cmd": "ls"})
        await until(lambda: "2 more waiting: [b]writer, developer" in shown(app))
        assert "tester (task t1) asks: bash" in shown(app)
        approval = app.main.query_one(Approval)
        assert approval.request is not None
        object.__setattr__(approval.request, "at", 0.0)  # not known when
        approval._tell_waiting()
        assert "waits 0s" in str(approval.border_subtitle)
        assert "tester waits for you" in app.main.status.plain()
        await keys_count(app)
        await pilot.press("o")
        await until(lambda: isinstance(app.screen, TaskDetailScreen))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        await keys_count(app)
        await pilot.press("y")
        await until(lambda: "[b]writer (task t2) asks you" in shown(app))


async def test_a_stop_with_tasks_at_work_has_answers_of_its_own(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        request = session.ask("stop", {}, rule=None)
        await until(lambda: "developer wants to stop" in shown(app))
        assert "Let it stop; its tasks go on" in shown(app)
        assert "Always allow" not in shown(app)
        await keys_count(app)
        await pilot.press("3")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve") == [("resolve", request, "deny", "")]


async def test_the_letter_that_opens_a_task_belongs_to_the_draft_where_no_task_asks(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        session.ask()
        await until(lambda: "Allow once" in shown(app))
        await keys_count(app)
        await pilot.press("o")
        await until(lambda: app.main.prompt.text == "o")
        assert app.screen is app.main


@pytest.mark.parametrize("text", ["[/foo] [red]x[/blue] [@click=app.quit]y[/]", HOSTILE], ids=["markup", "sequences"])
async def test_what_tasks_say_is_only_text_wherever_it_stands(tmp_path: Path, text: str) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(140, 44)) as (app, pilot):

        def checked() -> None:
            drawn = "".join(
                segment.text
                for strip in app.screen._compositor.render_strips()
                for filter_ in app.get_line_filters()
                for segment in filter_.apply(list(strip), app.screen.background_colors[1])
            )
            assert not set("\x1b\x9b\x07\x00\u202e") & set(drawn)

        session.run("x")
        session.task("t0", text, text)
        session.task_done("t0", f"error: {text}", text, f"{text}.py")
        session.user(f"{text}\n{text}", origin="task")
        session.task("t1", text, text)
        session.question(text, agent="t1")
        session.ask("bash", {"cmd": text}, agent="t0")
        await until(lambda: bool(app.main.query("#approval")))
        await pilot.pause()
        checked()
        app.main.submit("/tasks")
        await until(lambda: app.main.query_one(TasksPane).rows.has_focus)
        await pilot.press("f4", "home", "m")
        await until(lambda: isinstance(app.screen, TaskMessageScreen))
        checked()
        await pilot.press("escape", "enter")
        await until(lambda: isinstance(app.screen, TaskDetailScreen))
        await pilot.press("2")
        await pilot.pause()
        checked()
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        await pilot.press("ctrl+p", *"t1,")
        await pilot.pause(0.3)
        checked()
        assert app.contained == set()
