"""Tasks in the application as they are: a real session, real workspaces, a model's server over HTTP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pygent.persona import Persona
from pygent.session import Session
from pygent.settings import Settings
from pygent.tui.app import PygentApp
from pygent.tui.panes.tasks import TasksPane
from pygent.tui.screens.review import ReviewScreen
from pygent.tui.screens.task_detail import TaskDetailScreen
from pygent.tui.widgets.choices import GRACE
from pygent.tui.widgets.message_input import MessageInput
from tests.fakes.openai_server import FakeOpenAI, Step, reply
from tests.tui.test_app import _own_config, shown, until

__all__ = ["_own_config"]

LIMIT = 20.0


def talk(request: dict[str, Any]) -> Step:
    """A task asks, writes down what it was answered, and ends; its second run waits for a message."""
    messages = [message for message in request["messages"] if message["role"] != "system"]
    said = " ".join(str(message.get("content")) for message in messages)
    results = [message for message in messages if message["role"] == "tool"]
    if "greet" in said:
        if not results:
            return reply("I ask.", tool_calls=[("continue", {"question": "Whom shall I greet?"})])
        if len(results) == 1:
            text = str(results[0]["content"]).rpartition(": ")[2]
            return reply(tool_calls=[("write_file", {"path": "greeting.txt", "content": f"Hello {text}\n"})])
        return reply("I greeted.", tool_calls=[("stop", {})])
    if "be quick" in said:
        return reply("I was quick.", tool_calls=[("stop", {})])
    return reply(tool_calls=[("bash", {"cmd": f"sleep 0.3 # {len(results)}"})])


async def test_a_task_of_the_person_s_asks_is_answered_and_leads_to_its_review(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with FakeOpenAI(talk) as server:
        settings = Settings(
            workspace=work,
            use_docker=False,
            permission_mode="auto",
            base_url=server.url,
            api_key="key",
            personas=(Persona("greeter", "greets"), Persona("runner", "runs")),
        )
        app = PygentApp(Session(settings))
        async with app.run_test(size=(130, 40)) as pilot:
            await until(lambda: app.session.opened and len(app.main.panes.beside) == 3, LIMIT)
            app.main.submit("/delegate greeter: greet somebody")
            await until(lambda: "asks you" in shown(app), LIMIT)
            assert "Whom shall I greet?" in shown(app)
            task = next(iter(app.main.transcript.tasks.values()))
            assert task.state == "waiting"
            await asyncio.sleep(GRACE + 0.1)
            await pilot.press("y")
            await until(lambda: isinstance(app.focused, MessageInput))
            await pilot.press(*"Ada", "enter")
            await until(lambda: task.ended_at is not None, LIMIT)
            assert task.state == "finished"
            assert [change["path"] for change in task.changes] == ["greeting.txt"]
            await until(lambda: "1 file to review" in shown(app))
            assert not (work / "greeting.txt").exists()
            await pilot.press("f4", "d")
            await until(lambda: isinstance(app.screen, ReviewScreen) and "Hello Ada" in shown(app), LIMIT)
            await pilot.press("a")
            await until((work / "greeting.txt").exists, LIMIT)
            assert (work / "greeting.txt").read_text() == "Hello Ada\n"
            await pilot.press("escape")
            await until(lambda: app.screen is app.main)
            await until(lambda: "✓ applied" in app.main.query_one(TasksPane).rows.render_line(1).text)


async def test_a_task_that_works_is_written_to_stopped_and_done_again(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with FakeOpenAI(talk) as server:
        settings = Settings(
            workspace=work,
            use_docker=False,
            permission_mode="auto",
            base_url=server.url,
            api_key="key",
            personas=(Persona("runner", "runs"),),
            max_steps=1000,
        )
        app = PygentApp(Session(settings))
        async with app.run_test(size=(130, 40)) as pilot:
            await until(lambda: app.session.opened and len(app.main.panes.beside) == 3, LIMIT)
            app.main.submit("/delegate run about")
            tasks = app.main.transcript.tasks
            await until(lambda: "bash sleep 0.3" in shown(app), LIMIT)
            await pilot.press("f4", "s")
            await pilot.pause()
            await pilot.press("y")
            first = next(iter(tasks.values()))
            await until(lambda: first.state == "cancelled" and first.ended_at is not None, LIMIT)
            await pilot.press("r")
            await until(lambda: len(tasks) == 2, LIMIT)
            again = list(tasks.values())[1]
            assert again.retry_of == first.task_id
            await until(lambda: app.main.query_one(TasksPane).rows.chosen is first)
            await pilot.press("home", "enter")
            await until(lambda: isinstance(app.screen, TaskDetailScreen) and app.screen.item is again)
            await pilot.press("m", *"be quick", "enter")
            await until(lambda: again.ended_at is not None, LIMIT)
            assert again.state == "finished", again.status
            await until(lambda: "I was quick." in shown(app))
            assert "be quick" in shown(app)
