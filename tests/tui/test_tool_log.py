"""The tool-call log: a line a call, live, any number of them, and a call shown whole."""

from __future__ import annotations

import time

from pygent.tui.panes.tool_log import ToolLogPane
from pygent.tui.screens.tool_detail import ToolDetailScreen
from tests.tui.fake_session import FakeSession
from tests.tui.pane_app import PaneApp


def log_app(theme: str = "pygent-dark") -> tuple[FakeSession, ToolLogPane, PaneApp]:
    session = FakeSession()
    pane = ToolLogPane(id="tool-log")
    return session, pane, PaneApp(session, pane, theme=theme)


async def test_an_empty_log_teaches_what_it_will_show() -> None:
    _, pane, app = log_app()
    async with app.run_test(size=(40, 20)):
        assert "No tool calls yet." in app.text(pane)
        assert "Enter shows a call whole" in " ".join(app.text(pane).split())


async def test_a_call_has_one_line_that_follows_its_state() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 10)) as pilot:
        call = session.tool_start("bash", {"cmd": "make test"})
        app.flush()
        await pilot.pause()
        assert app.text(pane).splitlines()[0].split() == ["●", "bash", "make", "test", "running", "0s"]
        session.tool_finish(call, "no", status="error", seconds=2.5)
        app.flush()
        await pilot.pause()
        assert app.text(pane).splitlines()[0].split() == ["✗", "bash", "make", "test", "error", "2.5s"]
        assert pane.border_subtitle == "1"


async def test_each_state_is_told_by_a_sign_and_a_word() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(70, 12)) as pilot:
        for status in ("ok", "error", "denied", "cancelled", "timeout"):
            session.tool("bash", {"cmd": status}, status=status)
        request = session.ask()
        app.flush()
        await pilot.pause()
        text = app.text(pane)
        assert [line[0] for line in text.splitlines()[:6]] == ["✓", "✗", "⊘", "■", "!", "?"]
        assert all(word in text for word in ("0.4s", "error", "denied", "cancelled", "timeout", "waiting"))
        session.resolve(request, "allow_once")
        app.flush()
        await pilot.pause()
        assert "running" in app.text(pane).splitlines()[5]


async def test_a_task_s_call_names_its_persona() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(70, 8)) as pilot:
        session.task("t1", "tester")
        session.tool("bash", {"cmd": "pytest"}, agent="t1")
        session.tool("bash", {"cmd": "ls"}, agent="t-unknown")
        app.flush()
        await pilot.pause()
        assert "tester" in app.text(pane).splitlines()[0]
        assert "t-unknown" in app.text(pane).splitlines()[1]


async def test_hostile_text_is_shown_as_it_is() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(90, 24)) as pilot:
        session.task("t1", "[/b]")
        session.tool("[bold]", {"cmd": "[/foo] [red]x[/red] \x1b]0;title\x07\nrm"}, "[/foo]\x1b[31m[red]", agent="t1")
        app.flush()
        await pilot.pause()
        line = app.text(pane).splitlines()[0]
        assert "[bold] [/foo] [red]x[/red] ↵ rm" in line
        assert "\x1b" not in line
        pane.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ToolDetailScreen)
        shown = app.text()
        assert "─ [bold] ─" in shown
        assert "[/foo][red]" in shown
        assert "\x1b" not in shown


async def test_three_thousand_calls_are_one_widget_and_stay_quick() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(3000):
            session.tool("bash", {"cmd": f"echo {number}"}, "x" * 50)
        app.flush()
        await pilot.pause()
        assert len(list(app.query("*"))) < 10
        assert "echo 2999" in app.text(pane)
        pane.focus()
        began = time.perf_counter()
        for _ in range(20):
            await pilot.press("up")
        assert (time.perf_counter() - began) / 20 < 0.25
        await pilot.press("home")
        assert "echo 0 " in app.text(pane)
        assert pane.border_subtitle == "3,000"


async def test_the_end_is_followed_only_from_the_end() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 10)) as pilot:
        for number in range(30):
            session.tool("bash", {"cmd": f"n{number}."})
        app.flush()
        await pilot.pause()
        pane.focus()
        await pilot.press("up", "up", "up", "up", "up", "up", "up", "up", "up")
        seen = app.text(pane)
        session.tool("bash", {"cmd": "new."})
        app.flush()
        await pilot.pause()
        assert app.text(pane) == seen
        assert "↓ 1 new" in str(pane.border_subtitle)
        await pilot.press("end")
        assert "new." in app.text(pane)
        assert "new" not in str(pane.border_subtitle)
        session.tool("bash", {"cmd": "newer."})
        app.flush()
        await pilot.pause()
        assert "newer." in app.text(pane)


async def test_the_mouse_is_enough() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 10)) as pilot:
        for number in range(3):
            session.tool("bash", {"cmd": f"n{number}."})
        app.flush()
        await pilot.pause()
        await pilot.click(pane, offset=(5, 2))
        assert pane.cursor == 1
        await pilot.click(pane, offset=(5, 2))
        await pilot.pause()
        assert isinstance(app.screen, ToolDetailScreen)
        assert app.screen.item.arguments == {"cmd": "n1."}


async def test_a_selected_call_is_told_to_the_screen() -> None:
    told: list[ToolLogPane.Selected] = []

    class Listening(PaneApp):
        def on_tool_log_pane_selected(self, event: ToolLogPane.Selected) -> None:
            told.append(event)

    session, pane = FakeSession(), ToolLogPane()
    app = Listening(session, pane)
    async with app.run_test() as pilot:
        session.tool("bash", {"cmd": "ls"})
        app.flush()
        pane.focus()
        await pilot.press("enter")
        await pilot.pause()
        assert [message.item.tool for message in told] == ["bash"]


async def test_an_attached_transcript_that_is_full_is_shown() -> None:
    session, pane, app = log_app()
    session.tool("bash", {"cmd": "before"})
    session.tool_start("bash", {"cmd": "still"})
    async with app.run_test(size=(60, 10)) as pilot:
        app.flush()
        await pilot.pause()
        assert "before" in app.text(pane)
        assert pane.border_subtitle == "2 · 1 running"


async def test_a_narrow_pane_still_says_what_matters() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(30, 10)) as pilot:
        session.tool("bash", {"cmd": "python -m pytest -q tests"}, status="error", seconds=12.0)
        app.flush()
        await pilot.pause()
        line = app.text(pane).splitlines()[0]
        assert line.startswith("✗ bash python")
        assert line.endswith("error")
