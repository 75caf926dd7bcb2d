"""What sessions cost on disk: storing an event, opening a large session, finding what was said in a thousand."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Row, ms
from benchmarks.history import SESSION, conversation
from benchmarks.live import NotShownError
from benchmarks.scenes import home, pygent
from pygent.event_lines import to_line
from pygent.events import Event, MessageFinished, RunStarted, SessionStarted, ToolFinished, stamp
from pygent.store import Store

APPENDED, LARGE, SMALL = 10_000, 100_000, 1_000
SESSIONS, EVENTS = 1_000, 1_000
APPEND, OPEN, SEARCH = 3.0, 5.0, 0.5
"""Times the floor, and seconds."""

PATTERNS = 25
"""Sessions of which all others have the words."""

_ID = "f" * 32

ASKED = 15
"""How often each question is asked."""


def measure(
    appended: int = APPENDED,
    large: int = LARGE,
    small: int = SMALL,
    sessions: int = SESSIONS,
    events: int = EVENTS,
) -> Iterator[Row]:
    """All three."""
    yield from appending(appended)
    yield from opening(large, small)
    yield from searching(sessions, events)


def appending(count: int) -> Iterator[Row]:
    """The same rows into a bare table and through the store, in turn."""
    stored = numbered(conversation("/work", count), SESSION)[:count]
    rows = [(event.session_id, event.seq, event.type, to_line(event, compact=True)) for event in stored]
    with tempfile.TemporaryDirectory(prefix="pygent-bench-") as folder, contextlib.closing(bare(folder)) as db:
        store = Store(Path(folder, "sessions.db"))
        floor: list[float] = []
        own: list[float] = []
        for event, row in zip(stored, rows, strict=True):
            began = time.perf_counter()
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", row)
            between = time.perf_counter()
            store.append(event)
            floor.append(between - began)
            own.append(time.perf_counter() - between)
        store.close()
    for what, share in (("an event is stored, median", 0.5), ("the same, 99th percentile", 0.99)):
        least, most = at(floor, share), at(own, share)
        shown = f"{ms(most)} ({most / least:.1f} ×)"
        yield Row(what, f"{ms(least)} bare insert, WAL", shown, f"≤ {APPEND:g} × floor", most <= APPEND * least)


def opening(large: int, small: int) -> Iterator[Row]:
    """A large session against a small one, from the start of the process until its end is on the screen."""
    what = f"a session of {large:,} events opened, its end on the screen"
    try:
        few, many = opened(small), opened(large)
    except NotShownError as error:
        yield Row(what, "", f"**failed**: {error}", "", False)
        return
    shown = f"{ms(many)} ({many / few:.1f} ×)"
    yield Row(what, f"{ms(few)} {small:,} events", shown, f"≤ {OPEN:g} s", many <= OPEN)


def opened(count: int) -> float:
    """Seconds from the start of ``pygent --resume`` until the last answer shows."""
    with home() as (env, work):
        stored = numbered(conversation(work, count), SESSION)[:count]
        answers = [
            str(event.message["content"])
            for event in stored
            if isinstance(event, MessageFinished) and event.message["role"] == "assistant"
        ]
        with contextlib.closing(Store(Path(env["HOME"], ".local/share/pygent/sessions.db"))) as store:
            store.append_all(stored)
        with pygent(env, work, "--resume", SESSION) as live:
            live.wait(" ".join(answers[-1].split()[:2]) + " ")
            return live.now()


def searching(sessions: int, events: int) -> Iterator[Row]:
    """Words that are everywhere, somewhere and nowhere, and a phrase, against reading every row with `LIKE`."""
    with tempfile.TemporaryDirectory(prefix="pygent-bench-") as folder:
        file = Path(folder, "sessions.db")
        words = fill(file, sessions, events)
        with contextlib.closing(Store(file)) as store:
            began = time.perf_counter()
            store.update_search()
            built = time.perf_counter() - began
            times = [
                asked(store, question)
                for question in (words[0], words[-1], "nowhere", f'"{words[0]} {words[1]}"', words[0][:2], words[200])
            ]
        with contextlib.closing(sqlite3.connect(file)) as db:
            began = time.perf_counter()
            db.execute(f"SELECT count(*) FROM events WHERE line LIKE '%{words[-1]}%'").fetchone()
            floor = time.perf_counter() - began
    size = f"{sessions:,} sessions of {events:,} events"
    for what, value in (("the median of six questions", at(times, 0.5)), ("the slowest of them", max(times))):
        shown, goal = f"{ms(value)} ({value / floor:.2f} ×)", f"≤ {ms(SEARCH)}"
        yield Row(f"search over {size}: {what}", f"{ms(floor)} `LIKE`", shown, goal, value <= SEARCH)
    yield Row(
        "making the index of them",
        "",
        f"{built:.0f} s, {built / (sessions * events) * 1e6:.0f} µs an event",
        "",
        None,
    )


def asked(store: Store, question: str) -> float:
    """Seconds of a search, the median of several."""
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        store.search(question)
        times.append(time.perf_counter() - began)
    return at(times, 0.5)


def fill(file: Path, sessions: int, events: int) -> list[str]:
    """Store sessions; answers the words that they are made of, the most frequent first."""
    draw = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(3, 10))) for _ in range(20_000)]
    shares = [1 / number for number in range(1, len(words) + 1)]
    texts = [" ".join(draw.choices(words, shares, k=draw.choice((8, 20, 40, 120)))) for _ in range(4_000)]
    patterns = [numbered(session(draw, texts, events), _ID) for _ in range(min(sessions, PATTERNS))]
    lines = [[(event.seq, event.type, to_line(event, compact=True)) for event in pattern] for pattern in patterns]
    Store(file).close()
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        for number in range(sessions):  # as the store does it, in a tenth of the time
            name = f"{number:032x}"
            db.execute("BEGIN")
            db.execute(
                "INSERT INTO sessions (id, title, started_at, updated_at) VALUES (?, ?, 1, 1)", (name, words[number])
            )
            rows = ((name, seq, kind, line.replace(_ID, name)) for seq, kind, line in lines[number % len(lines)])
            db.executemany("INSERT INTO events (session_id, seq, type, line) VALUES (?, ?, ?, ?)", rows)
            db.execute("COMMIT")
    return words


def session(draw: random.Random, texts: Sequence[str], events: int) -> Iterator[Event]:
    """Events of which a third say something, as in a real one."""
    yield SessionStarted(model="bench", persona="Pygent", workspace="/work", sandbox="local", version="1")
    for number in range(1, events):
        text = draw.choice(texts)
        if number % 6 == 1:
            yield MessageFinished(message_id=f"m{number}", message={"role": "assistant", "content": text})
        elif number % 6 == 2:
            yield ToolFinished(call_id=f"c{number}", status="ok", output=text)
        else:
            yield RunStarted(prompt=text[:60])


def numbered(events: Iterator[Event], session_id: str) -> list[Event]:
    return [
        stamp(event, seq=seq, at=1_700_000_000.0 + seq, session_id=session_id)
        for seq, event in enumerate(events, start=1)
    ]


def bare(folder: str) -> sqlite3.Connection:
    """A database with nothing but the table of events."""
    db = sqlite3.connect(f"{folder}/bare.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    columns = "session_id TEXT, seq INTEGER, type TEXT, line TEXT, PRIMARY KEY (session_id, seq)"
    db.execute(f"CREATE TABLE events ({columns}) WITHOUT ROWID")
    return db


def at(times: Sequence[float], share: float) -> float:
    """The time within which that share of all is."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
