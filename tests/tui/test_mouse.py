"""Everything that a person needs can be done with the mouse alone."""

from __future__ import annotations

from pathlib import Path

from textual import events
from textual.pilot import Pilot

from pygent.budget import Budget
from pygent.ledger import Account
from pygent.openai_compat import Usage
from pygent.tui.app import PygentApp
from pygent.tui.palette import Palette
from pygent.tui.screens.help import HelpScreen
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, type_text, until


async def click(app: PygentApp, pilot: Pilot[int], text: str, *, last: bool = True) -> None:
    """Click on the words where they stand on the screen, by default at their lowest place."""
    lines = shown(app).splitlines()
    rows = [index for index, line in enumerate(lines) if text in line]
    assert rows, f"{text!r} is not on the screen"
    row = rows[-1 if last else 0]
    column = lines[row].rindex(text) if last else lines[row].index(text)
    await pilot.click(offset=(column + 1, row))
    await pilot.pause()


async def test_the_status_line_changes_what_it_shows(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(160, 42)) as (app, pilot):
        await click(app, pilot, "auto")
        assert session.called("set_permission_mode") == [("set_permission_mode", "plan")]
        await click(app, pilot, "gpt-4.1-mini")
        await until(lambda: app.main.prompt.text == "/model ")
        await click(app, pilot, "developer")
        assert app.main.prompt.text == "/model ", "a draft stays"
        await click(app, pilot, "F1 help")
        assert isinstance(app.screen, HelpScreen)
        await click(app, pilot, "Close")
        await click(app, pilot, "Ctrl+P everything")
        await until(lambda: isinstance(app.screen, Palette) and "Search for commands" in shown(app))


async def test_tokens_and_cost_lead_to_what_they_are_made_of_and_the_budget_to_its_limits(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.account = Account(Budget(tokens=2000))
    session.account.charge(Usage(1200, 0, 1200), None)
    async with running(session, size=(160, 42)) as (app, pilot):
        session.run("x")
        session.step_done(1, prompt=1000, completion=200, cost=0.2)
        await type_text(pilot, "a draft")
        await until(lambda: "cost 0.20" in app.main.status.plain())
        await click(app, pilot, "cost 0.20")
        await until(lambda: "1k in" in " ".join(shown(app).split()))
        assert app.main.prompt.text == "a draft"
        await pilot.press(*["backspace"] * 7)
        await click(app, pilot, "60% of budget")
        await until(lambda: app.main.prompt.text == "/budget ")
        await until(lambda: "tokens=2000" in shown(app))


async def test_a_prompt_is_sent_and_its_run_interrupted(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    for size in ((140, 42), (80, 24)):
        async with running(session, size=size) as (app, pilot):
            await type_text(pilot, "hello")
            await click(app, pilot, "Enter sends")
            await until(lambda: session.prompts[-1:] == ["hello"])
            session.run("hello")
            await until(lambda: app.main.transcript.main.running and "step 1" in shown(app))
            await click(app, pilot, "step 1")
            await until(lambda: bool(session.called("interrupt")))
            session.prompts.clear()
            session.calls.clear()


async def test_a_narrow_screen_has_its_tabs_and_the_way_to_everything(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path), size=(60, 24)) as (app, pilot):
        await click(app, pilot, "Workspace", last=False)
        assert app.main.panes.focused == "workspace"
        await click(app, pilot, "F1")
        await until(lambda: isinstance(app.screen, HelpScreen))
        await click(app, pilot, "Command palette")
        await until(lambda: isinstance(app.screen, Palette) and "Workspace:" in shown(app))
        for _ in range(40):
            if "Quit  " in shown(app):
                break
            await pilot._post_mouse_events([events.MouseScrollDown], offset=(20, 12))
            await pilot.pause()
        await click(app, pilot, "Quit")
        await until(lambda: not app.is_running)


async def test_detail_screens_are_closed_by_a_click(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        session.tool("bash", {"cmd": "make it so"})
        await until(lambda: "make it so" in shown(app))
        pane = app.main.query_one("#tool-log").region
        for _ in range(2):
            await pilot.click(offset=(pane.x + 5, pane.y + 1))
        await until(lambda: app.screen is not app.main)
        await click(app, pilot, "Close")
        await until(lambda: app.screen is app.main)
