"""A tool call: one line, and below it the end of its output, or what it changed."""

from __future__ import annotations

import re
from typing import ClassVar

from rich.segment import Segment

from pygent.transcript import ToolItem
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.base import MARGIN, Block, Code, sign_style
from pygent.tui.panes.signs import TOOL_SIGNS, Sign
from pygent.tui.panes.text import summary, took
from pygent.tui.text import clean, clean_line, plural, tail_lines
from pygent.tui.wrap import Aside, Line, cells, cut, fold, hang

LIVE_TAIL = 6
"""Lines of output that show while a call runs, or when it failed."""

TAIL = 4
"""Lines that show of a call that is over."""

CHANGES = 14
"""Lines of a change to a file that show."""

UNFOLDED = 400
"""Lines of output that an unfolded one shows; the detail view has them all."""

_SILENT = ("stop", "continue", "update_todos", "present_plan")
"""Calls whose output says nothing that their line does not."""

REASON = 2000
"""Characters of a line that says why a call was not made."""

_EXIT = re.compile(r"\[exit status: (-?\d+)\]\s*$")
_FAILED = Sign("!", "", "warning")


class ToolBlock(Block):
    """Sign, name and argument in one line; the output, or the change to a file, behind a bar below it."""

    name: ClassVar[str] = "tool call"

    def __init__(self, item: ToolItem) -> None:
        super().__init__()
        self.item = item

    def plain(self) -> str:
        return (
            f"{self.item.tool} {summary(self.item.arguments, self.item.folder)}\n{clean(self.item.output)}".rstrip()
        )

    def codes(self) -> list[Code]:
        command, content = (self.item.arguments.get(name) for name in ("cmd", "content"))
        if isinstance(command, str):
            return [Code("bash", command)]
        return [Code(str(self.item.arguments.get("path", "")), content)] if isinstance(content, str) else []

    def has_more(self) -> bool:
        return True

    def toggles_at(self, row: int, x: int) -> bool:
        return row == 0

    def estimate(self, width: int) -> int:
        if self.shape == "folded":
            return 2
        if self._changes_file():
            text = self.item.output if self.item.tool == "edit_file" else str(self.item.arguments.get("content", ""))
            return 3 + min(text.count("\n", 0, 20_000), UNFOLDED if self.shape == "full" else CHANGES)
        return 2 + min(self.item.output.count("\n", 0, 2000), UNFOLDED if self.shape == "full" else self._tail())

    def lines(self, width: int, palette: Palette) -> list[Line]:
        body: list[Line] = []
        if self.shape != "folded":
            body = self._body(width, palette)
        return [self._head(width, palette), *body, []]

    def _body(self, width: int, palette: Palette) -> list[Line]:
        if self._changes_file():
            return self._change(width, palette)
        if self.item.tool == "update_todos" and self.item.state == "ok" and self.shape == "full":
            from pygent.tui.panes.blocks.todo_lines import todo_lines  # noqa: PLC0415 - once it is unfolded

            drawn = todo_lines(self.item.arguments.get("todos"), max(1, width - MARGIN - 3), palette)
            return [[Aside("   │ ", palette.faint), *line] for line in drawn]
        if self.item.tool == "read_file" and self.item.state == "ok":
            from pygent.tui.panes.blocks.changes import read  # noqa: PLC0415 - once a file was read

            most = UNFOLDED if self.shape == "full" else TAIL
            lines = read(self.item, most, max(8, width - MARGIN - 3), palette)
            if lines:
                return [[Aside("   │ ", palette.faint), *line] for line in lines]
        return self._output(width, palette)

    def _head(self, width: int, palette: Palette) -> Line:
        item = self.item
        sign = self._sign()
        style = sign_style(sign, palette)
        right = self._right(sign)
        command = item.tool == "bash"
        name = "$ " if command else f"{clean_line(item.tool)[:40]}  "
        who = "you " if item.by_user else ""
        room = max(4, width - MARGIN - len(who) - len(name) - len(right) - 3)
        head: Line = [
            Aside(f" {sign.sign} ", style),
            *([Aside(who, palette.muted)] if who else []),
            Segment(name, palette.accent if command else palette.strong),
            Segment(cut(summary(item.arguments, item.folder), room), palette.text if command else palette.muted),
        ]
        gap = width - cells(head) - len(right) - 1
        return [*head, Aside(" " * max(1, gap)), Aside(right, palette.muted if sign is TOOL_SIGNS["ok"] else style)]

    def _sign(self) -> Sign:
        return TOOL_SIGNS[self.item.state] if self.item.state != "ok" or not self._exit() else _FAILED

    def _exit(self) -> int:
        """The exit status of a command that is over, 0 where there is none."""
        item = self.item
        if item.exit_status is not None or item.tool != "bash":
            return item.exit_status or 0
        found = _EXIT.search(item.output[-40:])
        return int(found[1]) if found else 0

    def _right(self, sign: Sign) -> str:
        item = self.item
        if item.state == "waiting":
            return "waiting for you"
        if item.state == "running":
            return "running"
        parts = [] if item.state == "ok" else [sign.word]
        parts += [f"exit {status}"] if (status := self._exit()) else []
        return " · ".join([*parts, took(item.seconds)])

    def _tail(self) -> int:
        return TAIL if self.item.state == "ok" and not self._exit() else LIVE_TAIL

    def _output(self, width: int, palette: Palette) -> list[Line]:
        full = self.shape == "full"
        state = self.item.state
        told = state == "denied" or (state == "error" and not self._exit())  # why, in a sentence or two
        if self.item.tool in _SILENT and self.item.state == "ok" and not full:
            return []
        shown, before = tail_lines(self.item.output, UNFOLDED if full else self._tail() + 2)
        if shown and before == 0 and shown[0].startswith("$ "):
            shown = shown[1:]  # the command stands in the line above
        if shown and _EXIT.match(shown[-1]):
            shown = shown[:-1]  # and how it ended, too
        if not full and (more := len(shown) - self._tail()) > 0:
            shown, before = shown[more:], before + more
        if before and shown and self.item.output.startswith("$ "):
            before -= 1
        room = max(1, width - MARGIN - 4)
        bar = Aside("   │ ", palette.faint)
        out: list[Line] = []
        if before:
            out.append([bar, Segment(f"… {plural(before, 'line')} above", palette.faint)])
        for line in shown:
            if full or told:
                pieces = hang(cut(line, REASON), palette.muted, room) if told else fold(line, palette.muted, room)
                out.extend([[bar, *piece] for piece in pieces])
            else:
                out.append([bar, Segment(cut(line, room), palette.muted)])
        return out

    def _changes_file(self) -> bool:
        item = self.item
        if item.tool == "edit_file":
            return "\n@@ " in item.output[:2000]
        return item.tool == "write_file" and isinstance(item.arguments.get("content"), str)

    def _change(self, width: int, palette: Palette) -> list[Line]:
        from pygent.tui.panes.blocks.changes import edited, written  # noqa: PLC0415 - once a file was changed

        bar = Aside("   │ ", palette.faint)
        most = UNFOLDED if self.shape == "full" else CHANGES
        inner = max(8, width - MARGIN - 3)
        draw = edited if self.item.tool == "edit_file" else written
        out = [[bar, *line] for line in draw(self.item, most, inner, palette)]
        if self.item.tool == "write_file" and self.item.state != "ok":
            return [*out, *self._output(width, palette)]
        return out
