"""The six calls of ``pygent doctor --model``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pygent.models.base import Messages, ToolSchemas
from pygent.openai_compat import Message, ToolCall, ToolCallFunction
from pygent.plain_text import one_line

SYSTEM = "You are being tested. Answer in a few words."
WORD = "marzipan"
"""What stands at the beginning of the long prompt, and is asked for at its end."""

TOOLS: ToolSchemas = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tell the weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Name of the city"},
                    "days": {"type": "array", "items": {"type": "integer"}, "description": "Days from today"},
                },
                "required": ["city", "days"],
            },
        },
    }
]

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that some servers refuse, tried in a call and left out where it is refused."""

    number: int
    pattern: re.Pattern[str]
    text: str
    put: Callable[[Body], None]


@dataclass(frozen=True, slots=True)
class Probe:
    """One call. ``judge`` answers what is wrong with the reply, "" for nothing."""

    name: str
    messages: Messages
    judge: Callable[[Message], str]
    tools: ToolSchemas | None = None
    streaming: bool = True
    traits: tuple[Trait, ...] = ()


def _developer(body: Body) -> None:
    if body["messages"][0]["role"] == "system":
        body["messages"][0]["role"] = "developer"


def _odd_roles(body: Body) -> None:
    body["messages"] += [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Go on."},
        {"role": "user", "content": "What is the weather like?"},
    ]


_ROLES = re.compile(r"role|alternat|developer|system|template|jinja|user", re.IGNORECASE)
DEVELOPER = Trait(
    13, re.compile(r"developer|role|template|jinja", re.IGNORECASE), "the role developer is refused", _developer
)
ODD_ROLES = Trait(
    9, _ROLES, "a system message in the middle, or two messages of one role in a row, are refused", _odd_roles
)
PARALLEL = Trait(
    13,
    re.compile(r"parallel", re.IGNORECASE),
    "parallel_tool_calls is refused",
    lambda body: body.update(parallel_tool_calls=True),
)


def plain() -> Probe:
    """A question, answered in one piece."""
    return Probe("plain", _asked("Say the word ready."), _has_text, streaming=False, traits=(DEVELOPER,))


def stream() -> Probe:
    """The same, piece by piece."""
    return Probe("stream", _asked("Count from one to five."), _has_text)


def tool_call() -> Probe:
    """A question that needs a tool."""
    return Probe("tool call", _asked("What is the weather in Oslo tomorrow? Use the tool."), _calls(1), tools=TOOLS)


def parallel_calls() -> Probe:
    """A question that needs a tool twice."""
    text = "What is the weather in Oslo and in Rome tomorrow? Use the tool for both cities at once."
    return Probe("parallel calls", _asked(text), _calls(2), tools=TOOLS, traits=(PARALLEL,))


def tool_result(before: Message | None) -> Probe:
    """The result of a call goes back; ``before`` is the reply that made the call, where there was one."""
    if before is None or not before.tool_calls:
        call = ToolCall("call_doctor", ToolCallFunction("weather", '{"city": "Oslo", "days": [1]}'))
        before = Message("assistant", None, tool_calls=[call])
    messages = _asked("What is the weather in Oslo tomorrow? Use the tool.")
    messages.append(before.to_dict())
    for call in before.tool_calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "Sunny, 21 degrees."})
    return Probe("tool result", messages, _has_text, tools=TOOLS, traits=(ODD_ROLES,))


def long_prompt(words: int) -> Probe:
    """About ``words`` tokens, with something to remember at the beginning."""
    line = "The cat sat on the old red mat and looked out at the rain over the green hill by the sea"
    lines = [line] * max(1, words // len(line.split()))
    text = "\n".join([f"Remember the word {WORD}.", *lines, "Which word were you to remember? Say only that word."])
    return Probe("long prompt", _asked(text), _remembers)


def _asked(text: str) -> Messages:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]


def _has_text(message: Message) -> str:
    return "" if (message.content or "").strip() else "no text in the reply"


def _remembers(message: Message) -> str:
    return "" if WORD in (message.content or "").casefold() else "what stood at the beginning is not known at the end"


def _calls(count: int) -> Callable[[Message], str]:
    def judge(message: Message) -> str:
        made = [call for call in message.tool_calls if call.function.name == "weather"]
        if len(made) >= count:
            return ""
        if made:
            return "one call of two"
        said = one_line(message.content or "", 60)
        return f"the tool was not called; it said: {said}" if said else "the tool was not called"

    return judge
