"""What of a conversation stays word for word where it has become too long, and what a summary stands for.

::

    system      as it is: persona, rules, instructions
    user        the task, as it is, and what the person said since, the last of it word for word
    assistant   the summary, and the list of to-dos
    user        what the last steps are about, where they do not begin with it
    …           the last steps, whole

A summary is the assistant's own words. In a user's message, what a tool has printed could come back as an order.
Nothing is put into the assistant's mouth besides: small models say such words again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pygent.history import Said
from pygent.images import text_of, with_text
from pygent.shrinking import Messages, tokens_of
from pygent.tokens import BYTES, of_text

SUMMARY = "[Earlier messages were left out to make room. This is what happened in them.]"
NO_SUMMARY = "[Earlier messages were left out to make room. These are the calls that were made in them.]"
GO_ON = "Go on from there."
LATER = "\n\n[Said later:]\n"
"""Stands in a task before each thing that the person said after it."""

TAIL, PROMPTS, LONGEST = 0.25, 0.15, 0.1
"""Shares of the window that the last steps, what the person said last, and a summary have at most."""

LISTED = 40
"""Calls that are listed where there is no summary."""

_ASK = """\
The conversation is getting too long, and what stands before the last messages is about to be replaced by your \
summary. Write it now: plain text, at most {words} words, no tool call, no code block. Say what is needed to go on \
with the work:
- what the user wants, with every rule and preference that they gave
- what was done: which files were changed, and how
- what was found out: names, paths, commands and what came of them, errors; copy them exactly
- what was decided, and why
- what is left to do, and what comes next"""


@dataclass(frozen=True, slots=True)
class Parts:
    """A conversation, taken apart: ``system`` and ``task`` have at most one message each."""

    system: Messages
    task: Messages
    middle: Messages
    tail: Messages
    prompts: list[str] = field(default_factory=list)
    """What a person said after the task and before the tail, and stays word for word."""

    @property
    def fixed(self) -> int:
        """How many messages stand before the tail."""
        return len(self.system) + len(self.task) + len(self.middle)


def take_apart(messages: Sequence[dict[str, Any]], room: int) -> Parts:
    """Divide ``messages`` for a window of ``room`` tokens, by the rule of `pygent.tokens`.

    The tail has the last step in any case, and as many before it as fit.
    """
    begin = 1 if messages and messages[0].get("role") == "system" else 0
    body = list(messages[begin:])
    task = 1 if body and body[0].get("role") == "user" else 0
    cut = _cut(body, task, int(room * TAIL))
    middle = body[task:cut]
    said = [*(_said_later(body[0]) if task else ()), *(_words(one) for one in middle if _is_prompt(one))]
    return Parts(list(messages[:begin]), body[:task], middle, body[cut:], _last(said, int(room * PROMPTS)))


def put_together(parts: Parts, summary: str, todos: Sequence[dict[str, Any]] = ()) -> Messages:
    """The conversation with ``summary`` in place of its middle, ready for any server."""
    told = "\n\n".join(part for part in (summary, _todo_list(todos)) if part)
    task = parts.task[0] if parts.task else Said(GO_ON, "reminder")  # there is none where it began in another way
    later, between = list(parts.prompts), list[dict[str, Any]]()
    if parts.tail and parts.tail[0]["role"] == "assistant":  # that goes on with what was said last
        between = [Said(later.pop(), "user") if later else Said(GO_ON, "reminder")]
    return [*parts.system, _with_later(task, later), {"role": "assistant", "content": told}, *between, *parts.tail]


def _with_later(task: dict[str, Any], prompts: Sequence[str]) -> dict[str, Any]:
    """The task with what the person said since in place of what stood there of that."""
    begin = text_of(task["content"]).partition(LATER)[0]
    text = LATER.join([begin, *prompts])
    if text == text_of(task["content"]):
        return task
    origin = task.origin if isinstance(task, Said) else "user"
    words = LATER.join([_words(task).partition(LATER)[0], *prompts])
    return Said(with_text(task["content"], text), origin, words.removeprefix(LATER))


def _said_later(task: dict[str, Any]) -> list[str]:
    return text_of(task["content"]).split(LATER)[1:]


def question(room: int, hint: str) -> Said:
    """What the model is asked for a summary with, for a window of ``room`` tokens."""
    text = _ASK.format(words=max(100, min(1_000, room // 24)))
    return Said(f"{text}\n\nAbove all: {hint.strip()}" if hint.strip() else text, "reminder")


def longest(room: int) -> int:
    """Characters of a summary, for a window of ``room`` tokens."""
    return max(600, int(room * LONGEST) * BYTES)


def as_summary(text: str, room: int) -> str:
    """A model's summary as it stands in the conversation, no longer than its share of the window."""
    return f"{SUMMARY}\n\n{_short(text, room)}"


def _short(text: str, room: int) -> str:
    text, most = text.strip(), longest(room)
    return text if len(text) <= most else f"{text[:most]} …"


def last_answer(middle: Sequence[dict[str, Any]], room: int) -> str:
    """What the model said last in ``middle`` without calling anything, as a small model's summary; "" for nothing.

    A summary of its own would be wrong, and it would go on in the words that stand around one.
    """
    for message in reversed(middle):
        text = message.get("content")
        if message["role"] == "assistant" and isinstance(text, str) and not message.get("tool_calls"):
            return "" if text.startswith((SUMMARY, NO_SUMMARY)) else _short(text, room)
    return ""


def without_summary(middle: Sequence[dict[str, Any]]) -> str:
    """What stands in place of ``middle`` where no model sums it up: earlier summaries, and the calls."""
    earlier: list[str] = []
    calls: list[str] = []
    for message in middle:
        text = message.get("content")
        if isinstance(text, str) and message["role"] == "assistant" and text.startswith((SUMMARY, NO_SUMMARY)):
            earlier.append(text.partition("\n\n")[2])
        for call in message.get("tool_calls") or ():
            arguments = " ".join(str(call["function"]["arguments"]).split())
            calls.append(f"- {call['function']['name']} {arguments[:100]}")
    more = [f"- {len(calls) - LISTED} calls before these"] if len(calls) > LISTED else []
    return "\n\n".join(part for part in (NO_SUMMARY, *earlier[-1:], "\n".join([*more, *calls[-LISTED:]])) if part)


def _cut(body: Messages, begin: int, most: int) -> int:
    """Where the tail begins: before a reply, or before what a person said."""
    size, found = 0, len(body)
    for at in range(len(body) - 1, begin - 1, -1):
        size += tokens_of(body[at : at + 1])
        if body[at].get("role") == "assistant" or _is_prompt(body[at]):
            if size > most and found < len(body):
                break
            found = at
    return found


def _is_prompt(message: dict[str, Any]) -> bool:
    return message.get("role") == "user" and bool(_words(message))


def _words(message: dict[str, Any]) -> str:
    """A person's own words in a message."""
    if message.get("role") != "user":
        return ""
    if isinstance(message, Said):
        return message.words
    return text_of(message.get("content"))


def _last(said: Sequence[str], most: int) -> list[str]:
    """As much of it, from its end, as ``most`` tokens have room for; the very last in any case."""
    kept: list[str] = []
    for text in reversed(said):
        most -= of_text(text)
        if kept and most < 0:
            break
        kept.append(text)
    return kept[::-1]


def _todo_list(todos: Sequence[dict[str, Any]]) -> str:
    """The list of to-dos, where anything on it is open."""
    if all(one.get("state") == "done" for one in todos):
        return ""
    marks = {"done": "x", "active": ">"}
    lines = (f"[{marks.get(str(one.get('state')), ' ')}] {one.get('text')}" for one in todos)
    return "The list of to-dos:\n" + "\n".join(lines)
