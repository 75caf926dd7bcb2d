"""A delegated run in its parent's conversation."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style

from pygent.transcript import TaskItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, Block, sign_style
from pygent.tui.panes.signs import Sign
from pygent.tui.panes.task_words import limit, review_of, sign_of, span, why
from pygent.tui.text import clean, clean_line, money, plural
from pygent.tui.wrap import Aside, Line, cells, cut, wrap

SHOWN = 4
"""Lines of a result that show of themselves."""

NAMED = 6
"""Changed files that are named."""

OPENS = Style(meta={"block": "open_block"})
"""What a click on leads to the task."""


class TaskBlock(Block):
    """One line about the task; its result and what became of its changes below it."""

    name: ClassVar[str] = "task"
    leads: ClassVar[bool] = True

    def __init__(self, item: TaskItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        files = "\n".join(f"{change.get('kind', '')} {change.get('path', '')}" for change in self.item.changes)
        return f"{self.item.persona}: {self.item.prompt}\n{self.item.result}\n{files}".rstrip()

    def has_more(self) -> bool:
        return bool(self.item.result.strip())

    def toggles_at(self, row: int, x: int) -> bool:
        return row == 0

    def estimate(self, width: int) -> int:
        if self.shape == "folded":
            return 2
        result = len(self.item.result) // max(20, width - MARGIN) + self.item.result.count("\n") + 1
        ended = self.item.ended_at is not None
        return 2 + (min(result, SHOWN) if self.item.result else 0) + (ended and review_of(self.item) is not None)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        sign = sign_of(item)
        over = f" · {took}" if item.ended_at is not None and (took := span(item)) else ""
        word = clean_line(item.status) if item.status.startswith(sign.word) else sign.word
        right = cut(word, 40) + over
        again = "again · " if item.retry_of else ""
        name = f"task · {again}{clean_line(item.persona)[:30]}  "
        room = max(4, width - MARGIN - len(name) - len(right) - 3)
        style = sign_style(sign, palette)
        head: Line = [
            Aside(f" {sign.sign} ", style),
            Segment(name, palette.strong),
            Segment(cut(clean_line(item.prompt), room), palette.muted),
        ]
        gap = width - cells(head) - len(right) - 1
        head += [Aside(" " * max(1, gap)), Aside(right, style + OPENS)]
        if self.shape == "folded":
            return [head, []]
        return [head, *self._result(width, palette), *self._badges(width, palette), []]

    def _result(self, width: int, palette: Palette) -> list[Line]:
        bar, item = Aside("   │ ", palette.faint), self.item
        told = item.ended_at is not None and not item.status.startswith(sign_of(item).word)
        words = why(item) if told or item.status == "lost" else limit(item)
        runs = [(clean(words), palette.muted)] if words else []
        runs += [(clean(item.result).strip(), palette.muted)] if item.result.strip() else []
        lines = [line for run in runs for line in wrap([run], max(1, width - MARGIN - 4))]
        shown = lines if self.shape == "full" or len(lines) <= SHOWN + 1 else lines[:SHOWN]
        out: list[Line] = [[bar, *line] for line in shown]
        if len(lines) > len(shown):
            out.append([bar, Segment(f"… {plural(len(lines) - len(shown), 'more line')}", palette.faint)])
        return out

    def _badges(self, width: int, palette: Palette) -> list[Line]:
        """What became of its changes, which they are, and what it took; a click leads to the task."""
        item = self.item
        if item.ended_at is None:
            return []
        parts: list[tuple[str, Style]] = []
        if (review := review_of(item)) is not None:
            parts.append((f"{review.sign} {review.word}", _style(review, palette)))
            files = [clean_line(str(change.get("path", ""))) for change in item.changes] or item.files_changed
            more = f", {len(files) - NAMED} more" if len(files) > NAMED else ""
            parts.append((", ".join(map(clean_line, files[:NAMED])) + more, palette.muted))
        if item.cost is not None:
            parts.append((f"cost {money(item.cost)}", palette.faint))
        if not parts:
            return []
        line: Line = [Aside("   │ ", palette.faint)]
        room = width - MARGIN - 4
        for number, (text, style) in enumerate(parts):
            shown = cut(text, max(1, room))
            line += [Segment("  ", palette.faint)] if number else []
            line.append(Segment(shown, style + OPENS))
            room -= cells([line[-1]]) + 2
            if room < 4:
                break
        return [line]


def _style(sign: Sign, palette: Palette) -> Style:
    return palette.mark if sign.style == "accent" else sign_style(sign, palette)
