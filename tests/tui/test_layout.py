"""The panes: sizes by key and by mouse, one alone, some hidden, all of it remembered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot

from pygent.settings import data_dir
from pygent.tui.app import PygentApp
from pygent.tui.screens.arrangement import Arrangement, read_arrangement
from pygent.tui.screens.help import HelpScreen
from pygent.tui.widgets.tabs import PaneTabs
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import running, shown, type_text, until

SIDE = ("tool-log", "tasks", "workspace")


def sizes(app: PygentApp) -> dict[str, tuple[int, int]]:
    """Width and height of each pane that can be seen."""
    panes = app.main.panes
    seen = [pane for pane in (panes.conversation, *panes.beside) if pane.display and pane.region]
    return {str(pane.id): tuple(pane.outer_size) for pane in seen}  # type: ignore[misc]


async def drag(pilot: Pilot[int], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.pause(0.06)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


def test_what_is_kept_is_understood_again(tmp_path: Path) -> None:
    liked = Arrangement(
        side=333, heights={"tool-log": 9, "tasks": 20, "workspace": 7}, hidden={"tasks"}, tab="workspace"
    )
    assert Arrangement.parse(liked.text()) == liked
    assert Arrangement.parse('{"side": 300}') == Arrangement(side=300)
    for text in ("", "{}", "[]", '{"side": 5}', '{"side": "x"}', '{"tab": 7}', "\0" * 50, '{"side": 300', "x" * 9000):
        assert Arrangement.parse(text) is None, text


async def test_keys_change_the_sizes_within_limits(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        first = sizes(app)
        assert first["conversation"][0] == 84
        await pilot.press("alt+right")
        await pilot.pause()
        assert sizes(app)["conversation"][0] == 88
        await pilot.press(*["alt+right"] * 12)
        await pilot.pause()
        assert sizes(app)["tasks"][0] == 24
        await pilot.press(*["alt+left"] * 40)
        await pilot.pause()
        assert sizes(app)["conversation"][0] == 32
        await pilot.press("f4", "alt+down")
        await pilot.pause()
        assert sizes(app)["tasks"][1] == first["tasks"][1] + 2
        assert sizes(app)["workspace"][1] == first["workspace"][1] - 2
        assert sizes(app)["tool-log"][1] == first["tool-log"][1]
        await pilot.press("f5", *["alt+down"] * 30)
        await pilot.pause()
        assert sizes(app)["tasks"][1] == 4


async def test_borders_are_dragged_with_the_mouse(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        before = sizes(app)
        x = app.main.panes.side.region.x
        await pilot.hover(offset=(x, 10))
        assert app.main.styles.pointer == "ew-resize"
        await drag(pilot, (x, 10), (x - 20, 12))
        assert sizes(app)["conversation"][0] == before["conversation"][0] - 20
        y = app.main.query_one("#tasks").region.y
        await pilot.hover(offset=(x + 5, y))
        assert app.main.styles.pointer == "ns-resize"
        await drag(pilot, (x + 5, y), (x + 5, y + 3))
        assert sizes(app)["tool-log"][1] == before["tool-log"][1] + 3
        assert sizes(app)["tasks"][1] == before["tasks"][1] - 3
        assert app.main.get_selected_text() in {None, ""}
        assert app.mouse_captured is None
        await pilot.hover(offset=(x - 40, 10))
        assert app.main.styles.pointer == "default"


async def test_one_pane_has_all_the_room_and_gives_it_back(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        before = sizes(app)
        await pilot.press("f5", "f7")
        await pilot.pause()
        assert list(sizes(app)) == ["workspace"]
        assert sizes(app)["workspace"][0] == 140
        assert "F7 all panes" in shown(app)
        await pilot.press("f7")
        await pilot.pause()
        assert sizes(app) == before
        title = app.main.query_one("#tasks").region
        await pilot.click(offset=(title.x + 4, title.y), times=2)
        await pilot.pause()
        assert list(sizes(app)) == ["tasks"]
        await pilot.press("f3")
        await pilot.pause()
        assert sizes(app) == before, "another pane that is asked for is shown beside the others"
        await pilot.press("f2", "f7")
        await pilot.pause()
        assert list(sizes(app)) == ["conversation"]
        bar = app.main.query_one("#top-tabs")
        await pilot.click(offset=Offset(bar.region.x + shown(app).splitlines()[0].index("all panes"), 0))
        await pilot.pause()
        assert sizes(app) == before


async def test_panes_are_hidden_and_come_back_with_their_keys(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await pilot.press("f4", "shift+f6")
        await pilot.pause()
        assert list(sizes(app)) == ["conversation", "tool-log", "workspace"]
        assert app.focused is app.main.prompt
        await pilot.press("shift+f6")
        await pilot.pause()
        assert [notification.message for notification in app._notifications][-1].startswith("The conversation stays.")
        await pilot.press("f3", "shift+f6", "f5", "shift+f6")
        await pilot.pause()
        assert list(sizes(app)) == ["conversation"]
        await pilot.press("f4")
        await pilot.pause()
        assert list(sizes(app)) == ["conversation", "tasks"]
        await pilot.press("f6")
        await pilot.pause()
        assert list(sizes(app)) == ["conversation"]
        await pilot.press("f6")
        await pilot.pause()
        assert list(sizes(app)) == ["conversation", "tasks"]
        app.main.submit("/layout reset")
        await pilot.pause()
        assert len(sizes(app)) == 4


async def test_the_layout_is_remembered_privately(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await pilot.press("alt+left", "f4", "alt+down", "f3", "shift+f6")
        await pilot.pause()
        liked = sizes(app)
    kept = data_dir() / "layout.json"
    assert kept.stat().st_mode & 0o077 == 0
    async with running(FakeSession(tmp_path)) as (app, pilot):
        assert sizes(app) == liked
        app.main.submit("/layout wide")
        await until(lambda: read_arrangement()[0].side == 250, 3)
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert sizes(app)["conversation"][0] == 75


@pytest.mark.parametrize("damage", ["", "nonsense", '{"side": 99999}', "folder"])
async def test_a_damaged_file_is_told_and_replaced(tmp_path: Path, damage: str) -> None:
    kept = data_dir() / "layout.json"
    kept.parent.mkdir(parents=True)
    if damage == "folder":
        kept.mkdir()
        (kept / "x").touch()
    else:
        kept.write_text(damage)
    async with running(FakeSession(tmp_path)) as (app, pilot):
        assert sizes(app)["conversation"][0] == 84
        await until(lambda: "layout.json" in shown(app).replace("\n", "") or "cannot be understood" in shown(app))
        await pilot.pause()
    if damage != "folder":
        assert read_arrangement() == (Arrangement(), "")
    else:
        assert os.listdir(kept) == ["x"]


async def test_tabs_fit_and_say_what_goes_on(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(80, 24)) as (app, pilot):
        tabs = app.main.query_one("#tabs", PaneTabs)
        assert tabs.render().plain == "F3 Tools  F4 Tasks  F5 Files"
        session.run("x")
        session.tool_start("bash", {"cmd": "one"})
        session.task("t1", "tester")
        session.files(*(f"file{number}" for number in range(12)))
        await until(lambda: "12" in tabs.render().plain)
        assert tabs.render().plain == "Tools 1  Tasks 1  Files 12"
        await pilot.resize_terminal(120, 30)
        await pilot.pause()
        assert tabs.render().plain == "F3 Tool calls 1   F4 Tasks 1   F5 Workspace 12"
        await pilot.resize_terminal(60, 24)
        await pilot.pause()
        top = app.main.query_one("#top-tabs", PaneTabs)
        assert "Chat" in top.render().plain
        assert top.render().cell_length <= 58
        await pilot.resize_terminal(140, 40)
        await pilot.pause()
        assert not tabs.display


@pytest.mark.hostile(61)
async def test_a_terminal_that_is_too_small_says_so_and_everything_goes_on(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, pilot):
        session.run("x")
        await until(lambda: app.main.transcript.main.running)
        await type_text(pilot, "draft")
        await pilot.press("f1")
        await pilot.resize_terminal(38, 8)
        await until(lambda: "Too small: 38x8, needs 40x10" in shown(app))
        await pilot.press("a", "f3", "f1", "ctrl+p", "enter", "shift+tab")
        await pilot.resize_terminal(39, 30)
        await until(lambda: "Too small: 39x30" in shown(app))
        session.say("It goes on beneath.")
        await pilot.press("escape")
        await until(lambda: bool(session.called("interrupt")))
        await pilot.resize_terminal(100, 30)
        await until(lambda: isinstance(app.screen, HelpScreen))
        await pilot.press("escape")
        await until(lambda: "It goes on beneath." in shown(app))
        assert app.main.prompt.text == "draft"
        assert session.prompts == []
        assert not session.called("set_permission_mode")
        await pilot.resize_terminal(1, 1)
        await pilot.press("ctrl+q")
        await until(lambda: session.closed)


@pytest.mark.hostile(61)
async def test_a_start_in_a_terminal_that_is_too_small(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path), size=(20, 5)) as (app, pilot):
        await until(lambda: "Too small" in shown(app))
        await pilot.resize_terminal(80, 24)
        await until(lambda: "Ask for something" in shown(app))
        assert app.focused is app.main.prompt
