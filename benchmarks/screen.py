"""The first paint of the full-screen application."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import bare_textual
from benchmarks.harness import Row, clean_environment, missing, ms, pygent_command
from benchmarks.terminal import start

REPEATS, SETTLED = 9, 3
FACTOR, MEMORY = 1.3, 50


def measure() -> Iterator[Row]:
    """Against the smallest Textual application; a key typed before the start has to appear in both."""
    bare = [sys.executable, str(Path(bare_textual.__file__))]
    settings = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "PYGENT_USE_DOCKER": "0"}
    try:
        with clean_environment(**settings) as env:
            workspace = Path(env["HOME"], "work")
            workspace.mkdir()
            folder = str(workspace)
            rounds = [(start(bare, env, folder), start(pygent_command(), env, folder)) for _ in range(REPEATS + 1)]
            settled = [
                [start(command, env, folder, settle=2.0).memory_later for command in (bare, pygent_command())]
                for _ in range(SETTLED)
            ]
    except TimeoutError as error:
        yield missing("first paint", f"≤ {FACTOR} × bare Textual", f"no frame: {error}")
        return
    rounds = rounds[1:]

    def row(what: str, field: str, factor: float) -> Row:
        floor = statistics.median(getattr(bare, field) for bare, _ in rounds)
        value = statistics.median(getattr(pygent, field) for _, pygent in rounds)
        shown = "**lost**" if math.isinf(value) else f"{ms(value)} ({value / floor:.2f} ×)"
        return Row(what, f"{ms(floor)} bare Textual", shown, f"≤ {factor} × floor", value <= factor * floor)

    yield row("first frame of the TUI", "first_frame", FACTOR)
    yield row("the same, processor time", "cpu", FACTOR)
    yield row("a key typed before the start is on the screen", "key_shown", FACTOR)
    floor, value = (statistics.median(pair[side].memory for pair in rounds) for side in (0, 1))
    met = value <= MEMORY
    yield Row("memory at that time", f"{floor:.0f} MiB bare Textual", f"{value:.0f} MiB", f"≤ {MEMORY} MiB", met)
    floor, value = (statistics.median(column) for column in zip(*settled, strict=True))
    name = "memory 2 s later, the session open and `openai` loaded"
    yield Row(name, f"{floor:.0f} MiB bare Textual", f"{value:.0f} MiB", "", None)
