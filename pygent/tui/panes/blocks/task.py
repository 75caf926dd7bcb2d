"""A delegated run in its parent's conversation."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment

from pygent.transcript import TaskItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, Block, sign_style
from pygent.tui.panes.signs import task_sign
from pygent.tui.text import clean, clean_line, plural, seconds
from pygent.tui.wrap import Aside, Line, cells, cut, wrap

SHOWN = 4
"""Lines of a result that show of themselves."""


class TaskBlock(Block):
    """One line about the task, and its result below it."""

    name: ClassVar[str] = "task"

    def __init__(self, item: TaskItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return f"{self.item.persona}: {self.item.prompt}\n{self.item.result}".rstrip()

    def has_more(self) -> bool:
        return bool(self.item.result.strip())

    def toggles_at(self, row: int, x: int) -> bool:
        return row == 0

    def estimate(self, width: int) -> int:
        if self.shape == "folded" or not self.item.result:
            return 2
        return 2 + min(len(self.item.result) // max(20, width - MARGIN) + self.item.result.count("\n") + 1, SHOWN)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        sign = task_sign(item.status)
        over = "" if item.ended_at is None else f" · {seconds(max(0.0, item.ended_at - item.at))}"
        right = cut(clean_line(item.status), 40) + over
        name = f"task · {clean_line(item.persona)[:30]}  "
        room = max(4, width - MARGIN - len(name) - len(right) - 3)
        head: Line = [
            Aside(f" {sign.sign} ", sign_style(sign, palette)),
            Segment(name, palette.strong),
            Segment(cut(clean_line(item.prompt), room), palette.muted),
        ]
        gap = width - cells(head) - len(right) - 1
        head += [Aside(" " * max(1, gap)), Aside(right, sign_style(sign, palette))]
        return [head, *(self._result(width, palette) if self.shape != "folded" else []), []]

    def _result(self, width: int, palette: Palette) -> list[Line]:
        if not self.item.result.strip():
            return []
        bar = Aside("   │ ", palette.faint)
        lines = wrap([(clean(self.item.result).strip(), palette.muted)], max(1, width - MARGIN - 4))
        shown = lines if self.shape == "full" or len(lines) <= SHOWN + 1 else lines[:SHOWN]
        out: list[Line] = [[bar, *line] for line in shown]
        if len(lines) > len(shown):
            out.append([bar, Segment(f"… {plural(len(lines) - len(shown), 'more line')}", palette.faint)])
        return out
