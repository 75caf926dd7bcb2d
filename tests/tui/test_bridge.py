"""The queue between the core's threads and the screen: order, joining, and its bounds."""

from __future__ import annotations

import threading
from typing import Any

from pygent.events import Event, MessageDelta, StepStarted, ToolFinished, ToolOutput
from pygent.transcript import LIVE_OUTPUT
from pygent.tui.bridge import BATCH, Bridge


class Pump:
    """What the bridge needs of the app."""

    def __init__(self) -> None:
        self.posted: list[Any] = []

    def post_message(self, message: object) -> bool:
        self.posted.append(message)
        return True

    def set_timer(self, *_: object) -> None: ...


def bridge() -> tuple[Bridge, Pump, list[list[Event]]]:
    batches: list[list[Event]] = []
    pump: Any = Pump()
    return Bridge(pump, batches.append), pump, batches


def test_events_come_in_order_and_one_message_calls_for_all() -> None:
    carrier, pump, batches = bridge()
    for step in range(5):
        carrier.sink(StepStarted(step=step))
    assert len(pump.posted) == 1
    carrier.flush()
    assert [event.step for event in batches[0]] == [0, 1, 2, 3, 4]  # type: ignore[attr-defined]


def test_pieces_of_two_agents_are_joined_each_with_its_own() -> None:
    carrier, _, batches = bridge()
    for number in range(100):
        carrier.sink(ToolOutput(agent_id="a", call_id="1", text=f"a{number}\n"))
        carrier.sink(MessageDelta(agent_id="b", message_id="m", text=f"b{number} "))
        carrier.sink(MessageDelta(agent_id="b", message_id="m", text="x", kind="reasoning"))
    carrier.sink(ToolFinished(agent_id="a", call_id="1", status="ok", output=""))
    carrier.sink(ToolOutput(agent_id="a", call_id="2", text="new"))
    carrier.flush()
    texts = [getattr(event, "text", event.type) for event in batches[0]]
    assert texts == [
        "".join(f"a{number}\n" for number in range(100)),
        "".join(f"b{number} " for number in range(100)),
        "x" * 100,
        "tool.finished",
        "new",
    ]


def test_a_flood_that_nobody_comes_for_stays_small() -> None:
    carrier, _, batches = bridge()
    line = "x" * 999 + "\n"
    for number in range(20_000):
        carrier.sink(ToolOutput(call_id="1", text=line, output_file=None if number < 9 else "/f"))
    assert len(carrier._queue) == 1
    assert carrier._queue[0]._size <= 2 * LIVE_OUTPUT  # type: ignore[union-attr]
    carrier.sink(ToolOutput(call_id="1", text="end"))
    carrier.flush()
    (event,) = batches[0]
    assert isinstance(event, ToolOutput)
    assert len(event.text) == LIVE_OUTPUT
    assert event.text.endswith("x\nend")


def test_a_piece_that_was_taken_is_not_added_to() -> None:
    carrier, _, batches = bridge()
    carrier.sink(MessageDelta(message_id="m", text="one"))
    carrier.flush()
    carrier.sink(MessageDelta(message_id="m", text="two"))
    carrier.flush()
    assert [batch[0].text for batch in batches] == ["one", "two"]  # type: ignore[attr-defined]


def test_many_facts_come_in_several_batches() -> None:
    carrier, _, batches = bridge()
    threads = [
        threading.Thread(target=lambda: [carrier.sink(StepStarted(step=1)) for _ in range(BATCH)]) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        carrier.flush()
    assert [len(batch) for batch in batches] == [BATCH] * 3
