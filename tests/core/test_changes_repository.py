"""The repository in a copy: git works there, and nothing comes along that could run or open a door."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.changes import repository
from pygent.changes.base import Base
from pygent.changes.repository import copy_repository
from pygent.errors import Cancelled
from pygent.events import ToolFinished
from pygent.workspace import Workspace
from tests.core.changed_trees import write
from tests.core.test_tasks_life import SECONDS, STOP, Family
from tests.fakes.models import call

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

NAMES = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *NAMES, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with history, something staged, and a configuration that runs programs."""
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    write(folder, {"a.txt": b"one\n", "sub/b.txt": b"b\n", ".gitignore": b"*.log\n"})
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    git(folder, "branch", "feature/x")
    git(folder, "tag", "v1")
    write(folder, {"a.txt": b"two\n", "new.txt": b"new\n", "x.log": b"ignored\n"})
    git(folder, "add", "a.txt")
    ran = tmp_path / "ran"
    for name, value in {
        "remote.origin.url": "https://ada:secret-token@example.org/r.git",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        "branch.feature/x.remote": "origin",
        "branch.feature/x.merge": "refs/heads/feature/x",
        "core.fsmonitor": f"touch {ran}; :",
        "core.sshCommand": f"touch {ran}",
        "core.hooksPath": "/tmp",
        "credential.helper": f"!touch {ran}",
        "alias.st": f"!touch {ran}",
        "filter.x.clean": f"touch {ran}",
        "diff.external": f"touch {ran}",
        "core.filemode": "true",
    }.items():
        git(folder, "config", name, value)
    write(folder, {".git/hooks/pre-commit": f"#!/bin/sh\ntouch {ran}\n".encode(), ".gitattributes": b"* filter=x\n"})
    (folder / ".git/hooks/pre-commit").chmod(0o755)
    return folder


def copied(source: Path, top: Path) -> tuple[Path, str]:
    root = top / "root"
    paths = git(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    (top / "ran").unlink(missing_ok=True)  # which was the listing
    Base.make(Workspace(source), [path for path in paths if path], root, top / "base").close()
    return root, copy_repository(Workspace(source), root)


def test_git_works_in_the_copy(source: Path, tmp_path: Path) -> None:
    root, said = copied(source, tmp_path)
    assert said == ""
    assert git(root, "log", "--format=%s") == "first"
    assert git(root, "branch", "--format=%(refname:short)").split() == ["feature/x", "main"]
    assert git(root, "tag") == "v1"
    assert git(root, "status", "--porcelain").splitlines() == ["M  a.txt", "?? .gitattributes", "?? new.txt"]
    git(root, "commit", "-qm", "second")
    assert git(root, "log", "--format=%s") == "second\nfirst"
    assert git(root, "fsck") == ""
    assert not (tmp_path / "ran").exists()
    assert git(source, "log", "--format=%s", "main") == "first"


def test_nothing_comes_along_that_runs_or_opens_a_door(source: Path, tmp_path: Path) -> None:
    root, _ = copied(source, tmp_path)
    config = git(root, "config", "--local", "--list").splitlines()
    names = {line.partition("=")[0] for line in config}
    assert names == {
        "core.repositoryformatversion",
        "core.bare",
        "core.filemode",
        "remote.origin.fetch",
        "branch.feature/x.remote",
        "branch.feature/x.merge",
    }
    assert sorted(os.listdir(root / ".git")) == ["HEAD", "config", "index", "info", "objects", "refs"]
    everything = b"".join(path.read_bytes() for path in (root / ".git").rglob("*") if path.is_file())
    assert b"secret-token" not in everything
    assert (root / ".git").stat().st_mode & 0o777 == 0o700


def test_objects_are_not_shared(source: Path, tmp_path: Path) -> None:
    root, _ = copied(source, tmp_path)
    for path in (root / ".git/objects").rglob("*"):
        if path.is_file():
            assert path.stat().st_nlink == 1


def test_the_repository_is_no_change(source: Path, tmp_path: Path) -> None:
    root, _ = copied(source, tmp_path)
    base = Base.open(tmp_path / "base", root)
    assert not base.changes([str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()])


def test_a_linked_work_tree(source: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(source, "config", "--unset", "core.fsmonitor")
    git(source, "config", "--unset", "core.hooksPath")
    git(source, "worktree", "add", "-q", str(linked), "feature/x")
    root, said = copied(linked, tmp_path)
    assert said == ""
    assert git(root, "rev-parse", "--abbrev-ref", "HEAD") == "feature/x"
    assert git(root, "log", "--format=%s") == "first"
    assert not (root / ".git").is_file()


def test_a_file_cannot_point_at_another_repository(source: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    write(workspace, {".git": f"gitdir: {source}/.git\n".encode(), "a.txt": b"a\n"})
    (tmp_path / "root").mkdir()
    said = copy_repository(Workspace(workspace), tmp_path / "root")
    assert said == "The git repository is not in the copy: it is kept elsewhere."
    write(workspace, {"other/HEAD": b"ref: refs/heads/main\n", "other/commondir": f"{source}/.git\n".encode()})
    (workspace / ".git").unlink()
    (workspace / "other").rename(workspace / ".git")
    said = copy_repository(Workspace(workspace), tmp_path / "root")
    assert said == "The git repository is not in the copy: it is kept elsewhere."
    assert os.listdir(tmp_path / "root") == []


def test_links_in_the_repository_are_not_followed(source: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (source / ".git/refs/heads/evil").symlink_to(tmp_path / "secret")
    (source / ".git/objects/evil").symlink_to(tmp_path)
    root, said = copied(source, tmp_path)
    assert said == ""
    assert not (root / ".git/refs/heads/evil").exists()
    assert not (root / ".git/objects/evil").exists()


def test_why_it_is_left_out(source: Path, tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    assert "it begins above the workspace" in copy_repository(Workspace(source / "sub"), root)
    write(source, {".git/objects/info/alternates": b"/elsewhere/objects\n"})
    assert "it borrows objects from another one" in copy_repository(Workspace(source), root)
    (source / ".git/objects/info/alternates").unlink()
    with (source / ".git/objects/large").open("wb") as file:
        file.truncate(repository.SIZE_LIMIT + 1)
    assert "it has more than 256 MiB" in copy_repository(Workspace(source), root)
    assert os.listdir(root) == []
    plain = tmp_path / "plain"
    plain.mkdir()
    assert copy_repository(Workspace(plain), root) == ""


def test_cancelled_it_leaves_nothing(source: Path, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    root = tmp_path / "r"
    root.mkdir()
    with pytest.raises(Cancelled):
        copy_repository(Workspace(source), root, cancel=cancel)
    assert os.listdir(root) == []


def test_a_task_can_use_git_in_its_copy(source: Path, tmp_path: Path) -> None:
    git(source, "config", "--unset", "core.fsmonitor")
    family = Family(tmp_path)
    shutil.copytree(source, family.runtime.base_dir, dirs_exist_ok=True)
    before = git(source, "rev-parse", "HEAD")
    task = family.start(
        "child",
        call(("bash", {"cmd": "git log --format=%s; git status --short; git commit -qm child"})),
        call(("write_file", {"path": "a.txt", "content": "three\n"})),
        STOP,
        workspace="copy",
    )
    assert family.tasks.wait(task, SECONDS)
    output = next(event.output for event in family.of(ToolFinished) if event.agent_id == task)
    assert "first\nM  a.txt" in output
    assert family.tasks.diff(task).paths == ("a.txt",)
    family.tasks.apply(task)
    assert git(family.runtime.base_dir, "rev-parse", "HEAD") == before
    assert git(family.runtime.base_dir, "status", "--short", "a.txt") == "MM a.txt"
    family.close()
