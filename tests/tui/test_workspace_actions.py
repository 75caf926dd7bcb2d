"""What can be done with files in the workspace's pane, by key and by mouse, and what git says of them."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pygent.git import GitTimeout
from pygent.tui.app import PygentApp
from pygent.tui.file_finder import finder_of
from pygent.tui.panes.file_tree import list_of, tree_of
from pygent.tui.panes.filter_line import FilterLine
from pygent.tui.panes.git_marks import GitMarks
from pygent.tui.panes.workspace import WorkspacePane
from pygent.tui.screens.ask import AskScreen
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.file_diff import FileDiffScreen
from pygent.tui.screens.file_preview import FilePreviewScreen
from pygent.tui.screens.menu import MenuScreen
from tests.core.test_git import git
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import shown, type_text, until


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("one = 1\n")
    (folder / "src" / "b.py").write_text("two = 2\n")
    (folder / ".env").write_text("x\n")
    (folder / "README.md").write_text("# Title\n")
    return folder


@pytest.fixture
def repo(root: Path) -> Path:
    (root / ".gitignore").write_text("*.log\n")
    git(root, "init", "-q", "-b", "trunk")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    (root / "noise.log").write_text("x")
    return root


@asynccontextmanager
async def pane_of(session: FakeSession, size: tuple[int, int] = (140, 44)) -> AsyncIterator[tuple[Any, Any, Any]]:
    app = PygentApp(session)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        await until(lambda: session.opened)
        await until(lambda: bool(app.main.query(WorkspacePane)))
        pane = app.main.query_one(WorkspacePane)
        await until(lambda: bool(pane.view.rows))
        await pilot.press("f5")
        yield app, pane, pilot


def lines(pane: WorkspacePane) -> list[str]:
    view = pane.view
    texts = (view.render_line(y).text.rstrip() for y in range(view.size.height))
    return [text for text in texts if text.strip()]


def told(app: Any) -> str:
    return "\n".join(notification.message for notification in app._notifications)


async def at(pane: WorkspacePane, pilot: Any, path: str) -> None:
    pane.reveal(path)
    await until(lambda: pane.view.current is not None and pane.view.current.path == path)
    await pilot.pause()


# What git says.


async def test_git_letters_stand_beside_the_marks_of_the_session(repo: Path) -> None:
    (repo / "src" / "a.py").write_text("changed\n")
    (repo / "new.txt").write_text("x")
    session = FakeSession(repo)
    async with pane_of(session) as (_, pane, pilot):
        await until(lambda: "trunk" in str(pane.border_subtitle))
        session.files("src/a.py")
        await until(lambda: "● 1 changed" in str(pane.border_subtitle))
        rows = {line.split()[1 if line.startswith("▸") else 0]: line.split()[-2:] for line in lines(pane)}
        assert rows["src/"] == ["●", "M"]
        assert rows["new.txt"][-1] == "?"
        assert rows["noise.log"][-1] == "!"
        assert rows["README.md"] == ["README.md"]
        (repo / "README.md").write_text("other")
        session.tool("bash")
        await until(lambda: any(line.split() == ["README.md", "M"] for line in lines(pane)))
        await at(pane, pilot, "src/a.py")
        assert any(line.split() == ["a.py", "●", "M"] for line in lines(pane))


async def test_a_status_that_takes_too_long_is_told_and_not_asked_again(repo: Path) -> None:
    class SlowSession(FakeSession):
        asked = 0

        def git_status(self, *, ignored: bool = False) -> Any:
            self.asked += 1
            raise GitTimeout("too long")

    session = SlowSession(repo)
    async with pane_of(session) as (_, pane, pilot):
        await until(lambda: "git status takes too long" in str(pane.border_subtitle))
        session.tool("bash")
        await pilot.pause(0.6)
        assert session.asked == 1
        await pilot.press("R")
        await until(lambda: session.asked == 2)


def test_a_folder_shows_the_letter_that_matters_most() -> None:
    marks = GitMarks({"a/b/x": "M", "a/y": "?", "a/b/c/z": "U", "new/": "?", "out/": "!", "n.log": "!"})
    assert [marks.of(path, is_folder=True) for path in ("a", "a/b", "a/b/c", "new", "new/inner", "out")] == list(
        "UUU??!"
    )
    assert [marks.of(path) for path in ("a/y", "a/b/x", "new/x/y", "out/z", "n.log", "other")] == [*"?M?!!", ""]
    assert set(marks.changed()) == {"a/b/x", "a/y", "a/b/c/z", "new/"}


def test_paths_as_a_tree_and_as_a_list() -> None:
    rows = tree_of(["b.txt", "a/x.py", "a/deep/y.py", "new/"], 3)
    assert [(row.kind, row.path, row.depth) for row in rows] == [
        ("folder", "a", 0),
        ("folder", "a/deep", 1),
        ("file", "a/deep/y.py", 2),
        ("file", "a/x.py", 1),
        ("folder", "new", 0),
        ("note", "", 0),
    ]
    assert [(row.name, row.about) for row in list_of(["a/x.py", "c/"])] == [("x.py", "a"), ("c", "")]


# Views.


async def test_the_filter_finds_by_letters_and_goes_back_to_the_tree(root: Path) -> None:
    async with pane_of(FakeSession(root)) as (_, pane, pilot):
        await pilot.press("slash")
        await type_text(pilot, "b.p")
        await until(lambda: [line.split() for line in lines(pane)] == [["b.py", "src"]])
        await pilot.press("enter")
        assert pane.view.has_focus
        await pilot.press("escape")
        await until(lambda: pane.view.current is not None and pane.view.current.path == "src/b.py")
        assert "▾ src/" in lines(pane)
        assert not pane.query_one(FilterLine).display
        await pilot.press("slash")
        await type_text(pilot, "zzz")
        await until(lambda: "no file has these letters" in lines(pane)[0])
        await pilot.press("escape")
        await until(lambda: "▾ src/" in lines(pane))


async def test_only_what_changed(repo: Path) -> None:
    (repo / "src" / "a.py").unlink()
    (repo / "fresh").mkdir()
    (repo / "fresh" / "x").write_text("x")
    async with pane_of(FakeSession(repo)) as (app, pane, pilot):
        await until(lambda: "trunk" in str(pane.border_subtitle))
        await pilot.press("c")
        await until(lambda: len(lines(pane)) == 3)
        assert [line.split()[:2] for line in lines(pane)] == [["▸", "fresh/"], ["▾", "src/"], ["a.py", "(deleted)"]]
        assert "only changes" in str(pane.border_subtitle)
        await pilot.press("end", "enter")
        await until(lambda: isinstance(app.screen, FileDiffScreen))
        await pilot.press("escape", "home", "enter")
        await until(lambda: any(line.split() == ["x", "?"] for line in lines(pane)))
        assert "only changes" not in str(pane.border_subtitle)


async def test_hidden_and_ignored_files_can_be_left_out(repo: Path) -> None:
    async with pane_of(FakeSession(repo)) as (_, pane, pilot):
        await until(lambda: any("noise.log" in line and "!" in line for line in lines(pane)))
        assert any(".env" in line for line in lines(pane))
        await pilot.press("full_stop")
        assert [line.split()[-1] for line in lines(pane)] == ["src/", "README.md"]
        assert "without hidden" in str(pane.border_subtitle)
        await pilot.press("full_stop")
        assert any(".env" in line for line in lines(pane))


# Doing something.


async def test_a_path_goes_into_the_prompt(root: Path) -> None:
    (root / "my notes.txt").write_text("x")
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        app.main.prompt.insert("see")
        await at(pane, pilot, "src/a.py")
        await pilot.press("i")
        await until(lambda: app.main.prompt.text == "see @src/a.py ")
        assert app.main.prompt.has_focus
        await pilot.press("f5")
        await at(pane, pilot, "my notes.txt")
        await pilot.press("at")
        await until(lambda: app.main.prompt.text == 'see @src/a.py @"my notes.txt" ')
        await pilot.press("f5")
        await at(pane, pilot, "src")
        await pilot.press("enter", "i")
        await until(lambda: app.main.prompt.text.endswith("@src/ "))


async def test_the_preview_offers_the_same(root: Path) -> None:
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "src/a.py")
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, FilePreviewScreen))
        assert "To prompt" in shown(app)
        await pilot.press("d")
        await until(lambda: isinstance(app.screen, FileDiffScreen))
        await until(lambda: "Nobody knows what this file was" in shown(app))
        await pilot.press("escape", "i")
        await until(lambda: app.main.prompt.text == "@src/a.py ")
        assert app.screen is app.main


async def test_a_new_file_and_a_new_folder(root: Path) -> None:
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "src/a.py")
        await pilot.press("n")
        await until(lambda: isinstance(app.screen, AskScreen))
        await type_text(pilot, "b.py")
        await until(lambda: "already" in shown(app))
        await pilot.press("enter")
        assert isinstance(app.screen, AskScreen)
        await pilot.press("backspace", "backspace", "backspace", "backspace")
        await type_text(pilot, "deep/new.py")
        await pilot.press("enter")
        await until((root / "src/deep/new.py").exists)
        await until(lambda: pane.view.current is not None and pane.view.current.path == "src/deep/new.py")
        await pilot.press("N")
        await until(lambda: isinstance(app.screen, AskScreen))
        await type_text(pilot, "inner")
        await pilot.press("enter")
        await until((root / "src/deep/inner").is_dir)


async def test_renaming_selects_the_name_and_is_taken_back(root: Path) -> None:
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "src/a.py")
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, AskScreen))
        await type_text(pilot, "better")
        await pilot.press("enter")
        await until((root / "src/better.py").exists)
        await until(lambda: pane.view.current is not None and pane.view.current.path == "src/better.py")
        await pilot.press("u")
        await until((root / "src/a.py").exists)
        await pilot.press("u")
        await until(lambda: "nothing to undo" in told(app))


async def test_deleting_asks_says_how_much_and_is_taken_back(root: Path) -> None:
    session = FakeSession(root)
    async with pane_of(session) as (app, pane, pilot):
        await at(pane, pilot, "src")
        await pilot.press("delete")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        assert "src/ with 2 files" in shown(app)
        await pilot.press("escape")
        assert (root / "src").exists()
        await pilot.press("delete")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("y")
        await until(lambda: not (root / "src").exists())
        await until(lambda: not any("src" in line for line in lines(pane)))
        await pilot.press("u")
        await until((root / "src/b.py").exists)
        await until(lambda: any("src" in line for line in lines(pane)))
        assert finder_of(session)._stale


async def test_the_difference_says_what_it_is_compared_with(repo: Path) -> None:
    session = FakeSession(repo)
    session._files.write_text("src/a.py", "one = 10\n")
    (repo / "src" / "b.py").write_text("two = 20\n")
    async with pane_of(session) as (app, pane, pilot):
        await until(lambda: "trunk" in str(pane.border_subtitle))
        await at(pane, pilot, "src/a.py")
        await pilot.press("d")
        await until(lambda: "since the session began" in shown(app))
        assert "one = 10" in shown(app)
        await pilot.press("escape")
        await at(pane, pilot, "src/b.py")
        await pilot.press("d")
        commit = git(repo, "rev-parse", "HEAD")[:8]
        await until(lambda: f"since the commit {commit}" in shown(app))
        await pilot.press("escape")
        await at(pane, pilot, "README.md")
        await pilot.press("d")
        await until(lambda: "It is the same as" in shown(app))


async def test_the_menu_by_key_and_by_the_right_button(root: Path) -> None:
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "README.md")
        await pilot.press("m")
        await until(lambda: isinstance(app.screen, MenuScreen))
        assert all(text in shown(app) for text in ("README.md", "Rename or move", "Filter by letters"))
        await pilot.press("y")
        await until(lambda: app.clipboard == "README.md")
        assert app.screen is app.main
        view = pane.view
        row = next(index for index, row in enumerate(view.rows) if row.path == "src")
        await pilot.click(view, offset=(3, row), button=3)
        await until(lambda: isinstance(app.screen, MenuScreen))
        menu = app.screen.query_one("#menu")
        assert app.screen.region.contains_region(menu.region)
        assert "Open in your editor" not in shown(app)
        await pilot.click(menu, offset=(3, 1))
        await until(lambda: app.screen is app.main and "src" in pane.files.folders)
        await pilot.click(view, offset=(3, row), button=3)
        await until(lambda: isinstance(app.screen, MenuScreen))
        await pilot.click(offset=(1, 1))
        await until(lambda: app.screen is app.main)


async def test_the_hints_can_be_clicked(root: Path) -> None:
    async with pane_of(FakeSession(root)) as (_, pane, pilot):
        await pilot.pause()
        await pilot.click("FileHints", offset=(4, 0))
        await until(lambda: pane.query_one(FilterLine).has_focus)


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("", "no terminal"), ("nothing-like-this-editor --wait", "no terminal")],
)
async def test_an_editor_that_cannot_be_had(root: Path, monkeypatch: Any, variable: str, expected: str) -> None:
    monkeypatch.setenv("EDITOR", variable)
    monkeypatch.delenv("VISUAL", raising=False)
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "README.md")
        await pilot.press("e")  # the pilot's terminal cannot be given away
        await until(lambda: expected in told(app))


async def test_an_editor_with_a_window_gets_the_real_path(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    program = tmp_path / "bin" / "gedit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", "gedit --new-window")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (root / "link.md").symlink_to("README.md")
    real = os.path.realpath(root)  # noqa: ASYNC240 - the test waits for it
    async with pane_of(FakeSession(root)) as (_, pane, pilot):
        await at(pane, pilot, "link.md")
        await pilot.press("e")
        await until(lambda: (tmp_path / "asked").exists() and (tmp_path / "asked").read_text() != "")
        assert (tmp_path / "asked").read_text() == f"--new-window {real}/README.md\n"


async def test_nothing_leaves_the_workspace(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("secret")
    (root / "out").symlink_to(tmp_path / "outside.txt")
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "out")
        await pilot.press("e")
        await until(lambda: "outside the workspace" in told(app))
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, AskScreen))
        for _ in range(3):
            await pilot.press("backspace")
        await type_text(pilot, "../x")
        await until(lambda: "outside the workspace" in app.screen.query_one("#ask-problem").render().plain)


async def test_names_are_shown_spelled_out(root: Path) -> None:
    (root / "evil\x1b[31m\u202e\n.txt").write_text("x")
    async with pane_of(FakeSession(root)) as (app, pane, pilot):
        await at(pane, pilot, "evil\x1b[31m\u202e\n.txt")
        assert any("evil\\x1b[31m\\u202e\\n.txt" in line for line in lines(pane))
        await pilot.press("i")
        await until(lambda: "cannot stand in a prompt" in told(app))
        await pilot.press("delete")
        await until(lambda: isinstance(app.screen, ConfirmScreen))
        assert "\x1b" not in app.screen.query_one("#question-text").render().plain
