"""The application in a real terminal when things go wrong: failures of its own (hostile 60), being suspended."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from pygent.events import RunFinished
from pygent.store import Store
from tests.e2e.test_tmux import ENDED, Start, home, launch, pytestmark, running, server, sleeper, start, work
from tests.fakes.openai_server import reply
from tests.fakes.terminal import until

__all__ = ["home", "pytestmark", "server", "start", "work"]

FAILING = """
import os
import signal
import sys
import time
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


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.hostile(60)
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


def test_ctrl_z_goes_to_the_shell_and_fg_comes_back(start: Start) -> None:
    script = [reply("The first answer."), reply("The second.")]
    terminal = start("--no-docker", script=script)
    terminal.run("first question")
    terminal.wait("● The first answer.")
    terminal.type("a draft")
    terminal.wait("a draft")
    for _ in range(2):
        terminal.press("C-z")
        terminal.wait("topped")
        terminal.run("clear; stty -a; echo over''over")
        assert sane(terminal.wait("overover"))
        terminal.run("clear; fg")
        screen = terminal.wait(lambda screen: "● The first answer." in screen and "● ready" in screen)
        assert "a draft" in screen
    terminal.press("C-z")
    terminal.wait("topped")
    terminal.run("clear; bg; echo in the back''ground")
    terminal.wait("background")
    time.sleep(1)
    terminal.run("clear; jobs")
    terminal.wait("topped")
    terminal.run("clear; fg")
    terminal.wait(lambda screen: "a draft" in screen and "● ready" in screen)
    terminal.resize(120, 36)
    terminal.run(" goes on")
    terminal.wait("● The second.")
    terminal.press("C-q")
    terminal.wait(lambda screen: "╭" not in screen and "shell>" in screen)


def test_what_runs_goes_on_after_a_stop_longer_than_its_time_limit(start: Start) -> None:
    call = reply(tool_calls=[("bash", {"cmd": "sleep 4; echo slept well", "timeout": 5})])
    terminal = start("--no-docker", "--permission-mode", "yolo", "--step-timeout", "8", script=[call, reply("Over.")])
    terminal.run("sleep")
    terminal.wait("sleep 4")
    terminal.press("C-z")
    terminal.wait("topped")
    time.sleep(9)
    terminal.run("clear; fg")
    screen = terminal.wait("● Over.")
    assert "slept well" in screen
    assert "time limit" not in screen


def test_an_editor_is_suspended_with_the_application_it_was_opened_from(start: Start, home: Path) -> None:
    editor = home / "editor"
    editor.write_text('#!/bin/sh\necho in the editor\nread line\necho "$line" > "$1"\n')
    editor.chmod(0o755)
    terminal = start("--no-docker", env={"EDITOR": str(editor), "OPENAI_API_KEY": "test-key"})
    terminal.press("C-g")
    terminal.wait("in the editor")
    terminal.press("C-z")
    terminal.wait("topped")
    terminal.run("clear; fg")
    terminal.run("written there")
    terminal.wait(lambda screen: "│ written there" in screen and "● ready" in screen)


def test_stopped_and_continued_from_outside(start: Start) -> None:
    terminal = start("--no-docker", script=[reply("The first answer.")])
    pid = terminal.pygent()
    os.kill(pid, signal.SIGCONT)
    os.kill(pid, signal.SIGTSTP)
    terminal.wait("topped")
    terminal.run("clear; fg")
    terminal.wait("● ready")
    os.kill(pid, signal.SIGSTOP)  # of which nobody can tell the terminal: it stays as it was
    terminal.wait("topped")
    terminal.type("fg")
    terminal.press("C-j")
    until(lambda: not stopped(pid), 10)
    terminal.run("first question")  # before the screen is drawn anew: nothing typed is lost
    screen = terminal.wait("● The first answer.")
    assert screen.count("first question") == 1
    for width in [*range(139, 60, -4), *range(60, 141, 4)]:
        terminal.resize(width, 42)
    terminal.wait(lambda screen: "─ Tasks ─" in screen and "● The first answer." in screen)
    terminal.press("C-q")
    terminal.wait(lambda screen: "╭" not in screen and "shell>" in screen)


def test_a_settings_file_with_mistakes_does_not_keep_anybody_out(start: Start, home: Path) -> None:
    folder = home / ".config/pygent"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("theme: [x]\ndeny: {a: b}\npermission_mode: yolo\n")
    terminal = start("--no-docker", script=[reply("The first answer.")])
    screen = terminal.wait("asks before everything")
    assert "config.yaml:1: theme: a list cannot be used; accepted: text" in " ".join(screen.split())
    assert " ask · LOCAL" in screen.splitlines()[-1]
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")
    launch(terminal, "-p", "hi", ready=f"{ENDED} 2")


@pytest.mark.hostile(60)
def test_a_failure_in_the_middle_of_a_command_ends_that_too(start: Start, home: Path) -> None:
    command = sleeper()
    script = [reply(tool_calls=[("bash", {"cmd": command, "timeout": 60})])]
    terminal = start("--no-docker", script=script)
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")
    (home / "failing.py").write_text(FAILING)
    options = "--no-docker --permission-mode yolo"
    terminal.run(f"clear; {sys.executable} ../failing.py {options}; echo {ENDED[:3]}''{ENDED[3:]} $?")
    terminal.wait("● ready")
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    begun = time.monotonic()
    terminal.press("F1")
    terminal.wait(f"{ENDED} 1")
    assert time.monotonic() - begun < 6
    assert not running(command)
    with contextlib.closing(Store(home / ".local/share/pygent/sessions.db")) as store:
        events = [event for session in store.sessions() for event in store.events(session.id)]
    assert [event.reason for event in events if isinstance(event, RunFinished)] == ["cancelled"]
