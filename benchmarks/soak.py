"""`python -m benchmarks.soak [--seconds N]`: an hour's work in ten minutes, in the real application.

Answers, tool calls with output, approvals, delegation, interrupts, resizes, panes, screens and themes, over and over.
At the end memory, objects, threads and file descriptors have to be what they were after the first rounds, nothing may
have warned, and nothing that was started may be left. The exit code says so.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.live import Live, NotShownError
from benchmarks.scenes import home, model_server
from tests.fakes.terminal import Processes

RATE = 600
"""Tokens a second."""

WARM_UP = 0.25
"""The part of the time after which everything has been loaded and used."""

GROWTH = 24.0
"""MiB that a quarter of an hour's rounds may add: what was said, kept to be read again."""

OBJECTS = 500
"""Objects of one of our types, or of Textual's, that a round may leave behind: a conversation's items are fewer."""

BOUNDED = ("textual.cache.", "textual.strip.")
"""Types that fill caches of a fixed size."""

TOLERANCE = 4
"""Threads and descriptors that may come and go."""

THEMES = ("pygent-light", "pygent-dark")
ASKED, READY = "1 Allow once", "● ready"


@dataclass
class Sample:
    """What the process holds between two rounds."""

    rounds: int
    memory: float
    threads: int
    descriptors: int
    objects: dict[str, int] = field(default_factory=dict)


class Day:
    """Work, round after round."""

    def __init__(self, live: Live, folder: Path) -> None:
        self.live = live
        self.rounds = 0
        self._folder = folder
        self.seen = Processes()

    def round(self) -> None:
        """One of everything."""
        number = str(self.rounds)
        for ask in ("say", "run", "write", "share"):
            self.prompt(f"{ask} {number}")
        self.interrupted(f"talk {number}")
        self.interrupted(f"wait {number}")
        self.look_around()
        self.rounds += 1

    def prompt(self, text: str) -> None:
        """Ask for something and allow what it needs, until nothing goes on."""
        self._type(text)
        self.live.see(f"over-{text.replace(' ', '-')}\\.|{ASKED}")
        self._settle()

    def interrupted(self, text: str) -> None:
        """Ask for something and end it before it is done."""
        self._type(text)
        self.live.see(r"\A(?![\s\S]*● ready)")
        if text.startswith("wait"):
            self.live.see(ASKED)
            self._allow()
        self.live.read_on(0.7)
        self.seen |= Processes.below(self.live.process.pid)
        self.live.press("\x1b")
        self.live.read_on(0.3)  # or what is typed next makes another key of it
        self._settle()

    def _type(self, text: str) -> None:
        self.live.press(text)
        self.live.see(re.escape(text))
        self.live.press("\r")

    def _settle(self) -> None:
        while self.live.see(f"{ASKED}|{READY}") == ASKED:
            self._allow()
        self.live.read_on(0.2)

    def _allow(self) -> None:
        """Answer what is asked, once keys count."""
        self.live.read_on(0.7)
        before = self.live.picture.text
        self.live.press("1")
        until = time.monotonic() + 3
        while self.live.picture.text == before and time.monotonic() < until:
            self.live.read_on(0.1)
        self.live.read_on(0.3)

    def look_around(self) -> None:
        """Through panes, screens, sizes and themes."""
        f1, f2, f3, f4, f5, f6 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS", "\x1b[15~", "\x1b[17~"
        keys = [
            f3,
            "\r",
            "\x1b",
            f4,
            "\r",
            "\x1b",
            f5,
            f6,
            f6,
            f2,
            "\x1b[5~",
            "\x1b[H",
            "\x1b[F",
            f1,
            "\x1b",
            "\x10",
            "\x1b",
        ]
        for key in keys:
            self.live.press(key)
            self.live.read_on(0.12)
        for columns, rows in ((90, 30), (60, 20), (200, 50), (140, 42)):
            self.live.resize(columns, rows)
            os.killpg(self.live.process.pid, signal.SIGWINCH)
            self.live.read_on(0.2)
        for _ in range(3):  # back to the prompt
            self.live.press("\x1b")
            self.live.read_on(0.3)
        for theme in THEMES:
            self.live.press(f"/theme {theme}\r")
            self.live.read_on(0.3)

    def sample(self, *, objects: bool = False) -> Sample:
        """As it is now, nothing going on."""
        pid = self.live.process.pid
        self.seen |= Processes.below(pid)
        counted = self._count() if objects else {}
        threads = len(os.listdir(f"/proc/{pid}/task"))
        return Sample(self.rounds, self.live.memory(), threads, len(os.listdir(f"/proc/{pid}/fd")), counted)

    def _count(self) -> dict[str, int]:
        file = self._folder / "objects"
        with contextlib.suppress(OSError):
            file.unlink()
        os.kill(self.live.process.pid, signal.SIGUSR1)
        until = time.monotonic() + 20
        while not file.exists() and time.monotonic() < until:
            self.live.read_on(0.05)
        return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


def verdicts(first: Sample, last: Sample, problems: str, left: list[str], code: int | None) -> list[str]:
    """What is wrong, one a line; nothing where all is well."""
    rounds = max(1, last.rounds - first.rounds)
    out = []
    if last.memory - first.memory > GROWTH:
        out.append(f"memory grew by {last.memory - first.memory:.1f} MiB in {rounds} rounds (at most {GROWTH:g})")
    for name in ("threads", "descriptors"):
        before, after = getattr(first, name), getattr(last, name)
        if after - before > TOLERANCE:
            out.append(f"{name}: {before} after the warm-up, {after} at the end")
    out += [f"objects: {line}" for line in grown(first, last, OBJECTS) if _ours(line.rpartition(" ")[2])]
    if problems:
        out.append(f"problems were told:\n{problems}")
    if left:
        out.append(f"processes are left: {left}")
    if code != 0:
        out.append(f"the exit code is {code}")
    return out


def grown(first: Sample, last: Sample, least: float = 1) -> list[str]:
    """The types of which there are more now: how many more a round, the most first."""
    rounds = max(1, last.rounds - first.rounds)
    more = {kind: (count - first.objects.get(kind, 0)) / rounds for kind, count in last.objects.items()}
    most = sorted(more.items(), key=lambda item: -item[1])
    return [f"{count:.0f} more a round of {kind}" for kind, count in most if count >= least]


def _ours(kind: str) -> bool:
    return kind.startswith(("pygent.", "textual.")) and not kind.startswith(BOUNDED)


def soak(seconds: float, say: Callable[[str], object] = print) -> bool:
    """Work for that long; answers whether all was well."""
    modes = {"PYGENT_PERMISSION_MODE": "ask", "PYGENT_MAX_TASKS": "8"}
    with model_server("works", RATE) as url, home(url, **modes) as (env, work):
        folder = Path(env["HOME"])
        command = [sys.executable, "-W", "always", "-m", "benchmarks.soak_app", str(folder)]
        with Live(command, env, work) as live:
            day, code = Day(live, folder), None
            _ = live.picture
            try:
                first, last = _work(day, seconds, say)
                code = leave(live)
            except NotShownError as error:
                problems = folder / "problems"
                say(f"stuck in round {day.rounds}: {error}")
                say(
                    f"problems were told:\n{problems.read_text('utf-8')}"
                    if problems.exists()
                    else "no problem was told"
                )
                return False
        problems = (folder / "problems").read_text("utf-8") if (folder / "problems").exists() else ""
        time.sleep(0.5)
        wrong = verdicts(first, last, problems, list(day.seen.alive().lines().values()), code)
    say(f"{last.memory:.0f} MiB at the end, {first.memory:.0f} MiB after the warm-up, without garbage")
    for line in grown(first, last)[:12]:
        say(f"  {line}")
    for line in wrong:
        say(f"WRONG: {line}")
    say("all is well" if not wrong else f"{len(wrong)} wrong")
    return not wrong


def _work(day: Day, seconds: float, say: Callable[[str], object]) -> tuple[Sample, Sample]:
    day.live.see(READY)
    began = time.monotonic()
    first: Sample | None = None
    while first is None or time.monotonic() < began + seconds:
        day.round()
        warm = time.monotonic() > began + seconds * WARM_UP
        sample = day.sample(objects=first is None and warm)
        said = f"{sample.memory:.0f} MiB, {sample.threads} threads, {sample.descriptors} descriptors"
        say(f"round {sample.rounds}, {time.monotonic() - began:.0f} s: {said}")
        if first is None and warm:
            first = sample
    if first.rounds == day.rounds:  # a short one: there has to be something to compare with
        day.round()
    return first, day.sample(objects=True)


def leave(live: Live) -> int | None:
    """Quit as a person does; answers the exit code, None where it did not end."""
    live.press("\x11")
    until = time.monotonic() + 15
    while live.process.poll() is None and time.monotonic() < until:
        live.read_on(0.05)
    return live.process.poll()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to work (600)")
    return 0 if soak(parser.parse_args().seconds) else 1


if __name__ == "__main__":
    raise SystemExit(main())
