"""Real Pygent processes at the price of a fork, for tests that start and kill hundreds of them.

A process of its own, started by ``Pygents``, imports what a run of Pygent imports and forks itself for each one that
is asked for. It has no threads, so its forks are whole; and what a killed Pygent leaves behind becomes its child
("subreaper"), so that it knows of every process that goes on.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

_PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Process:
    """A Pygent that was started; ``out`` is the descriptor from which its standard output is read."""

    pid: int
    out: int
    errors: Path

    def kill(self) -> None:
        """End it at once. It may have ended by itself; its pid is nobody else's until it is waited for."""
        os.kill(self.pid, signal.SIGKILL)


class Pygents:
    """Starts Pygents; a context manager. What they say on standard error goes to files in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._errors = folder
        self._count = 0
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", "tests.fakes.pygents", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait(30)

    def learn(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Run Pygent once to its end, and import from then on beforehand all that it imported."""
        self._ask({"learn": True, **_how(words, folder, environment)})

    def start(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        *,
        afresh: bool = False,
        jump: tuple[int, float] | None = None,
    ) -> Process:
        """Start ``pygent WORDS`` in a folder; ``afresh`` with an interpreter of its own, which costs half a second.

        ``jump``: its clock is wrong by so many seconds from the so many-th look at it.
        """
        self._count += 1
        errors = self._errors / f"errors-{self._count}.txt"
        out, theirs = os.pipe()
        with errors.open("wb") as file:
            asked = {"afresh": afresh, "jump": jump, **_how(words, folder, environment)}
            answer = self._ask(asked, theirs, file.fileno())
        os.close(theirs)
        return Process(answer["pid"], out, errors)

    def wait(self, process: Process, seconds: float = 30.0) -> int:
        """Wait for the end of a Pygent; answers its exit code, or minus the signal that ended it."""
        answer = self._ask({"wait": process.pid, "seconds": seconds})
        assert answer["status"] is not None, f"Pygent has not ended: {answer['left']}"
        return os.waitstatus_to_exitcode(answer["status"])

    def left(self, seconds: float = 5.0) -> list[str]:
        """Wait until nothing is left of any Pygent; answers the command lines of what is after that time."""
        left: list[str] = self._ask({"wait": 0, "seconds": seconds})["left"]
        return left

    def _ask(self, request: dict[str, Any], *descriptors: int) -> Any:
        data = json.dumps(request).encode()
        data = len(data).to_bytes(4, "big") + data
        if descriptors:
            socket.send_fds(self._socket, [data], list(descriptors))
        else:
            self._socket.sendall(data)
        with self._socket.makefile("rb") as answers:
            line = answers.readline()
        assert line, "the process that starts Pygents has ended"
        return json.loads(line)


def _how(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    return {"words": list(words), "folder": str(folder), "environment": dict(environment)}


class _Nursery:
    """The process that is forked."""

    def __init__(self, control: socket.socket) -> None:
        self._socket = control
        self._ended: dict[int, int] = {}

    def serve(self) -> None:
        """Do what is asked for until nobody asks any more, then end what is left."""
        while (request := self._receive()) is not None:
            asked, descriptors = request
            if "wait" in asked:
                answer = self._wait(asked["wait"], asked["seconds"])
            else:
                answer = self._learn(asked) if "learn" in asked else {"pid": self._fork(asked, descriptors)}
            self._socket.sendall(json.dumps(answer).encode() + b"\n")
        for pid in _children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _receive(self) -> tuple[dict[str, Any], list[int]] | None:
        data, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 16, 2)
        while data and len(data) < 4 + int.from_bytes(data[:4], "big"):
            data += self._socket.recv(1 << 16)
        return (json.loads(data[4:]), descriptors) if data else None

    def _fork(self, asked: dict[str, Any], descriptors: list[int]) -> int:
        pid = os.fork()
        if pid == 0:
            self._become(asked, descriptors)
        for fd in descriptors:
            os.close(fd)
        return pid

    def _become(self, asked: dict[str, Any], descriptors: list[int]) -> NoReturn:
        self._socket.close()
        for fd, number in zip(descriptors, (1, 2), strict=True):
            os.dup2(fd, number)
            os.close(fd)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - descriptors
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.argv = ["pygent", *asked["words"]]
        if asked.get("afresh"):
            os.execv(sys.executable, [sys.executable, "-m", "pygent", *asked["words"]])
        if asked.get("jump"):
            _jump(*asked["jump"])
        from pygent.__main__ import main

        sys.exit(main(asked["words"]))

    def _learn(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Let a fork run, and import what that has imported."""
        names, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(names)
            try:
                self._become(asked, [os.open(os.devnull, os.O_WRONLY), os.open(os.devnull, os.O_WRONLY)])
            finally:
                with open(told, "w") as out:
                    out.write("\n".join(sys.modules))
        os.close(told)
        with open(names) as read:
            found = read.read().split("\n")
        os.waitpid(pid, 0)
        for name in found:
            if name not in {"__main__", "__mp_main__"}:
                with contextlib.suppress(Exception):  # a part of a module that stands under a name of its own
                    importlib.import_module(name)
        gc.collect()
        gc.freeze()
        return {}

    def _wait(self, wanted: int, seconds: float) -> dict[str, Any]:
        """Wait for one child, or with 0 for all."""
        end_by = time.monotonic() + seconds
        while True:
            none = False
            try:
                while (found := os.waitpid(-1, os.WNOHANG))[0]:
                    self._ended[found[0]] = found[1]
            except ChildProcessError:
                none = True
            if none or (wanted and wanted in self._ended) or time.monotonic() > end_by:
                left = [] if none else [f"{pid}: {_command_line(pid)}" for pid in _children()]
                return {"status": self._ended.pop(wanted, None), "left": left}
            select.select([], [], [], 0.002)


def _jump(looks: int, seconds: float) -> None:
    right = time.time
    count = 0

    def wrong() -> float:
        nonlocal count
        count += 1
        return right() + (seconds if count > looks else 0.0)

    time.time = wrong


def _children() -> list[int]:
    """This process's children that have not ended."""
    own = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state not in "ZX":
                own.append(int(folder.name))
    return own


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return "gone"


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _Nursery(socket.socket(fileno=int(sys.argv[1]))).serve()
