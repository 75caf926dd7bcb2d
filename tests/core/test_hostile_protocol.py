"""What a model's server sends, and what a stored session holds, that no protocol allows (hostile.md, 64 and 66)."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from pygent.bus import EventBus
from pygent.events import MessageFinished, RunStarted, ToolFinished, ToolStarted
from pygent.history import History
from pygent.store import Store
from tests.core.test_providers import Case, case  # noqa: F401 - the fixture
from tests.fakes.invariants import check_history
from tests.fakes.openai_server import delta, raw, reply, sse


@pytest.mark.hostile(64)
def test_arguments_of_five_megabytes_go_through(case) -> None:  # noqa: F811
    text = "x" * 5_000_000
    call = {
        "index": 0,
        "id": "c",
        "function": {"name": "write_file", "arguments": json.dumps({"path": "a", "content": text})},
    }
    one = case(raw(sse(delta(tool_calls=[call]), delta("stop"))), reply("Done."))
    one.agent.converse("go")
    assert check_history(one.agent.history) is None
    (started,) = [event for event in one.events if isinstance(event, ToolStarted)]
    assert started.arguments["content"] == text
    assert len(one.sent()[2]["tool_calls"][0]["function"]["arguments"]) > 5_000_000


@pytest.mark.hostile(64)
@pytest.mark.parametrize(
    "arguments", ["[" * 5000, '{"a":' * 5000, '{"path": "a", "content": ' + "[" * 900 + "]" * 900 + "}"]
)
def test_arguments_without_an_end_to_their_brackets_are_answered(case, arguments: str) -> None:  # noqa: F811
    call = {"index": 0, "id": "c1", "function": {"name": "write_file", "arguments": arguments}}
    one = case(raw(sse(delta(tool_calls=[call]), delta("stop"))), reply("Done."))
    one.agent.converse("go")
    (finished,) = [event for event in one.events if isinstance(event, ToolFinished) and event.call_id == "c1"]
    assert finished.status == "error"


@pytest.mark.hostile(64)
def test_stored_results_that_are_doubled_or_of_no_call_make_a_valid_history() -> None:
    calls = [
        {"id": one, "type": "function", "function": {"name": "bash", "arguments": "{}"}} for one in ("a", "b", "")
    ]
    history = History()
    history.replay(
        [
            MessageFinished(message_id="1", message={"role": "user", "content": "go"}, origin="user"),
            ToolFinished(call_id="x", status="ok", output="of nothing"),
            MessageFinished(message_id="2", message={"role": "assistant", "content": None, "tool_calls": calls}),
            ToolFinished(call_id="a", status="ok", output="first"),
            ToolFinished(call_id="a", status="ok", output="second"),
            ToolFinished(call_id="c", status="ok", output="of none"),
        ]
    )
    told = {message["tool_call_id"]: message["content"] for message in history if message["role"] == "tool"}
    assert told["a"] == "first"
    assert set(told) == {"a", "b", ""}
    assert "of n" not in json.dumps(history)


@pytest.mark.hostile(66)
def test_a_task_s_messages_are_its_own(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "sessions.db")) as store:
        bus = EventBus()
        bus.subscribe(store.append)
        for agent, text in (("main", "of the parent"), ("t1", "of the task"), ("main", "again")):
            bus.publish(RunStarted(agent_id=agent, prompt=text))
            message = {"role": "user", "content": text}
            bus.publish(MessageFinished(agent_id=agent, message_id=text, message=message, origin="user"))
        events = list(store.events(bus.session_id))
    for agent, texts in (("main", ["of the parent\n\nagain"]), ("t1", ["of the task"])):
        history = History()
        history.replay(events, agent)
        assert [message["content"] for message in history] == texts
