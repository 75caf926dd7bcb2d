"""git asked about a workspace: what it answers, and that nothing that a repository names is run (hostile.md, 44)."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from pygent.file_list import list_files
from pygent.git import GitError, GitTimeout, Repository, read_status
from pygent.workspace import Workspace


def git(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        **{f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    for name in ("src/a.py", "src/b.py", "src/gone.py", "old name.txt", "README.md"):
        (folder / name).write_text(f"{name}\n" * 5)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


def status(folder: Path, *, ignored: bool = False) -> dict[str, str]:
    found = Repository.find(folder)
    assert found is not None
    return read_status(found, ignored=ignored).changes


def files(folder: Path) -> set[str]:
    return set(list_files(Workspace(folder)))


def test_a_letter_for_each_change(repo: Path) -> None:
    assert status(repo) == {}
    (repo / "src/a.py").write_text("changed\n")
    (repo / "src/gone.py").unlink()
    git(repo, "mv", "old name.txt", "new name.txt")
    (repo / "added.py").write_text("x")
    git(repo, "add", "added.py")
    (repo / "fresh").mkdir()
    (repo / "fresh" / "x.py").write_text("x")
    (repo / ".gitignore").write_text("*.log\nbuild/\n")
    (repo / "build").mkdir()
    (repo / "build" / "o").write_text("x")
    (repo / "a.log").write_text("x")
    expected = {
        "src/a.py": "M",
        "src/gone.py": "D",
        "new name.txt": "R",
        "added.py": "A",
        "fresh/": "?",
        ".gitignore": "?",
    }
    assert status(repo) == expected
    assert status(repo, ignored=True) == {**expected, "a.log": "!", "build/": "!"}
    assert status(repo / "src") == {"a.py": "M", "gone.py": "D"}


def test_names_are_told_as_they_are(repo: Path) -> None:
    (repo / "new\nline \x1b[31m\u202e.txt").write_text("x")
    (repo / os.fsdecode(b"byte\xff")).write_text("x")
    assert set(status(repo)) == {"new\nline \x1b[31m\u202e.txt", "byte\udcff"}
    assert {"new\nline \x1b[31m\u202e.txt", "byte\udcff"} <= files(repo)


def test_a_conflict(repo: Path) -> None:
    git(repo, "checkout", "-qb", "other")
    (repo / "README.md").write_text("theirs\n")
    git(repo, "commit", "-qam", "theirs")
    git(repo, "checkout", "-q", "main")
    (repo / "README.md").write_text("ours\n")
    git(repo, "commit", "-qam", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "other")
    assert status(repo) == {"README.md": "U"}


def test_the_branch_and_how_far_it_is_from_its_upstream(repo: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(repo), str(clone))
    (repo / "README.md").write_text("x")
    git(repo, "commit", "-qam", "two")
    for text in ("y", "z"):
        (clone / "src/a.py").write_text(text)
        git(clone, "commit", "-qam", text)
    git(clone, "fetch", "-q")
    found = Repository.find(clone)
    assert found is not None
    answer = read_status(found)
    assert (answer.branch, answer.ahead, answer.behind) == ("main", 2, 1)
    assert answer.commit == git(clone, "rev-parse", "HEAD").strip()
    git(clone, "checkout", "-q", "--detach")
    detached = read_status(found)
    assert (detached.branch, detached.ahead) == ("", None)
    empty = tmp_path / "empty"
    git(tmp_path, "init", "-q", "-b", "trunk", str(empty))
    begun = Repository.find(empty)
    assert begun is not None
    assert (read_status(begun).branch, read_status(begun).commit) == ("trunk", "")


def test_a_linked_work_tree(repo: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    git(repo, "worktree", "add", "-q", "-b", "side", str(tree))
    (tree / "src/a.py").write_text("x")
    found = Repository.find(tree)
    assert found is not None
    assert read_status(found).branch == "side"
    assert status(tree) == {"src/a.py": "M"}


def test_what_was_committed(repo: Path) -> None:
    found = Repository.find(repo / "src")
    assert found is not None
    (repo / "src/a.py").write_text("changed\n")
    assert found.committed("a.py", most=1000) == b"src/a.py\n" * 5
    assert found.committed("a.py", most=10) is None
    assert found.committed("nothing.py", most=1000) is None


def test_no_repository_no_answer(tmp_path: Path) -> None:
    assert Repository.find(tmp_path) is None
    (tmp_path / ".git").write_text("gitdir: /nonexistent\n")
    assert Repository.find(tmp_path) is None
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").mkdir()
    assert Repository.find(tmp_path) is None


def test_a_broken_repository_is_told(repo: Path) -> None:
    (repo / ".git" / "index").write_bytes(b"nonsense" * 10)
    found = Repository.find(repo)
    assert found is not None
    with pytest.raises(GitError):
        read_status(found)
    assert "src/a.py" in files(repo)  # by walking


def test_it_does_not_wait_for_ever(repo: Path) -> None:
    (repo / ".git" / "index").unlink()
    os.mkfifo(repo / ".git" / "index")
    found = Repository.find(repo)
    assert found is not None
    began = time.monotonic()
    with pytest.raises(GitTimeout):
        read_status(found, seconds=0.3)
    assert time.monotonic() - began < 3


@pytest.mark.hostile(44)
def test_nothing_that_a_repository_names_is_run(repo: Path, tmp_path: Path) -> None:
    mark = tmp_path / "was-run"
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat\n")
    program.chmod(0o755)
    (repo / ".gitattributes").write_text("*.py filter=evil diff=evil merge=evil\n")
    (repo / ".git" / "info" / "attributes").write_text("*.md filter=evil2\n")
    for name in ("post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout"):
        hook = repo / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(program.read_text())
        hook.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f'[core]\n\tfsmonitor = "{program}"\n')
    with (repo / ".git" / "config").open("a") as file:
        file.write(
            f'[core]\n\tfsmonitor = "{program}"\n\thooksPath = .git/hooks\n\tpager = {program}\n'
            f"\tsshCommand = {program}\n\teditor = {program}\n\tworktree = /tmp\n\tgitProxy = {program}\n"
            f"[include]\n\tpath = {included}\n[extensions]\n\tpartialClone = origin\n"
            f'[filter "evil"]\n\tclean = {program}\n\tsmudge = {program}\n\tprocess = {program}\n\trequired = true\n'
            f'[filter "evil2"]\n\tclean = {program}\n\trequired = true\n'
            f'[diff "evil"]\n\ttextconv = {program}\n\tcommand = {program}\n[diff]\n\texternal = {program}\n'
            f'[alias]\n\tstatus = "!{program}"\n\tls-files = "!{program}"\n\tcat-file = "!{program}"\n'
            f'[remote "origin"]\n\turl = ext::{program}\n\tpromisor = true\n\tuploadpack = {program}\n'
            f'[uploadpack]\n\tpackObjectsHook = {program}\n[credential]\n\thelper = "!{program}"\n'
            f"[gpg]\n\tprogram = {program}\n[log]\n\tshowSignature = true\n"
        )
    for name in ("src/a.py", "src/b.py", "README.md"):  # the same size: git has to look inside
        text = (repo / name).read_text()
        (repo / name).write_text(text[::-1])
    found = Repository.find(repo)
    assert found is not None
    changes = read_status(found, ignored=True).changes
    assert changes["src/a.py"] == changes["README.md"] == "M"
    assert "src/a.py" in files(repo)
    assert found.committed("src/a.py", most=1000) == b"src/a.py\n" * 5
    assert not mark.exists()
    git(tmp_path, "--version")
    subprocess.run(["git", "status"], cwd=repo, capture_output=True, check=False)
    assert mark.exists()  # the trap works where git is asked without care


@pytest.mark.hostile(44)
def test_a_submodule_is_listed_and_its_configuration_is_not_read(repo: Path, tmp_path: Path) -> None:
    outer, mark = tmp_path / "outer", tmp_path / "was-run"
    git(tmp_path, "init", "-q", str(outer))
    git(outer, "submodule", "--quiet", "add", str(repo), "lib")
    git(outer, "commit", "-qm", "one")
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\necho ran >> {mark}\n")
    program.chmod(0o755)
    git(outer / "lib", "config", "core.fsmonitor", str(program))
    mark.unlink(missing_ok=True)
    (outer / "lib" / "src/a.py").write_text("x")
    status(outer)
    assert not mark.exists()
    assert {"lib/src/a.py", ".gitmodules"} <= files(outer)


# The list of files.


def test_git_says_which_files_there_are(repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log\n!keep.log\n/build/\n")
    (repo / "src" / ".gitignore").write_text("b.*\nnew_*\n")
    (repo / ".git" / "info" / "exclude").write_text("private\n")
    (repo / "build").mkdir()
    for name in ("build/o", "a.log", "keep.log", "private", "src/new_1", "src/c.py"):
        (repo / name).write_text("x")
    (repo / "src/gone.py").unlink()
    (repo / "out").symlink_to("/etc")
    (repo / "own").mkdir()
    git(repo, "init", "-q", "own")
    (repo / "own" / "inner.py").write_text("x")
    expected = {"src/a.py", "src/b.py", "src/c.py", "old name.txt", "README.md", ".gitignore", "src/.gitignore"}
    assert files(repo) == expected | {"keep.log", "out", "own/inner.py"}
    assert files(repo / "src") == {"a.py", "b.py", "c.py", ".gitignore"}


def test_without_git_the_ignore_files_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    (folder / "src" / "build").mkdir(parents=True)
    (folder / "node_modules").mkdir()
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "src" / ".gitignore").write_text("build/\n")
    for name in ("a.py", "a.log", "src/b.py", "src/build/o", "node_modules/x.js"):
        (folder / name).write_text("x")
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to(".")
    assert files(folder) == {"a.py", "src/b.py", ".gitignore", "src/.gitignore", "up", "loop"}
