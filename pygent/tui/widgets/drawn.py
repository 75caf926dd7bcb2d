"""A block as it was drawn: its lines, and those of them that were on the screen as finished strips.

A strip remembers what filters made of it and how it was written to the terminal. So a line that is the same as before
is the same strip, wherever it has moved to on the screen and whatever grew around it.
"""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip

from pygent.tui.wrap import Line

KEPT = 300
"""Finished strips of one block that stay in memory: more than any screen has lines."""


class Drawn:
    """The lines of one block for one width; ``before`` is what was drawn of an earlier version of it."""

    __slots__ = ("base", "lines", "strips", "version", "width")

    def __init__(self, version: int, width: int, lines: list[Line], before: Drawn | None = None) -> None:
        self.version = version
        self.lines = lines
        self.width = width
        self.base: Style = Style.null() if before is None else before.base
        self.strips: dict[int, Strip] = {}
        if before is not None and before.width == width:
            self.strips = {
                offset: strip
                for offset, strip in before.strips.items()
                if offset < len(lines) and lines[offset] == before.lines[offset]
            }

    def __len__(self) -> int:
        return len(self.lines)

    def line(self, offset: int) -> Line:
        """A line; an empty one past the end."""
        return self.lines[offset] if offset < len(self.lines) else []

    def strip(self, offset: int, base: Style) -> Strip:
        """A line over the whole width, on the ground that ``base`` has."""
        if self.base != base or len(self.strips) > KEPT:
            self.base = base
            self.strips.clear()
        strip = self.strips.get(offset)
        if strip is None:
            line = Strip(self.line(offset)).crop_extend(0, self.width, base)
            strip = self.strips[offset] = line.apply_style(base)
        return strip
