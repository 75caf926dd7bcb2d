"""Terminals that can little, and what a terminal is told besides its cells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

PYGENT = f"env -u COLORTERM {{}} {sys.executable} -m pygent --demo"


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "work").mkdir()
    env = {"HOME": str(tmp_path), "PYTHONPATH": os.getcwd()}
    with Terminal(tmp_path / "work", env, (100, 30)) as made:
        yield made


def drawn(terminal: Terminal) -> str:
    """The screen with its colours."""
    return terminal._tmux("capture-pane", "-p", "-e")


def test_without_a_cursor_or_a_terminal_it_says_what_works_there(terminal: Terminal) -> None:
    terminal.run(PYGENT.format("TERM=dumb"))
    assert "pygent -p PROMPT" in terminal.wait("needs none").replace("\n", "")
    done = subprocess.run(
        [sys.executable, "-m", "pygent"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input is no terminal; pygent -p PROMPT needs none" in done.stderr


def test_few_colours_and_no_utf_8_still_show_everything(terminal: Terminal) -> None:
    encoding = "LANG=C LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"
    terminal.run(PYGENT.format(f"TERM=xterm {encoding}"))
    screen = terminal.wait("* ready")
    assert screen.isascii()
    assert "+- Conversation" in screen
    colours = drawn(terminal)
    assert "\x1b[38;" not in colours
    assert "\x1b[48;" not in colours
    assert "\x1b[94m" in colours


def test_the_title_tells_workspace_and_state_and_is_given_back(terminal: Terminal) -> None:
    def title() -> str:
        return terminal._tmux("display-message", "-p", "#{pane_title}").strip()

    before = title()
    terminal.run(PYGENT.format("A=b"))
    terminal.wait(lambda _: title().endswith("✓ done"))
    assert title().startswith("pygent · ")
    terminal.press("C-q")
    terminal.wait(lambda _: title() == before)
