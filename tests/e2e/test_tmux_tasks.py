"""Tasks in a real terminal: killed in the middle, there again at the next start, reviewed with keys."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from pygent.tasks.place import places
from tests.e2e.test_lost_tasks import answer, sleepers
from tests.e2e.test_tmux import ENDED, Start, home, pytestmark, server, start, work
from tests.fakes.terminal import until

__all__ = ["home", "pytestmark", "server", "start", "work"]


def test_tasks_of_a_killed_application_are_reviewed_at_the_next_start(start: Start, home: Path, work: Path) -> None:
    (work / "shared.txt").write_text("zero\n")
    terminal = start("--no-docker", "--permission-mode", "yolo", script=answer)
    terminal.run("delegate")
    folder = home / ".local/share/pygent/tasks"
    until(lambda: len([*folder.glob("*/workspace/one.txt"), *folder.glob("*/workspace/two.txt")]) == 2, 20)
    os.kill(terminal.pygent(), signal.SIGKILL)
    until(lambda: not sleepers(), 5)

    terminal = start("--no-docker", script=answer)
    screen = terminal.wait(lambda screen: "they are lost" in screen and screen.count("◇ 2 files to review") == 4)
    assert "⊘ task · developer  one" in screen
    terminal.press("F4")
    terminal.wait("d review")
    terminal.press("d")
    screen = terminal.wait(lambda screen: "⊘ lost ─" in screen and "[ ] A " in screen)
    chosen, other = ("one", "two") if "A one.txt" in screen else ("two", "one")
    assert (work / "shared.txt").read_text() == "zero\n"
    terminal.press("a")
    terminal.wait("Wrote 2 files")
    assert (work / "shared.txt").read_text() == f"zero\n{chosen}\n"
    assert (work / f"{chosen}.txt").read_text() == f"{chosen}\n"
    terminal.press("u")
    terminal.wait(f"A {chosen}.txt")
    assert [path.name for path in work.iterdir()] == ["shared.txt"]
    assert (work / "shared.txt").read_text() == "zero\n"
    terminal.press("a")
    terminal.wait("Wrote 2 files")
    terminal.press("Escape")
    terminal.wait("applied")
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")
    (left,) = places(folder)  # the other one still waits
    assert (left / "workspace" / f"{other}.txt").exists()
