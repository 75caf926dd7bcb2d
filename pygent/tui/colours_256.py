"""Colours for terminals that have 256: the nearest of these, as the eye sees it.

Left alone, dark blue-greys all become the same teal, and a ground becomes black.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_LEVELS = (0, 95, 135, 175, 215, 255)


class Colours256(LineFilter):
    """Puts the nearest colour that the terminal has in the place of each."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.style is None else Segment(segment.text, near_style(segment.style), segment.control)
            for segment in segments
        ]


@lru_cache(4096)
def near_style(style: Style) -> Style:
    """``style`` in colours of the 256."""
    color, ground = (_near(part) for part in (style.color, style.bgcolor))
    return style + Style.from_color(color, ground)


def _near(color: RichColor | None) -> RichColor | None:
    if color is None or color.triplet is None:
        return None
    return RichColor.from_ansi(nearest(*color.triplet))


@lru_cache(4096)
def nearest(red: int, green: int, blue: int) -> int:
    """The number of the nearest of the colours 16 to 255."""
    steps = [min(range(6), key=lambda step: abs(_LEVELS[step] - part)) for part in (red, green, blue)]
    cube = 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
    average = (2 * red + 4 * green + blue) / 7  # what the eye takes for the brightness
    grey = max(0, min(23, round((average - 8) / 10)))
    in_cube = _distance((red, green, blue), (_LEVELS[steps[0]], _LEVELS[steps[1]], _LEVELS[steps[2]]))
    in_greys = _distance((red, green, blue), (8 + 10 * grey,) * 3)
    return cube if in_cube < in_greys else 232 + grey


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """How different two colours look, cheaply: by the "redmean" weights."""
    mean = (one[0] + other[0]) / 2
    red, green, blue = ((a - b) ** 2 for a, b in zip(one, other, strict=True))
    return (2 + mean / 256) * red + 4 * green + (2 + (255 - mean) / 256) * blue
