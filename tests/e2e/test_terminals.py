"""Terminals that can little, and what a terminal is told besides its cells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import FakeOpenAI, reply
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


@pytest.mark.hostile(61)
def test_without_a_cursor_or_a_terminal_it_says_what_works_there(terminal: Terminal) -> None:
    terminal.run(PYGENT.format("TERM=dumb"))
    assert "pygent -p PROMPT" in terminal.wait("needs none").replace("\n", "")
    done = subprocess.run(
        [sys.executable, "-m", "pygent"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "standard input is no terminal; pygent -p PROMPT needs none" in done.stderr


@pytest.mark.hostile(61)
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


def test_a_stored_session_is_gone_on_with_in_the_same_application(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with FakeOpenAI() as server:
        server.replies = [reply("the first answer"), reply("the second answer"), reply("the third answer")]
        env = {
            "HOME": str(tmp_path),
            "PYTHONPATH": os.getcwd(),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": server.url,
            "PYGENT_USE_DOCKER": "0",
        }
        with Terminal(tmp_path / "work", env, (120, 36)) as terminal:
            terminal.run(f"{sys.executable} -m pygent")
            terminal.wait("● ready")
            terminal.run("one thing")
            terminal.wait("the first answer")
            terminal.wait("● ready")
            terminal.run("/new")
            terminal.wait("A new conversation begins")
            terminal.run("another thing")
            terminal.wait("the second answer")
            terminal.wait("● ready")
            terminal.run("/resume")
            terminal.wait("Type to find what was said")
            terminal.type("first")
            terminal.wait(lambda screen: "one thing" in screen and "● another thing" not in screen)
            terminal.wait("in this workspace")
            terminal.press("Enter")
            facts = "in this workspace"  # of the list, which shows the first answer, too
            terminal.wait(lambda screen: "the first answer" in screen and "● ready" in screen and facts not in screen)
            terminal.run("go on")
            terminal.wait("the third answer")
            terminal.press("C-q")
            terminal.wait("shell>")
        said = [message["content"] for message in server.requests[-1]["messages"][1:]]
        assert [text for text in said if text in {"one thing", "the first answer", "another thing", "go on"}] == [
            "one thing",
            "the first answer",
            "go on",
        ]
