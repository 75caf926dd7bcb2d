"""What a person does with tasks from their pane and from a task's own screen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.widgets import Input

from pygent.errors import TaskError
from pygent.tui.panes.tasks import TasksPane
from pygent.tui.panes.tool_log import TaskCalls
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.task_detail import TaskDetailScreen
from pygent.tui.screens.task_message import TaskMessageScreen
from pygent.tui.screens.tool_detail import ToolDetailScreen
from pygent.tui.widgets.choices import GRACE
from pygent.tui.widgets.message_input import MessageInput
from tests.tui.fake_session import FakeSession
from tests.tui.pane_app import PaneApp
from tests.tui.pane_app import until as pane_until
from tests.tui.test_app import _own_config, running, shown, until

__all__ = ["_own_config"]


def tasks_app() -> tuple[FakeSession, TasksPane, PaneApp]:
    session, pane = FakeSession(), TasksPane(id="tasks")
    return session, pane, PaneApp(session, pane)


def heads(app: PaneApp, pane: TasksPane) -> list[str]:
    """The first line of each row."""
    lines = [" ".join(line.split()) for line in app.text(pane.rows).splitlines()]
    return [line for line in lines[::2] if line]


def all_states(session: FakeSession) -> None:
    session.task("t1", "tester", "write the tests")
    session.task("t2", "writer", "write the page", state="queued")
    session.task("t3", "reviewer", "look at it")
    session.question("Shall I look at the tests, too?", agent="t3")
    session.task("t4", "fixer", "mend it")
    session.task_done("t4", "finished", "It works now.", "a.py", "b.py", usage={"total_tokens": 12_000}, cost=0.31)
    session.task("t5", "fixer", "mend it again", retry_of="t4")
    session.task_done("t5", "error: no answer")
    session.task("t6", "slow")
    session.task_done("t6", "timeout after 60s", "", "c.py")
    session.task("t7", "gone")
    session.task_done("t7", "lost", "", "d.py", state="lost")
    session.task("t8", "stopped")
    session.task_done("t8", "cancelled")


async def test_every_state_has_its_own_sign_and_word() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(80, 24)) as pilot:
        all_states(session)
        app.flush()
        await pilot.pause()
        shown = {line.split()[1]: (line.split()[0], line) for line in heads(app, pane)}
        signs = {name: shown[name][0] for name in ("tester", "writer", "reviewer", "slow", "gone", "stopped")}
        assert len(set(signs.values())) == len(signs)
        for name, word in (
            ("tester", "running"),
            ("writer", "queued"),
            ("reviewer", "waiting"),
            ("slow", "timeout"),
            ("gone", "lost"),
            ("stopped", "cancelled"),
        ):
            assert word in shown[name][1]
        text = app.text(pane.rows)
        assert "asks Shall I look at the tests, too?" in text
        assert "waits for you" in text
        assert "waits for its turn" in text
        assert "◇ 2 files to review · 12k tok · cost 0.31" in text
        assert "fixer again" in text
        assert "error: no answer" not in "".join(heads(app, pane))
        app.set_focus(None)
        await pilot.pause()
        assert str(pane.border_subtitle) == "1 running · 1 waiting · 3 to review · 1 queued · 2 ended"


async def test_a_review_stands_in_the_row() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(80, 24)) as pilot:
        session.task("t1", "tester")
        session.task_done("t1", "finished", "ok", "a.py", "b.py")
        for review, conflicts, said in (
            ("partly applied", ("b.py",), "partly applied, 1 conflict"),
            ("applied", (), "✓ applied"),
            ("undone", (), "2 files to review"),
            ("discarded", (), "⊘ discarded"),
        ):
            session.task_reviewed("t1", review, "a.py", conflicts=conflicts)
            app.flush()
            await pilot.pause()
            assert said in app.text(pane.rows)


async def test_the_filter_shows_those_at_work_of_a_persona_and_those_to_review() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(80, 24)) as pilot:
        all_states(session)
        app.flush()
        pane.focus()
        await pilot.press("slash", *"status:running")
        await pilot.pause()
        assert [line.split()[1] for line in heads(app, pane)] == ["tester", "writer", "reviewer"]
        await pilot.press("enter")
        assert pane.rows.has_focus
        await pilot.press("a")
        await pilot.pause()
        assert pane.filter_line.text == "status:ended"
        assert len(heads(app, pane)) == 5
        await pilot.press("a")
        await pilot.pause()
        assert [line.split()[1] for line in heads(app, pane)] == ["gone", "slow", "fixer"]
        pane.set_filter("persona:fixer mend again")
        await pilot.pause()
        assert len(heads(app, pane)) == 1
        pane.set_filter("status:nonsense")
        await pilot.pause()
        assert "There is no status 'nonsense'" in app.text(pane.rows)
        await pilot.press("f", "escape")
        await pilot.pause()
        assert len(heads(app, pane)) == 8
        assert not pane.filter_line.display


async def test_only_keys_that_apply_are_told_and_others_say_why_not() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(80, 24)) as pilot:
        session.task("t1", "tester")
        session.task_done("t1", "finished", "nothing to do")
        app.flush()
        pane.focus()
        await pilot.pause()
        assert [word for word in ("stop", "message", "review", "discard", "retry") if word in _keys(pane)] == [
            "retry"
        ]
        await pilot.press("s", "x")
        await pilot.pause()
        assert app.screen_stack == [app.screen]
        said = [notice.message for notice in app._notifications]
        assert said == ["tester: it has ended; r does it again.", "tester: it has changed nothing."]


async def test_a_message_goes_to_a_task_and_an_answer_to_its_question() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(80, 24)) as pilot:
        session.task("t1", "tester")
        app.flush()
        pane.focus()
        await pilot.press("m")
        await pilot.pause()
        assert isinstance(app.screen, TaskMessageScreen)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, TaskMessageScreen), "an empty message is none"
        await pilot.press(*"be", "ctrl+j", *"quick", "enter")
        await pane_until(pilot, lambda: session.called("send_to_task"))
        assert session.called("send_to_task") == [("send_to_task", "t1", "be\nquick")]
        request = session.question("Which [name]?", agent="t1")
        app.flush()
        await pilot.press("m")
        await pilot.pause()
        assert "Which [name]?" in app.text()
        await pilot.press(*"Ada")
        await pilot.click("#send")
        await pane_until(pilot, lambda: session.called("resolve"))
        assert session.called("resolve") == [("resolve", request, "allow_once", "Ada")]
        await pilot.press("m", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, TaskMessageScreen)


async def test_a_task_is_done_again_and_what_it_changed_is_discarded_after_a_yes() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(80, 24)) as pilot:
        session.task("t1", "tester")
        session.task_done("t1", "finished", "ok", "a.py")
        app.flush()
        pane.focus()
        await pilot.press("r")
        await pane_until(pilot, lambda: session.called("retry_task"))
        app.flush()
        await pilot.pause()
        assert "tester again" in heads(app, pane)[0]
        await pilot.press("end", "x")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("n")
        await pilot.pause()
        assert not session.called("discard_task")
        await pilot.press("x")
        await pilot.pause()
        await pilot.press("y")
        await pane_until(pilot, lambda: session.called("discard_task"))
        app.flush()
        await pilot.pause()
        assert "discarded" in app.text(pane.rows)
        session.fails["retry_task"] = TaskError("max 3 tasks run at once; wait for one to end")
        await pilot.press("r")
        await pane_until(pilot, lambda: any("max 3 tasks" in notice.message for notice in app._notifications))


async def test_a_task_s_screen_has_its_calls_too() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(100, 30)) as pilot:
        session.task("t1", "tester")
        session.tool("read_file", {"path": "main.py"}, "x")
        session.tool("bash", {"cmd": "ls"}, "a.py\n", agent="t1")
        call = session.tool_start("bash", {"cmd": "pytest"}, agent="t1")
        app.flush()
        pane.focus()
        await pilot.press("enter", "2")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, TaskDetailScreen)
        calls = screen.query_one(TaskCalls)
        assert calls.display
        assert "read_file" not in app.text()
        assert "Tool calls · 2" in app.text()
        session.tool_finish(call, "3 passed\n", agent="t1")
        session.tool("edit_file", {"path": "b.py"}, "Edited", agent="t1")
        await pane_until(pilot, lambda: calls.total == 3 and not calls.running)
        await pilot.press("slash", *"tool:edit", "enter")
        await pilot.pause()
        assert "1 of 3" in str(calls.border_subtitle)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ToolDetailScreen)
        await pilot.press("escape", "1", "s")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("y")
        await pane_until(pilot, lambda: session.called("cancel_task"))
        session.task_done("t1", "cancelled", "", "a.py")
        await pane_until(pilot, lambda: "1 file to review" in app.text())
        assert "Stop" not in app.text().splitlines()[-3]
        await pilot.press("q")
        await pilot.pause()
        assert app.screen is not screen


async def test_by_mouse_alone(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(140, 40)) as (app, pilot):

        async def click(words: str, within: str = "") -> None:
            """On the first of these words on the screen, in a row that has ``within``."""
            await until(lambda: words in shown(app))
            rows = shown(app).splitlines()
            y = next(y for y, row in enumerate(rows) if words in row and within in row)
            await pilot.click(offset=(rows[y].rindex(words) + 1, y))

        session.task("t1", "tester")
        await until(lambda: "begins" in shown(app))
        await click("begins")
        await click("message", "stop")
        await until(lambda: isinstance(app.screen, TaskMessageScreen))
        await pilot.press("x")
        await click("Enter sends")
        await until(lambda: bool(session.called("send_to_task")))
        await click("open", "stop")
        await until(lambda: isinstance(app.screen, TaskDetailScreen))
        await click("2 Tool calls")
        await until(lambda: app.screen.query_one(TaskCalls).display)
        await click("Stop")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await click("Keep running")
        await click("Close")
        await until(lambda: app.screen is app.main)
        session.question("Which?", agent="t1")
        await click("o shows its conversation")
        await until(lambda: isinstance(app.screen, TaskDetailScreen))
        await click("Close")
        await until(lambda: app.screen is app.main)
        await asyncio.sleep(GRACE + 0.1)
        await click("Answer")
        await pilot.press("y")
        await click("Enter sends")
        await until(lambda: bool(session.called("resolve")))
        assert session.called("resolve")[0][2:] == ("allow_once", "y")


async def test_n_begins_a_task_in_the_prompt(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.press("f4", "n")
        await until(lambda: app.main.prompt.text == "/delegate ")
        assert app.main.prompt.has_focus


async def test_a_task_s_screen_says_what_it_waits_for() -> None:
    session, pane, app = tasks_app()
    async with app.run_test(size=(100, 30)) as pilot:
        session.task("t1", "tester")
        session.question("Which name?", agent="t1")
        app.flush()
        pane.focus()
        await pilot.press("enter")
        await pane_until(pilot, lambda: "Which name?" in app.text())
        assert "? asks you" in app.text()
        await pilot.press("m", *"Ada", "enter")
        await pane_until(pilot, lambda: session.called("resolve"))
        await pilot.press("m")
        await pilot.pause()
        assert app.screen.query_one(MessageInput).has_focus
        assert not app.screen.query(Input)


def _keys(pane: TasksPane) -> str:
    return str(pane.border_subtitle)
