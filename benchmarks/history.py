"""A conversation of any length, opened again: when it shows, what it takes, how keys and scrolling answer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Row, ms
from benchmarks.live import Live, NotShownError
from benchmarks.scenes import bare, home, pygent
from benchmarks.streaming import keys_row
from pygent.events import (
    Event,
    MessageFinished,
    MessageStarted,
    RunFinished,
    RunStarted,
    SessionStarted,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
    stamp,
)
from pygent.store import Store

MESSAGES, SHORT = 10_000, 100
CALLS = 0.3
"""Tool calls for each message."""

SESSION = "b" * 32
OPEN, MEMORY = 3.0, 200
"""Seconds and MiB that all of it may take."""

KEYS = 4.0
"""Seconds of typing."""


def measure(messages: int = MESSAGES, short: int = SHORT, seconds: float = KEYS) -> Iterator[Row]:
    """A long conversation against a short one: all has to be flat."""
    try:
        few, many, floor = reopened(short, seconds), reopened(messages, seconds), idle(seconds)
    except NotShownError as error:
        yield Row("a long conversation opened again", "", f"**failed**: {error}", "", False)
        return
    what, name = f"{messages:,} messages, {int(messages * CALLS):,} tool calls", f"{short} messages"
    shown = f"{ms(many.opened)} ({many.opened / few.opened:.1f} ×)"
    met = many.opened <= OPEN
    yield Row(f"{what}: opened again, its end on the screen", f"{ms(few.opened)} {name}", shown, f"≤ {OPEN:g} s", met)
    longest = ms(many.meanwhile)
    yield Row("the longest key meanwhile", f"{ms(few.meanwhile)} {name}", longest, "≤ 100 ms", many.meanwhile <= 0.1)
    memory = f"{many.memory:.0f} MiB"
    yield Row("memory then", f"{few.memory:.0f} MiB {name}", memory, f"≤ {MEMORY} MiB", many.memory <= MEMORY)
    yield keys_row("typing beside it: key to paint, p95", "bare Textual", floor, many.keys)
    for key, here, there in zip(("PageUp", "Home", "End"), few.scrolled, many.scrolled, strict=True):
        shown = f"{ms(there)} ({there / here:.1f} ×)"
        yield Row(f"{key} in it", f"{ms(here)} {name}", shown, "≤ 50 ms or 2 × floor", there <= max(0.05, 2 * here))


@dataclass(frozen=True)
class Reopened:
    """Seconds and MiB."""

    opened: float
    meanwhile: float
    memory: float
    keys: float
    scrolled: tuple[float, float, float]


def reopened(messages: int, seconds: float) -> Reopened:
    """Open a stored conversation, type, scroll."""
    with home() as (env, work):
        keep(Path(env["HOME"], ".local/share/pygent/sessions.db"), work, messages)
        with pygent(env, work, "--resume", SESSION) as live:
            live.wait("ready|opening")
            opening = live.type_for(30, until=f"answer {messages - 1} ", every=0.05)
            opened = live.now()
            live.read_on(2)
            memory = live.memory()
            keys = live.type_for(seconds)
            return Reopened(opened, opening.longest, memory, keys.p95, scroll(live, messages))


def scroll(live: Live, messages: int) -> tuple[float, float, float]:
    """Medians of a page up, of Home and of End, in the conversation."""
    live.press("\x1bOQ")  # F2
    live.read_on(0.3)
    times: list[list[float]] = [[], [], []]
    for _ in range(5):
        times[0].append(live.answer("\x1b[5~", r"answer \d+ "))
        times[1].append(live.answer("\x1b[H", "answer 1 "))
        times[2].append(live.answer("\x1b[F", f"answer {messages - 1} "))
    first, second, third = (statistics.median(column) for column in times)
    return first, second, third


def idle(seconds: float) -> float:
    """Key to paint of a bare application, p95."""
    with home() as (env, work), bare("bare_stream", env, work, 1, 1) as live:
        live.wait("ready")
        live.read_on(1.5)
        return live.type_for(seconds).p95


def keep(file: Path, work: str, messages: int) -> None:
    """Store a conversation: prompts and answers in turn, and the tool calls between them."""
    store = Store(file)
    for seq, event in enumerate(conversation(work, messages), start=1):
        store.append(stamp(event, seq=seq, at=1_700_000_000.0 + seq, session_id=SESSION))
    store.close()


def conversation(work: str, messages: int) -> Iterator[Event]:
    """Its events."""
    yield SessionStarted(model="bench", persona="Pygent", workspace=work, sandbox="local", version="1")
    calls = 0
    for number in range(0, messages, 2):
        prompt = f"question {number} about `part_{number}`: what does it do, and what calls it?"
        yield RunStarted(prompt=prompt)
        yield MessageStarted(message_id=f"u{number}", role="user", origin="user")
        yield MessageFinished(message_id=f"u{number}", message={"role": "user", "content": prompt}, origin="user")
        yield StepStarted(step=1)
        while calls < number * CALLS:
            calls += 1
            yield ToolStarted(call_id=f"c{calls}", tool="bash", arguments={"cmd": f"grep -rn part_{calls} src"})
            found = "".join(f"src/part_{line}.py:{line}: part_{calls}\n" for line in range(20))
            yield ToolFinished(call_id=f"c{calls}", status="ok", output=found, seconds=0.1)
        yield MessageStarted(message_id=f"a{number}", role="assistant")
        yield MessageFinished(message_id=f"a{number}", message={"role": "assistant", "content": answer(number + 1)})
        yield StepFinished(step=1, usage={"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000})
        yield RunFinished(reason="completed", text="", steps=1)


def answer(number: int) -> str:
    """An answer with a list and a little code."""
    return (
        f"answer {number} is **short**: `part_{number}` reads a line and hands it on.\n\n"
        f"- it is called by `part_{number + 1}`\n- it calls nothing\n\n"
        f"```python\ndef part_{number}(line: str) -> str:\n    return line.strip()\n```\n"
    )
