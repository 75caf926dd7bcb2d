"""What stays of a long output: its beginning, its end, and what tells of failures in between.

The rule. A text that fits stays as it is. Of a longer one the first and the last quarter of the room are kept, cut
between lines where that is near. The other half is for lines of the middle, by what they tell, in the order they
came: first those that name a failure (a failed test, an exception, an assertion, a compiler's error, a summary of
failures, by the words of the usual tools), then what stands around them, then lines that only have a word like
"failed" in them. A line that says the same as three before it, numbers aside, is not shown again, and of many such
lines in a row the first and the last are kept. Where nothing tells of a failure the beginning and the end get all
the room, two thirds and one third. Each gap says how much was left out there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAMES, _AROUND, _WORD = 3, 2, 1
"""What a line is worth: it names a failure, stands around one, or only has a word in it."""

_LINE_SHOWN = 400
_LINE_READ = 300
_SAME = 3
_RUN_HEAD, _RUN_TAIL = 24, 8
_GAP = len("\n[… 10000000 characters left out …]\n")

_SIGNS: tuple[tuple[int, int, str], ...] = (
    # lines before, lines after, how such a line looks
    (4, 0, r"E\s{2,}\S|>\s{3,}\S"),  # pytest's marks beside the source
    (0, 2, r"_{3,} .+ _{3,}$"),
    (0, 0, r"=+ .*(?:FAILURES|ERRORS|short test summary|\d+ (?:failed|error)).*"),
    (0, 0, r"(?:FAILED|ERROR)(?::| \(|\s+\S+(?:::| - ))"),
    (0, 3, r"(?:FAIL|ERROR): \S"),  # unittest
    (6, 1, r"(?:\w+\.)*\w*(?:Error|Exception|Failure|Interrupt|Exit|ExceptionGroup)(?::|$)"),  # Python, JavaScript
    (0, 2, r"\s*Traceback \(most recent call last\)"),
    (0, 3, r"[^\s:(]+[:(]\d+(?:[:,]\d+)?\)?:? (?:fatal )?error\b"),  # gcc, clang, tsc, mypy, javac, …
    (0, 6, r"(?:fatal )?error(?:\[\w+\])?: "),  # rustc, git
    (0, 8, r"thread '.*' panicked at|panic: |fatal error: "),
    (0, 4, r"---- .+ ----$|test .+ \.\.\. FAILED"),
    (3, 6, r"\s*--- FAIL"),
    (0, 1, r"FAIL(?:$|\s)|\s+FAIL\s"),
    (0, 1, r"\S+\.go:\d+:\d+: "),
    (0, 20, r"\s*● "),  # jest
    (0, 3, r"\s*(?:✕|✗|✘|×|❯) "),
    (0, 3, r"\s+\d+\) \S.*:$"),  # mocha
    (0, 0, r"npm (?:ERR!|error)|ERR_PNPM|error Command failed"),
    (2, 0, r"make(?:\[\d+\])?: \*\*\*|ninja: |CMake Error|collect2: |.*(?:undefined reference|undefined symbol)"),
    (0, 3, r"\[ERROR\]|Caused by: |Exception in thread|> Task .*FAILED|FAILURE: |BUILD FAILED"),
    (0, 4, r"not ok\b"),
    (2, 0, r".*\b(?:assertion failed|Assertion .* failed|Segmentation fault|core dumped|command not found)"),
    (0, 0, r"Tests?:.*\bfailed|Failed tests?:|test result: FAILED|FAILED\b|failures:$"),
)  # fmt: skip
_NAMES_A_FAILURE = re.compile("|".join(f"(?P<s{index}>{sign})" for index, (_, _, sign) in enumerate(_SIGNS)))
_HAS_A_WORD = re.compile(
    r"\b(?:errors?|fail(?:ed|s|ures?)?|fatal|exceptions?|assert\w*|denied|refused|cannot|can't|unable|undefined|missing"
    r"|not found|killed|invalid)\b",
    re.IGNORECASE,
)
_GOOD_NEWS = re.compile(r"PASSED|\bpassed\b(?!.*failed)|\b(?:0|no) (?:errors?|failed|failures?)\b|\.\.\. ?ok$|^ok\b")
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+")


def failing_part(text: str, limit: int, note: str = "") -> str:
    """``text`` in at most ``limit`` characters, with what tells of failures in it (see the rule above).

    ``note`` is put into the first gap, beyond the limit: where all of it is, say.
    """
    if len(text) <= limit:
        return text
    quarter = max(limit, 0) // 4
    head, tail = _head(text, quarter), _tail(text, quarter)
    middle = text[len(head) : len(text) - len(tail)].split("\n")
    room = limit - len(head) - len(tail) - 2 * _GAP
    chosen = _choose(middle, room)
    if not chosen:
        third = max(limit - _GAP, 0) // 3
        head, tail = _head(text, 2 * third), _tail(text, third)
        gap = _gap(text[len(head) : len(text) - len(tail)], note)
        return _joined([head, gap, tail])
    parts, shown = [head], 0
    for index in chosen:
        if index > shown:
            parts.append(_gap("\n".join(middle[shown:index]), note))
            note = ""
        parts.append(_short(middle[index]))
        shown = index + 1
    if shown < len(middle):
        parts.append(_gap("\n".join(middle[shown:]), note))
    return _joined([*parts, tail])


def tells_of_failure(line: str) -> bool:
    """Whether a line of some tool's output names a failure."""
    return _NAMES_A_FAILURE.match(line[:_LINE_READ]) is not None


def _joined(parts: list[str]) -> str:
    """The parts, each on lines of its own."""
    return "\n".join(part.removesuffix("\n") for part in parts[:-1] if part) + "\n" + parts[-1]


def _head(text: str, size: int) -> str:
    """The first ``size`` characters, up to the end of a line where there is one in their second half."""
    end = text.rfind("\n", size // 2, size)
    return text[: end + 1] if end >= 0 else text[:size]


def _tail(text: str, size: int) -> str:
    start = text.find("\n", len(text) - size, len(text) - size // 2)
    return text[start + 1 :] if start >= 0 else text[len(text) - size :]


def _gap(left_out: str, note: str) -> str:
    lines = left_out.strip("\n").count("\n") + 1
    size = f"{lines} lines" if lines > 1 else f"{len(left_out)} characters"
    return f"[… {size} left out{f'; {note}' if note else ''} …]"


def _short(line: str) -> str:
    return line if len(line) <= _LINE_SHOWN else f"{line[:_LINE_SHOWN]}…"


@dataclass(slots=True)
class _Room:
    """What fits, in characters with the gaps between."""

    lines: list[str]
    left: int
    taken: set[int]

    def take(self, index: int) -> bool:
        cost = min(len(self.lines[index]), _LINE_SHOWN + 1) + 1
        cost += 0 if index - 1 in self.taken else _GAP
        if cost > self.left:
            return False
        self.left -= cost
        self.taken.add(index)
        return True


def _choose(lines: list[str], room: int) -> list[int]:
    """The lines to show, by number; none where none tells of a failure."""
    worth = _worth(lines)
    chosen = _Room(lines, room, set())
    for wanted in (_NAMES, _AROUND, _WORD):
        full = 0
        for index, value in enumerate(worth):
            if value == wanted and not chosen.take(index):
                full += 1
                if full > 20:  # what is left holds at most a few short lines
                    break
    return sorted(chosen.taken)


def _worth(lines: list[str]) -> list[int]:
    worth = [0] * len(lines)
    told: dict[str, int] = {}
    run = 0
    for index, line in enumerate(lines):
        start = line[:_LINE_READ]
        found = _NAMES_A_FAILURE.match(start)
        if found is None:
            run = 0
            if not worth[index] and _HAS_A_WORD.search(start) and not _GOOD_NEWS.search(start):
                worth[index] = _WORD if _first_times(told, start) else 0
            continue
        run += 1
        if (run > _RUN_HEAD and not _ends_soon(lines, index)) or not _first_times(told, start):
            worth[index] = 0
            continue
        before, after, _ = _SIGNS[int((found.lastgroup or "s0")[1:])]
        worth[index] = _NAMES
        for near in range(max(0, index - before), min(len(lines), index + after + 1)):
            if lines[near].strip():
                worth[near] = max(worth[near], _AROUND)
    return worth


def _ends_soon(lines: list[str], index: int) -> bool:
    """Whether the row of failing lines that ``index`` is in has only a few more."""
    ahead = lines[index + 1 : index + 1 + _RUN_TAIL]
    return len(ahead) < _RUN_TAIL or not all(tells_of_failure(line) for line in ahead)


def _first_times(told: dict[str, int], line: str) -> bool:
    same = _NUMBER.sub("0", line)
    told[same] = told.get(same, 0) + 1
    return told[same] <= _SAME
