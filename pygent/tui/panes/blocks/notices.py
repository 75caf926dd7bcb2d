"""What Pygent itself says: notices, the ends of runs, and the answers of slash commands."""

from __future__ import annotations

import sys
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style

from pygent.transcript import NoticeItem, RunItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, Block, TextBlock, indented, shortened
from pygent.tui.text import clean, count, plural, seconds
from pygent.tui.wrap import Aside, Line, cut, fold, hang, wrap

_ADVICE = {
    "max_steps": "It may take no more steps: say “go on”, or allow more with max_steps in the settings.",
    "timeout": "It may take no more time: say “go on”, or allow more with max_time in the settings.",
    "budget": "What it may cost is spent; what was done so far stays. /cost tells of it, /budget allows more.",
    "failed": "What was done so far stays. Send another prompt to try again; /status shows model and server.",
    "input_required": "It waits for an answer: write it below.",
    "cancelled": "You interrupted it. What was done so far stays; say how to go on.",
}


class NoticeBlock(TextBlock):
    """Something to know, with a sign for how much it matters."""

    name: ClassVar[str] = "notice"

    def __init__(self, item: NoticeItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return self.item.text

    def lines(self, width: int, palette: Palette) -> list[Line]:
        sign, style = {
            "info": ("i", palette.muted),
            "warning": ("!", palette.warning),
            "error": ("✗", palette.error),
        }.get(self.item.level, ("i", palette.muted))
        text = f"{self.item.level}: {self.item.text}" if self.item.level != "info" else self.item.text
        lines = wrap([(clean(text).strip(), style)], max(1, width - MARGIN - 1))
        out = [[Aside(f" {sign} ", style), *lines[0]], *indented(lines[1:]), []]
        return shortened(out, 1, palette) if self.shape == "folded" else out


class RunBlock(Block):
    """The end of a run: a thin line that says how it ended and what it took, and what to do where it ended badly."""

    name: ClassVar[str] = "end of a run"

    def __init__(self, item: RunItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return "\n".join(part for part in (self.item.error or "", self._words()) if part)

    def has_more(self) -> bool:
        return bool(self.item.files_changed)

    def estimate(self, width: int) -> int:
        return 2 if self.shape == "folded" else 3 if self.item.error or self.item.reason in _ADVICE else 2

    def _parts(self) -> list[str]:
        """What it says, what matters most first."""
        item = self.item
        parts = [item.reason.replace("_", " "), plural(item.steps, "step"), seconds(item.seconds)]
        if tokens := int(item.usage.get("total_tokens", 0)):
            parts.append(f"{count(tokens)} tokens")
        if item.files_changed:
            parts.append(f"{plural(len(item.files_changed), 'file')} changed")
        return parts

    def _words(self, room: int = sys.maxsize) -> str:
        """As many whole parts as fit into ``room`` cells: how it ended stays, and what it did to files."""
        parts = self._parts()
        changed = int(bool(self.item.files_changed))
        while len(parts) > 1 and len(" · ".join(parts)) > room:
            del parts[-1 - changed if len(parts) > 1 + changed else -1]
        return cut(" · ".join(parts), room)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        style = palette.muted if item.reason in {"stopped", "completed"} else palette.warning
        if item.reason == "failed":
            style = palette.error
        inner = max(1, width - MARGIN - 1)
        words = self._words(max(1, width - 8))
        rest = max(0, width - MARGIN - len(words) - 5)
        rule = [Aside("   ── ", palette.faint), Segment(words, style), Aside(" " + "─" * rest, palette.faint)]
        if self.shape == "folded":
            return [rule, []]
        out: list[Line] = []
        if item.error:
            lines = wrap([(clean(item.error).strip(), palette.error)], inner)
            out += [[Aside(" ✗ ", palette.error), *lines[0]], *indented(lines[1:]), []]
        out.append(rule)
        if self.shape == "full":
            out += indented([line for path in item.files_changed for line in fold(clean(path), palette.text, inner)])
        if advice := _ADVICE.get(item.reason):
            out += indented(wrap([(advice, palette.muted)], inner))
        return [*out, []]


class NoteBlock(TextBlock):
    """What a slash command answers: a title and lines of text, shown here only."""

    name: ClassVar[str] = "note"

    def __init__(self, title: str, text: str, *, level: str = "info") -> None:
        super().__init__()
        self.title = title
        self.text = text
        self.level = level

    def plain(self) -> str:
        return self.text or self.title

    def lines(self, width: int, palette: Palette) -> list[Line]:
        style = {"warning": palette.warning, "error": palette.error}.get(self.level, palette.accent)
        sign = "✗" if self.level == "error" else "!" if self.level == "warning" else "›"
        head: Line = [Aside(f" {sign} ", style), Segment(clean(self.title), style + Style(bold=True))]
        text = clean(self.text).strip("\n") if self.shape != "folded" else ""
        body = indented(hang(text, palette.text, max(1, width - MARGIN - 1))) if text else []
        return [head, *body, []]
