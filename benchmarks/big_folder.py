"""A workspace of 100,000 files: the first paint, and completing a path in it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, ms, pygent_command
from benchmarks.live import NotShownError, Watched
from benchmarks.scenes import home, pygent
from benchmarks.streaming import keys_row
from benchmarks.terminal import start

FILES, FOLDER = 100_000, 100
"""Files, and files in a folder."""


def measure(files: int = FILES, repeats: int = 3, seconds: float = 3.0) -> Iterator[Row]:
    """Against an empty folder."""
    with tempfile.TemporaryDirectory(prefix="pygent-bench-") as folder, home() as (env, empty):
        make(Path(folder), files)
        rounds = [
            [start(pygent_command(), env, where).first_frame for where in (empty, folder)] for _ in range(repeats)
        ]
        floor, value = (statistics.median(column) for column in zip(*rounds, strict=True))
        what = f"a workspace of {files:,} files"
        shown = f"{ms(value)} ({value / floor:.2f} ×)"
        yield Row(f"{what}: first frame", f"{ms(floor)} empty folder", shown, "≤ 1.2 × floor", value <= 1.2 * floor)
        try:
            here, there = completing(env, empty, seconds), completing(env, folder, seconds)
        except NotShownError as error:
            yield Row("`@` in it", "", f"**failed**: {error}", "", False)
            return
        yield keys_row("typing a path after `@`: key to paint, p95", "empty folder", here.p95, there.p95)
        met = there.longest <= 0.1
        yield Row("the longest of them", f"{ms(here.longest)} empty folder", ms(there.longest), "≤ 100 ms", met)


def make(folder: Path, files: int) -> None:
    for number in range(0, files, FOLDER):
        below = folder / f"part_{number // 10_000}" / f"module_{number // FOLDER}"
        below.mkdir(parents=True)
        for name in range(min(FOLDER, files - number)):
            (below / f"file_{number + name}.py").touch()


def completing(env: dict[str, str], folder: str, seconds: float) -> Watched:
    """Type what could be the beginnings of paths."""
    with pygent(env, folder) as live:
        live.wait("ready")
        live.read_on(1.5)
        live.press("see @")
        begun = live.type_for(seconds / 2)
        live.press("\x15")
        live.read_on(0.2)
        live.press("see @file_1")
        more = live.type_for(seconds / 2)
        begun.keys += more.keys
        return begun
