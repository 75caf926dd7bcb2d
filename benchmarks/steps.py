"""What a step costs beside the model: `run_until_stop` against a bare loop of the `openai` client."""

from __future__ import annotations

import contextlib
import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, clean_environment, missing, ms
from benchmarks.loops import LONG

STEPS = 405
LIMIT_100, LIMIT_400, LIMIT_LONG = 0.005, 0.006, 0.02
ROOT = Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def server(steps: int, *how: str) -> Iterator[int]:
    """The prepared server in another process; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(steps), *how],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        yield int(process.stdout.readline())
        process.stdin.close()


def loop(kind: str, port: int, env: dict[str, str]) -> tuple[float, float, float]:
    """Wall-clock a step over the first 100, and CPU a step around steps 100 and 400, in seconds."""
    command = [sys.executable, "-m", "benchmarks.loops", kind, str(port), str(STEPS)]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    times: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    wall = (times[100][0] - times[0][0]) / 100
    near = [
        statistics.median(later[1] - earlier[1] for earlier, later in itertools.pairwise(part))
        for part in (times[80:101], times[380:401])
    ]
    return wall, near[0], near[1]


def measure() -> Iterator[Row]:
    """Both in processes of their own, so that the server's work is in neither."""
    try:
        with clean_environment() as env, server(STEPS) as port:
            runs = [loop("pygent", port, env) for _ in range(3)]
            floor = loop("bare", port, env)
            behind = loop("behind", port, env)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        yield missing("one step, 100 steps", f"≤ {ms(LIMIT_100)}", str(error))
        return
    wall, at_100, at_400 = (statistics.median(column) for column in zip(*runs, strict=True))
    yield Row(
        "one step of `run_until_stop`, over 100 steps", f"{ms(floor[0])} bare loop of `create()`", ms(wall),
        "≤ 5 ms", wall <= LIMIT_100,
    )  # fmt: skip
    yield Row("the same around step 100, CPU", f"{ms(floor[1])}", ms(at_100), "", None)
    yield Row("the same around step 400, CPU: flat", f"{ms(floor[2])}", ms(at_400), "≤ 6 ms", at_400 <= LIMIT_400)
    yield Row(
        f"the same behind {LONG:,} messages, CPU: flat but for the copy of the request", "", ms(behind[1]),
        "≤ 20 ms", behind[1] <= LIMIT_LONG,
    )  # fmt: skip
