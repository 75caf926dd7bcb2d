"""The tasks pane: what each task does now, its own conversation, and the stop that asks first."""

from __future__ import annotations

import re
import time

from pygent.tui.panes.tasks import TasksPane
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.task_detail import TaskDetailScreen
from pygent.tui.screens.tool_detail import ToolDetailScreen
from pygent.tui.widgets.transcript_view import TranscriptView
from tests.tui.fake_session import FakeSession
from tests.tui.pane_app import PaneApp, until


def tasks_app() -> tuple[FakeSession, TasksPane, PaneApp]:
    session, pane = FakeSession(), TasksPane(id="tasks")
    return session, pane, PaneApp(session, pane)


def words(app: PaneApp, pane: TasksPane) -> list[str]:
    return [" ".join(line.split()) for line in app.text(pane.rows).splitlines()]


async def test_an_empty_pane_teaches_what_it_will_show() -> None:
    _, pane, app = tasks_app()
    async with app.run_test(size=(40, 20)):
        assert "No tasks yet." in app.text(pane.rows)


async def test_a_task_shows_its_step_and_last_tool() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(70, 12)) as pilot:
        session.task("t1", "tester", "write the tests")
        app.flush()
        await pilot.pause()
        head, doing = words(app, pane)[:2]
        assert re.fullmatch(r"● tester write the tests running \d+s", head)
        assert doing == "begins"
        session.step(2, agent="t1")
        session.step_done(1, prompt=12_000, completion=300, agent="t1")
        session.tool_start("bash", {"cmd": "pytest -q"}, agent="t1")
        app.flush()
        await pilot.pause()
        assert words(app, pane)[1] == "step 2 · bash pytest -q 12k tok"
        assert "open" in str(pane.border_subtitle)
        assert "stop" in str(pane.border_subtitle)
        app.set_focus(None)
        await pilot.pause()
        assert str(pane.border_subtitle) == "1 running"
        assert "12k tok" in str(pane.border_title)
        session.task_done("t1", "finished", "All 12 tests pass.")
        app.flush()
        await pilot.pause()
        assert words(app, pane)[0].startswith("✓ tester write the tests finished")
        assert words(app, pane)[1] == "All 12 tests pass. 12k tok"
        assert str(pane.border_subtitle) == "1 ended"


async def test_a_task_that_waits_or_idles_says_so() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(70, 12)) as pilot:
        session.task("t1", "reviewer")
        session.ask("bash", {"cmd": "rm -rf build"}, agent="t1")
        session.task("t2", "writer")
        session.step(1, agent="t2")
        app.transcript.agents["t2"].last_event_at = time.time() - 42
        app.flush()
        await pilot.pause()
        assert re.fullmatch(r"bash rm -rf build waits for you \d+s", words(app, pane)[1])
        assert words(app, pane)[3].endswith("idle 42s")


async def test_ends_that_went_wrong_are_named() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(70, 12)) as pilot:
        for number, status in enumerate(("waiting", "cancelled", "error: [/foo] gone", "timeout after 60s")):
            session.task(f"t{number}", "[red]x[/red]", "[/b] prompt")
            session.task_done(f"t{number}", status, "")
        app.flush()
        await pilot.pause()
        text = words(app, pane)
        assert re.fullmatch(r"! \[red\]x\[/red\] \[/b\] prompt timeout \S+", text[0])
        assert text[1] == "timeout after 60s"
        assert text[3] == "error: [/foo] gone"
        assert text[4].startswith("■ ")
        assert "[/b] prompt" in text[4]
        assert text[6].startswith("? ")


async def test_enter_opens_the_task_s_own_conversation_live() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(100, 30)) as pilot:
        session.task("t1", "tester", "write the tests")
        session.run("write the tests", agent="t1")
        app.flush()
        pane.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TaskDetailScreen)
        assert "write the tests" in app.text()
        session.say("I look at the code.", agent="t1")
        call = session.tool_start("bash", {"cmd": "pytest -q"}, agent="t1")
        await pilot.pause(0.3)
        text = app.text()
        assert "Task · tester" in text
        assert "I look at the code." in text
        assert "pytest -q" in text
        session.tool_output(call, "3 passed\n", agent="t1")
        session.tool_finish(call, "3 passed\n", agent="t1")
        session.task_done("t1", "finished", "ok", "a.py")
        await pilot.pause(0.3)
        assert "3 passed" in app.text()
        assert "1 file to review" in app.text()
        await pilot.press("shift+up", "o")
        await pilot.pause()
        assert isinstance(app.screen, ToolDetailScreen)
        await pilot.press("escape", "escape")
        assert not isinstance(app.screen, TaskDetailScreen)


async def test_a_task_is_stopped_only_after_a_yes() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(90, 24)) as pilot:
        session.task("t1", "tester", "[/foo]")
        session.task("t2", "writer")
        app.flush()
        pane.focus()
        await pilot.press("home", "s")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        assert "Stop tester?" in app.text()
        assert "[/foo]" in app.text()
        await pilot.press("enter")
        await pilot.pause()
        assert session.called("cancel_task") == []
        await pilot.press("s")
        await pilot.pause()
        await pilot.press("y")
        await until(pilot, lambda: session.called("cancel_task"))
        assert session.called("cancel_task") == [("cancel_task", "t1")]
        await pilot.press("s")
        await pilot.pause()
        await pilot.click("#yes")
        await until(pilot, lambda: len(session.called("cancel_task")) == 2)


async def test_a_task_that_ended_is_not_asked_about() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(90, 24)) as pilot:
        session.task("t1", "tester")
        session.task_done("t1")
        app.flush()
        pane.focus()
        await pilot.press("s")
        await pilot.pause()
        assert not isinstance(app.screen, ConfirmScreen)
        assert session.called("cancel_task") == []


async def test_many_tasks_are_one_widget() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(60, 24)) as pilot:
        for number in range(500):
            session.task(f"t{number}", f"p{number}")
        app.flush()
        await pilot.pause()
        assert len(list(app.query("*"))) < 16
        pane.focus()
        await pilot.press("end")
        assert "p499" in app.text(pane.rows)


async def test_what_goes_on_stands_above_what_ended() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(60, 14)) as pilot:
        for name in ("one", "two", "three"):
            session.task(name, name)
        app.flush()
        pane.focus()
        await pilot.press("home", "down")
        session.task_done("one")
        app.flush()
        session.task_done("three")
        app.flush()
        await pilot.pause()
        assert [line.split()[1] for line in words(app, pane)[:6:2]] == ["two", "three", "one"]
        assert pane.rows.cursor == 0


async def test_a_long_conversation_opens_with_one_view() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(90, 24)) as pilot:
        session.task("t1", "tester")
        for number in range(2000):
            session.say(f"word {number}", agent="t1")
        app.flush()
        pane.focus()
        await pilot.press("enter")
        await until(pilot, lambda: "word 1999" in app.text())
        assert len(list(app.screen.query(TranscriptView))) == 1
        assert len(list(app.screen.query("*"))) < 30
