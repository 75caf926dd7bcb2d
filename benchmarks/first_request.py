"""From the start of `pygent -p` to its first request, and how large that is."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, clean_environment, missing, ms, pygent_command, run_time
from benchmarks.server import serve_all

REPEATS = 5
FACTOR, SIZE = 1.3, 6000


def first_request(env: dict[str, str]) -> tuple[float, bytes]:
    """Seconds until the request has arrived, and its body; the answer is a call of `stop`.

    Raises `subprocess.TimeoutExpired` where there is none in half a minute, or no end after it.
    """
    arrived: list[tuple[float, bytes]] = []
    how = {"on_request": lambda body: arrived.append((time.perf_counter(), body))}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve_all, args=(listener, 1), kwargs=how, daemon=True).start()
        env = {**env, "OPENAI_BASE_URL": f"http://127.0.0.1:{listener.getsockname()[1]}/v1"}
        workspace = Path(env["HOME"], "work")
        workspace.mkdir(exist_ok=True)
        began = time.perf_counter()
        subprocess.run(
            [*pygent_command(), "-p", "hello", "--no-docker"],
            env=env, cwd=workspace, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=30, check=True,
        )  # fmt: skip
        listener.shutdown(socket.SHUT_RDWR)  # ends the thread that waits for a connection
    at, body = arrived[0]
    return at - began, body


def measure() -> Iterator[Row]:
    """Against importing the `openai` package, which every client of it has to do."""
    what = "start of `pygent -p` to the first request"
    floors, values, sizes = [], [], []
    try:
        with clean_environment(OPENAI_API_KEY="none") as env:
            for _ in range(REPEATS + 1):
                floors.append(run_time([sys.executable, "-c", "import openai"], env))
                seconds, body = first_request(env)
                values.append(seconds)
                sizes.append(len(body))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        yield missing(what, f"≤ {FACTOR} × floor", f"{type(error).__name__}: {error}")
        return
    floor, value = statistics.median(floors[1:]), statistics.median(values[1:])
    yield Row(
        what, f"{ms(floor)} `import openai`", f"{ms(value)} ({value / floor:.2f} ×)",
        f"≤ {FACTOR} × floor", value <= FACTOR * floor,
    )  # fmt: skip
    tools = len(json.loads(body)["tools"])
    yield Row(
        "size of the first request", "", f"{sizes[-1] / 1000:.1f} kB, {tools} tools", "≤ 6 kB", sizes[-1] <= SIZE
    )
