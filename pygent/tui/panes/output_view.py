"""All the output of one tool call: from the file that has it where it is long, while it comes and afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pygent.errors import PygentError
from pygent.transcript import LIVE_OUTPUT, ToolItem
from pygent.tui.panes.file_source import FileSource
from pygent.tui.panes.hex_source import HexSource
from pygent.tui.panes.line_source import Source
from pygent.tui.panes.lines import Line, LinesView
from pygent.tui.panes.text import output_lines, size_of
from pygent.tui.text import clean

LIVE = ("waiting", "running")

COPIED = 4 * 1024 * 1024
"""Bytes that are copied at most."""

_STOPPED = "[stopped: too much output;"


class OutputView(LinesView):
    """Follows ``item``; whoever has the view calls ``keep_up`` now and then while the call runs.

    ``open_file`` opens the file of a long output and raises ``PygentError`` where it is gone.
    """

    def __init__(self, item: ToolItem, open_file: Callable[[str], BinaryIO] | None, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(numbers=True, id=id)
        self.item = item
        self.file: FileSource | None = None
        self.hexadecimal = False
        self._open = open_file
        self._asked = ""
        self._problem = ""
        self._scanning = False
        self._shown: tuple[object, ...] = ()
        self._follows = item.state in LIVE

    def on_unmount(self) -> None:
        if self.file is not None:
            self.file.close()

    @property
    def live(self) -> bool:
        """Whether more may come."""
        return self.item.state in LIVE

    @property
    def about(self) -> str:
        """How much there is, in a few words."""
        item = self.item
        if self.file is not None:
            lines, size = self.file.count(), self.file.size
        else:
            text = item.output
            lines = text.count("\n") + (not text.endswith("\n") and text != "")
            size = len(text.encode(errors="replace"))
        binary = self.file is not None and self.file.binary
        parts = [f"{lines:,} line{'' if lines == 1 else 's'}", size_of(size), "binary" if binary else ""]
        if self.live and self.file is None and len(item.output) >= LIVE_OUTPUT:
            parts.append("its end")
        if not self.live and _STOPPED in item.output[-200:]:
            parts.append("then it was stopped")
        if self.live:
            parts.append("follows" if self.at_end else "End follows")
        return " · ".join(part for part in parts if part)

    def keep_up(self) -> None:
        """Show what has come since."""
        item = self.item
        if item.output_file and item.output_file != self._asked and self._open is not None:
            self._take(item.output_file)
        if self.file is not None:
            if not self._scanning:
                self._scanning = True
                self.run_worker(self._scan(self.file), group="scan", exit_on_error=False)
            return
        shown = (item.state, len(item.output), item.output[-64:], self._problem)
        if shown != self._shown:
            self._shown = shown
            self.set_lines(self._text_lines(), follow=self._follows)

    def _take(self, path: str) -> None:
        self._asked = path
        try:
            assert self._open is not None
            file = FileSource(self._open(path))
        except (PygentError, OSError) as error:
            self._problem = str(error)
            return
        if self.file is not None:
            self.file.close()
        self.file = file

    async def _scan(self, file: FileSource) -> None:
        try:
            found = await asyncio.to_thread(file.scan)
        finally:
            self._scanning = False
        if not self.is_attached or file is not self.file or (found is None and self._reads(file)):
            return
        changed = file.absorb(found) if found is not None else 0
        if not self._reads(file):
            self.set_source(self._source(file), follow=self._follows)
        else:
            self.grew(max(0, self.source.count() - 1) if self.hexadecimal else changed, follow=self._follows)

    def _reads(self, file: FileSource) -> bool:
        return self.source is file or isinstance(self.source, HexSource)

    def _source(self, file: FileSource) -> Source:
        return HexSource(file) if self.hexadecimal else file

    def _text_lines(self) -> list[Line]:
        item = self.item
        if item.state == "waiting":
            return [Line("Waits for your decision. Nothing has run yet.", "warning")]
        lines = [Line(line) for line in output_lines(item.output)]
        if self._problem:
            lines[:0] = [
                Line(self._problem, "warning"),
                Line("What follows is what the model read.", "warning"),
                Line(""),
            ]
        return lines or [Line("Nothing yet." if self.live else "It has said nothing.", "muted")]

    def toggle_hexadecimal(self) -> None:
        """Show bytes, or text again. Only the output of a file has bytes."""
        if self.file is not None:
            self.hexadecimal = not self.hexadecimal
            self.numbers = not self.hexadecimal
            self.set_source(self._source(self.file))
            self.go_to_line(0)

    def copied(self) -> tuple[str, str]:
        """The text for the clipboard, and what to say about it."""
        if self.file is None:
            return clean(self.item.output, "\t"), "Copied the output."
        text = clean(self.file.read(0, COPIED).decode("utf-8", "replace"), "\t")
        if self.file.size > COPIED:
            return text, f"Copied the first {size_of(COPIED)} of {size_of(self.file.size)}; saving keeps all of it."
        return text, "Copied the output."

    def all_text(self, most: int) -> str:
        """The output, as far as it fits into ``most`` bytes."""
        if self.file is None:
            return self.item.output[:most]
        return self.file.read(0, most).decode("utf-8", "replace")

    def save(self, path: Path, *, replace: bool = False) -> int:
        """Write all of the output, as it came, to ``path``; answers the bytes. For a thread.

        Raises ``FileExistsError`` where it is there and not to be replaced, and other ``OSError``.
        """
        with path.open("wb" if replace else "xb") as out:
            if self.file is None:
                return out.write(self.item.output.encode("utf-8", "replace"))
            at = 0
            while data := self.file.read(at, at + 1024 * 1024):
                at += out.write(data)
            return at
