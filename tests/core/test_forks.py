"""Copies of sessions: up to a message or to the end, with an id and a title of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from pygent.events import (
    MAIN,
    MessageFinished,
    MessageStarted,
    RunFinished,
    RunStarted,
    SessionForked,
    TaskFinished,
    TaskStarted,
    ToolStarted,
)
from pygent.forks import CUT, fork, fork_points
from pygent.history import History
from pygent.store import Store
from pygent.transcript import Transcript, UserItem
from tests.core.test_store import _session
from tests.fakes.invariants import check_events, check_history


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.db")


def _texts(store: Store, session_id: str) -> list[str]:
    transcript = Transcript()
    for event in store.events(session_id):
        transcript.apply(event)
    return [item.text for item in transcript.main.items if isinstance(item, UserItem)]


def _again(store: Store, bus: object, prompt: str) -> None:
    """One more run in the session of ``bus``."""
    bus.publish(RunStarted(prompt=prompt))  # type: ignore[attr-defined]
    bus.publish(MessageStarted(message_id=prompt, role="user", origin="user"))  # type: ignore[attr-defined]
    message = {"role": "user", "content": prompt}
    bus.publish(MessageFinished(message_id=prompt, message=message, origin="user"))  # type: ignore[attr-defined]
    bus.publish(RunFinished(reason="stopped"))  # type: ignore[attr-defined]


def test_a_session_is_copied_whole_and_stays_as_it_is(store: Store) -> None:
    bus = _session(store, "mend it")
    before = list(store.events(bus.session_id))
    copy = fork(store, store.find(bus.session_id))
    assert copy.id != bus.session_id
    assert (copy.title, copy.workspace) == ("mend it (fork)", "/w")
    events = list(store.events(copy.id))
    check_events(events, stored=True)
    assert {event.session_id for event in events} == {copy.id}
    assert isinstance(events[-1], SessionForked)
    assert events[-1].source == bus.session_id
    assert list(store.events(bus.session_id)) == before
    assert fork(store, copy).title == "mend it (fork 2)"
    assert store.sessions()[-1].id == bus.session_id  # copies are the newest
    store.close()


def test_a_copy_ends_before_the_message_that_was_chosen(store: Store) -> None:
    bus = _session(store, "first")
    _again(store, bus, "second")
    _again(store, bus, "third")
    points = fork_points(store.events(bus.session_id))
    assert [point.text for point in points] == ["first", "second", "third"]
    copy = fork(store, store.find(bus.session_id), points[2].to_seq)
    assert _texts(store, copy.id) == ["first", "second"]
    check_events(list(store.events(copy.id)), stored=True)
    begins = fork(store, store.find(bus.session_id), points[0].to_seq)
    assert _texts(store, begins.id) == []
    assert begins.title == "first (fork 2)"
    store.close()


def test_what_was_under_way_is_ended_in_the_copy(store: Store) -> None:
    bus = _session(store, "work", finish=False)
    bus.publish(TaskStarted(task_id="t1", persona="tester", prompt="test it"))
    copy = fork(store, store.find(bus.session_id))
    events = list(store.events(copy.id))
    check_events(events, stored=True)
    (task,) = [event for event in events if isinstance(event, TaskFinished)]
    assert (task.state, task.result) == ("lost", CUT)
    history = History()
    history.replay(events)
    check_history(history)
    assert [event for event in events if isinstance(event, ToolStarted)]
    store.close()


def test_a_message_that_steered_a_run_is_a_place_of_its_own(store: Store) -> None:
    from pygent.events import MessageFinished, MessageStarted

    bus = _session(store, "work", finish=False)
    bus.publish(MessageStarted(message_id="s", role="user", origin="user"))
    bus.publish(MessageFinished(message_id="s", message={"role": "user", "content": "the tests!"}, origin="user"))
    bus.publish(MessageStarted(message_id="r", role="user", origin="reminder"))
    bus.publish(MessageFinished(message_id="r", message={"role": "user", "content": "5 steps"}, origin="reminder"))
    first, steering = fork_points(store.events(bus.session_id))
    assert (first.text, steering.text) == ("work", "the tests!")
    copy = fork(store, store.find(bus.session_id), steering.to_seq)
    assert _texts(store, copy.id) == ["work"]
    events = list(store.events(copy.id))
    check_events(events, stored=True)
    assert [event.prompt for event in events if isinstance(event, RunStarted) and event.agent_id == MAIN] == ["work"]
    store.close()


def test_a_reminder_before_the_prompt_belongs_to_the_run_that_is_left_out(store: Store) -> None:
    bus = _session(store, "first")
    last = store.last_seq(bus.session_id)
    bus.publish(RunStarted(prompt="second"))
    bus.publish(MessageStarted(message_id="r", role="user", origin="reminder"))
    message = {"role": "user", "content": "Files here: a.txt"}
    bus.publish(MessageFinished(message_id="r", message=message, origin="reminder"))
    bus.publish(MessageStarted(message_id="s", role="user", origin="user"))
    bus.publish(MessageFinished(message_id="s", message={"role": "user", "content": "second"}, origin="user"))
    bus.publish(RunFinished(reason="stopped"))
    assert [point.to_seq for point in fork_points(store.events(bus.session_id))][-1] == last
    store.close()
