"""What a person does with files: confined, never over something, taken back; and what files were before."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from pygent import moving
from pygent.agent import Agent
from pygent.baseline import FILE_LIMIT, Baseline
from pygent.errors import WorkspaceError
from pygent.file_actions import Contents, FileActions
from pygent.runtime import Runtime
from pygent.session import Session
from pygent.settings import Settings
from pygent.trash import Trash, Trashed
from pygent.workspace import Workspace
from tests.core.test_git import git


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "ws"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("a\n")
    (folder / "README.md").write_text("read me\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("")
    return folder


@pytest.fixture
def actions(root: Path, tmp_path: Path) -> FileActions:
    return FileActions(Workspace(root), tmp_path / "data" / "trash")


def test_files_and_folders_are_made(root: Path, actions: FileActions) -> None:
    assert actions.make_file("new/deep/x.py") == "new/deep/x.py"
    assert (root / "new/deep/x.py").read_bytes() == b""
    assert actions.make_folder("empty/") == "empty"
    assert (root / "empty").is_dir()


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "empty"),
        (".", "the workspace itself"),
        ("../x", "outside"),
        ("/etc/x", "outside"),
        ("~/x", "outside"),
        ("a/../../x", "outside"),
        (".git/hooks/pre-commit", "git"),
        (".GIT/x", "git"),
        ("sub/.git", "git"),
        (".g\u200dit/x", "git"),
        ("a\0b", "NUL"),
        ("a\nb", "cannot be seen"),
        ("a\u202eb", "cannot be seen"),
        ("x" * 256, "too long"),
        (" a", "blank"),
        ("a /b", "blank"),
        ("README.md", "already"),
        ("src", "already"),
        ("README.md/x", "no folder"),
    ],
)
def test_names_that_cannot_be_are_told(root: Path, actions: FileActions, path: str, problem: str) -> None:
    assert problem in actions.problem(path)
    for make in (actions.make_file, actions.make_folder):
        with pytest.raises(WorkspaceError):
            make(path)
    with pytest.raises(WorkspaceError):
        actions.rename("src/a.py", path)
    assert (root / "src/a.py").read_text() == "a\n"


def test_a_good_name_has_no_problem(actions: FileActions) -> None:
    assert actions.problem("src/new name.py") == ""
    assert actions.problem("one/two/three.py") == ""


def test_renaming_and_taking_it_back(root: Path, actions: FileActions) -> None:
    assert actions.rename("src/a.py", "lib/b.py") == "lib/b.py"
    assert (root / "lib/b.py").read_text() == "a\n"
    assert actions.rename("lib", "core") == "core"
    assert actions.undo() == "core is lib again"
    assert (root / "lib/b.py").exists()
    assert actions.undo() == "lib/b.py is src/a.py again"
    assert (root / "src/a.py").read_text() == "a\n"
    with pytest.raises(WorkspaceError, match="nothing to undo"):
        actions.undo()


def test_renaming_never_replaces(root: Path, actions: FileActions) -> None:
    (root / "empty").mkdir()
    (root / "dangling").symlink_to("nowhere")
    for taken in ("README.md", "dangling", "empty"):
        with pytest.raises(WorkspaceError, match="already"):
            actions.rename("src/a.py", taken)
    with pytest.raises(WorkspaceError, match="already"):
        actions.rename("src", "empty")
    with pytest.raises(WorkspaceError, match="itself"):
        actions.rename("src", "src/inner")
    with pytest.raises(WorkspaceError, match="does not exist"):
        actions.rename("nothing", "made/x")
    assert not (root / "made").exists()
    assert (root / "README.md").read_text() == "read me\n"


def test_renaming_without_the_system_call_does_not_replace_either(root: Path) -> None:
    with Workspace(root).parent("x") as (folder, _):
        with pytest.raises(FileExistsError):
            moving._checked_rename(folder, "README.md", folder, "src")
        moving._checked_rename(folder, "README.md", folder, "NOTES.md")
    assert (root / "NOTES.md").exists()


def test_deleting_and_taking_it_back(root: Path, actions: FileActions) -> None:
    (root / "src" / "run").write_text("#!/bin/sh\n")
    (root / "src" / "run").chmod(0o755)
    (root / "src" / "link").symlink_to("a.py")
    assert actions.contents("src") == Contents("folder", 3, 0)
    assert actions.contents("src/link") == Contents("link")
    assert actions.contents("README.md") == Contents("file")
    actions.delete("README.md")
    actions.delete("src")
    assert sorted(os.listdir(root)) == [".git"]
    assert actions.undo() == "src is back"
    assert (root / "src" / "run").stat().st_mode & 0o777 == 0o755
    assert os.readlink(root / "src" / "link") == "a.py"
    (root / "README.md").write_text("another")
    with pytest.raises(WorkspaceError, match="another"):
        actions.undo()
    (root / "README.md").unlink()
    assert actions.undo() == "README.md is back"
    assert (root / "README.md").read_text() == "read me\n"


@pytest.mark.parametrize("path", [".", ".git", ".git/config", "../other", "/etc/hostname", "out/x", "src/../.git"])
def test_what_cannot_be_deleted(root: Path, actions: FileActions, tmp_path: Path, path: str) -> None:
    (tmp_path / "other").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("x")
    (root / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WorkspaceError):
        actions.delete(path)
    with pytest.raises(WorkspaceError):
        actions.rename(path, "stolen")
    assert (tmp_path / "elsewhere" / "x").exists()
    assert (tmp_path / "other").exists()
    assert (root / ".git" / "config").exists()


@pytest.mark.hostile(3)
def test_a_link_is_deleted_not_what_it_leads_to(root: Path, actions: FileActions, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("x")
    (root / "out").symlink_to(outside)
    for make in (lambda: actions.make_file("out/y"), lambda: actions.rename("README.md", "out/y")):
        with pytest.raises(WorkspaceError):
            make()
    actions.delete("out")
    assert sorted(os.listdir(outside)) == ["x"]
    assert not os.path.lexists(root / "out")
    actions.undo()
    assert (root / "out").is_symlink()


@pytest.mark.hostile(4)
def test_a_folder_that_is_swapped_for_a_link_lets_nothing_out(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("outside\n")
    workspace, over = Workspace(root), threading.Event()

    def swap() -> None:
        while not over.is_set():
            os.rename(root / "src", root / "kept")
            with contextlib.suppress(FileExistsError):  # an undo was quicker
                os.symlink(outside, root / "src")
                os.unlink(root / "src")
            while (root / "kept").exists():
                try:
                    os.rename(root / "kept", root / "src")
                except OSError:  # an undo has made the folder anew meanwhile
                    with contextlib.suppress(OSError):
                        (root / "src" / "a.py").replace(root / "kept" / "a.py")

    thread = threading.Thread(target=swap)
    thread.start()
    done = 0
    try:
        actions = FileActions(workspace, tmp_path / "data")
        for _ in range(300):
            try:
                actions.delete("src/a.py")
                actions.undo()
                done += 1
            except (WorkspaceError, OSError):
                continue
    finally:
        over.set()
        thread.join()
    assert (outside / "a.py").read_text() == "outside\n"
    assert os.listdir(outside) == ["a.py"]


def test_another_disk(root: Path, tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == root.stat().st_dev:
        pytest.skip("there is one disk only")
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(dir=other))
    try:
        actions = FileActions(Workspace(root), folder / "trash")
        (root / "src" / "link").symlink_to("a.py")
        (root / "src" / "a.py").chmod(0o640)
        actions.delete("src")
        assert not (root / "src").exists()
        actions.undo()
        assert (root / "src" / "a.py").read_text() == "a\n"
        assert (root / "src" / "a.py").stat().st_mode & 0o777 == 0o640
        assert os.readlink(root / "src" / "link") == "a.py"
    finally:
        shutil.rmtree(folder)


def test_the_trash_is_private_and_forgets(root: Path, tmp_path: Path) -> None:
    trash = Trash(tmp_path / "data" / "trash")
    old = trash.folder / "1000-abcd"
    old.mkdir(parents=True)
    workspace = Workspace(root)
    trashed = trash.put(workspace, "README.md")
    assert not old.exists()
    assert trashed.place.stat().st_mode & 0o077 == 0
    assert (trashed.place / "origin").read_text() == f"{root}\nREADME.md\n"
    with pytest.raises(WorkspaceError, match="not in the trash"):
        trash.restore(workspace, Trashed("x", tmp_path / "gone"))


# What files were.


def test_what_a_file_was_before_it_was_changed(root: Path) -> None:
    workspace = Workspace(root)
    baseline = Baseline(workspace)
    workspace.before_change = baseline.remember
    workspace.write_text("src/a.py", "changed\n")
    workspace.write_text("src/a.py", "again\n")
    workspace.write_text("new.py", "x")
    workspace.delete("README.md")
    for path, data in (("src/a.py", b"a\n"), ("new.py", None), ("README.md", b"read me\n")):
        original = baseline.original(path)
        assert (original.data, original.origin) == (data, "session")
    assert baseline.original("never.py").origin == "unknown"
    (root / "link").symlink_to("src/a.py")
    assert baseline.original("link").data == b"a\n"
    (root / "large").write_bytes(b"x" * (FILE_LIMIT + 1))
    workspace.write_text("large", "small")
    assert baseline.original("large").origin == "unknown"
    assert workspace.read_text("large") == "small"
    baseline.close()
    assert baseline.original("src/a.py").origin == "unknown"


def test_what_a_command_changed_is_as_it_was_committed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    session = Session(
        Settings(use_docker=False, workspace=tmp_path), agent=Agent(Runtime(workspace=tmp_path, use_docker=False))
    )
    session.open()
    try:
        status = session.git_status()
        assert status is not None
        (tmp_path / "a.py").write_text("two\n")
        git(tmp_path, "commit", "-qam", "two")
        original = session.original("a.py")
        assert (original.data, original.origin, original.commit) == (b"one\n", "commit", commit)
        assert session.agent is not None
        session.agent.runtime.write_file("b.py", "x")
        session.agent.runtime.write_file("a.py", "three\n")
        assert session.original("b.py").origin == "session"
        assert session.original("a.py").data == b"two\n"
        assert session.real_path("a.py") == (tmp_path / "a.py").resolve()
        assert "already" in session.name_problem("a.py")
    finally:
        session.close()
