"""What other widgets stand on: nothing of its own but a colour, and perhaps a border."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from textual.widget import Widget
else:
    Widget = object  # of several widgets among a class's bases Textual takes the style of the first one only


class Ground(Widget):
    """Drawn once for all lines that look alike, which are all but those of its border."""

    def render_lines(self, crop: Region) -> list[Strip]:
        gutter, height = self.styles.gutter, self.region.height
        alike = range(gutter.top, height - gutter.bottom)
        middle: Strip | None = None
        strips = []
        for y in crop.line_range:
            if y in alike and middle is not None:
                strips.append(middle)
                continue
            strip = super().render_lines(Region(crop.x, y, crop.width, 1))[0]
            middle = strip if y in alike else middle
            strips.append(strip)
        return strips


class Row(Ground, Horizontal):
    """Widgets side by side."""


class Column(Ground, Vertical):
    """Widgets one below the other."""
