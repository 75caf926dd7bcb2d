"""What a call did to a file, as lines for its block."""

from __future__ import annotations

import re

from rich.segment import Segment

from pygent.transcript import ToolItem
from pygent.tui.colours import Palette
from pygent.tui.diff_draw import digits_of, language_of, unified
from pygent.tui.diffs import DiffLine, Hunk, parse
from pygent.tui.text import clean, plural
from pygent.tui.wrap import Line

_NUMBERED = re.compile(r"(\d+)\t([^\n]*)")
_NUMBER = re.compile(r"^\d+\t", re.MULTILINE)

LONGEST = 100_000
"""Characters of a written file that are looked at."""


def edited(item: ToolItem, most: int, width: int, palette: Palette) -> list[Line]:
    """The changed lines that ``edit_file`` answered, about ``most`` of them."""
    path = str(item.arguments.get("path", ""))
    out: list[Line] = []
    left = most
    hidden = 0
    for diff in parse(clean(item.output), path):
        for number, hunk in enumerate(diff.hunks):
            if left <= 0:
                hidden += len(hunk.lines)
                continue
            if number:
                out.append([Segment("  ⋯", palette.faint)])
            shown = hunk.lines[:left]
            hidden += len(hunk.lines) - len(shown)
            left -= len(shown)
            out.extend(unified(shown, digits_of(hunk), language_of(path), width, palette))
        out.extend([Segment(note, palette.muted)] for note in diff.notes if left > 0)
    return [*out, *_more(hidden, palette)]


def written(item: ToolItem, most: int, width: int, palette: Palette) -> list[Line]:
    """The first lines of what ``write_file`` writes. What was there before is not known."""
    content = str(item.arguments.get("content", "")).removesuffix("\n")
    path = str(item.arguments.get("path", ""))
    lines = clean(content[:LONGEST]).split("\n")[:most] if content else []
    hunk = Hunk(1, 1, [DiffLine(" ", line, number, number) for number, line in enumerate(lines, 1)])
    hidden = content.count("\n") + bool(content) - len(lines)
    return [*unified(hunk.lines, digits_of(hunk), language_of(path), width, palette), *_more(hidden, palette)]


def read(item: ToolItem, most: int, width: int, palette: Palette) -> list[Line]:
    """The first lines that ``read_file`` answered, their numbers in a column; empty where it answered none."""
    _, _, answer = item.output.partition("\n")
    found = [_NUMBERED.fullmatch(line) for line in answer.split("\n", most)[:most]]
    lines = [DiffLine(" ", clean(match[2]), int(match[1]), int(match[1])) for match in found if match is not None]
    if not lines:
        return []
    first = lines[0].new or 1
    hunk = Hunk(first, first, lines)
    path = str(item.arguments.get("path", ""))
    hidden = len(_NUMBER.findall(answer)) - len(lines)
    return [*unified(lines, digits_of(hunk), language_of(path), width, palette), *_more(hidden, palette)]


def _more(hidden: int, palette: Palette) -> list[Line]:
    return [[Segment(f"… {plural(hidden, 'more line')}", palette.faint)]] if hidden else []
