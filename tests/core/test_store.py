"""Sessions on disk: what was stored comes back, and trouble with the file is told."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from pygent.bus import EventBus
from pygent.event_lines import to_line
from pygent.events import (
    Event,
    FilesChanged,
    MessageDelta,
    MessageFinished,
    MessageStarted,
    RunFinished,
    RunStarted,
    SessionStarted,
    ToolFinished,
    ToolStarted,
    from_dict,
    stamp,
    to_dict,
)
from pygent.history import INTERRUPTED, History
from pygent.store import Glimpse, SeqTakenError, Store, StoreError
from tests.fakes.invariants import check_history


def _session(store: Store, prompt: str = "mend it", *, finish: bool = True) -> EventBus:
    bus = EventBus()
    bus.subscribe(store.append)
    bus.publish(SessionStarted(model="m", persona="p", workspace="/w", sandbox="local", version="0"))
    bus.publish(RunStarted(prompt=prompt))
    bus.publish(MessageStarted(message_id="1", role="user", origin="user"))
    bus.publish(MessageFinished(message_id="1", message={"role": "user", "content": prompt}, origin="user"))
    bus.publish(MessageStarted(message_id="2", role="assistant"))
    bus.publish(MessageDelta(message_id="2", text="I"))
    function = {"name": "bash", "arguments": "{}"}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": function}],
    }
    bus.publish(MessageFinished(message_id="2", message=message))
    bus.publish(ToolStarted(call_id="c", tool="bash", arguments={}))
    if finish:
        bus.publish(ToolFinished(call_id="c", status="ok", output="done"))
        bus.publish(RunFinished(reason="stopped", text="Done."))
    return bus


def test_durable_events_come_back_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "data" / "sessions.db")
    bus = _session(store)
    events = list(store.events(bus.session_id))
    assert [event.type for event in events].count("message.delta") == 0
    assert [event.seq for event in events] == sorted(event.seq for event in events)
    assert [from_dict(to_dict(event)) for event in events] == events
    assert store.last_seq(bus.session_id) == 10
    store.close()
    again = Store(store.file)
    assert list(again.events(bus.session_id)) == events
    again.close()


@pytest.mark.hostile(68)
def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "data" / "sessions.db")
    assert stat.S_IMODE(store.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.file.parent.stat().st_mode) == 0o700
    store.close()


def test_sessions_are_listed_found_searched_and_deleted(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    first = _session(store, "mend the 100% broken_thing")
    second = _session(store, "write a poem")
    assert [one.title for one in store.sessions()] == ["write a poem", "mend the 100% broken_thing"]
    assert store.sessions(workspace="/elsewhere") == []
    assert store.find(first.session_id[:12]).id == first.session_id
    with pytest.raises(StoreError, match="no session"):
        store.find("zzz")
    with pytest.raises(StoreError, match="2 sessions"):
        store.find("")
    assert [one.id for one in store.search("100%")] == [first.session_id]
    assert store.search("0% broken-") == []
    store.delete(first.session_id)
    assert [one.id for one in store.sessions()] == [second.session_id]
    assert list(store.events(first.session_id)) == []
    store.close()


@pytest.mark.hostile(63)
def test_a_history_is_rebuilt_and_what_was_left_open_is_answered(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.db")
    for finish, answer in ((True, "done"), (False, INTERRUPTED)):
        history = History()
        history.replay(store.events(_session(store, finish=finish).session_id))
        check_history(history)
        assert [message["role"] for message in history] == ["user", "assistant", "tool"]
        assert history[-1]["content"] == answer
    store.close()


@pytest.mark.hostile(65)
def test_several_stores_write_at_once(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "s.db") for _ in range(4)]
    ids: list[str] = []
    threads = [threading.Thread(target=lambda one=one: ids.append(_session(one).session_id)) for one in stores * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores[0].sessions()) == 20
    assert all(stores[1].last_seq(one) == 10 for one in ids)
    for one in stores:
        one.close()


def test_a_number_that_another_pygent_has_taken_is_an_error_that_loses_nothing(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "s.db")) as one, contextlib.closing(Store(tmp_path / "s.db")) as other:
        first = stamp(RunStarted(prompt="first"), seq=1, at=1.0, session_id="s")
        one.append(first)
        other.append(first)  # the same once more, as after a write whose answer was lost
        with pytest.raises(SeqTakenError, match="session s has an event 1 already, which another Pygent has stored"):
            other.append(stamp(RunStarted(prompt="second"), seq=1, at=1.0, session_id="s"))
        other.append(stamp(RunStarted(prompt="third"), seq=2, at=1.0, session_id="s"))
        assert [event.prompt for event in one.events("s") if isinstance(event, RunStarted)] == ["first", "third"]


@pytest.mark.hostile(67)
def test_a_row_that_cannot_be_read_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(tmp_path / "s.db")
    bus = _session(store)
    db = sqlite3.connect(store.file)
    db.execute('UPDATE events SET line = \'{"v":1,"type":"later.kind"}\' WHERE seq = 2')
    db.commit()
    db.close()
    assert len(list(store.events(bus.session_id))) == 8
    assert "cannot be read" in caplog.text
    store.close()


def test_texts_that_are_no_utf_8_are_stored_too(tmp_path: Path) -> None:
    strange = b"caf\xe9".decode("utf-8", "surrogateescape")
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        bus = EventBus()
        seen: list[Event] = []
        bus.subscribe(seen.append)
        bus.subscribe(store.append)
        bus.publish(SessionStarted(model="m", persona="p", workspace=f"/{strange}", sandbox="local", version="0"))
        bus.publish(RunStarted(prompt=strange))
        bus.publish(FilesChanged(paths=[strange, "größe"]))
        assert list(store.events(bus.session_id)) == seen
        (session,) = store.sessions(workspace=f"/{strange}")
        assert session.title == "caf?"
        assert [from_dict(json.loads(to_line(event))) for event in seen] == seen
        assert [from_dict(json.loads(to_line(event, ascii_only=True))) for event in seen] == seen
        assert "größe" in to_line(FilesChanged(paths=["größe"]), compact=True)


def test_a_session_is_glimpsed_and_named(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "sessions.db")) as store:
        bus = _session(store, "mend [/it]")
        assert store.glimpse(bus.session_id) == Glimpse(2, "mend [/it]", "")
        bus.publish(MessageFinished(message_id="3", message={"role": "assistant", "content": "It is\nmended."}))
        bus.publish(MessageFinished(message_id="t", message={"role": "user", "content": "of a task"}, agent_id="t1"))
        reminder = {"role": "user", "content": "go on"}
        bus.publish(MessageFinished(message_id="4", message=reminder, origin="reminder"))
        assert store.glimpse(bus.session_id) == Glimpse(4, "mend [/it]", "It is\nmended.")
        store.rename(bus.session_id, "  a\nname ")
        assert store.find(bus.session_id).title == "a name"
        store.rename(bus.session_id, "")
        assert store.find(bus.session_id).title == "mend [/it]"
        assert store.glimpse("nobody") == Glimpse(0, "", "")
