"""Typing while a model file is loaded and while it answers, beside the same with nothing going on.

The file is that of the variable `PYGENT_BENCH_GGUF`; about a gigabyte shows what there is to see.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Row, missing
from benchmarks.scenes import home, pygent
from benchmarks.streaming import keys_row

WHAT = "typing while a model file"
TOPIC = "Tell me a long story about a fox, at least 300 words."
LONGEST_LOADING, QUIET, ANSWERING = 120.0, 6.0, 15.0


def measure() -> Iterator[Row]:
    """Key to paint, p95, of all three."""
    file = os.environ.get("PYGENT_BENCH_GGUF", "")
    if not Path(file).is_file():
        yield missing(f"{WHAT} is loaded, and answers", "≤ 50 ms or 2 × floor", "PYGENT_BENCH_GGUF names none")
        return
    with home() as (env, work), pygent({**env, "PYGENT_MODEL": f"gguf:{file}"}, work) as live:
        live.wait("ready")
        loading = live.type_for(LONGEST_LOADING, until="is loaded", every=0.2)
        live.press(b"\x15")
        live.read_on(2.0)
        quiet = live.type_for(QUIET)
        live.press(b"\x15")
        live.read_on(0.3)
        live.press(TOPIC)
        live.read_on(0.3)
        live.press(b"\r")
        live.wait("step 1")
        answering = live.type_for(ANSWERING)
    yield keys_row(f"{WHAT} is loaded ({loading.seconds:.0f} s): key to paint, p95", "idle", quiet.p95, loading.p95)
    yield keys_row(f"{WHAT} answers: key to paint, p95", "idle", quiet.p95, answering.p95)
