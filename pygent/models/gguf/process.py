"""The processes that have models, one for each file, shared by all that ask it, and ended with this process."""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pygent.cancellation import CancelToken
from pygent.errors import APIError, PygentError
from pygent.models.gguf.files import BINDING, INSTALL
from pygent.models.gguf.memory import in_words
from pygent.models.gguf.turns import Turns
from pygent.models.window import Window

log = logging.getLogger(__name__)

Tell = Callable[[str], object]

_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from pygent.models.gguf.server import main; main()"
_PACKAGE = Path(__file__).parents[3]
_LOG_LINES = 12
_END_SECONDS = 2.0
_SEEN_SECONDS = 0.5  # until the end of a process is known whose connection broke
_BEFORE = re.compile(r"^[\d.]+ [A-Z] |^(?:\w+: )?error loading model: |^[a-z_]+: ")
_USELESS = re.compile(r"failed to load model|exiting due to|load_model:")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a loaded model answers, for whom, and how much it sees."""

    port: int
    key: str
    window: Window


class ModelProcess:
    """One file in a process of its own: off, loading, ready, or failed.

    ``wanted`` is the context window in tokens, None to let file and memory decide.
    """

    def __init__(self, path: Path, wanted: int | None = None) -> None:
        self.path = path
        self.wanted = wanted
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._address: Address | None = None
        self._loading = False
        self._why = ""
        self.turns = Turns()

    @property
    def address(self) -> Address | None:
        """Where it answers, None while it does not."""
        return self._address

    @property
    def loading(self) -> bool:
        """Whether it is being loaded."""
        return self._loading

    @property
    def pid(self) -> int | None:
        """The process's id, None where there is none."""
        process = self._process
        return None if process is None else process.pid

    def start(self, tell: Tell | None = None) -> None:
        """Begin to load, if it neither does nor has. ``tell`` hears of the progress, from another thread."""
        with self._changed:
            if self._loading or self._address is not None:
                return
            self._loading, self._why = True, ""
        threading.Thread(target=self._run, args=(tell,), name="pygent-gguf", daemon=True).start()

    def wait(self, cancel: CancelToken | None = None) -> Address:
        """Where it answers, once it does; it is started if it has to be.

        Raises ``APIError`` where it cannot be loaded, and what ``cancel`` raises where that ended the waiting.
        """
        self.start()

        def wake() -> None:
            with self._changed:
                self._changed.notify_all()

        with cancel.on_cancel(wake) if cancel is not None else contextlib.nullcontext(), self._changed:
            while self._loading and not (cancel is not None and cancel.cancelled):
                self._changed.wait()
            address, why = self._address, self._why
        if cancel is not None:
            cancel.check()
        if address is None:
            raise APIError(why)
        return address

    def why_gone(self) -> str | None:
        """Why it does not answer any more, in words; None while it does.

        For somebody whose connection broke, so it waits a moment for the end to be known.
        """
        with self._changed:
            gone = self._changed.wait_for(lambda: self._address is None, _SEEN_SECONDS)
            return (self._why or f"{self.path.name} was unloaded.") if gone else None

    def stop(self) -> None:
        """End the process, whatever it does."""
        process = self._process
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.kill()
        with self._changed:
            self._changed.wait_for(lambda: self._process is not process, _END_SECONDS)

    def _run(self, tell: Tell | None) -> None:
        """Start the process and listen to it until it ends."""
        key = secrets.token_urlsafe(32)
        lines: deque[str] = deque(maxlen=_LOG_LINES)
        try:
            process = _spawn({"path": str(self.path), "key": key, "context_window": self.wanted})
        except OSError as error:
            self._over(f"{self.path.name} cannot be loaded: no process can be started ({error}).")
            return
        self._process = process
        failed = ""
        began = time.monotonic()
        with process:
            assert process.stdout is not None
            for raw in process.stdout:
                told = _parsed(raw)
                match told.get("state"):
                    case "loading":
                        _say(tell, f"Loading {self.path.name} ({in_words(told['size'])}) …")
                    case "ready":
                        window = Window(told["context_window"], told["parameters"], told["trained"])
                        self._ready(Address(told["port"], key, window))
                        took = f"after {time.monotonic() - began:.1f} s"
                        _say(tell, f"{self.path.name} is loaded: a window of {window.tokens} tokens, {took}.")
                    case "failed":
                        failed = _failure(self.path, told, lines)
                    case _:
                        lines.append(raw.decode("utf-8", "replace").strip())
        log.info("the process of %s ended with %s", self.path.name, process.returncode)
        self._over(failed or _ended(self.path, process.returncode, lines, loaded=self._address is not None))

    def _ready(self, address: Address) -> None:
        with self._changed:
            self._address, self._loading = address, False
            self._changed.notify_all()

    def _over(self, why: str) -> None:
        with self._changed:
            self._process, self._address, self._loading, self._why = None, None, False, why
            self._changed.notify_all()


_processes: dict[tuple[Path, int | None], ModelProcess] = {}
_lock = threading.Lock()
_pid = os.getpid()


def shared(path: Path, wanted: int | None = None) -> ModelProcess:
    """The one process for a file and a wanted window, not started yet where it is new."""
    with _lock:
        return _processes.setdefault((path, wanted), ModelProcess(path, wanted))


def make_room(wanted: ModelProcess) -> None:
    """End the other processes that nobody waits for; they are started again when they are asked."""
    with _lock:
        others = [one for one in _processes.values() if one is not wanted and one.turns.idle]
    for other in others:
        other.stop()


@atexit.register
def stop_all() -> None:
    """End all of them. They would end with this process in any case."""
    if os.getpid() == _pid:  # in a fork they are somebody else's
        with _lock:
            processes = list(_processes.values())
        for process in processes:
            process.stop()


def _spawn(order: dict[str, Any]) -> subprocess.Popen[bytes]:
    # -P and the path: what lies in the current folder must not be taken for a module of ours. The key goes through
    # the pipe because everybody on this machine can read arguments.
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _START, str(_PACKAGE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
        start_new_session=True,
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended already: told by what it said
        process.stdin.write(json.dumps(order).encode() + b"\n")
    return process


def _parsed(line: bytes) -> dict[str, Any]:
    if line.startswith(b'{"state"'):
        with contextlib.suppress(ValueError):
            told = json.loads(line)
            if isinstance(told, dict):
                return told
    return {}


def _say(tell: Tell | None, text: str) -> None:
    log.info("%s", text)
    if tell is not None:
        with contextlib.suppress(PygentError):  # whoever wanted to know is gone
            tell(text)


def _failure(path: Path, told: dict[str, Any], lines: deque[str]) -> str:
    if told.get("cause") == "memory":
        return f"{path.name} does not fit into the memory: {told['why']}."
    if told.get("cause") == "binding":
        return (
            f"{path.name} cannot be loaded: the package {BINDING} does not fit ({told['why']}). {INSTALL} --upgrade"
        )
    said = _last_words(lines) or str(told.get("why", ""))
    return f"{path.name} cannot be loaded: {said.rstrip('.')}."


def _ended(path: Path, code: int, lines: deque[str], *, loaded: bool) -> str:
    how = f"with exit code {code}"
    if code < 0:
        with contextlib.suppress(ValueError):
            how = f"by {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            how += ", which the system does where memory runs out"
    said = "" if code == -signal.SIGKILL else _last_words(lines)
    when = "was ended" if loaded else "was ended while it was loaded,"
    return f"The process of {path.name} {when} {how}.{f' It said: {said}' if said else ''}"


def _last_words(lines: deque[str]) -> str:
    """The most telling of what llama.cpp wrote: the first error, not those that only say that there was one."""
    errors = [line for line in lines if line]
    said = next((line for line in errors if not _USELESS.search(line)), errors[0] if errors else "")
    while (shorter := _BEFORE.sub("", said.strip())) != said:
        said = shorter
    return said[:300]
