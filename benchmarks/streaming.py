"""Typing while an answer streams, beside a bare Textual application that shows the same with `MarkdownStream`."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.harness import Row, ms
from benchmarks.live import Watched
from benchmarks.scenes import bare, home, model_server, pygent
from benchmarks.texts import LAST

TOKENS, RATE = 5000, 200
MARGIN = 30.0
"""Seconds that a slow program may take longer than the stream."""


def measure(count: int = TOKENS, rate: int = RATE) -> Iterator[Row]:
    """Key to paint and processor time of both."""
    floor, value = streamed_bare(count, rate), streamed_pygent("tells", count, rate)
    what = f"typing while {count:,} tokens stream at {rate}/s"
    yield keys_row(f"{what}: key to paint, p95", "`MarkdownStream`", floor.p95, value.p95)
    shares = [watched.cpu / watched.seconds for watched in (floor, value)]
    yield Row(
        "the same, processor time",
        f"{floor.cpu:.1f} s ({shares[0]:.2f} cores) `MarkdownStream`",
        f"{value.cpu:.1f} s ({shares[1]:.2f} cores)",
        "≤ 1 × floor",
        value.cpu <= floor.cpu,
    )
    code = streamed_pygent("shows_code", max(20, count // 20), rate * 4)
    yield keys_row("the same while one code block grows, p95", "`MarkdownStream`", floor.p95, code.p95)


def keys_row(what: str, name: str, floor: float, value: float, limit: float = 0.05) -> Row:
    """Key to paint: under 50 ms, or within twice the floor."""
    goal = f"≤ {ms(limit)} or 2 × floor"
    return Row(
        what, f"{ms(floor)} {name}", f"{ms(value)} ({value / floor:.1f} ×)", goal, value <= max(limit, 2 * floor)
    )


def streamed_bare(count: int, rate: float) -> Watched:
    with home() as (env, work), bare("bare_stream", env, work, count, rate) as live:
        live.wait("ready")
        live.read_on(0.8)
        return live.type_for(count / rate + MARGIN, until=LAST)


def streamed_pygent(scene: str, count: int, rate: int) -> Watched:
    with model_server(scene, count, rate) as url, home(url) as (env, work), pygent(env, work, "tell me") as live:
        live.wait("ready")
        live.wait("step 1")
        return live.type_for(count / rate + MARGIN, until=LAST)
