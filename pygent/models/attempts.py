"""Attempts at a task that has a check: what a small model is shown of those that failed.

Shown its own wrong reply, a small model writes it again, word for word. So an attempt at mending something begins
from the task as it was, sampled more freely each time. What is written anew is shown, with its failure, every other
time. Where several files have to change and a reply did not bring them all, they are asked for one after the other:
the replies are forgotten, and the task shows the files as they have become.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pygent.images import joined, text_of, with_text
from pygent.models.asking import CHECK_FAILED, CHECK_PASSES, asked, targets
from pygent.models.base import Messages
from pygent.models.block_reader import blocks_in, files_written
from pygent.models.fences import fenced, language_of

BEGIN_AGAIN = "The files are as they were before. Begin again."
"""What it ends with where the attempt is to be forgotten."""

NEXT_FILE = "What was written stays. Go on with the next file."
"""What it ends with where only the reply is to be forgotten."""

_GO_ON = "If this answers or completes it, say so in one sentence without a block. If not, do what comes next."
_REPEATED = 600
"""Characters of a task that is told again; a longer one would only fill the window."""

_COOL, _WARMER, _WARMEST = 0.3, 0.15, 0.8


def warmth(messages: Messages) -> float:
    """The temperature for the next attempt, 0 for the first."""
    failures = 0
    for message in reversed(messages):
        if _is_task(message):
            break
        failures += _is_failure(message)
    return min(_WARMEST, _COOL + _WARMER * failures) if failures else 0.0


def as_shown(messages: Messages) -> Messages:
    """The conversation without attempts that are to be forgotten; a task that has a check ends with how to do it."""
    kept, task, state = _folded(messages)
    if task < 0:
        return kept
    text = state.text()
    if state.files:
        kept[task] = {"role": "user", "content": with_text(kept[task]["content"], text)}
    if len(kept) == task + 1 or _is_failure(kept[-1]):
        last = asked(text, state.wanted, state.failures, state.one)
        if last:
            kept[-1] = {"role": "user", "content": joined(kept[-1]["content"], last)}
    return kept


def wanted(messages: Messages) -> list[str]:
    """The files that the answer to the last task may have to hold, over all attempts."""
    task = next((message for message in reversed(messages) if _is_task(message)), None)
    return _State(task).wanted if task is not None else []


def expected(messages: Messages) -> list[str]:
    """Those that the next reply may have to hold."""
    state = _folded(messages)[2]
    return [state.one] if state.one else state.wanted


def _folded(messages: Messages) -> tuple[Messages, int, _State]:
    """What is not to be forgotten, where in it the last task is, -1 for none, and what became of it."""
    kept: Messages = []
    task = -1
    state = _State()
    for message in messages:
        if _is_task(message):
            task, state = len(kept), _State(message)
        if task >= 0 and _is_failure(message) and state.forgets(message, kept[task + 1 :]):
            del kept[task + 1 :]
        else:
            kept.append(message)
    return kept, task, state


class _State:
    """What became of a task: failed attempts, the files that stay written, and why the check fails with them."""

    def __init__(self, task: dict[str, Any] | None = None) -> None:
        self._task = _text(task) if task is not None else ""
        self._words = getattr(task, "words", "")
        self.failures = 0
        self.files: dict[str, str] = {}
        self.one = ""
        self._why = ""
        self._had_turn: set[str] = set()

    @cached_property
    def wanted(self) -> list[str]:
        """The files that the answer may have to hold."""
        return targets(self._task, self._words)

    def forgets(self, failure: dict[str, Any], attempt: Messages) -> bool:
        """One more attempt failed. Answers whether it is to be forgotten."""
        self.failures += 1
        said = _text(failure)
        if said.endswith(BEGIN_AGAIN):
            self.files.clear()
            self._had_turn.clear()
            self.one = ""
            return True
        if not said.endswith(NEXT_FILE):
            return False
        self._why = said.removesuffix(NEXT_FILE).rstrip()
        refused = {one["tool_call_id"] for one in attempt if one["role"] == "tool" and _text(one).startswith("Error")}
        calls = [call for message in attempt for call in message.get("tool_calls") or () if call["id"] not in refused]
        for call in calls:
            self.files.update((path.removeprefix("./"), text) for path, text in files_written(call["function"]))
        left = [path for path in self.wanted if path not in self._had_turn]
        # What was not written at all is missing most likely, then what the check's output names.
        self.one = min(left, key=lambda path: (path in self.files, path not in self._why), default="")
        self._had_turn.add(self.one)
        return True

    def text(self) -> str:
        """The task with its files as they are now, and why the check fails."""
        if not self.files:
            return self._task
        at = max(self._task.rfind(CHECK_FAILED), self._task.rfind(CHECK_PASSES))
        text = self._task[:at]
        words = f"\n\n{self._words}" if self._words and self._task[at:].endswith(self._words) else ""
        new = dict(self.files)
        for block in reversed(list(blocks_in(text))):
            if block.path in self.files:
                shown = _shown(block.path, self.files[block.path])
                text = f"{text[: block.start]}{shown}\n{text[block.end :]}"
                new.pop(block.path, None)
        added = "".join(f"{_shown(path, content)}\n\n" for path, content in new.items())
        return f"{text}{added}{self._why}{words}"


def _shown(path: str, content: str) -> str:
    return f"{path}\n{fenced(content, language_of(path))}"


def tasks_again(shown: Messages, messages: Messages) -> dict[int, str]:
    """What results of tools end with, by their place in ``shown``: the task once more.

    A small model loses sight of it. It stands wherever a reply followed, too: what was sent once stays, so that a
    server need not read it again. ``messages`` are those that ``shown`` was made of.
    """
    out: dict[int, str] = {}
    last = next((message for message in reversed(messages) if _is_task(message)), None)
    words = ""
    for at, message in enumerate(shown):
        if _is_task(message):
            words = getattr(message, "words", getattr(last, "words", "")).strip()
        answered = at + 1 == len(shown) or shown[at + 1].get("role") == "assistant"
        if message.get("role") == "tool" and answered and words and len(words) <= _REPEATED:
            out[at] = f"The task: {words}\n{_GO_ON}"
    return out


def _is_task(message: dict[str, Any]) -> bool:
    return message.get("role") == "user" and getattr(message, "origin", "user") in {"user", "task"}


def _is_failure(message: dict[str, Any]) -> bool:
    return getattr(message, "origin", "") == "check"


def _text(message: dict[str, Any]) -> str:
    return text_of(message.get("content") or "")
