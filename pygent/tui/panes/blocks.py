"""How each item of a conversation is drawn: one block an item, lines on demand for a width."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style

from pygent.transcript import AssistantItem, Item, NoticeItem, RunItem, TaskItem, ToolItem, UserItem
from pygent.tui.code import diff_style
from pygent.tui.colours import Palette
from pygent.tui.panes.signs import TOOL_SIGNS, Sign, task_sign
from pygent.tui.panes.text import summary, took
from pygent.tui.text import clean, clean_line, count, plural, seconds, tail_lines
from pygent.tui.wrap import Aside, Line, cells, cut, fold, wrap

if TYPE_CHECKING:
    from pygent.tui.growing import Growing

MARGIN = 3
"""Cells left of a block's text: a blank, the sign, a blank."""

TAIL = 6
"""Lines of output that a folded tool call shows."""

UNFOLDED = 400
"""Lines of output that an unfolded one shows; the detail view has them all."""


class Block:
    """One item on the screen. ``changed`` is called when the item is; ``lines`` draws it."""

    foldable: ClassVar[bool] = False

    def __init__(self) -> None:
        self.version = 0
        self.unfolded = False

    def changed(self) -> None:
        """The item is not what was drawn."""
        self.version += 1

    def toggle(self) -> None:
        """Fold or unfold."""
        self.unfolded = not self.unfolded
        self.version += 1

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
        if self._size[0] != self.version:
            text = self.plain()
            self._size = (self.version, text.count("\n") + 2, len(text))
        return self._size[1] + self._size[2] // max(20, width - MARGIN)


class UserBlock(TextBlock):
    """What the person said: a bar at its left on a raised ground. A reminder of Pygent's is one muted line."""

    def __init__(self, item: UserItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return self.item.text

    def lines(self, width: int, palette: Palette) -> list[Line]:
        if self.item.reminder:
            text = cut(clean_line(self.item.text), max(1, width - MARGIN - 20))
            return [[Aside(" ↳ ", palette.faint), Segment(f"reminded: {text}", palette.muted)], []]
        ground = palette.raised
        inner = max(1, width - MARGIN - 2)
        out: list[Line] = []
        for line in wrap([(clean(self.item.text), palette.text)], inner):
            drawn = [Segment(text, ground + (style or palette.text)) for text, style, _ in line]
            out.append(
                [
                    Aside(" "),
                    Aside("┃", palette.accent + ground),
                    Aside(" ", ground),
                    *drawn,
                    Segment(" " * max(0, width - MARGIN - cells(line)), ground),
                ]
            )
        return [*out, []]


class AssistantBlock(TextBlock):
    """What the model said, as Markdown. Finished blocks are drawn once; only the open end is drawn again."""

    foldable = True

    def __init__(self, item: AssistantItem) -> None:
        super().__init__()
        self.item = item
        self._growing: Growing | None = None

    def plain(self) -> str:
        return self.item.text or self.item.reasoning

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        out: list[Line] = []
        inner = max(1, width - MARGIN - 1)
        if item.reasoning.strip():
            out.extend(self._reasoning(inner, palette))
        if item.discarded:
            out.append([Aside(" ✗ ", palette.muted), Segment("the answer broke off", palette.muted)])
            out.extend(_indented(fold(clean(item.text).strip(), palette.faint, inner)[-4:]))
            return [*out, []] if out else []
        body = self._body(inner, palette)
        if body:
            first = 0 if out or not body[0] else 1
            out.extend(([[Aside(" ● ", palette.accent), *body[0]]] if first else []) + _indented(body[first:]))
        return [*out, []] if out else []

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
        if self.unfolded:
            lines = wrap([(text, palette.muted + Style(italic=True))], width)
            return [[Aside(" ▾ ", palette.muted), Segment("thought", palette.muted)], *_indented(lines), []]
        last = text.rsplit("\n", 1)[-1] if thinking else f"{plural(len(text.split()), 'word')} of reasoning"
        word = "thinking" if thinking else "thought"
        line = [Aside(" ▸ ", palette.muted), Segment(f"{word}  ", palette.muted + Style(italic=True))]
        return [[*line, Segment(cut(last, max(1, width - 12)), palette.faint)], *([] if thinking else [[]])]


class ToolBlock(Block):
    """A tool call: one line with sign, name and argument, and the last lines of its output under it."""

    foldable = True

    def __init__(self, item: ToolItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return f"{self.item.tool} {summary(self.item.arguments)}\n{clean(self.item.output)}".rstrip()

    def estimate(self, width: int) -> int:
        return 2 + min(self.item.output.count("\n", 0, 2000), UNFOLDED if self.unfolded else TAIL + 1)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        sign = TOOL_SIGNS[item.state]
        right = self._right(sign)
        name = clean_line(item.tool)[:40]
        room = max(4, width - MARGIN - len(name) - 2 - len(right) - 3)
        argument = cut(summary(item.arguments), room)
        head: Line = [
            Aside(f" {sign.sign} ", _style(sign, palette)),
            Segment(f"{name}  ", palette.strong),
            Segment(argument, palette.muted),
        ]
        gap = width - cells(head) - len(right) - 1
        head += [
            Segment(" " * max(1, gap)),
            Segment(right, _style(sign, palette) if item.state != "ok" else palette.muted),
        ]
        return [head, *self._output(width, palette), []]

    def _right(self, sign: Sign) -> str:
        item = self.item
        if item.state == "waiting":
            return "waiting for you"
        if item.state == "running":
            return "running"
        word = "" if item.state == "ok" else f"{sign.word} · "
        return f"{word}{took(item.seconds)}"

    def _output(self, width: int, palette: Palette) -> list[Line]:
        shown, before = tail_lines(self.item.output, UNFOLDED if self.unfolded else TAIL)
        if not self.unfolded and len(shown) > TAIL - 1 and before == 0 and shown[0].startswith("$ "):
            shown = shown[1:]  # the command stands in the line above
        elif shown and before == 0 and shown[0].startswith("$ ") and self.item.tool == "bash":
            shown = shown[1:]
        if shown and shown[-1] == "[exit status: 0]":
            shown = shown[:-1]
        room = max(1, width - MARGIN - 4)
        bar = Aside("   │ ", palette.faint)
        out: list[Line] = []
        if before:
            out.append([bar, Segment(f"… {plural(before, 'line')} above", palette.faint)])
        diff = any(line.startswith("@@ ") for line in shown)
        for line in shown:
            style = diff_style(line, palette) if diff else palette.muted
            if self.unfolded:
                out.extend([[bar, *piece] for piece in fold(line, style, room)])
            else:
                out.append([bar, Segment(cut(line, room), style)])
        return out


class TaskBlock(Block):
    """A delegated run in its parent's conversation."""

    def __init__(self, item: TaskItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return f"{self.item.persona}: {self.item.prompt}\n{self.item.result}".rstrip()

    def estimate(self, width: int) -> int:
        return 3 if self.item.result else 2

    def lines(self, width: int, palette: Palette) -> list[Line]:
        item = self.item
        sign = task_sign(item.status)
        over = "" if item.ended_at is None else f" · {seconds(max(0.0, item.ended_at - item.at))}"
        right = cut(clean_line(item.status), 40) + over
        name = f"task · {clean_line(item.persona)[:30]}  "
        room = max(4, width - MARGIN - len(name) - len(right) - 3)
        head: Line = [
            Aside(f" {sign.sign} ", _style(sign, palette)),
            Segment(name, palette.strong),
            Segment(cut(clean_line(item.prompt), room), palette.muted),
        ]
        head += [Segment(" " * max(1, width - cells(head) - len(right) - 1)), Segment(right, _style(sign, palette))]
        out = [head]
        if item.result.strip():
            bar = Aside("   │ ", palette.faint)
            lines = wrap([(clean(item.result).strip(), palette.muted)], max(1, width - MARGIN - 4))
            out.extend([bar, *line] for line in lines[:4])
        return [*out, []]


class NoticeBlock(TextBlock):
    """Something to know, with a sign for how much it matters."""

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
        return [[Aside(f" {sign} ", style), *lines[0]], *_indented(lines[1:]), []]


class RunBlock(Block):
    """The end of a run: a thin line that says how it ended and what it took."""

    def __init__(self, item: RunItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return self._words()

    def estimate(self, width: int) -> int:
        return 3 if self.item.error else 2

    def _words(self) -> str:
        item = self.item
        parts = [item.reason.replace("_", " "), plural(item.steps, "step"), seconds(item.seconds)]
        if tokens := int(item.usage.get("total_tokens", 0)):
            parts.append(f"{count(tokens)} tokens")
        if item.files_changed:
            parts.append(f"{plural(len(item.files_changed), 'file')} changed")
        return " · ".join(parts)

    def lines(self, width: int, palette: Palette) -> list[Line]:
        bad = self.item.reason not in {"stopped", "completed"}
        style = palette.warning if bad else palette.muted
        if self.item.reason == "failed":
            style = palette.error
        words = cut(self._words(), max(1, width - 8))
        rest = max(0, width - MARGIN - len(words) - 5)
        out: list[Line] = []
        if self.item.error:
            lines = wrap([(clean(self.item.error).strip(), palette.error)], max(1, width - MARGIN - 1))
            out += [[Aside(" ✗ ", palette.error), *lines[0]], *_indented(lines[1:]), []]
        rule = [Segment("   ── ", palette.faint), Segment(words, style), Segment(" " + "─" * rest, palette.faint)]
        return [*out, rule, []]


class NoteBlock(TextBlock):
    """What a slash command answers: a title and lines of text, shown here only."""

    def __init__(self, title: str, text: str, *, level: str = "info") -> None:
        super().__init__()
        self.title = title
        self.text = text
        self.level = level

    def plain(self) -> str:
        return self.text

    def lines(self, width: int, palette: Palette) -> list[Line]:
        style = {"warning": palette.warning, "error": palette.error}.get(self.level, palette.accent)
        sign = "✗" if self.level == "error" else "!" if self.level == "warning" else "/"
        head: Line = [Aside(f" {sign} ", style), Segment(self.title, style + Style(bold=True))]
        text = clean(self.text).strip("\n")
        body = _indented(fold(text, palette.text, max(1, width - MARGIN - 1))) if text else []
        return [head, *body, []]


def block_for(item: Item) -> Block:
    """The block that draws ``item``."""
    match item:
        case UserItem():
            return UserBlock(item)
        case AssistantItem():
            return AssistantBlock(item)
        case ToolItem():
            return ToolBlock(item)
        case TaskItem():
            return TaskBlock(item)
        case NoticeItem():
            return NoticeBlock(item)
        case RunItem():
            return RunBlock(item)


def _indented(lines: list[Line]) -> list[Line]:
    margin = Aside(" " * MARGIN)
    return [[margin, *line] if line else [] for line in lines]


def _style(sign: Sign, palette: Palette) -> Style:
    return {
        "success": palette.success,
        "warning": palette.warning,
        "error": palette.error,
        "primary": palette.accent,
    }.get(sign.style, palette.muted)
