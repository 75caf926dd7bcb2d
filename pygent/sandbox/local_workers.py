"""The supervisor processes of a local sandbox: started when needed, kept for the next command, ended with it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Protocol

from pygent.errors import SandboxError
from pygent.sandbox import supervisor

STOP_LIMIT = 5.0
"""How long a stopped command may take until its supervisor is given up, in seconds."""

START_LIMIT = 20.0
"""How long a new supervisor may take until it works, in seconds."""

_NO_ENVIRONMENT: dict[str, str] = {}


def encode_request(folder: str, arguments: list[bytes], env: Mapping[str, str]) -> bytes:
    """The bytes that the supervisor reads for one command."""
    fields = [os.fsencode(folder), str(len(arguments)).encode(), *arguments]
    fields.extend(os.fsencode(f"{name}={value}") for name, value in env.items() if "\0" not in name + value)
    data = b"\0".join(fields)
    return len(data).to_bytes(supervisor.LENGTH, "big") + data


class Launcher(Protocol):
    """How supervisors are started."""

    def state(self) -> tuple[object, ...]:
        """What a supervisor is made for: one that was made for another state gets no command.

        Raises ``SandboxError`` where there is nothing left to work in.
        """
        ...

    def start(self, control: int) -> subprocess.Popen[bytes]:
        """A supervisor that serves the socket with the descriptor ``control``. Raises ``OSError``."""
        ...

    def close(self) -> None:
        """Give up what the supervisors shared, once all have ended. Safe to call twice."""
        ...


class Bare:
    """Supervisors that nothing surrounds."""

    def state(self) -> tuple[object, ...]:
        return ()

    def start(self, control: int) -> subprocess.Popen[bytes]:
        # Without our variables: what a command reads of its parent's environment holds no key.
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", supervisor.__file__],
            stdin=control,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_NO_ENVIRONMENT,
            start_new_session=True,
        )

    def close(self) -> None:
        pass


class Worker:
    """One supervisor process and the socket to it.

    ``ready`` is True once it has said so, ``sound`` False once it must not get another command, ``closed`` True
    where the sandbox was closed meanwhile.
    """

    def __init__(self, launcher: Launcher, state: tuple[object, ...]) -> None:
        self.pid = os.getpid()
        self.sound = True
        self.ready = False
        self.closed = False
        self.state = state
        self._complaint = ""
        self.socket, theirs = socket.socketpair()
        try:
            self.process = launcher.start(theirs.fileno())
        except BaseException as error:
            self.socket.close()
            if isinstance(error, (OSError, subprocess.SubprocessError)):
                raise SandboxError(f"No process can be started: {error}.") from error
            raise
        finally:
            theirs.close()

    @property
    def usable(self) -> bool:
        """False once it ended, and in a fork of the process that started it."""
        return self.sound and self.pid == os.getpid() and self.process.poll() is None

    def complaint(self) -> str:
        """What it said about its own end, where it could not start; "" elsewhere. Waits for that end."""
        if self.process.stderr is None or self.pid != os.getpid():
            return ""
        self.stop_hard()
        return self._complaint

    def hang_up(self) -> None:
        """Tell it that its owner is gone: it ends what runs, then itself."""
        self.sound = False
        if self.pid != os.getpid():
            self.socket.close()
            self.process.returncode = 0  # not ours to wait for
            return
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def stop_hard(self) -> None:
        """Hang up and wait for the end."""
        self.hang_up()
        if self.pid == os.getpid():
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            if self.process.stderr is not None and not self.process.stderr.closed:
                os.set_blocking(self.process.stderr.fileno(), False)
                self._complaint = (self.process.stderr.read() or b"").decode("utf-8", "replace").strip()
                self.process.stderr.close()
            self.socket.close()


class Pool:
    """The supervisors of one sandbox: started when needed, one for each command that runs at the same time."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._lock = threading.Lock()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._closed = False

    def take(self) -> Worker:
        """A supervisor for one command. Raises ``SandboxError`` once closed, or where none can be started."""
        with self._lock:
            if self._closed:
                raise SandboxError("The sandbox is closed.")
            state = self._launcher.state()
            worker = None
            while self._idle and worker is None:
                worker = self._idle.pop()
                if not worker.usable or worker.state != state:
                    worker.stop_hard()
                    worker = None
            worker = worker or Worker(self._launcher, state)
            self._busy.add(worker)
            return worker

    def give_back(self, worker: Worker) -> None:
        """The command is over. A supervisor that is not sound any more is ended."""
        with self._lock:
            self._busy.discard(worker)
            if worker.sound and not self._closed:
                self._idle.append(worker)
                return
        worker.stop_hard()

    def close(self) -> None:
        """End all supervisors and what runs under them."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for worker in (*idle, *busy):
            worker.closed = True
            worker.hang_up()  # first all, then wait: they end at the same time
        for worker in idle:
            worker.stop_hard()
        for worker in busy:  # the thread that runs the command sees its end and does the rest
            if worker.pid == os.getpid():
                try:
                    worker.process.wait(STOP_LIMIT)
                except subprocess.TimeoutExpired:
                    worker.process.kill()
        self._launcher.close()
