"""The tool-call log: a line a call, live, any number of them, and a call shown whole."""

from __future__ import annotations

import random
import re
import time

import pytest
from textual.content import Content

from pygent.transcript import ToolItem
from pygent.tui.panes.tool_filter import ToolIndex, parse_filter
from pygent.tui.panes.tool_log import ToolLogPane
from pygent.tui.screens.tool_detail import ToolDetailScreen
from tests.tui.fake_session import FakeSession
from tests.tui.pane_app import PaneApp


def log_app(theme: str = "pygent-dark") -> tuple[FakeSession, ToolLogPane, PaneApp]:
    session = FakeSession()
    pane = ToolLogPane(id="tool-log")
    return session, pane, PaneApp(session, pane, theme=theme)


def counted(pane: ToolLogPane) -> str:
    """What the log says about its number of calls."""
    return Content.from_markup(str(pane.border_subtitle)).plain.removesuffix(" · f filter")


async def test_an_empty_log_teaches_what_it_will_show() -> None:
    _, pane, app = log_app()
    async with app.run_test(size=(40, 20)):
        assert "No tool calls yet." in app.text(pane.rows)
        assert "Enter shows a call whole" in " ".join(app.text(pane.rows).split())


async def test_a_call_has_one_line_that_follows_its_state() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 10)) as pilot:
        call = session.tool_start("bash", {"cmd": "make test"})
        app.flush()
        await pilot.pause()
        *row, span = app.text(pane.rows).splitlines()[0].split()
        assert row == ["●", "bash", "make", "test", "running"]
        assert re.fullmatch(r"\d+s", span)
        session.tool_finish(call, "no", status="error", seconds=2.5)
        app.flush()
        await pilot.pause()
        assert app.text(pane.rows).splitlines()[0].split() == ["✗", "bash", "make", "test", "error", "2.5s"]
        assert counted(pane) == "1"


async def test_each_state_is_told_by_a_sign_and_a_word() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(70, 12)) as pilot:
        for status in ("ok", "error", "denied", "cancelled", "timeout"):
            session.tool("bash", {"cmd": status}, status=status)
        request = session.ask()
        app.flush()
        await pilot.pause()
        text = app.text(pane.rows)
        assert [line[0] for line in text.splitlines()[:6]] == ["✓", "✗", "⊘", "■", "!", "?"]
        assert all(word in text for word in ("0.4s", "error", "denied", "cancelled", "timeout", "waiting"))
        session.resolve(request, "allow_once")
        app.flush()
        await pilot.pause()
        assert "running" in app.text(pane.rows).splitlines()[5]


async def test_a_task_s_call_names_its_persona() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(70, 8)) as pilot:
        session.task("t1", "tester")
        session.tool("bash", {"cmd": "pytest"}, agent="t1")
        session.tool("bash", {"cmd": "ls"}, agent="t-unknown")
        app.flush()
        await pilot.pause()
        assert "tester" in app.text(pane.rows).splitlines()[0]
        assert "t-unknown" in app.text(pane.rows).splitlines()[1]


@pytest.mark.hostile(56, 57)
async def test_hostile_text_is_shown_as_it_is() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(90, 24)) as pilot:
        session.task("t1", "[/b]")
        session.tool("[bold]", {"cmd": "[/foo] [red]x[/red] \x1b]0;title\x07\nrm"}, "[/foo]\x1b[31m[red]", agent="t1")
        app.flush()
        await pilot.pause()
        line = app.text(pane.rows).splitlines()[0]
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
        assert "echo 2999" in app.text(pane.rows)
        pane.focus()
        began = time.perf_counter()
        for _ in range(20):
            await pilot.press("up")
        assert (time.perf_counter() - began) / 20 < 1
        await pilot.press("home")
        assert "echo 0 " in app.text(pane.rows)
        assert counted(pane) == "3,000"


async def test_the_end_is_followed_only_from_the_end() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 10)) as pilot:
        for number in range(30):
            session.tool("bash", {"cmd": f"n{number}."})
        app.flush()
        await pilot.pause()
        pane.focus()
        await pilot.press("up", "up", "up", "up", "up", "up", "up", "up", "up")
        seen = app.text(pane.rows)
        session.tool("bash", {"cmd": "new."})
        app.flush()
        await pilot.pause()
        assert app.text(pane.rows) == seen
        assert "↓ 1 new" in counted(pane)
        await pilot.press("end")
        assert "new." in app.text(pane.rows)
        assert "new" not in counted(pane)
        session.tool("bash", {"cmd": "newer."})
        app.flush()
        await pilot.pause()
        assert "newer." in app.text(pane.rows)


async def test_the_mouse_is_enough() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 10)) as pilot:
        for number in range(3):
            session.tool("bash", {"cmd": f"n{number}."})
        app.flush()
        await pilot.pause()
        await pilot.click(pane, offset=(5, 2))
        assert pane.rows.cursor == 1
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
        assert "before" in app.text(pane.rows)
        assert counted(pane) == "2 · 1 running"


async def test_a_narrow_pane_still_says_what_matters() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(30, 10)) as pilot:
        session.tool("bash", {"cmd": "python -m pytest -q tests"}, status="error", seconds=12.0)
        app.flush()
        await pilot.pause()
        line = app.text(pane.rows).splitlines()[0]
        assert line.startswith("✗ bash python")
        assert line.endswith("error")


async def test_a_filter_is_typed_counts_and_is_cleared() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(80, 12)) as pilot:
        session.task("t1", "tester")
        for number in range(30):
            session.tool("bash", {"cmd": f"make part{number}"}, status="error" if number % 10 == 3 else "ok")
            session.tool("read_file", {"path": f"src/part{number}.py"}, agent="t1" if number % 2 else "main")
        app.flush()
        await pilot.pause()
        pane.focus()
        await pilot.press("f", *"tool:bash", "space", *"status:err", "space", *"part1")
        await pilot.pause()
        assert app.text(pane.rows).splitlines()[0].split()[:4] == ["✗", "bash", "make", "part13"]
        assert counted(pane) == "1 of 60"
        await pilot.press("enter", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ToolDetailScreen)
        await pilot.press("escape", "f", "escape")
        await pilot.pause()
        assert counted(pane) == "60"
        assert "part13" in app.text(pane.rows)
        assert not pane.filter_line.display
        await pilot.press("f", *"agent:tester")
        await pilot.pause()
        assert counted(pane) == "15 of 60"
        await pilot.press("escape", "f", *"status:red")
        await pilot.pause()
        assert "There is no status 'red'" in app.text(pane.rows)


async def test_keys_go_through_states_and_agents() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(80, 12)) as pilot:
        session.task("t1", "unit tester")
        session.tool("bash", {"cmd": "one"})
        session.tool("bash", {"cmd": "two"}, status="timeout", agent="t1")
        call = session.tool_start("bash", {"cmd": "three"})
        app.flush()
        pane.focus()
        await pilot.press("s")
        await pilot.pause()
        assert counted(pane) == "1 of 3 · 1 running"
        assert "three" in app.text(pane.rows)
        session.tool_finish(call)
        session.tool_start("bash", {"cmd": "four"})
        app.flush()
        assert "three" not in app.text(pane.rows)
        assert "four" in app.text(pane.rows)
        await pilot.press("s")
        await pilot.pause()
        assert "two" in app.text(pane.rows)
        await pilot.press("s", "a", "a")
        await pilot.pause()
        assert pane.filter_line.text == "agent:unit-tester"
        assert counted(pane) == "1 of 4 · 1 running"
        await pilot.press("a")
        await pilot.pause()
        assert counted(pane) == "4 · 1 running"


async def test_the_filter_is_reached_and_cleared_with_the_mouse() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(60, 12)) as pilot:
        session.tool("bash", {"cmd": "one"})
        app.flush()
        await pilot.pause()
        await pilot.click(pane, offset=(53, 11))
        await pilot.pause()
        assert pane.filter_line.display
        await pilot.press(*"nothing")
        await pilot.pause()
        assert counted(pane) == "0 of 1"
        await pilot.click("ClearFilter")
        await pilot.pause()
        assert counted(pane) == "1"


async def test_fifty_thousand_calls_are_filtered_while_more_come() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(80, 24)) as pilot:
        for number in range(50_000):
            session.tool("bash", {"cmd": f"echo {number}"}, status="error" if number % 100 == 0 else "ok")
        app.flush()
        pane.focus()
        for key in ("f", *"echo", "space", *"99"):
            began = time.perf_counter()
            await pilot.press(key)
            assert time.perf_counter() - began < 1
        await pilot.pause()
        assert counted(pane).endswith(" of 50,000")
        began = time.perf_counter()
        for number in range(50):
            session.tool("bash", {"cmd": f"echo 99 {number}"})
            app.flush()
        assert (time.perf_counter() - began) / 50 < 0.1
        await pilot.pause()
        assert counted(pane).endswith(" of 50,050")


async def test_a_running_call_shows_its_last_line_and_a_failed_one_its_exit_status() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(80, 10)) as pilot:
        call = session.tool_start("bash", {"cmd": "make"})
        session.tool_output(call, "one\n10%\r20%\x1b[31m\n\n")
        app.flush()
        await pilot.pause()
        assert "make  › 20% " in app.text(pane.rows)
        session.tool_finish(call, "x", status="error", exit_status=2, seconds=3)
        app.flush()
        await pilot.pause()
        assert app.text(pane.rows).splitlines()[0].split() == ["✗", "bash", "make", "exit", "2", "3.0s"]


async def test_a_call_runs_again_from_its_row() -> None:
    session, pane, app = log_app()
    async with app.run_test(size=(80, 20)) as pilot:
        session.tool("bash", {"cmd": "make"})
        app.flush()
        pane.focus()
        await pilot.press("r")
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert session.calls == [("run_again", "bash", {"cmd": "make"}, "main")]


def test_an_index_with_a_filter_is_as_if_all_were_looked_at() -> None:
    rng = random.Random(3)
    index = ToolIndex(str)
    items = [
        ToolItem(
            f"e{n}", rng.choice(["main", "t1"]), f"c{n}", rng.choice(["bash", "read_file"]), {"cmd": f"{n} {n % 7}"}
        )
        for n in range(300)
    ]
    for text in ("", "1", "1 2", "12", "tool:ba", "status:run", "status:failed,ok 3", "agent:t1 5", ""):
        index.set_filter(parse_filter(text))
        for item in rng.sample(items, 150):
            item.state = rng.choice(["running", "ok", "error", "waiting"])
            index.take(item)
        whole = ToolIndex(str)
        whole.fill(index.items)
        whole.set_filter(parse_filter(text))
        assert list(index.shown) == list(whole.shown)
        live = {number for number, item in enumerate(index.items) if item.state in {"running", "waiting"}}
        assert index.live == live
