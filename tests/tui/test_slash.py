"""Slash commands act on the session and say what they did."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygent.budget import Budget
from pygent.events import StepFinished
from pygent.ledger import Account
from pygent.openai_compat import Usage
from pygent.persona import Persona
from pygent.tui import slash
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, shown, type_text, until

__all__ = ["_own_config"]

CONTRACT = [
    "help",
    "new",
    "resume",
    "title",
    "fork",
    "undo",
    "redo",
    "rewind",
    "export",
    "compact",
    "context",
    "cost",
    "status",
    "model",
    "persona",
    "tasks",
    "delegate",
    "tools",
    "permissions",
    "theme",
    "copy",
    "diff",
    "exit",
    "cmd",
    "cp",
    "save",
    "banned",
    "confirm-bash",
    "network",
    "trust",
]


def test_every_command_of_the_contract_is_there() -> None:
    assert {command.name for command in slash.commands()} >= set(CONTRACT)


def test_a_path_is_no_command() -> None:
    assert slash.is_command("/help")
    assert slash.is_command("/model x/y")
    assert not slash.is_command("/usr/bin/x is broken")
    assert not slash.is_command("")


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("/model other", ("set_model", "other")),
        ("/undo 3", ("offer_undo", 3)),
        ("/compact the parser", ("compact", "the parser")),
        ("/compact undo", ("undo_compaction",)),
        ("/persona tester", ("set_persona", "tester")),
        ("/permissions plan", ("set_permission_mode", "plan")),
        ("/permissions forget bash(make *)", ("take_back", "bash(make *)")),
        ("/tools disable bash", ("enable_tool", "bash", False)),
        ("/network on", ("set_network", True)),
        ("/budget tokens=200000, money=1.5", ("set_budget", Budget(tokens=200_000, money=1.5), "")),
        ("/budget off", ("set_budget", Budget(), "")),
        ("/budget tester steps=9 money=2", ("set_budget", Budget(steps=9, money=2), "tester")),
        ("/budget my tester off", ("set_budget", Budget(), "my tester")),
        ("/confirm-bash on", ("set_confirm_bash", True)),
        ("/cmd ls -l", ("run_command", "ls -l")),
        ("!ls -l", ("run_command", "ls -l")),
        ("/cp 'a b' c", ("copy_in", "a b", "c")),
        ("/new", ("new",)),
    ],
)
async def test_a_command_reaches_the_session(tmp_path: Path, line: str, call: tuple[object, ...]) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.submit(line)
        await until(lambda: call in session.calls)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/status", "docker · network off"),
        ("/context", "6.4k of 128k tokens, as the server counted"),
        ("/context", "outputs of tools (3)"),
        ("/context", "bash make test"),
        ("/cost", "No tokens were used yet"),
        ("/budget", "There is no budget"),
        ("/budget tester", "accepted: NAME=NUMBER"),
        ("/budget token=1", "accepted: steps, seconds, tokens, money"),
        ("/tools", "Write a file"),
        ("/banned add rm", "rm"),
        ("/persona", "writes and runs tests"),
        ("/permissions wrong", "unknown permission mode"),
        ("/resume", "No session is stored"),
        ("/fork", "is not stored, so it cannot be copied"),
        ("/undo", "There is nothing to undo"),
        ("/undo all", "is no number of steps"),
        ("/redo", "There is nothing to redo"),
        ("/rewind", "Nothing was said yet"),
        ("/copy", "There is no answer yet"),
        ("/modle", "Did you mean /model?"),
        ("/network maybe", "takes on or off"),
        ("/title [red]Name", "[red]Name"),
    ],
)
async def test_a_command_answers_in_the_conversation(tmp_path: Path, line: str, words: str) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.submit(line)
        await until(lambda: words in shown(app))


async def test_the_rights_of_the_persona_are_told_with_the_session_s(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.personas = (Persona(session.status().persona, permission_mode="ask", deny=("bash(git push *)",)),)
    async with running(session) as (app, _):
        app.main.submit("/permissions")
        await until(lambda: "bash(git push *)" in shown(app))
        assert f"as {session.status().persona}: ask at most" in " ".join(shown(app).split())


@pytest.mark.hostile(38)
async def test_what_was_allowed_is_listed_and_offered_to_be_taken_back(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.submit("/permissions")
        await until(lambda: "allow bash(make *)" in " ".join(shown(app).split()))
        assert "allow bash(ls) (this session)" in " ".join(shown(app).split())
        app.main.submit("/permissions forget bash(ls)")
        await until(lambda: "bash(ls) is asked for again." in shown(app))


async def test_what_the_session_and_its_tasks_cost_is_told_with_the_budget(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.account = Account(Budget(tokens=20_000, money=2))
    async with running(session, size=(160, 40)) as (app, _):
        session.bus.publish(StepFinished(step=1, usage={"prompt_tokens": 9_000, "completion_tokens": 500}, cost=0.5))
        session.task("t1", "tester", "test it")
        usage = {"prompt_tokens": 7_000, "completion_tokens": 200}
        session.bus.publish(StepFinished(agent_id="t1", step=1, usage=usage, cost=0.31))
        session.account.charge(Usage(16_000, 700, 16_700), 0.81)
        await until(lambda: "cost 0.81" in app.main.status.plain())
        app.main.submit("/cost")
        await until(lambda: "all together" in shown(app))
        words = " ".join(shown(app).split())
        assert "tester t1 7k in 200 out cost 0.31" in words
        assert "all together 16k in 700 out cost 0.81" in words
        assert "budget 17k of 20k tokens · 0.81 of 2.00 84%" in words
        assert "84% of budget" in app.main.status.plain()


async def test_export_writes_a_new_file_and_never_over_another(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.run("my question")
        session.say("my answer")
        await until(lambda: "my answer" in shown(app))
        app.main.submit("/export talk.md")
        await until(lambda: (tmp_path / "talk.md").exists() and "Written to" in shown(app))
        text = (tmp_path / "talk.md").read_text()
        assert "my question" in text
        assert "my answer" in text
        app.main.submit("/export talk.md")
        await until(lambda: "File exists" in shown(app))


async def test_new_clears_the_conversation(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        session.say("old answer")
        await until(lambda: "old answer" in shown(app))
        app.main.submit("/new")
        await until(lambda: "old answer" not in shown(app))
        session.say("new answer")
        await until(lambda: "new answer" in shown(app))


async def test_completion_of_commands_values_and_files(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "deep_module.py").write_text("x")
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "/perm")
        await pilot.pause()
        assert "show or change what needs approval" in shown(app)
        await pilot.press("tab")
        await pilot.pause()
        assert app.main.prompt.text == "/permissions "
        await type_text(pilot, "pl")
        await pilot.press("enter")
        await until(lambda: ("set_permission_mode", "plan") in session.calls)
        await type_text(pilot, "look at @deep")
        await until(lambda: "src/deep_module.py" in shown(app) and app.main.prompt.completing)
        await pilot.press("tab")
        await pilot.pause()
        assert app.main.prompt.text == "look at @src/deep_module.py "
        assert session.prompts == []


async def test_history_comes_back_in_an_empty_prompt(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        for text in ("one", "two"):
            await type_text(pilot, text)
            await pilot.press("enter")
            await pilot.pause()
        await pilot.press("up")
        assert app.main.prompt.text == "two"
        await pilot.press("up")
        assert app.main.prompt.text == "one"
        await pilot.press("down", "down")
        assert app.main.prompt.text == ""


async def test_a_new_line_grows_the_prompt(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        await type_text(pilot, "a")
        await pilot.press("ctrl+j")
        await type_text(pilot, "b")
        await pilot.pause()
        assert app.main.prompt.text == "a\nb"
        assert app.main.prompt.region.height == 4
        await pilot.press("enter")
        await until(lambda: session.prompts == ["a\nb"])
