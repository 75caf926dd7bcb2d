"""What the person said."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment

from pygent.transcript import UserItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, TextBlock, shortened
from pygent.tui.text import clean, clean_line
from pygent.tui.wrap import Aside, Line, cells, cut, on_ground, wrap

TALLEST = 12
"""Lines of a message that show of themselves."""


class UserBlock(TextBlock):
    """A bar at its left on a raised ground. A long message is folded.

    A reminder of Pygent's is one muted line, and so is the report of a task until it is unfolded.
    """

    name: ClassVar[str] = "your message"

    def __init__(self, item: UserItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return self.item.text

    def has_more(self) -> bool:
        text = self.item.text
        if self.item.report:
            return "\n" in text.strip()
        return not self.item.reminder and (text.count("\n") >= TALLEST or len(text) > TALLEST * 80)

    def estimate(self, width: int) -> int:
        if self.item.report and self.shape != "full":
            return 2
        height = super().estimate(width)
        return min(height, TALLEST + 2) if self.shape == "normal" else height

    def lines(self, width: int, palette: Palette) -> list[Line]:
        if self.item.reminder:
            text = cut(clean_line(self.item.text), max(1, width - MARGIN - 20))
            return [[Aside(" ↳ ", palette.faint), Segment(f"reminded: {text}", palette.muted)], []]
        if self.item.report:
            return self._report(width, palette)
        ground = palette.raised
        inner = max(1, width - MARGIN - 2)
        text = clean(self.item.text)
        if self.shape != "full":  # no more than can show is wrapped
            text = "\n".join(text[: 4 * TALLEST * inner].split("\n")[: 2 * TALLEST])
        wrapped = wrap([(text, palette.text)], inner)
        out: list[Line] = [
            [
                Aside(" "),
                Aside("┃", palette.accent + ground),
                Aside(" ", ground),
                *on_ground(line, ground),
                Aside(" " * max(0, width - MARGIN - cells(line)), ground),
            ]
            for line in wrapped
        ]
        if self.shape == "folded":
            return [*out[:1], []]
        if self.shape == "normal" and self.has_more() and len(out) > TALLEST - 2:
            said = f"… {max(1, self.item.text.count(chr(10)) + 1 - (TALLEST - 2))} more lines · Enter unfolds"
            more = [Aside(" "), Aside("┃", palette.accent + ground), Segment(f" {said}", palette.muted + ground)]
            more.append(Aside(" " * max(0, width - cells(more)), ground))
            return [*out[: TALLEST - 2], more, []]
        return shortened([*out, []], len(out), palette)

    def _report(self, width: int, palette: Palette) -> list[Line]:
        first, _, rest = clean(self.item.text).strip().partition("\n")
        room = max(1, width - MARGIN - 14)
        head: Line = [Aside(" ↳ ", palette.faint), Segment(f"reported: {cut(first, room)}", palette.muted)]
        if self.shape != "full":
            more = [Aside(" …", palette.faint)] if rest else []
            return [[*head, *more], []]
        bar = Aside("   │ ", palette.faint)
        return [head, *([bar, *line] for line in wrap([(rest, palette.muted)], max(1, width - MARGIN - 4))), []]
