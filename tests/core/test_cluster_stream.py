"""Events on their way home: in order, each once, what got lost is fetched or told; a worker's word is not trusted."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from pygent.cluster.messages import message, read
from pygent.cluster.stream import KEPT, Incoming, Outgoing
from pygent.events import FilesChanged, Notice, from_dict


def note(text: object) -> Notice:
    return Notice(level="info", text=str(text))


def test_events_leave_in_batches_in_order_and_all_of_them() -> None:
    batches: list[tuple[int, list[dict[str, Any]]]] = []
    outgoing = Outgoing(lambda first, events: batches.append((first, events)))
    for number in range(1000):
        outgoing.add(note(number))
    outgoing.close()
    assert outgoing.count == 1000
    assert len(batches) < 100
    numbers = [first + index for first, events in batches for index in range(len(events))]
    assert numbers == list(range(1, 1001))
    assert [data["text"] for _, events in batches for data in events] == [str(number) for number in range(1000)]


def test_a_lone_event_does_not_wait_long() -> None:
    batches: list[int] = []
    outgoing = Outgoing(lambda first, _events: batches.append(first))
    outgoing.add(note("one"))
    end_by = time.monotonic() + 2
    while not batches:
        assert time.monotonic() < end_by
        time.sleep(0.005)
    outgoing.close()


def test_large_events_make_small_batches() -> None:
    sizes: list[int] = []
    outgoing = Outgoing(lambda _first, events: sizes.append(sum(len(data["text"]) for data in events)))
    for _ in range(50):
        outgoing.add(note("x" * 100_000))
    outgoing.close()
    assert max(sizes) <= 400_000


def test_events_are_sent_again_as_far_as_they_are_kept() -> None:
    sent: list[tuple[int, int]] = []
    outgoing = Outgoing(lambda first, events: sent.append((first, len(events))))
    for number in range(KEPT + 100):
        outgoing.add(note(number))
    outgoing.close()
    sent.clear()
    outgoing.again(KEPT, KEPT + 9)
    outgoing.again(1, 10)
    assert sent == [(KEPT, 10)]


def test_incoming_events_are_ordered_and_come_once(seed: int) -> None:
    chance = random.Random(seed)
    batches = []
    number = 1
    while number <= 300:
        size = chance.randint(1, 20)
        batches.append((number, [{"n": n} for n in range(number, number + size)]))
        number += size
    shuffled = batches + chance.sample(batches, 5)
    chance.shuffle(shuffled)
    taken: list[int] = []
    incoming = Incoming(lambda data: taken.append(data["n"]))
    for first, events in shuffled:
        incoming.add(first, events)
    assert taken == list(range(1, number))
    assert incoming.gap is None


def test_a_gap_is_seen_and_can_be_given_up() -> None:
    taken: list[int] = []
    incoming = Incoming(lambda data: taken.append(data["n"]))
    incoming.add(1, [{"n": 1}])
    incoming.add(5, [{"n": 5}, {"n": 6}])
    assert incoming.gap == (2, 4)
    incoming.add(3, [{"n": 3}])
    assert (taken, incoming.gap) == ([1], (2, 2))
    assert incoming.skip() == 1
    assert (taken, incoming.gap) == ([1, 3], (4, 4))
    assert incoming.skip() == 1
    assert (taken, incoming.gap, incoming.skip()) == ([1, 3, 5, 6], None, 0)


def test_a_message_survives_any_text() -> None:
    name = b"caf\xe9\n.txt".decode("utf-8", "surrogateescape")
    event = {"v": 1, "type": "files.changed", "paths": [name, "\0", "\U0001f600"], "agent_id": "t"}
    raw = message("t", "r", "events", first=1, events=[event])
    json.dumps(raw).encode("ascii")
    found = read(raw)
    assert found is not None
    assert found[:3] == ("t", "r", "events")
    assert from_dict(found[3]["events"][0]) == FilesChanged(agent_id="t", paths=[name, "\0", "\U0001f600"])


def test_what_is_none_of_our_messages_is_left_alone() -> None:
    for raw in (
        None,
        3,
        [],
        {},
        {"action": "remove-worker"},
        {"pygent": "1", "task": "t"},
        {"pygent": 1, "json": "{"},
    ):
        assert read(raw) is None
