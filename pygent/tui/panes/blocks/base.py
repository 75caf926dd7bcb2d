"""What every block of a conversation can do: be drawn for a width, folded, copied."""

from __future__ import annotations

import sys
from typing import ClassVar, Literal, NamedTuple, TypeAlias

from rich.segment import Segment
from rich.style import Style

from pygent.tui.colours import Palette
from pygent.tui.panes.signs import Sign
from pygent.tui.text import plural
from pygent.tui.wrap import Aside, Line

MARGIN = 3
"""Cells left of a block's text: a blank, the sign, a blank."""

Shape: TypeAlias = Literal["folded", "normal", "full"]
"""How much of a block shows: one line, what matters, or all of it."""


class Code(NamedTuple):
    """A piece of code in a block, and its language as it was written there."""

    language: str
    text: str


class Block:
    """One item on the screen. ``changed`` is called when the item is; ``lines`` draws it."""

    name: ClassVar[str] = "block"
    """What people call such a block."""
    leads: ClassVar[bool] = False
    """Whether choosing it opens what it stands for, in place of folding."""

    def __init__(self) -> None:
        self.version = 0
        self.shape: Shape = "normal"

    def changed(self) -> None:
        """The item is not what was drawn."""
        self.version += 1

    def set_shape(self, shape: Shape) -> None:
        """Show as much as ``shape`` says."""
        if shape != self.shape:
            self.shape = shape
            self.version += 1

    def toggle(self) -> None:
        """Show the rest where there is some, else fold; and back."""
        self.set_shape(("full" if self.has_more() else "folded") if self.shape == "normal" else "normal")

    def fold(self) -> None:
        """Show less."""
        self.set_shape("normal" if self.shape == "full" else "folded")

    def unfold(self) -> None:
        """Show more."""
        self.set_shape("normal" if self.shape == "folded" else "full")

    def has_more(self) -> bool:
        """Whether ``full`` shows anything that ``normal`` does not."""
        return False

    def toggles_at(self, row: int, x: int) -> bool:
        """Whether a click there folds: on the sign of the first line."""
        return row == 0 and x < MARGIN

    def column(self, x: int, width: int) -> tuple[int, int]:
        """The cells of the column of text that ``x`` is in, for a width."""
        return 0, sys.maxsize

    def codes(self) -> list[Code]:
        """The code in the block, in order."""
        return []

    def estimate(self, width: int) -> int:
        """About how many lines ``lines`` answers; cheap."""
        raise NotImplementedError

    def lines(self, width: int, palette: Palette) -> list[Line]:
        """The block's lines, each at most ``width`` cells, a blank one at its end."""
        raise NotImplementedError

    def plain(self) -> str:
        """The text that a copy of the block has."""
        raise NotImplementedError


class TextBlock(Block):
    """A block whose height follows from the length of its text."""

    def __init__(self) -> None:
        super().__init__()
        self._size = (-1, 0, 0)

    def estimate(self, width: int) -> int:
        if self.shape == "folded":
            return 2
        if self._size[0] != self.version:
            text = self.plain()
            self._size = (self.version, text.count("\n") + 2, len(text))
        return self._size[1] + self._size[2] // max(20, width - MARGIN)


def indented(lines: list[Line]) -> list[Line]:
    """The lines behind the margin."""
    margin = Aside(" " * MARGIN)
    return [[margin, *line] if line else [] for line in lines]


def shortened(lines: list[Line], most: int, palette: Palette) -> list[Line]:
    """At most ``most`` of the lines, which end with a blank one, and how many there are more."""
    hidden = len(lines) - 1 - most
    if hidden <= 0:
        return lines
    more = [Aside("   "), Segment(f"… {plural(hidden, 'more line')}", palette.faint)]
    return [*lines[:most], *([more] if most > 1 else []), []]


def sign_style(sign: Sign, palette: Palette) -> Style:
    """The style of a state's sign."""
    return {
        "success": palette.success,
        "warning": palette.warning,
        "error": palette.error,
        "primary": palette.accent,
    }.get(sign.style, palette.muted)
