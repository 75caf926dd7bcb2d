"""Arguments and calls as models write them: read, or refused in words, and no call that was not written."""

from __future__ import annotations

import json

from pygent.models.arguments import repair, validate
from pygent.models.text_calls import extract_tool_calls
from tests.fuzz.source import Source

SCHEMA = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "count": {"type": "integer", "minimum": 0},
        "deep": {"type": "object", "properties": {"on": {"type": "boolean"}}},
        "names": {"type": "array", "items": {"type": ["string", "null"]}},
    },
    "required": ["path"],
}
TOOLS = [{"type": "function", "function": {"name": "frobnicate", "description": "", "parameters": SCHEMA}}]
ATOMS = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        '"',
        "'",
        "`",
        '"""',
        "\\",
        "\\u",
        "\\ud83d",
        "\\n",
        "\n",
        " ",
        "null",
        "None",
        "True",
    ),
    *('"path"', "path", '"count"', '"deep"', '"on"', '"names"', "1", "-1e999", "NaN", "5.0", '"a"', '{"path": "a"}'),
    *(
        "<tool_call>",
        "</tool_call>",
        "<function=frobnicate>",
        "</function>",
        "<parameter=path>",
        "</parameter>",
        "```json",
    ),
    *(
        "```",
        "frobnicate",
        '"name": "frobnicate"',
        '"arguments": ',
        "frobnicate(",
        ")",
        "path=",
        "[TOOL_CALLS]",
        "<|",
        "|>",
    ),
    *('<invoke name="frobnicate">', "</invoke>", "[[" * 600, '{"a":' * 600, "9" * 5000),
)


def arguments(data: bytes) -> None:
    """The target."""
    text = Source(data).joined(ATOMS)
    try:
        read = repair(text, SCHEMA)
    except ValueError:  # in words; anything else is a fault
        pass
    else:
        assert validate(read, SCHEMA) == []
        json.dumps(read).encode()
        assert repair(json.dumps(read), SCHEMA) == read
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            plain = None
        if isinstance(plain, dict) and "NaN" not in text and "\\ud" not in text and not validate(plain, SCHEMA):
            assert read == plain, "what was right was changed"
    calls, rest = extract_tool_calls(text, TOOLS)
    assert {call.function.name for call in calls} <= {"frobnicate"}
    assert len(calls) <= text.count("frobnicate"), "a call that nobody wrote"
    assert len(rest) <= len(text)
