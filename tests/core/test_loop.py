"""The loop: when it goes on, when it ends, and that whatever ends it leaves everything in order."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from pygent import Agent, APIError, Persona, RunResult, Tool, ToolRegistry, set_system_message_builder
from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, StuckError
from pygent.events import Event, Notice, RunFinished
from pygent.models.base import Completed, Discarded, ModelNotice, ReasoningDelta, StreamItem, TextDelta
from pygent.openai_compat import Message, ToolCall, ToolCallFunction
from pygent.prompts import DESCRIBED, REMINDER
from pygent.tools import REGISTRY
from pygent.wiring import Wiring
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import ScriptedModel, call, say


class DuckRuntime:
    """The least that an agent works with."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.files: dict[str, str] = {}

    def bash(self, cmd: str) -> str:
        self.commands.append(cmd)
        return f"$ {cmd}\nran"

    def write_file(self, path: str, content: str) -> str:
        self.files[path] = content
        return f"Wrote {path}"


class Case:
    """An agent on a scripted model, its events kept."""

    def __init__(self, *script: Any, model: Any = None, tools: ToolRegistry | None = None, **wiring: Any) -> None:
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.runtime = DuckRuntime()
        self.model = model or ScriptedModel(script)
        self.agent = Agent(self.runtime, self.model, tools=tools, wiring=Wiring(bus=bus, **wiring))

    def run(self, prompt: str = "go", **limits: Any) -> RunResult:
        try:
            return self.agent.run_until_stop(prompt, **limits)
        finally:
            self.check()

    def check(self) -> None:
        check_events(self.events)
        check_history(self.agent.history)

    def types(self) -> list[str]:
        return [event.type for event in self.events]


def test_a_run_goes_on_until_stop() -> None:
    case = Case(call(("bash", {"cmd": "ls"})), call(("stop", {}), text="All done."))
    result = case.run()
    assert (result.reason, result.text, result.steps) == ("stopped", "All done.", 2)
    assert case.runtime.commands == ["ls"]
    assert result.usage.total_tokens == 30
    assert case.types() == [
        "run.started",
        "message.started",
        "message.finished",
        "step.started",
        "message.started",
        "message.finished",
        "tool.started",
        "tool.finished",
        "step.finished",
        "step.started",
        "message.started",
        "message.delta",
        "message.finished",
        "tool.started",
        "tool.finished",
        "step.finished",
        "run.finished",
    ]


def test_continue_asks_for_a_person() -> None:
    assert Case(call(("continue", {}), text="Which one?")).run().reason == "input_required"


def test_a_reply_without_a_call_is_answered_once_with_a_reminder() -> None:
    case = Case(say("Hm."), call(("stop", {}), text="Done."))
    assert case.run().reason == "stopped"
    assert case.model.requests[1][-1] == {"role": "user", "content": REMINDER}


def test_a_reply_that_only_shows_code_is_told_how_to_make_the_change() -> None:
    case = Case(say("Do this:\n```python\nprint(1)\n```"), call(("stop", {})))
    case.run()
    assert case.model.requests[1][-1] == {"role": "user", "content": DESCRIBED}


def test_a_second_reply_without_a_call_in_a_row_ends_the_run() -> None:
    result = Case(say("One."), say("Two.")).run()
    assert (result.reason, result.text, result.steps) == ("completed", "Two.", 2)


def test_a_call_in_between_starts_the_count_anew() -> None:
    case = Case(say("a"), call(("bash", {"cmd": "ls"})), say("b"), say("c"))
    assert case.run().steps == 4


def test_in_a_conversation_a_reply_without_a_call_ends_the_run() -> None:
    case = Case(say("Hello."))
    result = case.agent.converse("hi")
    assert (result.reason, result.text) == ("completed", "Hello.")
    case.check()


def test_the_limit_of_steps_ends_the_run() -> None:
    result = Case(*[call(("bash", {"cmd": f"ls {number}"})) for number in range(5)]).run(max_steps=3)
    assert (result.reason, result.steps) == ("max_steps", 3)


def test_step_answers_the_message_and_runs_its_tools() -> None:
    case = Case(call(("write_file", {"path": "a", "content": "b"}), text="I write."))
    message = case.agent.step("go")
    assert message.content == "I write."
    assert case.runtime.files == {"a": "b"}
    case.check()


def test_calls_after_stop_in_the_same_reply_do_not_run_and_are_answered() -> None:
    case = Case(call(("bash", {"cmd": "a"}), ("stop", {}), ("bash", {"cmd": "b"})))
    assert case.run().reason == "stopped"
    assert case.runtime.commands == ["a"]


def test_stop_does_not_count_where_a_call_before_it_in_the_same_reply_failed() -> None:
    case = Case(call(("nonsense", {}), ("stop", {})), call(("stop", {}), text="Seen."))
    assert case.run().text == "Seen."
    assert "Not stopped" in case.agent.history[4]["content"]


@pytest.mark.hostile(71)
def test_a_model_that_repeats_itself_is_told_and_then_ended() -> None:
    case = Case(*[call(("bash", {"cmd": "ls"})) for _ in range(20)])
    with pytest.raises(StuckError, match="12 times"):
        case.run()
    told = [message["content"] for message in case.agent.history if message["role"] == "user"]
    assert ["3 times" in told[1], "9 times" in told[3], len(told)] == [True, True, 4]


@pytest.mark.hostile(64)
def test_ids_that_are_missing_or_come_again_are_made_unique() -> None:
    def same() -> Message:
        return Message("assistant", None, [ToolCall("", ToolCallFunction("bash", '{"cmd":"x"}')) for _ in range(2)])

    again = [
        Message("assistant", None, [ToolCall("call_0", ToolCallFunction("bash", '{"cmd":"y"}'))]) for _ in range(2)
    ]
    case = Case(same(), *again, call(("stop", {})))
    case.run()
    ids = [message["tool_call_id"] for message in case.agent.history if message["role"] == "tool"]
    assert len(set(ids)) == len(ids) == 5


def test_an_api_error_is_told_and_raised_and_the_session_goes_on() -> None:
    case = Case(APIError("no"), call(("stop", {}), text="Back."))
    with pytest.raises(APIError):
        case.run()
    finished = case.events[-1]
    assert isinstance(finished, RunFinished)
    assert (finished.reason, finished.error) == ("failed", "no")
    assert case.run("again").text == "Back."


def test_a_model_that_returns_nonsense_is_an_error_that_says_so() -> None:
    with pytest.raises(TypeError, match="content or tool_calls"):
        Case("text").run()


def test_models_may_return_dicts() -> None:
    case = Case(
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "function": {"name": "stop", "arguments": "{}"}}],
        }
    )
    assert case.run().reason == "stopped"


def test_a_call_cut_off_at_the_length_limit_does_not_run() -> None:
    cut = Message(
        "assistant", None, [ToolCall("1", ToolCallFunction("bash", '{"cmd": "rm -r'))], finish_reason="length"
    )
    case = Case(cut, call(("stop", {})))
    case.run()
    assert case.runtime.commands == []
    assert "cut off" in case.agent.history[3]["content"]


@pytest.mark.hostile(30)
def test_cancel_ends_a_chat_that_does_not_return() -> None:
    gate = threading.Event()
    case = Case(lambda _: gate.wait(30), cancellable=True)
    threading.Timer(0.1, case.agent.cancel).start()
    began = time.monotonic()
    assert case.run().reason == "cancelled"
    assert time.monotonic() - began < 5
    gate.set()


def test_a_time_limit_ends_a_chat_that_does_not_return() -> None:
    gate = threading.Event()
    for limits in ({"max_time": 0.1}, {"step_timeout": 0.1}):
        assert Case(lambda _: gate.wait(30)).run(**limits).reason == "timeout"
    gate.set()


def test_the_session_s_end_ends_the_run() -> None:
    life = CancelToken()
    case = Case(call(("bash", {"cmd": "ls"})), cancel=life)
    life.cancel()
    assert case.run().reason == "cancelled"


def test_an_agent_at_work_refuses_a_second_run() -> None:
    gate = threading.Event()
    case = Case(lambda _: gate.wait(10) and say("x"), say("y"))
    thread = threading.Thread(target=case.run)
    thread.start()
    while not case.model.requests:
        time.sleep(0.001)
    with pytest.raises(RuntimeError, match="at work"):
        case.agent.run_until_stop("second")
    gate.set()
    thread.join()


def test_no_word_of_the_persona_is_lost_and_the_builder_can_be_replaced() -> None:
    agent = Agent(DuckRuntime(), ScriptedModel([say("a"), say("b")]), persona=Persona("Helper", "a friendly bot"))
    agent.step("hi")
    assert "You are Helper, a friendly bot" in agent.history[0]["content"]
    set_system_message_builder(lambda persona, disabled: f"{persona.name}!{disabled}")
    try:
        agent.step("hi")
        assert agent.history[0]["content"] == "Helper!None"
    finally:
        set_system_message_builder(None)


def test_a_persona_s_tools_and_disabled_ones_limit_what_is_offered() -> None:
    agent = Agent(
        DuckRuntime(), model := ScriptedModel([say("a"), say("b")]), persona=Persona("R", tools=("read_file",))
    )
    agent.step("hi")
    assert [one["function"]["name"] for one in model.tools[0]] == ["read_file", "continue", "stop"] or {
        one["function"]["name"] for one in model.tools[0]
    } == {"read_file", "continue", "stop"}
    agent.disabled_tools.add("read_file")
    agent.step("hi")
    assert {one["function"]["name"] for one in model.tools[1]} == {"continue", "stop"}


def test_a_runtime_that_is_no_workspace_is_not_offered_delegation() -> None:
    agent = Agent(DuckRuntime(), model := ScriptedModel([say("a")]))
    agent.step("hi")
    assert not {one["function"]["name"] for one in model.tools[0]} & {"delegate_task", "task_status", "collect_file"}


def test_a_tool_that_is_not_offered_does_not_run() -> None:
    case = Case(call(("bash", {"cmd": "ls"})), call(("stop", {})))
    case.agent.disabled_tools.add("bash")
    case.run()
    assert case.runtime.commands == []


class Streamer:
    """A streaming model that plays given items."""

    def __init__(self, *items: StreamItem | BaseException) -> None:
        self.items = items

    def chat(self, *_: Any) -> Any:
        raise AssertionError("a model that streams is asked to stream")

    def stream(self, messages: Any, model: Any, tools: Any, *, cancel: CancelToken) -> Iterator[StreamItem]:
        for item in self.items:
            if isinstance(item, BaseException):
                raise item
            cancel.check()
            yield item


def test_a_stream_that_breaks_is_discarded_visibly_and_starts_anew() -> None:
    case = Case(
        model=Streamer(
            ModelNotice("slow down", "warning"),
            ReasoningDelta("hm"),
            TextDelta("half an ans"),
            Discarded("the stream broke"),
            TextDelta("whole"),
            Completed(Message("assistant", "whole", reasoning_content="hm")),
        )
    )
    assert case.agent.converse("go").text == "whole"
    case.check()
    assert [event.discarded for event in case.events if event.type == "message.finished"] == [False, True, False]  # type: ignore[attr-defined]
    assert [event.text for event in case.events if isinstance(event, Notice)] == ["slow down", "the stream broke"]


@pytest.mark.parametrize("error", [APIError("x"), Cancelled("x"), KeyboardInterrupt()])
def test_a_stream_that_raises_leaves_nothing_open(error: BaseException) -> None:
    case = Case(model=Streamer(TextDelta("half"), error))
    if isinstance(error, Cancelled):
        assert case.run().reason == "cancelled"
    else:
        with pytest.raises(type(error)):
            case.run()


def test_a_stream_without_an_end_is_an_error() -> None:
    with pytest.raises(TypeError, match="Completed"):
        Case(model=Streamer(TextDelta("half"))).run()


def test_a_keyboard_interrupt_in_a_tool_leaves_a_valid_history() -> None:
    tools = REGISTRY.copy()

    def hit(rt: Any) -> str:
        raise KeyboardInterrupt

    from pygent import Tool

    tools.add(Tool("hit", "x", {"type": "object", "properties": {}}, hit))
    case = Case(call(("hit", {}), ("bash", {"cmd": "ls"})), tools=tools)
    with pytest.raises(KeyboardInterrupt):
        case.run()
    assert case.runtime.commands == []


def test_what_a_run_costs_is_counted_by_the_settings_prices() -> None:
    steps = [call(("bash", {"cmd": "x"})), call(("stop", {}))]
    assert Case(*steps).run().cost is None
    case = Case(*steps, prices={"small": {"input": 2.0, "output": 10.0}})
    case.agent.model_name = "small"
    result = case.run()
    assert result.cost == pytest.approx(2 * (10 * 2.0 + 5 * 10.0) / 1e6)
    assert isinstance(case.events[-1], RunFinished)
    assert case.events[-1].cost == result.cost


def test_what_the_server_had_in_its_cache_has_a_price_of_its_own() -> None:
    def reply(**usage: Any) -> dict[str, Any]:
        return {
            "role": "assistant",
            "content": "ok",
            "usage": {"prompt_tokens": 1000, "completion_tokens": 0, **usage},
        }

    told = [{"prompt_tokens_details": {"cached_tokens": 900}}, {"prompt_cache_hit_tokens": 900}, {}]
    for price, costs in (({"input": 10, "cached_input": 1}, [1900, 1900, 10000]), ({"input": 10}, [10000] * 3)):
        for usage, cost in zip(told, costs, strict=True):
            case = Case(reply(**usage), prices={"small": price})
            case.agent.model_name = "small"
            result = case.agent.converse("go")
            assert result.cost == pytest.approx(cost / 1e6)
            assert result.usage.to_dict().get("cached_tokens") == (900 if usage else None)


def test_a_step_that_is_ended_in_a_tool_counts_with_what_it_brought() -> None:
    tools = REGISTRY.copy()
    tools.add(Tool("doze", "Sleep.", {"type": "object", "properties": {}}, lambda rt: time.sleep(0.3)))
    result = Case(call(("doze", {}), text="I doze."), tools=tools).run(max_time=0.2)
    assert (result.reason, result.text, result.usage.total_tokens) == ("timeout", "I doze.", 15)


def test_another_model_and_another_runtime_count_from_the_next_step_on() -> None:
    case = Case()
    case.agent.model, case.agent.runtime = ScriptedModel([call(("bash", {"cmd": "ls"}))]), DuckRuntime()
    case.agent.step("go")
    assert case.agent.runtime.commands == ["ls"]
    assert case.runtime.commands == []
    assert case.model.requests == []


def test_a_model_may_return_a_whole_completion() -> None:
    answer = {"role": "assistant", "content": "Hi."}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    whole = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "usage": usage}
    whole["choices"] = [{"index": 0, "finish_reason": "stop", "message": answer}]
    result = Case(whole, ChatCompletion.model_validate(whole)).run()
    assert (result.reason, result.text, result.usage.total_tokens) == ("completed", "Hi.", 10)
