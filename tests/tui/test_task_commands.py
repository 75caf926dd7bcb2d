"""Tasks by command, by palette, from the conversation, and the call when one ends or waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandPalette

from pygent.events import ApprovalRequested, TaskFinished, TaskStarted, stamp
from pygent.tui.panes.tasks import TasksPane
from pygent.tui.screens.task_detail import TaskDetailScreen
from pygent.tui.widgets.completions import Completions
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, shown, type_text, until
from tests.tui.test_attention import KITTY, Caller

__all__ = ["_own_config"]


@pytest.mark.parametrize(
    ("line", "persona", "text"),
    [
        ("/delegate tester: write the tests", "tester", "write the tests"),
        ("/tasks start tester: write the tests", "tester", "write the tests"),
        ("/delegate Tester:write\nthe tests", "tester", "write\nthe tests"),
        ("/delegate write the tests: all of them", None, "write the tests: all of them"),
        ("/delegate : fix: the bug", None, "fix: the bug"),
        ("/delegate https://example.org is down", None, "https://example.org is down"),
    ],
)
async def test_a_person_starts_a_task(tmp_path: Path, line: str, persona: str | None, text: str) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.submit(line)
        await until(lambda: bool(session.called("start_task")))
        assert session.called("start_task") == [("start_task", text, persona, None, "copy")]
        await until(lambda: bool(app.main.transcript.tasks))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/delegate", "/delegate takes the work to be done"),
        ("/delegate tester:", "/delegate takes the work to be done"),
        ("/delegate tster: do it", "there is no persona 'tster'; there are: developer, tester"),
        ("/tasks nobody", "/tasks takes all, running, ended, review, a persona"),
        ("/tasks stop", "/tasks stop takes an id"),
        ("/tasks stop zz", "no task's id begins with 'zz'; running are: t1"),
    ],
)
async def test_a_mistake_is_told_with_what_is_accepted(tmp_path: Path, line: str, said: str) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(140, 40)) as (app, _):
        session.task("t1", "writer")
        await until(lambda: bool(app.main.transcript.tasks))
        app.main.submit(line)
        await until(lambda: said in " ".join(shown(app).split()))
        assert session.called("start_task") == []


async def test_personas_are_completed_and_the_text_goes_on(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "/delegate te")
        await until(lambda: app.main.query_one(Completions).display)
        await pilot.press("enter")
        assert app.main.prompt.text == "/delegate tester: "
        await type_text(pilot, "go")
        await pilot.press("enter")
        await until(lambda: bool(session.called("start_task")))
        assert session.called("start_task")[0][1:3] == ("go", "tester")


async def test_tasks_are_listed_filtered_and_stopped(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(160, 44)) as (app, _):
        session.task("aa11", "tester", "write the tests")
        session.task("bb22", "writer", "write the page")
        session.task_done("bb22", "finished", "There.", "a.md", usage={"total_tokens": 5000}, cost=0.5)
        await until(lambda: len(app.main.transcript.tasks) == 2)
        pane = app.main.query_one(TasksPane)
        app.main.submit("/tasks ended")
        await until(lambda: "◇ 1 file to review · 5k tok · cost 0.50" in shown(app))
        await until(lambda: pane.filter_line.text == "status:ended")
        await until(lambda: [task.task_id for task in pane.rows.tasks] == ["bb22"])
        app.main.submit("/tasks tester")
        await until(lambda: pane.filter_line.text == "persona:tester")
        app.main.submit("/tasks all")
        await until(lambda: len(pane.rows.tasks) == 2)
        app.main.submit("/tasks stop aa")
        await until(lambda: bool(session.called("cancel_task")))
        assert session.called("cancel_task") == [("cancel_task", "aa11")]
        await until(lambda: "tester (aa11) was told to stop." in shown(app))


async def test_the_palette_has_what_can_be_done_with_each_task(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(100, 30)) as (app, pilot):
        session.task("aa11", "tester")
        session.task_done("aa11")
        await until(lambda: bool(app.main.transcript.tasks))
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"aa11")
        await until(lambda: "Task aa11, tester: retry" in shown(app))
        assert "Task aa11, tester: stop" not in shown(app)
        await pilot.press("escape", "escape")


async def test_the_block_of_a_task_tells_its_state_and_leads_to_it(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(100, 30)) as (app, pilot):
        session.task("t1", "tester", "write the tests")
        await until(lambda: "task · tester" in shown(app))
        session.question("Which name?", agent="t1")
        await until(lambda: "waiting" in shown(app))
        session.task_done("t1", "finished", "All pass.", "a.py", "b [x].py", cost=0.25)
        await until(lambda: "◇ 2 files to review  a.py, b [x].py  cost 0.25" in shown(app))
        session.task_reviewed("t1", "partly applied", "a.py", conflicts=["b [x].py"])
        await until(lambda: "partly applied, 1 conflict" in shown(app))
        await pilot.press("f2", "shift+up", "enter")
        await until(lambda: isinstance(app.screen, TaskDetailScreen))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        row = next(y for y, line in enumerate(shown(app).splitlines()) if "partly applied" in line)
        await pilot.click(offset=(10, row))
        await until(lambda: isinstance(app.screen, TaskDetailScreen))


async def test_what_a_task_reports_to_the_agent_is_a_line_that_unfolds(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(100, 30)) as (app, pilot):
        session.run("x")
        session.user("Task t1 (tester): finished.\nAll [tests] pass.\nIt changed no files.", origin="task")
        await until(lambda: "↳ reported: Task t1 (tester): finished. …" in shown(app))
        assert "All [tests] pass." not in shown(app)
        await pilot.press("f2", "shift+up", "enter")
        await until(lambda: "│ All [tests] pass." in shown(app))


async def test_tokens_and_cost_add_up_over_all_agents(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(160, 44)) as (app, _):
        session.run("x")
        session.step_done(1, prompt=1000, completion=200, cost=0.2)
        session.task("t1", "tester")
        session.step_done(1, prompt=3000, completion=800, cost=0.3, agent="t1")
        await until(lambda: "cost 0.50" in app.main.status.plain())
        assert "all agents 5k tok · cost 0.50" in str(app.main.query_one(TasksPane).border_title)
        app.main.submit("/cost")
        await until(lambda: "tester t1" in shown(app))
        text = " ".join(shown(app).split())
        assert "3k in 800 out cost 0.30" in text
        session.finish("completed", cost=0.2)
        await until(lambda: not app.main.transcript.main.running)
        await until(lambda: "5k tokens" in app.main.status.plain())
        assert app.main.transcript.cost == pytest.approx(0.5)


async def test_a_log_without_the_cost_of_steps_has_that_of_runs(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        for _ in range(2):
            session.run("x")
            session.step_done(1)
            session.finish("completed", cost=0.125)
        await until(lambda: not app.main.transcript.main.running and app.main.transcript.seq > 5)
        await until(lambda: app.main.transcript.cost == pytest.approx(0.25))


def test_a_task_that_ends_or_asks_calls_by_its_persona() -> None:
    def told(seconds: float) -> str:
        caller = Caller(KITTY)
        began = stamp(TaskStarted(task_id="t1", persona="tester", prompt="x"), seq=1, at=0, session_id="s")
        ended = TaskFinished(task_id="t1", status="finished", changes=[{"path": "a.py", "kind": "added"}])
        caller.calls.take([began, stamp(ended, seq=2, at=seconds, session_id="s")], "auto", "proj")
        return caller.text

    assert "tester: finished after 20s, 1 file to review" in told(20)
    assert told(2) == ""
    caller = Caller(KITTY)
    request = ApprovalRequested(
        request_id="r", call_id="c", tool="continue", summary="Question: Which?", arguments={}, agent_id="t1"
    )
    caller.calls.take([TaskStarted(task_id="t1", persona="tester", prompt="x"), request], "auto", "proj")
    assert "tester asks: Question: Which?" in caller.text


async def test_a_task_that_its_budget_has_ended_says_so_wherever_it_stands(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(160, 44)) as (app, pilot):
        session.task("t1", "frugal", "count")
        session.run("count", agent="t1")
        session.finish("budget", agent="t1")
        session.task_done("t1", "timeout after 2.0s", "I counted.", "a.py")
        await until(lambda: "timeout after 2.0s · its budget is spent" in shown(app))  # in the pane
        await until(lambda: "│ its budget is spent" in " ".join(shown(app).split()))  # in the conversation
        await pilot.press("f4", "enter")
        await until(lambda: isinstance(app.screen, TaskDetailScreen))
        await until(lambda: "its budget is spent" in " ".join(shown(app).split()))
