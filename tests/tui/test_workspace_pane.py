"""The workspace pane: lazily listed, following the disk, marking what changed, previewing safely."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pygent.tui.panes.file_tree import BATCH, FileTree, with_parents
from pygent.tui.panes.file_tree_view import FileTreeView
from pygent.tui.panes.lines import LinesView
from pygent.tui.panes.listing import changed_folders, list_folder
from pygent.tui.panes.preview import load_preview
from pygent.tui.panes.workspace import WorkspacePane
from pygent.tui.screens.file_preview import FilePreviewScreen
from tests.tui.fake_session import FakeSession
from tests.tui.pane_app import PaneApp, until


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "src" / "a.py").write_text("def f():\n    return 1  # one\n")
    (folder / "src" / "deep" / "b.py").write_text("x = 1\n")
    (folder / "README.md").write_text("# Title\n")
    return folder


def pane_app(root: Path) -> tuple[FakeSession, WorkspacePane, PaneApp]:
    session, pane = FakeSession(root), WorkspacePane(id="workspace")
    return session, pane, PaneApp(session, pane)


def tree_text(app: PaneApp) -> list[str]:
    return [line for line in app.text(app.query_one(FileTreeView)).splitlines() if line.strip()]


async def test_folders_are_read_when_they_are_opened(root: Path) -> None:
    _, pane, app = pane_app(root)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: tree_text(app) == ["▸ src/", "  README.md"])
        assert set(pane.files.folders) == {""}
        pane.focus()
        await pilot.press("home", "right")
        await until(pilot, lambda: tree_text(app) == ["▾ src/", "  ▸ deep/", "    a.py", "  README.md"])
        assert set(pane.files.folders) == {"", "src"}
        await pilot.press("down", "enter", "down", "left")
        await until(pilot, lambda: "    ▾ deep/" not in tree_text(app) and "  ▾ deep/" in tree_text(app))
        await pilot.press("home", "left")
        assert tree_text(app) == ["▸ src/", "  README.md"]
        assert set(pane.files.folders) == {""}


async def test_an_empty_workspace_teaches(tmp_path: Path) -> None:
    _, _, app = pane_app(tmp_path)
    async with app.run_test(size=(40, 20)) as pilot:
        await until(pilot, lambda: any("Nothing here yet." in line for line in tree_text(app)))


async def test_a_workspace_that_is_not_there_says_so(tmp_path: Path) -> None:
    _, _, app = pane_app(tmp_path / "gone")
    async with app.run_test(size=(60, 12)) as pilot:
        await until(pilot, lambda: "cannot be read" in "".join(tree_text(app)))


async def test_the_mouse_opens_folders_and_files(root: Path) -> None:
    _, _, app = pane_app(root)
    async with app.run_test(size=(60, 12)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        view = app.query_one(FileTreeView)
        await pilot.click(view, offset=(2, 0))
        await pilot.click(view, offset=(2, 0))
        await until(pilot, lambda: "    a.py" in tree_text(app))
        await pilot.click(view, offset=(6, 2))
        await pilot.click(view, offset=(6, 2))
        await until(pilot, lambda: isinstance(app.screen, FilePreviewScreen))


async def test_what_the_session_changed_is_marked_up_to_the_root(root: Path) -> None:
    session, pane, app = pane_app(root)
    async with app.run_test(size=(40, 12)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        session.files("src/a.py")
        app.flush()
        await pilot.pause()
        assert tree_text(app)[0].split() == ["▸", "src/", "●"]
        assert pane.border_subtitle == "● 1 changed"
        assert tree_text(app)[1].split() == ["README.md"]


async def test_the_disk_is_followed_after_tools_and_by_itself(root: Path) -> None:
    session, pane, app = pane_app(root)
    async with app.run_test(size=(40, 14)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        pane.focus()
        await pilot.press("end")
        (root / "AAA.txt").write_text("new")
        session.tool("bash", {"cmd": "touch AAA.txt"})
        app.flush()
        await until(pilot, lambda: "  AAA.txt" in tree_text(app), seconds=1.9)
        view = app.query_one(FileTreeView)
        assert view.current is not None
        assert view.current.path == "README.md"
        (root / "AAA.txt").unlink()
        (root / "src").rename(root / "lib")
        await until(pilot, lambda: tree_text(app) == ["▸ lib/", "  README.md"], seconds=6)


async def test_an_open_folder_that_goes_takes_its_rows_with_it(root: Path) -> None:
    session, pane, app = pane_app(root)
    async with app.run_test(size=(40, 14)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        pane.focus()
        await pilot.press("home", "right")
        await until(pilot, lambda: "    a.py" in tree_text(app))
        await pilot.press("down", "down")
        (root / "src").rename(root / "zzz")
        session.tool("bash")
        app.flush()
        await until(pilot, lambda: tree_text(app) == ["▸ zzz/", "  README.md"])
        assert app.query_one(FileTreeView).current is not None


async def test_a_folder_of_fifty_thousand_files_is_shown_in_batches(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(50_000):
        os.close(os.open(folder / f"f{number:05}", os.O_CREAT | os.O_WRONLY))
    _, pane, app = pane_app(tmp_path)
    async with app.run_test(size=(40, 14)) as pilot:
        await until(pilot, lambda: tree_text(app) == ["▸ many/"])
        pane.focus()
        began = time.perf_counter()
        await pilot.press("home", "enter")
        view = app.query_one(FileTreeView)
        await until(pilot, lambda: len(view.rows) == BATCH + 2)
        assert time.perf_counter() - began < 3
        await pilot.press("end")
        assert tree_text(app)[-1].strip() == "… 49,800 more"
        await pilot.press("enter")
        await pilot.pause()
        assert len(view.rows) == BATCH * 6 + 2
        assert view.cursor == len(view.rows) - 1 or view.rows[view.cursor].kind == "more"
        assert len(list(app.query("*"))) < 10


@pytest.mark.hostile(56, 57)
@pytest.mark.parametrize("name", ["[foo]", "[red]x[b]", "new\nline", "esc\x1b[31mred", "bidi\u202eexe"])
async def test_a_hostile_name_is_shown_and_never_obeyed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("[/foo] \x1b]0;title\x07 [red]x")
    session, pane, app = pane_app(tmp_path)
    async with app.run_test(size=(70, 30)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        assert len(tree_text(app)) == 1
        session.files(name)
        app.flush()
        pane.focus()
        await pilot.press("enter")
        await until(pilot, lambda: "[/foo]" in app.text())
        assert "[red]x" in app.text()
        assert "\x1b" not in app.text()
        assert "\u202e" not in app.text()


async def test_a_name_that_is_no_text_is_shown(tmp_path: Path) -> None:
    os.close(os.open(bytes(tmp_path) + b"/caf\xe9", os.O_CREAT | os.O_WRONLY))
    _, _, app = pane_app(tmp_path)
    async with app.run_test(size=(40, 10)) as pilot:
        await until(pilot, lambda: tree_text(app) == ["  caf\\xe9"])


async def test_the_file_under_the_cursor_is_previewed_where_there_is_room(root: Path) -> None:
    _, pane, app = pane_app(root)
    async with app.run_test(size=(60, 30)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        pane.focus()
        await pilot.press("home", "end")
        preview = pane.query_one("#preview", LinesView)
        await until(pilot, lambda: preview.display and "# Title" in app.text(preview))
        (root / "README.md").write_text("# Other\n")
        await until(pilot, lambda: "# Other" in app.text(preview), seconds=6)
        await pilot.press("home")
        await until(pilot, lambda: not preview.display)


async def test_a_file_is_shown_large(root: Path) -> None:
    _, pane, app = pane_app(root)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.query_one(FileTreeView).rows)
        pane.focus()
        await pilot.press("end", "enter")
        await until(pilot, lambda: "# Title" in app.text())
        await pilot.press("c")
        assert app.clipboard == "# Title\n"
        (root / "README.md").write_text("# Again\n")
        await pilot.press("r")
        await until(pilot, lambda: "# Again" in app.text())
        await pilot.press("p")
        assert app.clipboard == "README.md"
        await pilot.press("escape")
        assert not isinstance(app.screen, FilePreviewScreen)


# The parts that know no screen.


@pytest.mark.hostile(3)
def test_a_listing_never_leaves_the_workspace(root: Path) -> None:
    (root / "out").symlink_to(root.parent)
    (root / "src" / "up").symlink_to("..")
    entries = {entry.name: entry.kind for entry in list_folder(root, "").first(9)}
    assert entries == {"src": "folder", "out": "link", "README.md": "file"}
    for path in ("out", "src/up", "src/up/src"):
        with pytest.raises(OSError):
            list_folder(root, path)


def test_an_empty_folder_that_only_a_sandbox_wants_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "src" / ".pygent").mkdir(parents=True)
    (tmp_path / ".pygent").mkdir()
    assert list_folder(tmp_path, "").names == ["src"]
    assert list_folder(tmp_path, "src").names == [".pygent"]
    (tmp_path / ".pygent" / "config.yaml").touch()
    assert list_folder(tmp_path, "").names == [".pygent", "src"]


def test_a_change_in_the_same_tick_is_seen(root: Path) -> None:
    (root / "new").write_text("")
    listing = list_folder(root, "")
    assert changed_folders(root, {"": listing.stamp}) == [""]
    time.sleep(0.15)
    settled = list_folder(root, "")
    assert changed_folders(root, {"": settled.stamp}) == []
    assert changed_folders(root, {"gone": settled.stamp}) == ["gone"]


def test_the_tree_knows_its_rows(root: Path) -> None:
    tree = FileTree()
    assert tree.rows() == []
    tree.filled("", list_folder(root, ""))
    tree.open("src")
    tree.filled("src", None, "cannot be read: Permission denied")
    assert [(row.kind, row.depth) for row in tree.rows()] == [("folder", 0), ("note", 1), ("file", 0)]
    tree.close("src")
    tree.filled("src", list_folder(root, "src"))
    assert [row.name for row in tree.rows()] == ["src", "README.md"]
    assert with_parents(["a/b/c", "d"]) == {"a/b/c", "a/b", "a", "d"}


@pytest.mark.parametrize(
    ("data", "first", "about"),
    [
        (b"", "Empty file", ""),
        (b"\0\1\2", "Binary file", "3 B"),
        (b"\x89PNG\r\n\x1a\n\0", "Binary file", "9 B"),
        (b"\xef\xbb\xbfhi\r\nyou\r\n", "hi", "2 lines · 12 B"),
        ("hi".encode("utf-16"), "hi", "1 line · 6 B"),
        (b"caf\xe9 and more text", "caf\ufffd and more text", "1 line · 18 B"),
        (bytes(range(128, 255)), "Binary file", "127 B"),
        (b"a\x1b[31m\tb", "a\\x1b[31m  b", "1 line · 8 B"),
    ],
)
def test_a_preview_shows_text_and_names_what_is_none(data: bytes, first: str, about: str) -> None:
    preview = load_preview(lambda _, most: (data[:most], len(data)), "x.txt")
    assert preview.lines[0].text == first
    assert about in preview.about


def test_a_preview_is_bounded_and_cuts_no_character() -> None:
    preview = load_preview(lambda _, most: (("é".encode() * 1000)[:most], 2000), "x.txt", most=101)
    assert preview.lines[0].text == "é" * 50
    assert "the first 101 B" in preview.lines[-1].text


def test_a_preview_has_the_colours_of_its_language() -> None:
    preview = load_preview(lambda _, __: (b'"""a\nb"""\ndef f():\n    return 1\n', 33), "x.py")
    roles = [{preview.lines[n].text[a:b]: role for a, b, role in preview.lines[n].spans} for n in range(4)]
    assert roles[0] == {'"""a': "success"}
    assert roles[1] == {'b"""': "success"}
    assert roles[2] == {"def": "primary", "f": "accent"}
    assert roles[3] == {"return": "primary", "1": "warning"}


def test_what_cannot_be_read_is_told() -> None:
    def read(path: str, most: int) -> tuple[bytes, int]:
        raise PermissionError(13, "Permission denied", path)

    preview = load_preview(read, "x")
    assert preview.lines[0].text == "Cannot be shown"
    assert "Permission denied" in preview.lines[1].text


async def test_the_cursor_stays_in_sight_when_the_preview_takes_its_room(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"file{number:02}.txt").write_text("text\n")
    _, pane, app = pane_app(tmp_path)
    async with app.run_test(size=(50, 30)) as pilot:
        view = app.query_one(FileTreeView)
        await until(pilot, lambda: view.rows)
        pane.focus()
        await pilot.press("end")
        await until(pilot, lambda: pane.query_one("#preview").display)
        await pilot.pause()
        assert "file39.txt" in app.text(view)


def test_of_a_file_of_any_size_only_the_beginning_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.log").open("wb") as file:
        file.write(b"first line\n")
        file.truncate(1 << 40)
    preview = load_preview(FakeSession(tmp_path).read_start, "huge.log", most=8)
    assert preview.lines[0].text == "first li"
    assert "1024.0 GiB" in preview.lines[-1].text
