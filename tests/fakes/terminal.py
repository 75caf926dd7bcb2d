"""A real terminal for tests: tmux on a socket of its own, with a shell in it, driven by keys and read as text."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self
from uuid import uuid4

PATIENCE = 30.0
"""Seconds until something that should come counts as missing; long, for a machine that does a lot besides."""

PROMPT = "shell>"


class Terminal:
    """A window of ``size`` columns and rows in which a shell waits in ``folder``. A context manager."""

    def __init__(self, folder: Path, env: Mapping[str, str], size: tuple[int, int] = (140, 42)) -> None:
        assert shutil.which("tmux"), "tmux is needed"
        self.name = f"pygent-test-{uuid4().hex[:8]}"
        self._sockets = tempfile.mkdtemp(prefix="pgt-", dir="/tmp")  # short: a socket's path has 107 bytes
        self._env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TMUX_TMPDIR": self._sockets,
            "SHELL": "/bin/sh",
            "PYGENT_LOCAL_SANDBOX": os.environ.get("PYGENT_LOCAL_SANDBOX", ""),
            **env,
            "PS1": f"{PROMPT} ",
        }
        width, height = size
        window = ("-x", str(width), "-y", str(height), "-c", str(folder), "exec sh")
        self._tmux("-f", "/dev/null", "new-session", "-d", *window)
        self._tmux("set", "-g", "status", "off", ";", "set", "-s", "escape-time", "0")
        server, shell = self._tmux("display-message", "-p", "#{pid} #{pane_pid}").split()
        self.server, self.shell = int(server), int(shell)
        self._seen = Processes()
        self.wait(PROMPT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, line: str) -> None:
        """Type a line into the shell, or wherever the cursor is."""
        self.type(line)
        self.press("Enter")

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", "--", text)

    def paste(self, text: str) -> None:
        """Paste as a terminal does where the program asked to be told of it."""
        self._tmux("set-buffer", "--", text, ";", "paste-buffer", "-p")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: ``Enter``, ``Escape``, ``C-q``, ``F1``."""
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def copied(self) -> str:
        """What programs in it put onto the clipboard, which tmux takes from now on; empty where that is nothing."""
        self._tmux("set", "-s", "set-clipboard", "on")
        return self._tmux("show-buffer") if self._tmux("list-buffers") else ""

    def wait(self, what: str | Callable[[str], object], seconds: float = PATIENCE) -> str:
        """The first screen with that text, or of which the function says so."""
        shows = (lambda screen: what in screen) if isinstance(what, str) else what
        end_by = time.monotonic() + seconds
        while not shows(screen := self.screen()):
            if time.monotonic() > end_by:
                raise AssertionError(f"not on the screen after {seconds} s: {what}\n{screen}")
            time.sleep(0.05)
        return screen

    def processes(self) -> Processes:
        """All that runs under the shell now."""
        found = Processes.below(self.shell)
        self._seen |= found
        return found

    def pygent(self) -> int:
        """The process id of the application."""
        found = [pid for pid, line in self.processes().lines().items() if "-m pygent" in line]
        assert len(found) == 1, self.processes().lines()
        return found[0]

    def hang_up(self) -> None:
        """The terminal goes away, with everything that tmux tells those who work in it."""
        self.processes()
        self._tmux("kill-server")

    def close(self) -> None:
        """End it and whatever still runs in it."""
        with contextlib.suppress(OSError, AssertionError):
            self.processes()
        with contextlib.suppress(AssertionError):
            self._tmux("kill-server")
        until(lambda: not alive(self.server), 10)
        left = self._seen.alive()
        for pid in left.lines():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.name, *arguments],
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"tmux {arguments}: {done.stderr}"
        return done.stdout


class Processes(frozenset[tuple[int, int]]):
    """Processes by id and start time, so that another one with the same id later is not taken for them."""

    @classmethod
    def below(cls, pid: int) -> Processes:
        """All descendants of a process that have not ended."""
        stats = _stats()
        found: set[int] = set()
        more = {pid}
        while more:
            more = {child for child, (parent, _) in stats.items() if parent in more} - found
            found |= more
        return cls((child, stats[child][1]) for child in found)

    def __or__(self, other: object) -> Processes:
        return Processes(frozenset(self) | frozenset(other))  # type: ignore[call-overload]

    def alive(self) -> Processes:
        stats = _stats()
        return Processes(entry for entry in self if entry[0] in stats and stats[entry[0]][1] == entry[1])

    def lines(self) -> dict[int, str]:
        """The command lines of those that are there."""
        out: dict[int, str] = {}
        for pid, _ in self:
            with contextlib.suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                out[pid] = line.strip()
        return out


def alive(pid: int) -> bool:
    return pid in _stats()


def with_argument(word: str) -> dict[int, str]:
    """The processes of this machine that have ``word`` in their command line."""
    everything = Processes((pid, start) for pid, (_, start) in _stats().items()).lines()
    return {pid: line for pid, line in everything.items() if word in line}


def until(happened: Callable[[], object], seconds: float = PATIENCE) -> float:
    """Wait for it; answers how many seconds it took."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() - begun < seconds, f"did not happen within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - begun


def _stats() -> dict[int, tuple[int, int]]:
    """Parent and start time of every process that has not ended, by its id."""
    found: dict[int, tuple[int, int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in {"Z", "X"}:
            found[int(folder.name)] = (int(fields[1]), int(fields[19]))
    return found
