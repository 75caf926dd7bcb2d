"""What servers refuse, in their own words, for `FakeOpenAI` with a function as its script.

::

    FakeOpenAI(refusing(no_tools, strict_roles, answers=[reply("Done.")]))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.openai_server import Step, status

Refusal = Callable[[dict[str, Any]], "Step | None"]


def refusing(
    *refusals: Refusal, answers: Sequence[Step] | Callable[[dict[str, Any]], Step]
) -> Callable[[dict[str, Any]], Step]:
    """A script: what none of ``refusals`` refuses gets the next of ``answers``."""
    left = None if callable(answers) else list(answers)

    def script(request: dict[str, Any]) -> Step:
        for refusal in refusals:
            refused = refusal(request)
            if refused is not None:
                return refused
        if left is None:
            assert callable(answers)
            return answers(request)
        return left.pop(0) if left else status(400, "the script is at its end")

    return script


def no_tools(request: dict[str, Any]) -> Step | None:
    return status(400, "this model does not support tools") if request.get("tools") else None


def no_stream_options(request: dict[str, Any]) -> Step | None:
    return (
        status(400, "Unrecognized request argument supplied: stream_options") if "stream_options" in request else None
    )


def no_temperature(request: dict[str, Any]) -> Step | None:
    return status(400, "Unsupported parameter: 'temperature'") if "temperature" in request else None


def strict_roles(request: dict[str, Any]) -> Step | None:
    """One system message at the beginning, then user and assistant in turns, as many chat templates want it."""
    roles = [message["role"] for message in request["messages"]]
    turns = roles[1:] if roles[0] == "system" else roles
    if turns != (["user", "assistant"] * len(turns))[: len(turns)]:
        return status(400, f"Conversation roles must alternate user/assistant/user/assistant/..., not {roles}")
    return None


def paired_ids(request: dict[str, Any]) -> Step | None:
    """Every call has an id that occurs once, and exactly one answer, before anything else is said."""
    seen: set[str] = set()
    open_calls: list[str] = []
    for message in request["messages"]:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                return status(400, f"tool_call_id {message.get('tool_call_id')!r} answers no call")
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            return status(400, f"tool_calls must be followed by tool messages: {open_calls}")
        for call in message.get("tool_calls") or ():
            if not call.get("id") or call["id"] in seen:
                return status(400, f"a call's id is missing or stands twice: {call.get('id')!r}")
            seen.add(call["id"])
            open_calls.append(call["id"])
    return status(400, f"tool_calls without an answer: {open_calls}") if open_calls else None


def no_reasoning(request: dict[str, Any]) -> Step | None:
    if any("reasoning_content" in message for message in request["messages"]):
        return status(400, "unknown field reasoning_content in an assistant message is not allowed")
    return None
