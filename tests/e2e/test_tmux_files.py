"""The workspace's pane in a real terminal, with a real editor's life and real tools."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.core.test_git import git
from tests.e2e.test_tmux import Start, home, pytestmark, server, start, work
from tests.fakes.openai_server import reply

__all__ = ["home", "pytestmark", "server", "start", "work"]


def test_a_file_is_edited_compared_deleted_and_brought_back(start: Start, home: Path, work: Path) -> None:
    git(work, "init", "-q", "-b", "trunk")
    (work / "a.py").write_text("one = 1\n")
    git(work, "add", ".")
    git(work, "commit", "-qm", "one")
    editor = home / "my-editor"
    editor.write_text('#!/bin/sh\nprintf "editing %s with %s, Enter: " "$2" "$1"\nread x\necho "two = 2" >> "$2"\n')
    editor.chmod(0o755)
    terminal = start("--no-docker", "--permission-mode", "auto", script=[reply("Done.")])
    terminal.press("C-q")
    terminal.wait("ended with 0")
    terminal.run(f"export EDITOR='{editor} -x'; clear; {sys.executable} -m pygent --no-docker")
    terminal.wait("● ready")
    terminal.press("F5")
    terminal.wait("trunk")
    terminal.press("e")
    terminal.wait(f"editing {work}/a.py with -x")
    terminal.press("Enter")
    terminal.wait(lambda screen: "● ready" in screen and "a.py" in screen)
    assert (work / "a.py").read_text() == "one = 1\ntwo = 2\n"
    terminal.press("d")
    terminal.wait(lambda screen: "since the commit" in screen and "two = 2" in screen)
    terminal.press("Escape")
    terminal.press("DC")
    terminal.wait("Delete this file?")
    terminal.press("y")
    terminal.wait("Deleted a.py")
    assert not (work / "a.py").exists()
    terminal.press("u")
    terminal.wait("a.py is back")
    assert (work / "a.py").read_text() == "one = 1\ntwo = 2\n"
