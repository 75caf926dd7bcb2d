"""A scripted model for the demo: what it says is written down here, what its tools do is real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from pygent.cancellation import CancelToken
from pygent.images import text_of
from pygent.models.base import Completed, Messages, StreamItem, TextDelta, ToolSchemas
from pygent.openai_compat import Message, ToolCall, ToolCallFunction, Usage

NAME = "demo (scripted)"
PROMPT = "Write roman.py, which prints the first twelve Roman numerals, and have it tested."
CHILD_PROMPT = "Write test_roman.py with unit tests for roman.py and run them."

_PROGRAM = '''\
"""Roman numerals."""

PAIRS = [(10, "X"), (5, "V"), (1, "I")]


def roman(number):
    text = ""
    for value, sign in PAIRS:
        while number >= value:
            text += sign
            number -= value
    return text


if __name__ == "__main__":
    numerals = [roman(number) for number in range(1, 13)]
    print(" ".join(numerals))
    assert numerals[3] == "IV", f"4 should be IV, not {numerals[3]}"
'''
_TEST = """\
import unittest

from roman import roman


class TestRoman(unittest.TestCase):
    def test_small(self):
        self.assertEqual([roman(n) for n in (1, 2, 3)], ["I", "II", "III"])

    def test_subtractive(self):
        self.assertEqual([roman(n) for n in (4, 9)], ["IV", "IX"])

    def test_compound(self):
        self.assertEqual(roman(12), "XII")


if __name__ == "__main__":
    unittest.main()
"""
_OLD_PAIRS = 'PAIRS = [(10, "X"), (5, "V"), (1, "I")]'
_NEW_PAIRS = 'PAIRS = [(10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]'
_RUN_TESTS = "python3 -m unittest -v test_roman.py"
_DONE = (
    "Done: `roman.py` prints the numerals, and `test_roman.py`, written by the tester, passes. "
    "That was the demo; start `pygent` to choose a real model."
)
_PLAYED = (
    "This is the demo: a scripted model on real tools, and its script is played. "
    "Start `pygent` without `--demo` to choose a real model, or `/new` to see the script again."
)

_REPORT = re.compile(r"Task [0-9a-f]{8} \(")
"""How the report of a task begins, which comes as a message of its own."""

_Call = tuple[str, dict[str, Any]]
_Line = tuple[str, list[_Call]]


class DemoModel:
    """Plays a small piece of real work: write, run, see it fail, mend, have it tested, take the test over.

    ``pace`` is in seconds a word. It reads nothing but the conversation, so one object serves parent and child.
    """

    def __init__(self, pace: float = 0.025) -> None:
        self.pace = pace

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> Message:
        """The next line of the script."""
        return self._next(messages)

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """The next line of the script, word by word.

        Raises ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ended it.
        """
        cancel = cancel or CancelToken()
        message = self._next(messages)
        for word in re.findall(r"\S+\s*", message.content or ""):
            yield TextDelta(word)
            _pause(cancel, self.pace)
        _pause(cancel, 8 * self.pace)
        yield Completed(message)

    def _next(self, messages: Messages) -> Message:
        text, calls = self._line(messages)
        size = sum(len(str(message.get("content") or "")) for message in messages) // 4
        said = len(text) // 4 + 20 * len(calls)
        return Message(
            "assistant",
            text,
            [
                ToolCall(f"demo_{uuid4().hex[:8]}", ToolCallFunction(name, json.dumps(arguments)))
                for name, arguments in calls
            ],
            usage=Usage(size, said, size + said),
        )

    def _line(self, messages: Messages) -> _Line:
        said = [text_of(message["content"]) for message in messages if message["role"] == "user"]
        prompts = [text for text in said if not _REPORT.match(text)]
        if prompts and prompts[0] == CHILD_PROMPT:
            return _child(_results(messages))
        if len(prompts) > 1:
            return _PLAYED, [("stop", {})]
        return _parent(_results(messages))


def _parent(results: list[str]) -> _Line:
    task_id = _task_id(results)
    script: list[_Line] = [
        (
            "This is a demo: what I say is scripted, what the tools do is real. First the program.",
            [("write_file", {"path": "roman.py", "content": _PROGRAM})],
        ),
        ("Now let me run it, rather than believe it.", [("bash", {"cmd": "python3 roman.py"})]),
        (
            f"It fails: `{_last_words(results)}`. The subtractive pairs are missing; I add them.",
            [("edit_file", {"path": "roman.py", "old": _OLD_PAIRS, "new": _NEW_PAIRS})],
        ),
        ("And once more.", [("bash", {"cmd": "python3 roman.py"})]),
        (
            "That holds. Somebody else should test it: the tester gets a copy of the workspace.",
            [("delegate_persona_task", {"persona": "tester", "prompt": CHILD_PROMPT})],
        ),
        ("While it works I wait; you can look into it with F4 and Enter.", [("wait_for_tasks", {})]),
        ("The tester is done. I take its change over.", [("apply_task", {"task_id": task_id})]),
        ("Its tests, run here.", [("bash", {"cmd": _RUN_TESTS})]),
    ]
    if len(results) < len(script):
        return script[len(results)]
    return _DONE, [("stop", {})]


def _child(results: list[str]) -> _Line:
    script: list[_Line] = [
        ("I read what I am to test.", [("read_file", {"path": "roman.py"})]),
        (
            "Three tests: small numbers, the subtractive ones, a compound one.",
            [("write_file", {"path": "test_roman.py", "content": _TEST})],
        ),
        ("I run them.", [("bash", {"cmd": _RUN_TESTS})]),
    ]
    if len(results) < len(script):
        return script[len(results)]
    return ("`test_roman.py` has three tests, and all pass.", [("stop", {})])


def _results(messages: Messages) -> list[str]:
    return [str(message["content"]).strip() for message in messages if message["role"] == "tool"]


def _last_words(results: list[str]) -> str:
    """The line of the last output that tells the error."""
    lines = [line.strip() for line in (results or [""])[-1].splitlines()]
    errors = [line for line in lines if "Error" in line]
    return (errors or [line for line in lines if line] or [""])[-1]


def _task_id(results: list[str]) -> str:
    for result in results:
        match = re.match(r"started (\S+)$", result.splitlines()[-1] if result else "")
        if match:
            return match[1]
    return ""


def _pause(cancel: CancelToken, seconds: float) -> None:
    cancel.wait(seconds)
    cancel.check()
