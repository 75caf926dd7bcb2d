"""Notices that a model goes in circles: the same call again and again, two or three in turn, the same file once more.

Steps are the same where their calls and what these brought are the same, times and addresses aside.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

TOLD, END, END_OF_ROUNDS = 3, 12, 6
"""After so many equal steps, or rounds, the model is told; after so many equal steps, or rounds, it is stuck."""

LONGEST_ROUND = 3
WRITES, RECENT = 3, 12
"""How often the same may be written within so many steps."""

SAME = (
    "You made this same call {times} times in a row. Its result will not change. Read the result, then do something "
    "else: look at the file, change it, or call stop and say what is in the way."
)
IN_TURN = (
    "You make the same {size} calls in turn ({names}), and this was round {times} with the same results. One more "
    "will not change them. Find out why it fails before you go on: read the file or the error, change something, or "
    "call stop and say what is in the way."
)
WRITTEN = (
    "You wrote the same content to {path} {times} times; it is there already. If something still fails, that content "
    "is wrong, or the fault lies elsewhere: read the error and change something else."
)

Call = tuple[str, str]
"""A tool's name, and the arguments as JSON."""

_VARIES = re.compile(r"\b\d+(?:\.\d+)?\s?(?:s|ms|sec|seconds|µs|us)\b|0x[0-9a-fA-F]{4,}|\d\d:\d\d:\d\d(?:[.,]\d+)?")
_PATH = re.compile(r'"path"\s*:\s*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Repeat:
    """What was noticed.

    ``text`` is for the model, ``""`` where it was told a short while ago. ``times`` counts the equal steps, rounds or
    writes. ``stuck``: it was told often enough, and goes on all the same.
    """

    text: str
    times: int
    stuck: bool = False


class Repeats:
    """Watches the steps of one run, for the loop's thread."""

    def __init__(self) -> None:
        self._steps: deque[int] = deque(maxlen=LONGEST_ROUND)
        self._names: deque[str] = deque(maxlen=LONGEST_ROUND)
        self._equal = [0] * (LONGEST_ROUND + 1)  # by the length of a round: steps that were as the one that long ago
        self._written: deque[list[int]] = deque(maxlen=RECENT)

    def add(
        self, calls: Sequence[Call], results: Sequence[str], writes: Sequence[str] = ("write_file",)
    ) -> Repeat | None:
        """Take what a step called and what that brought; answers what is to be said of it, None for nothing.

        ``writes`` are the tools whose calls are the same where their arguments are.
        """
        step = hash((tuple(calls), tuple(_VARIES.sub("", result) for result in results)))
        for size in range(1, LONGEST_ROUND + 1):
            same = len(self._steps) >= size and self._steps[-size] == step
            self._equal[size] = self._equal[size] + 1 if same and calls else 0
        self._steps.append(step)
        self._names.append(", ".join(name for name, _ in calls))
        return self._in_rounds() or self._same_writes(calls, writes)

    def _in_rounds(self) -> Repeat | None:
        for size in range(1, LONGEST_ROUND + 1):
            rounds, over = divmod(self._equal[size], size)
            times = rounds + 1
            if times < TOLD:
                continue
            stuck = times >= (END if size == 1 else END_OF_ROUNDS)
            told = not over and times % TOLD == 0
            names = ", then ".join(list(self._names)[-size:])
            text = SAME.format(times=times) if size == 1 else IN_TURN.format(size=size, names=names, times=times)
            return Repeat(text if told else "", times, stuck)
        return None

    def _same_writes(self, calls: Sequence[Call], writes: Sequence[str]) -> Repeat | None:
        wrote = [call for call in calls if call[0] in writes]
        self._written.append([hash(call) for call in wrote])
        for call in wrote:
            times = sum(step.count(hash(call)) for step in self._written)
            if times and times % WRITES == 0:
                path = _PATH.search(call[1])
                return Repeat(WRITTEN.format(path=path[1] if path else "the file", times=times), times)
        return None
