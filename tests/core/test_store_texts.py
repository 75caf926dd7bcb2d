"""Long texts of events are kept once, beside the database; an event that is read back is the one that was stored."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pygent.event_lines import to_line
from pygent.events import Event, MessageFinished, RunStarted, ToolFinished, ToolStarted, from_dict, stamp
from pygent.store import Store
from pygent.store.rows import LARGE

LONG = "größe 🐍\n" * LARGE
HALF = "\udce9" * LARGE
PICTURE = "data:image/png;base64," + "A" * LARGE


def _events(session_id: str, *events: Event) -> list[Event]:
    return [stamp(event, seq=seq, at=5.0, session_id=session_id) for seq, event in enumerate(events, start=1)]


def _rows(store: Store) -> list[tuple[str, str | None]]:
    with contextlib.closing(sqlite3.connect(store.file)) as db:
        return list(db.execute("SELECT line, outside FROM events ORDER BY session_id, seq"))


ALL = [
    ToolFinished(call_id="1", status="ok", output="x" * (LARGE - 300)),
    ToolFinished(call_id="2", status="ok", output="y" * LARGE),
    ToolFinished(call_id="3", status="error", output=LONG, exit_status=1, output_file="/tmp/o"),
    ToolFinished(call_id="4", status="ok", output=HALF),
    ToolStarted(call_id="5", tool="write_file", arguments={"path": "a", "content": LONG, "more": [[LONG, 1], None]}),
    MessageFinished(
        message_id="6",
        message={
            "role": "user",
            "content": [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": PICTURE}}],
        },
    ),
    ToolStarted(call_id="7", tool="t", arguments={str(number): "short" for number in range(5_000)}),
    RunStarted(prompt=""),
]


def test_an_event_is_the_same_when_it_is_read_back(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        events = _events("s", *ALL)
        for event in events:
            store.append(event)
        assert list(store.events("s")) == events
        assert [from_dict(json.loads(to_line(event))) for event in events] == events
        rows = _rows(store)
        assert [outside is not None for _, outside in rows] == [False, True, True, True, True, True, False, False]
        assert all(len(line) < 1000 for line, outside in rows if outside)
        assert store.blobs.size() == sum(
            len(text.encode("utf-8", "surrogatepass")) for text in ("y" * LARGE, LONG, HALF, PICTURE)
        )


def test_what_is_lost_is_said_and_the_rest_is_read(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        for event in _events("s", *ALL):
            store.append(event)
        for file in store.blobs.folder.rglob("*"):
            if file.is_file():
                file.write_bytes(b"damaged")
        read: list[Any] = list(store.events("s"))
        assert len(read) == len(ALL)
        assert read[0].output == "x" * (LARGE - 300)
        assert read[2].output.startswith(f"[{len(LONG)} characters that stood here are lost: {store.blobs.folder}")
        assert read[5].message["content"][1]["image_url"]["url"].startswith("data:image/gif;base64,")


def test_where_there_is_no_place_beside_the_database_it_has_all_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "blobs").touch()
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        events = _events("s", *ALL)
        for event in events:
            store.append(event)
        assert list(store.events("s")) == events
        assert {outside for _, outside in _rows(store)} == {None}
        assert "a long text stays in the database" in caplog.text


def test_blobs_are_kept_as_long_as_a_session_uses_them(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        for name in ("one", "two"):
            for event in _events(name, RunStarted(prompt=name), ALL[1], ALL[2] if name == "one" else ALL[3]):
                store.append(event)
        mark = store.blobs.put(b"a file to go back to")
        store.refer("two", [mark])
        later = 2_000_000_000.0 * 2
        assert store.blobs.sweep(store.used_blobs(), now=later) == 0
        store.delete("one")
        assert store.blobs.sweep(store.used_blobs()) == 0  # somebody may just have written them
        assert store.blobs.sweep(store.used_blobs(), now=later) == len(LONG.encode())
        assert [event.type for event in store.events("two")] == ["run.started", "tool.finished", "tool.finished"]
        assert store.blobs.has(mark)
        store.delete("two")
        store.blobs.sweep(store.used_blobs(), now=later)
        assert store.blobs.size() == 0


def test_a_large_session_is_removed_and_what_a_kill_left_of_one(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        for event in _events("s", *[RunStarted(prompt=str(number)) for number in range(1_100)]):
            store.append(event)
        store.append(stamp(RunStarted(prompt="other"), seq=1, at=6.0, session_id="t"))
        with contextlib.closing(sqlite3.connect(store.file)) as db, db:
            db.execute("UPDATE sessions SET going = 1 WHERE id = 's'")
            db.execute("DELETE FROM events WHERE session_id = 's' AND seq > 600")
        assert [one.id for one in store.sessions()] == ["t"]
        store.finish_deleting()
        assert _rows(store) == [
            (to_line(stamp(RunStarted(prompt="other"), seq=1, at=6.0, session_id="t"), compact=True), None)
        ]
        store.delete("t")
        assert _rows(store) == []
