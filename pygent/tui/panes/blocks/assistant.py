"""What the model said."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style

from pygent.transcript import AssistantItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, Code, TextBlock, indented, shortened
from pygent.tui.text import clean, plural
from pygent.tui.wrap import Aside, Line, cut, fold, wrap

if TYPE_CHECKING:
    from pygent.tui.growing import Growing


class AssistantBlock(TextBlock):
    """Markdown, with the reasoning before it folded. Finished parts are drawn once; only the open end is again."""

    name: ClassVar[str] = "answer"

    def __init__(self, item: AssistantItem) -> None:
        super().__init__()
        self.item = item
        self._growing: Growing | None = None

    def plain(self) -> str:
        return self.item.text or self.item.reasoning

    def has_more(self) -> bool:
        return bool(self.item.reasoning.strip())

    def toggles_at(self, row: int, x: int) -> bool:
        return row == 0 and (self.has_more() or x < MARGIN)

    def codes(self) -> list[Code]:
        from pygent.tui.markdown import fence_of, split_all  # noqa: PLC0415 - when code is copied

        text = self.item.text
        if "```" not in text and "~~~" not in text:
            return []
        found = (fence_of(block) for block in split_all(text))
        return [Code(*fence) for fence in found if fence is not None]

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        out: list[Line] = []
        inner = max(1, width - MARGIN - 1)
        if item.reasoning.strip():
            out.extend(self._reasoning(inner, palette))
        if item.discarded:
            out.append([Aside(" ✗ ", palette.muted), Segment("the answer broke off", palette.muted)])
            out.extend(indented(fold(clean(item.text).strip(), palette.faint, inner)[-4:]))
        elif body := self._body(inner, palette):
            first = 0 if out or not body[0] else 1
            out.extend(([[Aside(" ● ", palette.accent), *body[0]]] if first else []) + indented(body[first:]))
        if not out:
            return []
        if not out[-1]:  # a thought without an answer
            out.pop()
        return shortened([*out, []], 1 if self.shape == "folded" else len(out), palette)

    def _body(self, width: int, palette: Palette) -> list[Line]:
        from pygent.tui.growing import Growing  # noqa: PLC0415 - not before there is an answer

        if self._growing is None or not self._growing.fits(self.item.text, width, palette):
            self._growing = Growing(width, palette)
        lines = self._growing.lines(self.item.text, done=self.item.done)
        if self.item.done:
            self._growing = None
        return lines

    def _reasoning(self, width: int, palette: Palette) -> list[Line]:
        thinking = not self.item.done and not self.item.text
        text = clean(self.item.reasoning).strip()
        if self.shape == "full":
            lines = wrap([(text, palette.muted + Style(italic=True))], width)
            return [[Aside(" ▾ ", palette.muted), Segment("thought", palette.muted)], *indented(lines), []]
        last = text.rsplit("\n", 1)[-1] if thinking else f"{plural(len(text.split()), 'word')} of reasoning"
        word = "thinking" if thinking else "thought"
        line = [Aside(" ▸ ", palette.muted), Segment(f"{word}  ", palette.muted + Style(italic=True))]
        return [[*line, Segment(cut(last, max(1, width - 12)), palette.faint)], *([] if thinking else [[]])]
