"""What stands on the screen, told from the bytes that a full-screen program writes."""

from __future__ import annotations

import codecs
import re

_TOKENS = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|\x1b[ -/]+[0-~]"
    r"|\n|([^\x00-\x1f]+)|[\x00-\x1f]",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[ -/]*)\Z")


class Picture:
    """A terminal as such programs use it: the cursor goes somewhere, text is written, the screen is cleared."""

    def __init__(self, columns: int, rows: int) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """Another size; what stood there is drawn anew by the program."""
        self._columns = columns
        self._rows = [[" "] * columns for _ in range(rows)]
        self._x = self._y = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        text = self._rest + self._decoder.decode(data)
        cut = _UNFINISHED.search(text)
        self._rest = text[cut.start() :] if cut else ""
        for token in _TOKENS.finditer(text, 0, cut.start() if cut else len(text)):
            if token[3]:
                self._write(token[3])
            elif token[0] == "\n":
                self._y += 1
            elif token[2] == "H":
                row, _, column = token[1].partition(";")
                self._y, self._x = int(row or 1) - 1, int(column or 1) - 1
            elif token[2] == "J":
                self.resize(self._columns, len(self._rows))

    def _write(self, text: str) -> None:
        if 0 <= self._y < len(self._rows):
            row = self._rows[self._y]
            for character in text:
                if self._x < len(row):
                    row[self._x] = character
                self._x += 1

    @property
    def text(self) -> str:
        """All of it, a line a row."""
        return "\n".join("".join(row).rstrip() for row in self._rows)
