"""The application's life in a real terminal when things go wrong: a failure of its own, being suspended."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.e2e.test_tmux import ENDED, Start, home, launch, pytestmark, server, start, work
from tests.fakes.openai_server import reply

__all__ = ["home", "pytestmark", "server", "start", "work"]

FAILING = """
import sys
from pygent import cli
from pygent.tui import app as module

class Failing(module.PygentApp):
    def action_toggle_side(self):
        pass

    def action_help(self):
        key = self.session.settings.api_key
        raise ValueError(key)

module.PygentApp = Failing
sys.exit(cli.main(sys.argv[1:]))
"""


def sane(screen: str) -> bool:
    modes = {mode.strip(";") for mode in screen.split()}
    return {"icanon", "echo", "isig", "icrnl", "ixon"} <= modes


def test_a_failure_of_its_own_leaves_the_terminal_the_session_and_a_report(start: Start, home: Path) -> None:
    script = [reply("The first answer."), reply("The second.")]
    terminal = start("--no-docker", script=script)
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")
    (home / "failing.py").write_text(FAILING)
    terminal.run(f"clear; {sys.executable} ../failing.py --no-docker; echo {ENDED[:3]}''{ENDED[3:]} $?")
    terminal.wait("● ready")
    terminal.run("first question")
    terminal.wait("● The first answer.")
    terminal.press("F1")
    screen = terminal.wait(f"{ENDED} 1")
    assert "╭" not in screen, "the screen of the shell is back"
    assert "Pygent failed and had to stop: ValueError" in screen
    assert "test-key" not in screen
    assert "Traceback" not in screen
    (report,) = (home / ".local/share/pygent/crashes").iterdir()
    assert report.name in screen.replace("\n", "")
    assert "action_help" in report.read_text()
    assert "test-key" not in report.read_text()
    terminal.run("clear; stty -a; echo over''over")
    assert sane(terminal.wait("overover"))
    launch(terminal, "--no-docker", "--continue")
    terminal.wait("The first answer.")
    terminal.run("second question")
    terminal.wait("● The second.")
