"""Markdown that comes in pieces: what is finished is drawn once, and of the open end only what is new.

Text whose block is not finished is shown as it stands. An open code block is coloured a few lines at a time, so a
batch of new lines costs the same at its thousandth line as at its first.
"""

from __future__ import annotations

from pygent.tui import markdown
from pygent.tui.code import highlighted_part
from pygent.tui.colours import Palette
from pygent.tui.text import clean
from pygent.tui.wrap import Line, wrap

AT_ONCE = 12_000
"""Characters of a code block that are coloured anew as a whole once it is closed; of a longer one the parts stay."""

PART = 30
"""Lines after which a part of an open code block is drawn for good."""

UNSETTLED = 300
"""Lines after which it is, even in the middle of a string."""


class Growing:
    """The lines of a text that only grows, for one width."""

    def __init__(self, width: int, palette: Palette) -> None:
        self._width = width
        self._palette = palette
        self._text = ""
        self._blocks = markdown.Splitter()
        self._drawn: list[Line] = []
        self._code: _OpenCode | None = None
        self._codes = 0
        self._plain = ""  # the whole lines of the open end, which are drawn in `_plain_lines`
        self._plain_lines: list[Line] = []

    def fits(self, text: str, width: int, palette: Palette) -> bool:
        """Whether ``text`` goes on with what was drawn, for the same width and colours."""
        return (width, palette) == (self._width, self._palette) and text.startswith(self._text)

    def lines(self, text: str, *, done: bool) -> list[Line]:
        """All lines; with ``done`` nothing more comes."""
        self._text = text
        if done and not text.endswith("\n"):
            text += "\n"
        for block in self._blocks.feed(text):
            self._finish(block)
        rest = text[self._blocks.begin :]
        if not rest.strip():
            return self._drawn[:-1]
        if done:
            self._finish(rest)
            self._text += "\0"  # whatever comes now, it does not go on with this
            return self._drawn[:-1]
        return self._drawn + (self._open_code(rest) if self._blocks.fence else self._open_text(rest))

    def _finish(self, block: str) -> None:
        code, self._code = self._code, None
        if code is not None and len(block) > AT_ONCE:
            lines = code.finish(block)
        else:
            lines = markdown.draw(clean(block), self._width, self._palette)
        if markdown.fence_of(block) is not None:
            lines = markdown.with_copy(lines, self._codes, self._width, self._palette)
            self._codes += 1
        self._drawn += lines
        self._drawn.append([])
        self._plain, self._plain_lines = "", []

    def _open_code(self, rest: str) -> list[Line]:
        if self._code is None:
            self._code = _OpenCode(rest, self._width, self._palette)
        return self._code.lines(rest)

    def _open_text(self, rest: str) -> list[Line]:
        whole = rest.rfind("\n") + 1
        if whole > len(self._plain):
            new = rest[len(self._plain) : whole]
            self._plain_lines += self._wrapped(new.removesuffix("\n") if self._plain else new.strip("\n"))
            self._plain = rest[:whole]
        return self._plain_lines + (self._wrapped(rest[whole:]) if whole < len(rest) else [])

    def _wrapped(self, text: str) -> list[Line]:
        return wrap([(clean(text), self._palette.text)], self._width)


class _OpenCode:
    """A code block whose end has not come, drawn in parts."""

    def __init__(self, block: str, width: int, palette: Palette) -> None:
        first, _, _ = block.partition("\n")
        self._language = markdown.fence_language(first)
        self._width = width
        self._palette = palette
        self._lines: list[Line] = []
        self._settled = len(first) + 1

    def lines(self, block: str) -> list[Line]:
        """The lines of the block as far as it has come."""
        whole = block.rfind("\n") + 1
        count = block.count("\n", self._settled, whole) if whole > self._settled else 0
        if count >= PART:
            self._settle(block[self._settled : whole - 1], force=count >= UNSETTLED)
        return self._lines + self._rest(block[self._settled :].removesuffix("\n"))

    def finish(self, block: str) -> list[Line]:
        """All lines of the closed block."""
        return self._lines + self._rest(markdown.fence_body(block[self._settled :].rstrip("\n")))

    def _settle(self, code: str, *, force: bool) -> None:
        """Draw for good what ends outside of a string or a comment, or with ``force`` all."""
        runs, whole = highlighted_part(clean(code), self._language, self._palette)
        lines = code.split("\n")
        count = len(lines) if force else whole
        self._lines += markdown.code_lines(runs[:count], self._width, self._palette)
        self._settled += sum(len(line) + 1 for line in lines[:count])

    def _rest(self, code: str) -> list[Line]:
        if not code:
            return []
        runs, _ = highlighted_part(clean(code), self._language, self._palette)
        return markdown.code_lines(runs, self._width, self._palette)
