"""What tasks cost beside their work: a hundred at once, and a parent with fifty at work."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, clean_environment, missing, ms
from benchmarks.steps import server

CHILDREN, STEPS = 100, 5
"""Tasks at once, and the steps of each."""

BESIDE, OWN = 50, 300
"""Tasks at work beside a parent, and the parent's own steps."""

PAUSE = 0.5
"""Seconds that their model takes for a step."""

REPEATS = 3
FACTOR, EACH, SLOWER = 2.0, 1.0, 3.0
"""How often the bare threads' time; MiB for each task; how often a parent's step without tasks."""

ROOT = Path(__file__).resolve().parents[1]


def measure(
    children: int = CHILDREN, beside: int = BESIDE, own: int = OWN, repeats: int = REPEATS, pause: float = PAUSE
) -> Iterator[Row]:
    """Each in a process of its own; the server, which answers at once, in another."""
    try:
        with clean_environment() as env, server(STEPS, "history") as port:
            pairs = [
                [run(kind, port, children, STEPS, pause, env) for kind in ("bare", "tasks")] for _ in range(repeats)
            ]
        with clean_environment(PYGENT_MAX_STEPS="100000") as env, server(own) as port:
            steps = [[run("parent", port, count, own, pause, env) for count in (0, beside)] for _ in range(repeats)]
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        yield missing(f"{children} tasks at once", "", str(error))
        return
    (bare, bare_mib), (taken, mib) = (
        [statistics.median(column) for column in zip(*side, strict=True)] for side in zip(*pairs, strict=True)
    )
    what = f"{children} tasks at once, {STEPS} steps each, the model answers at once"
    shown = f"{ms(taken)} ({taken / bare:.1f} ×)"
    floor = f"{ms(bare)} bare threads with `create()`"
    yield Row(what, floor, shown, f"≤ {FACTOR:g} × floor", taken <= FACTOR * bare)
    each = max(0.0, mib - bare_mib) / children
    goal = f"≤ {EACH:g} MiB more a task"
    yield Row("memory they take", f"{bare_mib:.0f} MiB bare threads", f"{mib:.0f} MiB", goal, each <= EACH)
    alone, together = (statistics.median(side[0] for side in column) for column in zip(*steps, strict=True))
    shown = f"{ms(together)} ({together / alone:.1f} ×)"
    goal = f"≤ {SLOWER:g} × floor"
    name = f"one step of a parent while {beside} tasks work, two steps a second each"
    yield Row(name, f"{ms(alone)} none", shown, goal, together <= SLOWER * alone)


def run(kind: str, port: int, count: int, steps: int, pause: float, env: dict[str, str]) -> tuple[float, float]:
    """Seconds, and MiB that came to what was there before."""
    arguments = map(str, (kind, port, count, steps, pause))
    command = [sys.executable, "-m", "benchmarks.children_at_work", *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory
