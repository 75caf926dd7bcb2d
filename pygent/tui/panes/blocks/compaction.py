"""Where older messages were summed up for the model: one line, which opens to the summary."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment

from pygent.transcript import CompactionItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, TextBlock
from pygent.tui.text import clean, count, plural
from pygent.tui.wrap import Aside, Line, cells, cut, wrap


class CompactionBlock(TextBlock):
    """A line with what was made shorter and by how much; shown whole, what the model reads in place of it."""

    name: ClassVar[str] = "compaction"

    def __init__(self, item: CompactionItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return "\n\n".join(part for part in (self._words(), self.item.summary) if part)

    def has_more(self) -> bool:
        return True

    def toggles_at(self, row: int, x: int) -> bool:
        return row == 0

    def estimate(self, width: int) -> int:
        return super().estimate(width) if self.shape == "full" else 2

    def lines(self, width: int, palette: Palette) -> list[Line]:
        style = palette.faint if self.item.undone else palette.muted
        head: Line = [Aside(" ◌ ", style), Segment(cut(self._words(), max(1, width - MARGIN - 1)), style)]
        if self.shape != "full":
            hint = "summary" if self.item.summary else "details"
            if cells(head) + len(hint) + 4 <= width:
                head += [Aside("  "), Aside(f"▸ {hint}", palette.faint)]
            return [head, []]
        bar = Aside("   ┃ ", palette.faint)
        body = wrap([(self._details(), palette.muted)], max(1, width - MARGIN - 3))
        if self.item.summary:
            body += [[], *wrap([(clean(self.item.summary).strip(), palette.text)], max(1, width - MARGIN - 3))]
        return [head, *([bar, *line] for line in body), []]

    def _words(self) -> str:
        item = self.item
        undone = " · undone" if item.undone else ""
        size = f"{count(item.before_tokens)} → {count(item.after_tokens)} tokens"
        return f"Compacted{undone} · {size} · {item.headline.removeprefix('Compacted: ')}"

    def _details(self) -> str:
        item = self.item
        why = {
            "limit": "The conversation had nearly filled the model's window.",
            "overflow": "The server refused the conversation as too long.",
            "user": "You asked for it (/compact).",
        }[item.by]
        parts = [
            f"{plural(item.left_out, 'message')} fewer" if item.left_out else "",
            f"{plural(item.outputs, 'output')} shortened" if item.outputs else "",
            f"{plural(item.images, 'picture')} left out" if item.images else "",
        ]
        done = ", ".join(part for part in parts if part)
        undo = "" if item.undone else " /compact undo lets the model see all of it again."
        return f"{why} {f'{done}. ' if done else ''}The log of the session has everything.{undo}"
