"""``pygent sessions undo`` and ``redo``: what a session's steps changed, taken back without a screen."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pygent import cli
from pygent.commands.sessions import open_store
from tests.core.changed_trees import snapshot
from tests.core.test_session import Watched
from tests.fakes.models import call, say

SCRIPT = [
    call(("bash", {"cmd": "rm gone.txt; echo two > a.txt"})),
    call(("write_file", {"path": "new.txt", "content": "new\n"})),
    say("done"),
]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a session has worked, two steps of it, and has ended."""
    for name in [name for name in os.environ if name.startswith(("PYGENT_", "XDG_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.txt").write_text("one\n")
    (folder / "gone.txt").write_text("was here\n")
    watched = Watched(tmp_path, SCRIPT, settings={"permission_mode": "yolo"}, store=open_store)
    watched.session.open()
    watched.say("go")
    watched.session.close()
    assert set(snapshot(folder)) == {"a.txt", "new.txt"}
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(*words: str) -> tuple[int, str, str]:
        with Path(os.devnull).open() as nobody:
            monkeypatch.setattr(sys, "stdin", nobody)
            code = cli.main(["sessions", *words])
        out, err = capfd.readouterr()
        return code, out, err

    return run


def test_steps_are_taken_back_one_by_one_and_done_again(done: Path, run: Run) -> None:
    after = snapshot(done)
    code, out, err = run("undo", "--yes")
    assert (code, err) == (0, "")
    assert "D new.txt" in out
    assert out.endswith("Undone: 1 file (new.txt).\n")
    code, out, _ = run("undo", "-y")
    assert code == 0
    assert "# rm gone.txt; echo two > a.txt" in out
    assert "  -two\n  +one\n" in out
    assert (done / "gone.txt").read_text() == "was here\n"
    assert (done / "a.txt").read_text() == "one\n"
    code, _, err = run("undo", "--yes")
    assert code == 1
    assert "There is nothing to undo" in err
    for _ in range(2):
        assert run("redo", "--yes")[0] == 0
    assert snapshot(done) == after


def test_several_steps_at_once_leave_alone_what_was_changed_by_hand(done: Path, run: Run) -> None:
    (done / "a.txt").write_text("by hand\n")
    code, _, err = run("undo", "--steps", "2", "--yes")
    assert code == 1
    assert "Left alone: a.txt: it was changed since, by somebody else." in err
    assert {path.name: path.read_text() for path in done.iterdir()} == {
        "a.txt": "by hand\n",
        "gone.txt": "was here\n",
    }


def test_where_nobody_can_answer_it_is_only_shown(done: Path, run: Run) -> None:
    before = snapshot(done)
    code, out, err = run("undo")
    assert code == 3
    assert "D new.txt" in out
    assert "--yes does it" in err
    assert snapshot(done) == before


@pytest.mark.parametrize("answer", ["y", ""])
def test_a_person_is_asked(done: Path, answer: str) -> None:
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "pygent", "sessions", "undo"],
            stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        os.write(ours, f"{answer}\n".encode())
        out, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == 0, err
    assert "Undo this? [y/N]" in err
    assert (done / "new.txt").exists() == ("Undone" not in out) == (answer != "y")


def test_what_cannot_be_is_said_in_words(done: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run("undo", "--steps", "0")
    assert code == 2
    assert "is no number of steps" in err
    assert run("undo", "0000")[0] == 1
    listed = run("list")[1]
    monkeypatch.chdir(done.parent)
    assert "no session is stored for" in run("undo")[2]
    done.rename(done.with_name("elsewhere"))
    code, _, err = run("undo", listed.split()[0], "--yes")
    assert code == 1
    assert "is not there any more" in err
