"""Typing while a tool prints without end: a million lines, one line of 50 MB, 10 MB of anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from benchmarks.harness import Row, ms
from benchmarks.live import NotShownError, Watched
from benchmarks.scenes import home, model_server, pygent
from benchmarks.streaming import keys_row
from benchmarks.texts import LAST

FLOODS = {
    "1,000,000 lines": "for i in $(seq 20); do seq 50000; sleep 0.1; done",
    "one line of 50 MB": "for i in $(seq 20); do head -c 2500000 /dev/zero | tr '\\0' x; sleep 0.1; done",
    "10 MB of binary": "for i in $(seq 20); do head -c 500000 /dev/urandom; sleep 0.1; done",
}
"""In pieces, so that it lasts long enough for keys to meet it."""

QUIET, SETTLE = "sleep 2", 2.5
"""What is no flood; and seconds until all is loaded, so that what is loaded counts for none of them."""

LONGEST = 60.0
AFTER = 1.0
"""Seconds of typing after the end, where the whole output may show."""

GROWTH = 64
"""MiB that a flood may leave behind."""


def measure(floods: Mapping[str, str] = FLOODS, quiet_command: str = QUIET, settle: float = SETTLE) -> Iterator[Row]:
    """Key to paint from the call to its end, and the memory that it took."""
    try:
        quiet = flooded(quiet_command, settle)
        for name, command in floods.items():
            watched = flooded(command, settle)
            what = f"typing while a tool prints {name} ({watched.seconds:.1f} s)"
            yield keys_row(f"{what}: key to paint, p95", "`sleep`", quiet.p95, watched.p95)
            met = watched.longest <= 0.1
            yield Row("the longest of them", f"{ms(quiet.longest)} `sleep`", ms(watched.longest), "≤ 100 ms", met)
            grown = watched.memory - quiet.memory
            yield Row(
                "memory for it",
                f"{quiet.memory:.0f} MiB `sleep`",
                f"+{max(0, grown):.0f} MiB",
                f"≤ +{GROWTH} MiB",
                grown <= GROWTH,
            )
    except NotShownError as error:
        yield Row("typing while a tool prints", "", f"**failed**: {error}", "", False)


def flooded(command: str, settle: float = SETTLE) -> Watched:
    with model_server("runs", command) as url, home(url) as (env, work), pygent(env, work) as live:
        live.wait("ready")
        live.read_on(settle)
        live.press("go\r")
        watched = live.type_for(LONGEST, until=LAST)
        after = live.type_for(AFTER)
        watched.keys += after.keys
        watched.memory = max(watched.memory, after.memory)
        return watched
