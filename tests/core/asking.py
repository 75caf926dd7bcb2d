"""What tests of a model behind a server have in common."""

import json

from pygent.models import Completed, ModelNotice, TextDelta

ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
BASH = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "",
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]},
    },
}
KEY = "sk-very-secret-key"


def ask(model, how, messages=ASK, tools=None, cancel=None):
    """The items of an answer, the last one's message, by either way."""
    if how == "chat":
        return [], model.chat(messages, "m", tools)
    items = list(model.stream(messages, "m", tools, cancel=cancel))
    assert [item for item in items if isinstance(item, Completed)] == items[-1:]
    return items, items[-1].message


def text(items):
    """What was streamed."""
    return "".join(item.text for item in items if isinstance(item, TextDelta))


def notices(items):
    """What people are told."""
    return [item.text for item in items if isinstance(item, ModelNotice)]


def calls(message):
    """The calls of a message, arguments decoded."""
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]
