"""``pygent tasks``: what tasks left is listed, shown as a patch, applied, taken back and given up."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pygent import cli
from pygent.changes.base import Base
from pygent.file_list import list_files
from pygent.tasks.place import Place, Record
from pygent.workspace import Workspace

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.py").write_text("one\ntwo\nthree\n")
    (folder / "old name.txt").write_text("it has\nsome lines\nto be known by\n")
    (folder / "gone").write_text("no end of line")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "image").write_bytes(b"\0\1\2")
    return folder


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["tasks", *words])
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def leave(parent: Path, task_id: str = "3f2a91c0", do: Callable[[Path], object] | None = None) -> Place:
    """What a killed Pygent leaves: a task that did ``do`` in its copy of ``parent``."""
    record = Record(id=task_id, parent=str(parent), persona="tester", prompt="write tests", workspace="copy")
    place = Place.make(parent.parent / "data" / "pygent" / "tasks", record)
    source = Workspace(parent)
    Base.make(source, list_files(source), place.workspace, place.base).close()
    (do or edit)(place.workspace)
    place.close()
    return place


def edit(folder: Path) -> None:
    (folder / "src" / "a.py").write_text("one\nTWO\nthree\n")
    (folder / "old name.txt").rename(folder / "neu ü.txt")
    (folder / "gone").unlink()
    (folder / "run.sh").chmod(0o755)
    (folder / "new").mkdir()
    (folder / "new" / 'with "quotes"\n.txt').write_text("fresh, without an end")
    (folder / "image").write_bytes(b"\0\3\4")


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode & 0o777) for path in found}


def test_lost_work_is_reviewed_and_applied_without_a_screen(parent: Path, run: Run) -> None:
    before = tree(parent)
    place = leave(parent)
    code, out, _ = run()
    assert code == 0
    assert out.startswith("3f2a91c0  lost")
    code, out, _ = run("show", "3f2a")
    assert code == 0
    assert "write tests" in out
    assert "R neu ü.txt\n" in out
    assert "D gone\n" in out

    code, _, err = run("apply", "3f2a", "src/a.py", "nowhere")
    assert (code, tree(parent)) == (1, before)
    assert "did not change 'nowhere'" in err
    code, out, _ = run("apply", "3f2a", "./src/a.py")
    assert (code, out) == (0, "applied src/a.py\n")
    assert tree(parent) == {**before, "src/a.py": (b"one\nTWO\nthree\n", before["src/a.py"][1])}
    code, out, _ = run("apply", "3f2a")
    assert code == 0
    assert tree(parent) == tree(place.workspace)
    assert run("apply", "3f2a") == (0, "Nothing to apply.\n", "")
    assert "applied" in run("list")[1]

    assert run("undo", "3f2a")[0] == 0
    assert run("undo", "3f2a")[1] == "as before: src/a.py\n"
    assert tree(parent) == before
    code, _, err = run("undo", "3f2a")
    assert code == 1
    assert "nothing of this task was applied" in err


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_patch_is_one_that_git_applies(parent: Path, run: Run, tmp_path: Path) -> None:
    place = leave(parent)
    (place.workspace / "image").write_bytes((parent / "image").read_bytes())  # a patch cannot hold this one
    copy = tmp_path / "copy"
    shutil.copytree(parent, copy)
    code, out, _ = run("diff", "3f2a")
    assert code == 0
    subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
    subprocess.run(["git", "apply", "-"], cwd=copy, input=out.encode(), check=True)
    assert tree(copy) == tree(place.workspace)
    one = run("diff", "3f2a", "src/a.py")[1]
    assert one.count("diff --git") == 1
    assert "-two\n+TWO\n" in one


def test_what_cannot_be_merged_is_named_and_left_alone(parent: Path, run: Run) -> None:
    leave(parent)
    (parent / "src" / "a.py").write_text("one\n2\nthree\n")
    code, out, err = run("apply", "3f2a", "src/a.py")
    assert code == 1
    assert "src/a.py was left as it is" in err
    assert (parent / "src" / "a.py").read_text() == "one\n2\nthree\n"
    code, out, _ = run("apply", "3f2a", "src/a.py", "--markers")
    assert (code, out) == (0, "applied src/a.py (with conflict markers)\n")
    assert "<<<<<<<" in (parent / "src" / "a.py").read_text()
    assert run("undo", "3f2a")[0] == 0
    assert (parent / "src" / "a.py").read_text() == "one\n2\nthree\n"
    assert run("apply", "3f2a", "src/a.py", "--theirs")[0] == 0
    assert (parent / "src" / "a.py").read_text() == "one\nTWO\nthree\n"


def test_given_up_can_be_taken_back(parent: Path, run: Run) -> None:
    before = tree(parent)
    place = leave(parent)
    code, out, _ = run("discard", "3f2a")
    assert code == 0
    assert out.startswith("discarded 6 changed files")
    assert run("apply", "3f2a") == (0, "Nothing to apply.\n", "")
    assert tree(parent) == before
    assert run("undo", "3f2a")[0] == 0
    assert run("apply", "3f2a")[0] == 0
    assert tree(parent) == tree(place.workspace)


def test_a_task_that_somebody_has_open_is_only_shown(parent: Path, run: Run) -> None:
    leave(parent)
    held = Place.take(parent.parent / "data" / "pygent" / "tasks" / "3f2a91c0")
    assert held is not None
    assert run("list")[0] == run("show", "3f")[0] == 0
    for command in ("diff", "apply", "discard", "undo"):
        code, out, err = run(command, "3f")
        assert (code, out) == (1, "")
        assert "open in another Pygent" in err
    held.close()
    os.rename(parent, parent.with_name("moved"))
    assert run("show", "3f")[0] == 0
    code, _, err = run("diff", "3f")
    assert code == 1
    assert "is not there any more" in err


def test_words_that_mean_nothing_are_refused(parent: Path, run: Run) -> None:
    assert run() == (0, "No tasks.\n", "")
    assert run("--help")[0] == 0
    for words in (
        ("shwo", "x"),
        ("show",),
        ("apply",),
        ("apply", "x", "--mine"),
        ("list", "--theirs"),
        ("undo", "a", "b"),
    ):
        code, _, err = run(*words)
        assert code == 2
        assert "usage: pygent tasks" in err
    code, _, err = run("show", "abc")
    assert code == 1
    assert "no task's id begins with 'abc'" in err
