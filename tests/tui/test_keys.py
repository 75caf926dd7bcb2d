"""Keys: found, rebound, told in the help, offered in the palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.command import CommandPalette

from pygent.tui import slash
from pygent.tui.keymap import checked, known
from pygent.tui.keys import key_name
from pygent.tui.palette import PygentCommands
from pygent.tui.panes.lines import LinesView
from pygent.tui.places import places
from pygent.tui.screens.confirm import ConfirmScreen
from tests.tui.fake_session import FakeSession, FakeSettings
from tests.tui.test_app import running, shown, until


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def source(name: str) -> str:
    return f"config.yaml:{len(name)}"


def test_every_binding_of_ours_has_an_id_of_its_own_and_says_what_it_does() -> None:
    from pygent.tui.keymap import _owners, own_bindings

    seen: dict[str, str] = {}
    for owner in _owners():
        for binding in own_bindings(owner):
            where = f"{owner.__name__}: {binding.key}"
            assert binding.id, where
            assert binding.description, where
            assert "." in binding.id, where
            assert binding.id not in seen, f"{where} and {seen[binding.id]}"
            seen[binding.id] = where
    assert len(seen) > 50
    assert set(known()) == set(seen)


def test_no_key_hides_another_by_default() -> None:
    from pygent.tui.keymap import _contexts, _keys

    meant = {
        ("layout.shorter", "prompt.queue"),  # sizes are changed from a pane; the prompt has its queue there
        ("app.help", "help.close"),
    }
    clashes = set()
    for context in _contexts():
        users: dict[str, str] = {}
        for name in sorted(context):
            for key in _keys(known()[name].binding.key):
                other = users.setdefault(key, name)
                if other != name and key != "escape":  # which ends the innermost thing there is
                    clashes.add((other, name))
    assert clashes <= meant


def test_keys_are_spelled_as_people_spell_them() -> None:
    usable, problems = checked({"pane.tasks": "Shift+Ctrl+Esc", "rows.up": "Up, K", "files.open": "?"}, source)
    assert problems == []
    assert usable == {"pane.tasks": "ctrl+shift+escape", "rows.up": "up,K", "files.open": "?"}
    assert key_name("ctrl+shift+escape,f9,K,question_mark") == "Ctrl+Shift+Esc, F9, K, ?"


@pytest.mark.parametrize(
    ("keymap", "said"),
    [
        (
            {"pane.tsks": "f9"},
            "config.yaml:9: keymap: there is no key with the id 'pane.tsks'; did you mean 'pane.tasks'",
        ),
        ({"pane.tasks": "ctrl+pageupp"}, "no key 'ctrl+pageupp'; did you mean 'pageup'?; 'f4' stays"),
        ({"pane.tasks": "banana+x"}, "no key 'banana+x'; accepted: keys such as f9, ctrl+t"),
        ({"pane.tasks": ""}, "there is no key ''"),
        ({"prompt.send": "x"}, "'x' is needed for writing; 'enter' stays"),
        ({"pane.tools": "f4"}, "pane.tools: 'f4' is the key of pane.tasks (Go to the tasks) already; 'f3' stays"),
        ({"rows.down": "escape"}, "'escape' is the key of run.interrupt"),
        ({"tool.wrap": "F1"}, "'f1' is the key of app.help"),
    ],
)
def test_what_cannot_be_used_is_told_and_the_default_stays(keymap: dict[str, str], said: str) -> None:
    usable, problems = checked(keymap, source)
    assert usable == {}
    assert len(problems) == 1
    assert said in problems[0]


def test_two_keys_can_change_places_and_other_screens_have_keys_of_their_own() -> None:
    keymap = {"pane.tools": "f4", "pane.tasks": "f3", "tool.wrap": "f12", "task.stop": "f12"}
    assert checked(keymap, source) == (keymap, [])


def test_of_two_new_keys_that_are_the_same_the_first_counts() -> None:
    usable, problems = checked({"pane.tools": "f9", "pane.tasks": "f9"}, source)
    assert usable == {"pane.tools": "f9"}
    assert "pane.tasks: 'f9' is the key of pane.tools" in problems[0]


async def test_mistakes_in_the_keymap_are_notes_with_their_lines(tmp_path: Path) -> None:
    keymap = {"rows.down": "n", "pane.tsks": "f9", "tool.wrap": "z"}
    settings = FakeSettings(workspace=tmp_path, keymap=keymap, sources={"keymap.pane.tsks": "config.yaml:7"})
    session = FakeSession(tmp_path, settings=settings)
    async with running(session) as (app, pilot):
        await until(lambda: "config.yaml:7: keymap: there is no key with the id 'pane.tsks'" in shown(app))
        session.run("x")
        session.tool("bash", {"cmd": "one"})
        session.tool("bash", {"cmd": "two"})
        await until(lambda: "two" in shown(app))
        await pilot.press("f3", "home", "n", "enter")
        await until(lambda: "Copy output" in shown(app))
        assert "z Wrap" in shown(app), "hints tell the keys as they are"


async def test_the_help_begins_with_the_focused_pane_and_is_searched_by_typing(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await pilot.press("f4", "f1")
        await pilot.pause()
        view = app.screen.query_one(LinesView)
        lines = [line.text for line in view.source.lines]
        assert lines[0] == "Tasks"
        assert "Stop the task" in "\n".join(lines[:9])
        assert any(line.endswith("tasks.stop") for line in lines)
        await pilot.press(*"trust")
        await pilot.pause()
        assert [line.text.split()[0] for line in view.source.lines if line.text][:2] == ["Slash", "/trust"]
        await pilot.press("escape")
        await pilot.pause()
        assert len(view.source.lines) == len(lines)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main
        assert app.main.panes.focused == "tasks"


async def test_the_help_of_another_screen_has_its_keys(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        await app.push_screen(ConfirmScreen("Sure?", "Really?"))
        await pilot.press("f1")
        await pilot.pause()
        text = shown(app)
        assert "confirm.yes" in text
        assert "tasks.stop" not in text
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmScreen)


async def test_every_key_of_the_main_screen_is_in_the_help_and_in_the_palette(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        actions = [action for place in places(app.main) for action in place.actions]
        entries = {entry.name: entry for entry in PygentCommands(app.main).entries()}
        for action in actions:
            found = [entry for name, entry in entries.items() if name.endswith(action.words)]
            assert found or action.id == "app.palette", action.id
        assert {f"/{command.name}" for command in slash.commands()} <= {name.split()[0] for name in entries}
        assert "Theme: pygent-light" in entries
        await pilot.press("f1")
        await pilot.pause()
        text = "\n".join(line.text for line in app.screen.query_one(LinesView).source.lines)
        assert [action.id for action in actions if action.id not in text] == []


async def test_what_the_palette_does_to_a_pane_it_does_in_that_pane(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with running(session, size=(100, 30)) as (app, pilot):
        session.run("x")
        session.task("t1", "tester")
        await until(lambda: bool(app.main.transcript.tasks))
        await pilot.press("ctrl+p")
        await until(lambda: isinstance(app.screen, CommandPalette))
        await pilot.press(*"stoptask")
        await until(lambda: "Tasks: Stop the task" in shown(app))
        await pilot.pause(0.3)
        await pilot.press("enter")
        await until(lambda: "Stop tester?" in shown(app))
        await pilot.press("y")
        await until(lambda: bool(session.called("cancel_task")))


async def test_the_keyboard_alone_reaches_every_pane_and_comes_back(tmp_path: Path) -> None:
    async with running(FakeSession(tmp_path)) as (app, pilot):
        reached = set()
        for _ in range(8):
            await pilot.press("tab")
            await pilot.pause()
            assert app.focused is not None
            reached |= {node.id for node in app.focused.ancestors_with_self}
        assert {"prompt", "conversation", "tool-log", "tasks", "workspace"} <= reached
        for key in ("f2", "f3", "f4", "f5"):
            await pilot.press(key)
            await pilot.pause()
            assert app.focused is not app.main.prompt
            await pilot.press("escape")
            await pilot.pause()
            assert app.focused is app.main.prompt
        await pilot.press("f4", "shift+tab")
        assert app.session.permission_mode == "plan", "the mode is changed from any pane"


async def test_a_theme_that_is_not_there_is_told_with_its_place(tmp_path: Path) -> None:
    settings = FakeSettings(workspace=tmp_path, theme="pygent-drak", sources={"theme": "config.yaml:3"})
    async with running(FakeSession(tmp_path, settings=settings)) as (app, _):
        said = "config.yaml:3: there is no theme 'pygent-drak'; did you mean 'pygent-dark'"
        await until(lambda: said in " ".join(shown(app).replace("│", " ").split()))
        assert app.theme == "pygent-dark"
