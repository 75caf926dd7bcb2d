"""Messages, events, tokens, the bus: the words that everything else is said in."""

from __future__ import annotations

import copy
import json
import pickle
import threading
import time
from dataclasses import FrozenInstanceError
from types import SimpleNamespace
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, DeadlineExceeded
from pygent.events import EVENT_TYPES, Event, Notice, RunStarted, from_dict, to_dict
from pygent.openai_compat import Message, ToolCall, ToolCallFunction, Usage, parse_message

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT, lambda inner: st.lists(inner, max_size=3)
)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if hint is str:
        return TEXT
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(0, 10**9)
    if hint is float:
        return st.floats(0, 10**10)
    if getattr(hint, "__origin__", None) is list:
        return st.lists(TEXT, max_size=3)
    if getattr(hint, "__origin__", None) is dict:
        return st.dictionaries(TEXT, JSON, max_size=3)
    arguments = getattr(hint, "__args__", ())
    if type(None) in arguments:
        return st.none() | _values(next(one for one in arguments if one is not type(None)))
    return st.sampled_from(arguments)


@st.composite
def _events(draw: st.DrawFn) -> Event:
    cls = draw(st.sampled_from(list(EVENT_TYPES.values())))
    hints = {name: hint for name, hint in get_type_hints(cls).items() if name not in ("type", "durable")}
    return cls(**{name: draw(_values(hint)) for name, hint in hints.items()})


@given(_events())
def test_an_event_survives_the_way_through_json(event: Event) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(event)))) == event


def test_an_event_is_inert() -> None:
    one, same, other = (Notice(level="info", text=text) for text in ("a", "a", "b"))
    assert one == same != other
    assert len({one, same, other}) == 2
    assert one != RunStarted(prompt="a")
    assert repr(one) == "Notice(seq=0, at=0.0, session_id='', agent_id='main', level='info', text='a')"
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one
    with pytest.raises(FrozenInstanceError, match="text"):
        one.text = "c"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="seq"):
        del one.seq
    with pytest.raises(AttributeError):
        one.more = 1  # type: ignore[attr-defined]


def test_an_event_of_the_future_is_read_as_far_as_it_is_known() -> None:
    line = {**to_dict(RunStarted(prompt="x")), "later": 1}
    assert from_dict(line) == RunStarted(prompt="x")


@pytest.mark.parametrize(
    "line", [{}, {"v": 2, "type": "run.started"}, {"v": 1, "type": "nope"}, {"v": 1, "type": "run.started"}]
)
def test_a_line_that_is_no_event_is_an_error(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="event"):
        from_dict(line)


def test_the_bus_numbers_without_gaps_from_many_threads() -> None:
    bus = EventBus()
    seen: list[int] = []
    bus.subscribe(lambda event: seen.append(event.seq))
    threads = [
        threading.Thread(target=lambda: [bus.publish(Notice(level="info", text="x")) for _ in range(200)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == list(range(1, 1601))


def test_a_sink_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus()
    seen: list[Event] = []
    bus.subscribe(lambda event: 1 / 0)
    bus.subscribe(seen.append)
    bus.publish(RunStarted(prompt="x"))
    assert len(seen) == 1
    assert "sink failed" in caplog.text


def test_a_sink_that_publishes_keeps_the_order() -> None:
    bus = EventBus()
    seen: list[int] = []

    def answer(event: Event) -> None:
        if isinstance(event, RunStarted):
            bus.publish(Notice(level="info", text="begun"))

    bus.subscribe(answer)
    bus.subscribe(lambda event: seen.append(event.seq))
    bus.publish(RunStarted(prompt="x"))
    assert seen == [1, 2]


def test_unsubscribing_ends_delivery() -> None:
    bus = EventBus()
    seen: list[Event] = []
    end = bus.subscribe(seen.append)
    end()
    end()
    bus.publish(RunStarted(prompt="x"))
    assert seen == []


def test_cancelling_goes_down_the_tree_and_not_up() -> None:
    root = CancelToken()
    left, right = root.child(), root.child()
    leaf = left.child()
    left.cancel()
    assert leaf.cancelled
    assert not right.cancelled
    assert not root.cancelled
    with pytest.raises(Cancelled):
        leaf.check()
    assert root.child().cancelled is False
    root.cancel()
    assert right.child().cancelled


def test_a_deadline_is_inherited_and_told_apart_from_a_cancel() -> None:
    root = CancelToken(0.05)
    leaf = root.child(60)
    assert leaf.remaining() is not None
    assert (leaf.remaining() or 1) <= 0.05
    assert leaf.wait(5)
    with pytest.raises(DeadlineExceeded):
        leaf.check()


def test_a_callback_is_called_on_cancel_and_at_the_deadline_and_not_after_the_block() -> None:
    for token, end in ((CancelToken(), True), (CancelToken(0.05), False)):
        called = threading.Event()
        with token.on_cancel(called.set):
            if end:
                threading.Timer(0.02, token.cancel).start()
            assert called.wait(2)
    late = threading.Event()
    token = CancelToken()
    with token.on_cancel(late.set):
        pass
    token.cancel()
    time.sleep(0.01)
    assert not late.is_set()
    with token.on_cancel(late.set):  # already over: at once
        assert late.is_set()


def test_parse_message_reads_dicts_objects_and_messages() -> None:
    wanted = Message(
        "assistant", None, [ToolCall("c1", ToolCallFunction("bash", '{"cmd": "ls"}'))], usage=Usage(1, 2, 3)
    )
    as_dict = {**wanted.to_dict(), "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    as_object = json.loads(json.dumps(as_dict), object_hook=lambda fields: SimpleNamespace(**fields))
    assert parse_message(as_dict) == wanted
    assert parse_message(as_object) == wanted
    assert parse_message(wanted) is wanted


def test_parse_message_takes_arguments_that_are_an_object_and_content_in_parts() -> None:
    parsed = parse_message(
        {
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            "tool_calls": [{"id": None, "function": {"name": "bash", "arguments": {"cmd": "ls"}}}],
        }
    )
    assert parsed.role == "assistant"
    assert parsed.content == "ab"
    assert parsed.tool_calls[0].function.arguments == '{"cmd": "ls"}'


@pytest.mark.parametrize("answer", [None, 3, "text", object(), {}])
def test_parse_message_says_what_is_no_message(answer: object) -> None:
    with pytest.raises(TypeError, match="content or tool_calls"):
        parse_message(answer)
