"""The process that has the model: loads a GGUF file and serves it on a loopback port until its owner goes away.

Its owner writes one line of JSON to its standard input (``path``, ``key``, ``context_window`` or null) and keeps that
open. What it has to say are lines of JSON on its standard output, each with a ``state``: ``loading`` (``size``), then
``ready`` (``port``, ``context_window``, ``trained``, ``parameters``) or ``failed`` (``cause``, ``why``). The other
lines there are the log of llama.cpp.

The binding holds Python's lock while it loads, so no thread of this process could see its owner go. That is done by a
second process, forked before anything is loaded, which has nothing else to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from pathlib import Path
from typing import Any

from pygent.models.gguf import header, memory
from pygent.models.gguf.files import BINDING, size_of

_NICE = 5
_FIRST_TO_GO = 500  # where memory runs out, the system ends this process and not the one with the conversation
_CONVERSATIONS = 4
_CACHE_MIB = 512  # for prompts of conversations that pause; 8 GB where nothing is said
_WARNINGS = 2


def main() -> None:
    """Serve what standard input asks for."""
    order = json.loads(_line())
    _guard()
    _give_way()
    try:
        ready = _load(Path(order["path"]), order["key"], order["context_window"])
    except memory.TooLittleMemory as error:
        _end("memory", str(error))
    except (AttributeError, TypeError, ImportError) as error:
        _end("binding", f"{type(error).__name__}: {error}")
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        _end("load", str(error) or type(error).__name__)
    for number in (signal.SIGINT, signal.SIGTERM):  # the binding only stops answering there
        signal.signal(number, signal.SIG_DFL)
    _tell(state="ready", **ready)
    with contextlib.suppress(OSError):
        while os.read(0, 1):
            pass
    os._exit(0)


def _load(path: Path, key: str, wanted: int | None) -> dict[str, Any]:
    size = size_of(path)
    _tell(state="loading", size=size)
    model = header.read(path)
    window = memory.choose_window(model, size, wanted, memory.available_memory())
    binding = __import__(BINDING)
    params: Any = binding.CommonParams()
    params.model.path = str(path)
    params.api_keys = [key]
    params.port = 0
    params.n_ctx = window
    params.n_parallel = _CONVERSATIONS
    params.kv_unified = True  # each conversation may have all of the window, not a fourth of it
    params.cache_ram_mib = _CACHE_MIB
    for name in ("ui", "webui"):  # the page for people, by the name that the binding's version has for it
        if hasattr(params, name):
            setattr(params, name, False)
    params.endpoint_slots = False
    params.verbosity = _WARNINGS
    cpus = memory.usable_cpus()
    if cpus < (os.cpu_count() or 1):  # otherwise it knows better, and leaves out what is no core of its own
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = cpus
    global _server  # noqa: PLW0603 - it serves as long as it is referred to
    _server = binding.Server(params)
    port = int(_server.listening_address.rpartition(":")[2])
    return {
        "port": port,
        "context_window": window,
        "trained": model.trained_window,
        "parameters": model.parameters,
    }


_server: Any = None


def _give_way() -> None:
    """The interface and the person's own programs come first."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(_FIRST_TO_GO), "ascii")


def _guard() -> None:
    """Fork a process that ends this one when its owner is gone, and itself when this one is."""
    owner, served = os.getppid(), os.getpid()
    ended, _alive = os.pipe()  # the second end stays open here until this process ends
    if os.fork():
        os.close(ended)
        return
    try:
        os.setsid()
        _close_all_but(0, ended)
        poll = select.poll()
        for fd in (0, ended, *_watch(owner)):  # a fork of the owner may hold standard input open
            poll.register(fd, select.POLLIN)
        if ended not in [fd for fd, _ in poll.poll()]:
            os.kill(served, signal.SIGKILL)
    finally:
        os._exit(0)


def _watch(pid: int) -> list[int]:
    try:
        return [os.pidfd_open(pid)]
    except (AttributeError, OSError):
        return []


def _close_all_but(*kept: int) -> None:
    first = 0
    for fd in (*sorted(kept), 4096):
        if first < fd:  # with two equal bounds it would close everything
            os.closerange(first, fd)
        first = fd + 1


def _line() -> bytes:
    """The first line of standard input, and nothing of what follows."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            os._exit(0)
        line += piece
    return line


def _tell(**told: Any) -> None:
    # The log goes there as well, and may stand in the middle of a line.
    os.write(1, f"\n{json.dumps(told)}\n".encode())


def _end(cause: str, why: str) -> None:
    with contextlib.suppress(OSError):
        _tell(state="failed", cause=cause, why=why)
    os._exit(1)


if __name__ == "__main__":
    main()
