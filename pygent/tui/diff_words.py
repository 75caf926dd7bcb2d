"""Which words changed between lines, and which removed line became which added one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""From which character of a line to which."""

Pair: TypeAlias = tuple[int | None, int | None, tuple[Span, ...], tuple[Span, ...]]
"""The places of two lines that stand side by side, and what changed in each."""

LONGEST_LINE = 600
"""Characters of a line up to which its changed words are looked for."""

MOST_WORDS = 20_000
"""Characters of a hunk for which that is done."""

SMALL_BLOCK = 80
"""Lines up to which removed and added ones are put together by what they say, else one after the other."""

_NEAR = 0.4
_WINDOW = 4
_WORDS = re.compile(r"\w+|\s+|.")


def beside(removed: Sequence[str], added: Sequence[str], budget: list[int]) -> Iterator[Pair]:
    """Removed and added lines that stand together: each beside the one within a few lines that is like it.

    ``budget`` is as in `changed_words`.
    """
    at = before = 0
    if max(len(removed), len(added)) <= SMALL_BLOCK:
        for number, old in enumerate(removed):
            for place in range(at, min(len(added), at + _WINDOW)):
                changes = changed_words(old, added[place], budget)
                if changes is not None:
                    yield from _unlike(range(before, number), range(at, place))
                    yield number, place, *changes
                    before, at = number + 1, place + 1
                    break
    yield from _unlike(range(before, len(removed)), range(at, len(added)))


def changed_words(old: str, new: str, budget: list[int]) -> tuple[tuple[Span, ...], tuple[Span, ...]] | None:
    """Which parts of two lines differ; None where the lines have little in common or are too long to tell.

    ``budget`` holds how many characters may still be looked at, and is lowered.
    """
    size = len(old) + len(new)
    if max(len(old), len(new)) > LONGEST_LINE or budget[0] < size or not old.strip() or not new.strip():
        return None
    budget[0] -= size
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    kept = [word for tag, a, b, _, _ in codes if tag == "equal" for word in before[a:b]]
    same = sum(len(word) for word in kept if not word.isspace())
    whole = sum(len(word) for word in [*before, *after] if not word.isspace())
    if 2 * same < _NEAR * whole:
        return None
    changes = [code for code in codes if code[0] != "equal"]
    old_at, new_at = _offsets(before), _offsets(after)
    old_spans = [(old_at[a], old_at[b]) for _, a, b, _, _ in changes if a < b]
    new_spans = [(new_at[c], new_at[d]) for _, _, _, c, d in changes if c < d]
    return _joined(old_spans, old), _joined(new_spans, new)


def _unlike(removed: range, added: range) -> Iterator[Pair]:
    for number in range(max(len(removed), len(added))):
        old = removed[number] if number < len(removed) else None
        new = added[number] if number < len(added) else None
        yield old, new, (), ()


def _offsets(words: list[str]) -> list[int]:
    out = [0]
    for word in words:
        out.append(out[-1] + len(word))
    return out


def _joined(spans: list[Span], text: str) -> tuple[Span, ...]:
    """Spans with only blanks between them as one."""
    out: list[Span] = []
    for start, end in spans:
        if out and not text[out[-1][1] : start].strip():
            out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return tuple(out)
