"""Styled text to lines of a given width, in cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeAlias

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style

Run: TypeAlias = tuple[str, Style]
Line: TypeAlias = list[Segment]


class Aside(Segment):
    """What stands beside the text of a line, such as a margin or a number: no part of what is copied."""

    __slots__ = ()


class Joint(Aside):
    """Empty, at the start of a line that goes on with the one before it. ``BETWEEN`` is what stood there."""

    __slots__ = ()
    BETWEEN: ClassVar[str] = " "


class Cut(Joint):
    """The same, in the middle of a word."""

    __slots__ = ()
    BETWEEN: ClassVar[str] = ""


_INDENT = re.compile(r" *")
_COLUMN = re.compile(r" *\S(?: ?\S)* {2,}(?=\S)")
_TOKENS = re.compile(r" +|[^ ]+")


def wrap(runs: Sequence[Run], width: int) -> list[Line]:
    """Break ``runs`` at blanks into lines of at most ``width`` cells; a longer word is cut. Newlines end a line."""
    lines: list[Line] = []
    for paragraph in _paragraphs(runs):
        if sum(len(text) for text, _ in paragraph) <= width and all(text.isascii() for text, _ in paragraph):
            lines.append(_fitting(paragraph))
        else:
            lines.extend(_wrap(paragraph, max(1, width)))
    return lines


def hang(text: str, style: Style, width: int) -> list[Line]:
    """Break each line of ``text`` at blanks, and go on below where its words begin: for notes and their columns."""
    lines: list[Line] = []
    for line in text.split("\n"):
        starts = [found.end() for shape in (_COLUMN, _INDENT) if (found := shape.match(line[:width])) is not None]
        start = next((end for end in starts if end <= width // 2 and cell_len(line) > width), 0)
        first, *others = wrap([(line[start:], style)], max(1, width - cell_len(line[:start])))
        lines.append([Segment(line[:start], style), *first] if start else first)
        lines.extend([Aside(" " * cell_len(line[:start])), *other] if start else other for other in others)
    return lines


def fold(text: str, style: Style, width: int) -> list[Line]:
    """Cut each line of ``text`` at ``width`` cells, blanks kept: for code and output."""
    width = max(1, width)
    lines: list[Line] = []
    for line in text.split("\n"):
        if len(line) <= width and (line.isascii() or cell_len(line) <= width):
            lines.append([Segment(line, style)] if line else [])
        else:
            first, *others = chop_cells(line, width)
            lines.append([Segment(first, style)])
            lines.extend([Cut(""), Segment(piece, style)] for piece in others)
    return lines


def fold_runs(runs: Sequence[Run], width: int) -> list[Line]:
    """Like ``fold``, for one line of text in several styles."""
    width = max(1, width)
    lines: list[Line] = [[]]
    used = 0
    for text, style in runs:
        at = 0
        while at < len(text):
            rest = text[at : at + _ahead(width)]
            if at + len(rest) == len(text) and used + (size := cell_len(rest)) <= width:
                lines[-1].append(Segment(rest, style))
                used += size
                break
            head = chop_cells(rest, width - used)[0] if used < width else ""
            if head:
                lines[-1].append(Segment(head, style))
            at += len(head)
            lines.append([Cut("")])
            used = 0
    return lines


def _ahead(width: int) -> int:
    """Characters to look at for one line: looking at all that is left each time makes a long word cost its square."""
    return 2 * width + 64


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` cells, with an ellipsis where something was left out."""
    if len(text) <= width and (text.isascii() or cell_len(text) <= width):
        return text
    if width <= 1:
        return "…"[: max(0, width)]
    return chop_cells(text[: width * 2], width - 1)[0] + "…"


def on_ground(line: Line, ground: Style) -> Line:
    """The line with ``ground`` behind it."""
    return [type(segment)(segment.text, ground + (segment.style or Style())) for segment in line]


def cells(line: Iterable[Segment]) -> int:
    """The width of a line."""
    return sum(cell_len(segment.text) for segment in line)


def _paragraphs(runs: Sequence[Run]) -> list[list[Run]]:
    paragraphs: list[list[Run]] = [[]]
    for text, style in runs:
        first, *others = text.split("\n")
        paragraphs[-1].append((first, style))
        paragraphs.extend([(piece, style)] for piece in others)
    return paragraphs


def _wrap(runs: list[Run], width: int) -> list[Line]:
    lines: list[Line] = []
    joints: list[type[Joint]] = []
    line: Line = []
    used = 0
    blank: tuple[str, Style | None] | None = None
    for word in _words(runs):
        text, style, _ = word[0]
        if text[0] == " ":
            if line or not lines:  # blanks at a line's start stay only at the very beginning
                blank = (text, style)
            continue
        size = cells(word)
        gap = len(blank[0]) if blank else 0
        if line and used + gap + size > width:
            lines.append(line)
            joints.append(Joint)
            line, used, blank, gap = [], 0, None, 0
        if blank:
            line.append(Segment(*blank))
            used += gap
            blank = None
        if size <= width - used:
            line.extend(word)
            used += size
            continue
        for segment in word:
            at = 0
            while at < len(segment.text):
                rest = segment.text[at : at + _ahead(width)]
                head = chop_cells(rest, width - used)[0] if used < width else ""
                if head and cell_len(head) <= width - used:
                    line.append(Segment(head, segment.style))
                    used += cell_len(head)
                    at += len(head)
                elif used == 0:  # wider than the line: nothing can be done
                    break
                if at < len(segment.text):
                    lines.append(line)
                    joints.append(Cut)
                    line, used = [], 0
    lines.append(line)
    _begin(lines[1:], joints)
    return lines


def _begin(lines: list[Line], joints: list[type[Joint]]) -> None:
    for line, joint in zip(lines, joints, strict=True):
        line.insert(0, joint(""))


def _fitting(runs: list[Run]) -> Line:
    """A paragraph that is one line, without the blanks at its end."""
    line = [Segment(text, style) for text, style in runs if text]
    while line and (stripped := line[-1].text.rstrip(" ")) != line[-1].text:
        line[-1:] = [Segment(stripped, line[-1].style)] if stripped else []
    return line


def _words(runs: list[Run]) -> list[Line]:
    """Runs of blanks, and words whose pieces may differ in style."""
    words: list[Line] = []
    glue = False
    for text, style in runs:
        for token in _TOKENS.findall(text):
            blank = token[0] == " "
            if glue and not blank:
                words[-1].append(Segment(token, style))
            else:
                words.append([Segment(token, style)])
            glue = not blank
    return words
