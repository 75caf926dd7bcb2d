"""Fifty tasks at work at once: is the screen alive?"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness import Row
from benchmarks.live import NotShownError, Watched
from benchmarks.scenes import home, model_server, pygent
from benchmarks.streaming import keys_row

TASKS, RATE, SECONDS = 50, 10, 8
"""How many; tokens a second of each; seconds that they take."""


def measure(tasks: int = TASKS, rate: int = RATE, seconds: int = SECONDS) -> Iterator[Row]:
    """Key to paint and frames a second while all of them stream."""
    try:
        alone, all_of_them = crowded(1, rate, seconds), crowded(tasks, rate, seconds)
    except NotShownError as error:
        yield Row(f"{tasks} tasks at work", "", f"**failed**: {error}", "", False)
        return
    what = f"typing while {tasks} tasks stream {rate} tokens/s each"
    yield keys_row(f"{what}: key to paint, p95", "one task", alone.p95, all_of_them.p95)
    frames = [watched.frames / watched.seconds for watched in (alone, all_of_them)]
    yield Row("frames a second meanwhile", f"{frames[0]:.0f} one task", f"{frames[1]:.0f}", "≥ 20", frames[1] >= 20)
    yield Row(
        "processor time meanwhile",
        f"{alone.cpu / alone.seconds:.2f} cores one task",
        f"{all_of_them.cpu / all_of_them.seconds:.2f} cores",
        "",
        None,
    )


def crowded(tasks: int, rate: int, seconds: int) -> Watched:
    server = model_server("delegates", tasks, rate, seconds)
    with server as url, home(url, PYGENT_MAX_TASKS=str(tasks)) as (env, work), pygent(env, work) as live:
        live.wait("ready")
        live.read_on(1)
        live.press("go\r")
        live.wait("tasks? at work")
        return live.type_for(max(1.0, seconds * 0.6))
