"""The list of to-dos above the prompt."""

from __future__ import annotations

from pathlib import Path

from pygent.tui.widgets.todo_bar import TodoBar
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, shown, type_text, until

__all__ = ["_own_config"]


def _list(done: int, total: int) -> list[tuple[str, str]]:
    states = ["done"] * done + ["active"] + ["pending"] * total
    return [(f"step [{n}]", state) for n, state in enumerate(states[:total], 1)]


async def test_a_list_is_seen_at_a_glance_and_folds(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.resize_terminal(120, 40)
        bar = app.main.query_one(TodoBar)
        assert not bar.display
        session.run()
        session.todos(*_list(2, 12))
        await until(lambda: "To-dos  2 of 12 done" in shown(app))  # a tool call says how many, too
        assert "● step [3]" in shown(app)
        assert "step [1]" not in shown(app)
        assert "… 5 more" in shown(app)
        height = bar.size.height
        await pilot.press("alt+t")
        await until(lambda: bar.size.height == 1)
        assert height > 1
        assert "To-dos  2 of 12 done · step [3]" in shown(app)
        await pilot.click(TodoBar)
        await until(lambda: bar.size.height == height)
        session.todos(*_list(12, 12))
        await until(lambda: "To-dos  12 of 12 done" in shown(app))
        session.finish()
        session.run("another")
        await until(lambda: not bar.display)


async def test_a_low_screen_and_a_question_leave_it_one_line(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await pilot.resize_terminal(80, 24)
        bar = app.main.query_one(TodoBar)
        session.run()
        session.todos(*_list(1, 4))
        await until(lambda: bar.size.height == 1)
        await pilot.press("alt+t")
        await until(lambda: bar.size.height == 5)
        session.ask("bash", {"cmd": "make"})
        await until(lambda: bar.size.height == 1)
        await pilot.press("alt+t")
        await pilot.pause()
        assert bar.size.height == 1


async def test_the_command_shows_and_clears(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "/todos")
        await pilot.press("enter")
        await until(lambda: "The agent keeps no list" in shown(app))
        session.todos(*_list(1, 3))
        await type_text(pilot, "/todos")
        await pilot.press("enter")
        await until(lambda: "✓ step [1]" in shown(app))
        await type_text(pilot, "/todos clear")
        await pilot.press("enter")
        await until(lambda: not app.main.query_one(TodoBar).display)
        assert session.called("clear_todos") == [("clear_todos",)]
