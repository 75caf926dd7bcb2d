"""What the file under the cursor holds, small, below the tree."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.timer import Timer

from pygent.tui.panes.lines import LinesView
from pygent.tui.panes.text import fit_end, one_line, visible

if TYPE_CHECKING:
    from pygent.tui.panes.preview import Read

DELAY = 0.1
"""Seconds that the cursor rests on a file before it is read."""

MOST = 64 * 1024
"""Bytes that are shown."""


class FilePeek(LinesView):
    """Shows one file at a time, read in a thread."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(numbers=True, wrap=False, id=id)
        self.can_focus = False
        self._path = ""
        self._stamp: tuple[int, int] | None = None
        self._delay: Timer | None = None

    def show_soon(self, path: str, root: Path | None, read: Read) -> None:
        """Show a file of the folder ``root`` unless another is asked for at once; "" shows none."""
        if self._delay is not None:
            self._delay.stop()
        self._path = path
        if path and root is not None:
            self._delay = self.set_timer(DELAY, lambda: self._begin(path, root, read))

    def _begin(self, path: str, root: Path, read: Read) -> None:
        self.run_worker(self._load(path, root, read), group="preview", exclusive=True, exit_on_error=False)

    async def follow(self, root: Path, read: Read) -> None:
        """Read the file again if it changed."""
        if self._path and await asyncio.to_thread(_stamp, root / self._path) != self._stamp:
            await self._load(self._path, root, read)

    async def _load(self, path: str, root: Path, read: Read) -> None:
        from pygent.tui.panes.preview import load_preview  # noqa: PLC0415 - not needed for the first paint

        stamp = await asyncio.to_thread(_stamp, root / path)
        preview = await asyncio.to_thread(load_preview, read, path, most=MOST)
        if path != self._path or not self.is_mounted:
            return
        self._stamp = stamp
        self.border_title = Content(fit_end(visible(path), max(8, self.size.width - 4)))
        self.border_subtitle = Content(one_line(preview.about))
        self.numbers = preview.numbered
        self.wrap = not preview.numbered
        self.set_lines(preview.lines)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
