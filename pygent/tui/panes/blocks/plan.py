"""A plan, and what was decided on it."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment

from pygent.transcript import PlanItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, Code, TextBlock
from pygent.tui.text import clean, plural
from pygent.tui.wrap import Aside, Line, cells, cut, wrap

SHOWN = 4
"""Lines that show of a plan that nobody decides on any more."""


class PlanBlock(TextBlock):
    """The plan as Markdown behind a bar; of one that came to nothing the first lines."""

    name: ClassVar[str] = "plan"

    def __init__(self, item: PlanItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return self.item.text or self.item.plan

    def has_more(self) -> bool:
        return not self._whole

    def toggles_at(self, row: int, x: int) -> bool:
        return row == 0

    def codes(self) -> list[Code]:
        from pygent.tui.markdown import fence_of, split_all  # noqa: PLC0415 - when code is copied

        found = (fence_of(block) for block in split_all(self.plain()))
        return [Code(*fence) for fence in found if fence is not None]

    def estimate(self, width: int) -> int:
        height = super().estimate(width)
        return height if self._whole or self.shape == "full" else min(height, SHOWN + 3)

    @property
    def _whole(self) -> bool:
        """Whether all of it shows where nobody asked for more or less."""
        item = self.item
        return (item.state == "open" and not item.written) or (item.state == "approved" and bool(item.text))

    def lines(self, width: int, palette: Palette) -> list[Line]:
        head = self._head(width, palette)
        if self.shape == "folded":
            return [head, []]
        item = self.item
        bar = Aside("   ┃ ", palette.accent if item.state in {"open", "approved"} else palette.faint)
        room = max(1, width - MARGIN - 3)
        body = self._body(room, palette)
        if item.feedback:
            body += [[], *wrap([(f"Different: {clean(item.feedback).strip()}", palette.text)], room)]
        return [head, *([bar, *line] for line in body), []]

    def _head(self, width: int, palette: Palette) -> Line:
        item = self.item
        words, style = {
            "open": ("waits for you", palette.warning),
            "left": ("not decided on", palette.muted),
            "approved": ("approved" + (f", {item.mode}" if item.mode else ""), palette.success),
            "changes": ("to be changed", palette.warning),
            "dropped": ("dropped", palette.muted),
        }[item.state]
        about = "the answer above" if item.written and not item.text else "changed by you" if item.text else ""
        sign = palette.accent if item.state in {"open", "approved"} else palette.muted
        head: Line = [Aside(" ◇ ", sign), Segment("Plan", palette.strong)]
        if about:
            head.append(Segment(f"  {about}", palette.muted))
        right = cut(words, max(1, width - cells(head) - 2))
        return [*head, Aside(" " * max(1, width - cells(head) - len(right) - 1)), Aside(right, style)]

    def _body(self, width: int, palette: Palette) -> list[Line]:
        full = self.shape == "full"
        if self.item.written and not self.item.text and not full:
            return []
        from pygent.tui.growing import Growing  # noqa: PLC0415 - not before there is a plan

        lines = Growing(width, palette).lines(self.plain(), done=True)
        if full or self._whole or len(lines) <= SHOWN + 1:
            return lines
        more = plural(len(lines) - SHOWN, "more line")
        return [*lines[:SHOWN], [Segment(f"… {more}", palette.faint)]]
