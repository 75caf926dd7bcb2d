"""The workspace: its files, which of them this session changed, and what is in them.

Folders are read when they are opened, in a thread, and watched while they are open; nothing walks the whole tree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from pygent.events import Event, FilesChanged, RunFinished, ToolFinished
from pygent.transcript import Item, Transcript
from pygent.tui.panes.file_tree import FileTree, TreeRow, with_parents
from pygent.tui.panes.file_tree_view import CHANGED, FileTreeView
from pygent.tui.panes.lines import LinesView
from pygent.tui.panes.listing import Listing, changed_folders, list_folder
from pygent.tui.panes.text import fit_end, one_line, visible

if TYPE_CHECKING:
    from pygent.session import Session

POLL = 2.0
"""Seconds between looks at the open folders."""

TALL = 15
"""Rows; from here on the pane has room for a preview below the tree."""


class WorkspacePane(Widget):
    """The tree, and below it what the file under the cursor holds where there is room. Enter shows a file large."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Workspace"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.files = FileTree()
        self._session: Session | None = None
        self._transcript: Transcript | None = None
        self._root: Path | None = None
        self._counted = 0
        self._checking = False
        self._check_again = False
        self._previewed = ""
        self._preview_stamp: tuple[int, int] | None = None
        self._preview_delay: Timer | None = None

    def compose(self) -> ComposeResult:
        yield FileTreeView(self.files)
        preview = LinesView(numbers=True, wrap=False, id="preview")
        preview.can_focus = False
        yield preview

    def on_mount(self) -> None:
        self.set_interval(POLL, self._check)

    def on_resize(self) -> None:
        self.set_class(self.size.height >= TALL, "-tall")

    def focus(self, scroll_visible: bool = True) -> WorkspacePane:
        """Give the focus to the tree."""
        self.query_one(FileTreeView).focus(scroll_visible)
        return self

    # What the main screen calls.

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the session's workspace and keep up from there."""
        self._session, self._transcript, self._root = session, transcript, Path(session.workspace)
        self.border_title = Content(f"Workspace · {visible(self._root.name or str(self._root))}")
        self._counted = -1
        self._mark()
        self._check()

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the UI thread."""
        look = False
        for event, _ in batch:
            look = look or isinstance(event, FilesChanged | ToolFinished | RunFinished)
        if look:
            self._mark()
            self._check()

    def _mark(self) -> None:
        if self._transcript is None or len(self._transcript.files_changed) == self._counted:
            return
        paths = self._transcript.files_changed
        self._counted = len(paths)
        self.border_subtitle = f"{CHANGED} {len(paths):,} changed" if paths else ""
        view = self.query_one(FileTreeView)
        view.changed = with_parents(paths)
        view.refresh()

    # Reading the disk.

    def _check(self) -> None:
        """Look which open folders changed, and read those. One look at a time; one more if asked meanwhile."""
        if self._root is None or not self.is_mounted:
            return
        if self._checking:
            self._check_again = True
            return
        self._checking = True
        self.run_worker(self._check_once(self._root), group="workspace", exit_on_error=False)

    async def _check_once(self, root: Path) -> None:
        try:
            self._check_again = True
            while self._check_again:
                self._check_again = False
                changed = await asyncio.to_thread(changed_folders, root, self.files.stamps())
                await self._read(root, changed)
        finally:
            self._checking = False
        if self._previewed and await asyncio.to_thread(_stamp, root / self._previewed) != self._preview_stamp:
            await self._load_preview(self._previewed)

    async def _read(self, root: Path, folders: Iterable[str]) -> None:
        before = self.files.rows()
        for folder in sorted(folders):
            listing, problem = await asyncio.to_thread(_listed, root, folder)
            if root != self._root:
                return
            self.files.filled(folder, listing, problem)
        view = self.query_one(FileTreeView)
        if not view.rows or self.files.rows() != before:
            view.show()

    def on_file_tree_view_opened(self, event: FileTreeView.Opened) -> None:
        event.stop()
        row = event.row
        if row.kind == "folder":
            self._toggle(row)
        elif row.kind == "more":
            self.files.more(row.path)
            self.query_one(FileTreeView).show()
        elif row.kind != "note" and self._session is not None:
            from pygent.tui.screens.file_preview import FilePreviewScreen  # noqa: PLC0415 - not for the first paint

            self.app.push_screen(FilePreviewScreen(row.path, self._session.read_file))

    def on_file_tree_view_toggled(self, event: FileTreeView.Toggled) -> None:
        event.stop()
        self._toggle(event.row)

    def _toggle(self, row: TreeRow) -> None:
        if row.is_open:
            self.files.close(row.path)
        else:
            self.files.open(row.path)
            self._check()
        self.query_one(FileTreeView).show()

    # The preview below the tree.

    def on_file_tree_view_highlighted(self, event: FileTreeView.Highlighted) -> None:
        event.stop()
        if self._preview_delay is not None:
            self._preview_delay.stop()
        row = event.row
        self._preview_delay = self.set_timer(0.1, lambda: self._preview(row))

    def _preview(self, row: TreeRow) -> None:
        wanted = row.kind in {"file", "link"} and self.has_class("-tall")
        self.set_class(wanted, "-previewing")
        self._previewed = row.path if wanted else ""
        if wanted:
            self.run_worker(self._load_preview(row.path), group="preview", exclusive=True, exit_on_error=False)

    async def _load_preview(self, path: str) -> None:
        session, root = self._session, self._root
        if session is None or root is None:
            return
        from pygent.tui.panes.preview import load_preview  # noqa: PLC0415 - not needed for the first paint

        stamp = await asyncio.to_thread(_stamp, root / path)
        preview = await asyncio.to_thread(load_preview, session.read_file, path, most=64 * 1024)
        if path != self._previewed or not self.is_mounted:
            return
        self._preview_stamp = stamp
        view = self.query_one("#preview", LinesView)
        view.border_title = Content(fit_end(visible(path), max(8, self.size.width - 4)))
        view.border_subtitle = Content(one_line(preview.about))
        view.numbers = preview.numbered
        view.wrap = not preview.numbered
        view.set_lines(preview.lines)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _listed(root: Path, folder: str) -> tuple[Listing | None, str]:
    try:
        return list_folder(root, folder), ""
    except OSError as error:
        return None, f"cannot be read: {error.strerror or error}"
