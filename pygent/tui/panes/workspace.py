"""The workspace: its files, what this session and git say of them, and what can be done with them.

Folders are read when they are opened, in a thread, and watched while they are open; nothing walks the whole tree.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from pygent.events import Event, FilesChanged, RunFinished, ToolFinished
from pygent.transcript import Item, Transcript
from pygent.tui.panes.file_keys import FileHints, FileKeys
from pygent.tui.panes.file_peek import FilePeek
from pygent.tui.panes.file_tree import FileTree, TreeRow, with_parents
from pygent.tui.panes.file_tree_view import CHANGED, FileTreeView
from pygent.tui.panes.file_views import FileViews, FilterDone, FilterLeft, FilterTyped
from pygent.tui.panes.folder_watch import FolderWatch
from pygent.tui.panes.git_marks import IGNORED
from pygent.tui.panes.git_watch import GitWatch
from pygent.tui.panes.text import visible

if TYPE_CHECKING:
    from pygent.session import Session

POLL = 2.0
"""Seconds between looks at the open folders."""

TALL = 15
"""Rows; from here on the pane has room for a preview below the tree."""


class WorkspacePane(FileKeys):
    """The tree, and below it what the file under the cursor holds where there is room. Enter shows a file large."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Workspace"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter by letters", id="files.filter"),
        Binding("c", "changed", "Only what changed, or all", id="files.changed"),
        Binding("full_stop", "hidden", "Show or hide hidden and ignored files", id="files.hidden"),
        Binding("R", "refresh", "Read everything again", id="files.refresh"),
        Binding("escape", "whole", "The whole tree", show=False, id="files.whole"),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.files = FileTree()
        self._transcript: Transcript | None = None
        self._root: Path | None = None
        self._counted = 0
        self._hidden = True
        self._wanted = ""
        self._folders = FolderWatch(self, self.files, self._tree_changed, self._looked)
        self._git = GitWatch(self, self._git_changed)
        self._views = FileViews(self, self._show)

    def compose(self) -> ComposeResult:
        yield FileTreeView(self.files)
        yield FilePeek(id="preview")
        yield FileHints()

    def on_mount(self) -> None:
        self.set_interval(POLL, self._poll)

    def on_resize(self) -> None:
        self.set_class(self.size.height >= TALL, "-tall")

    def focus(self, scroll_visible: bool = True) -> WorkspacePane:
        """Give the focus to the tree."""
        self.view.focus(scroll_visible)
        return self

    # What the main screen calls.

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the session's workspace and keep up from there."""
        self._session, self._transcript, self._root = session, transcript, Path(session.workspace)
        self.border_title = Content(f"Workspace · {visible(self._root.name or str(self._root))}")
        self._counted = -1
        self._mark()
        self._folders.attach(self._root)
        self._git.attach(session)

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the UI thread."""
        if any(isinstance(event, FilesChanged | ToolFinished | RunFinished) for event, _ in batch):
            self._mark()
            self._folders.check()
            self._git.soon()

    # Keeping up.

    def _poll(self) -> None:
        self._folders.check()
        self._git.now_and_then()

    def _looked(self, any_changed: bool) -> None:
        if any_changed:
            self._git.soon()
        if self._wanted and not self._views.on:
            self._go_to(self._wanted)
        if self._session is not None and self._root is not None:
            peek = self.query_one(FilePeek)
            self.run_worker(peek.follow(self._root, self._session.read_start), group="follow", exit_on_error=False)

    def _mark(self) -> None:
        if self._transcript is None or len(self._transcript.files_changed) == self._counted:
            return
        self._views.mine = paths = self._transcript.files_changed
        self._counted = len(paths)
        self.view.changed = with_parents(paths)
        self._facts()
        if self._views.only_changed:
            self._views.update()
        self.view.refresh()

    def _git_changed(self) -> None:
        self._views.marks = self.view.marks = self._git.marks
        self.view.in_git = self._git.found
        self._facts()
        if self._views.only_changed:
            self._views.update()
        elif not self._hidden:
            self.view.show()
        self.view.refresh()

    def _facts(self) -> None:
        """The line on the border: the branch, and what is changed and shown."""
        parts = [self._git.line] if self._git.line else []
        parts += [f"{CHANGED} {self._counted:,} changed"] if self._counted > 0 else []
        parts += ["only changes"] if self._views.only_changed else []
        parts += [] if self._hidden else ["without hidden"]
        self.border_subtitle = Content(" · ".join(parts))

    def _tree_changed(self) -> None:
        if not self._views.on:
            self.view.show()

    def _show(self, rows: list[TreeRow] | None) -> None:
        view = self.view
        fresh = rows is not None and view.others != rows and bool(self._views.typed)
        view.others = rows
        view.show()
        if fresh and view.rows:
            view.action_first()
            view.cursor_moved()

    # Rows.

    def on_file_tree_view_opened(self, event: FileTreeView.Opened) -> None:
        event.stop()
        row = event.row
        if row.kind == "folder":
            self._toggle(row)
        elif row.kind == "more":
            self.files.more(row.path)
            self.view.show()
        elif self._git.marks.of(row.path) == "D" and self._views.only_changed:
            self.action_diff()
        elif row.kind != "note" and self._session is not None:
            from pygent.tui.screens.file_preview import FilePreviewScreen  # noqa: PLC0415 - not for the first paint

            self.app.push_screen(FilePreviewScreen(row.path, self._session.read_start, self.commands))

    def on_file_tree_view_toggled(self, event: FileTreeView.Toggled) -> None:
        event.stop()
        self._toggle(event.row)

    def _toggle(self, row: TreeRow) -> None:
        if self._views.on:
            self.reveal(row.path, inside=True)
        elif row.is_open:
            self.files.close(row.path)
            self.view.show()
        else:
            self.files.open(row.path)
            self._folders.check()
            self.view.show()

    def on_file_tree_view_highlighted(self, event: FileTreeView.Highlighted) -> None:
        event.stop()
        row = event.row
        wanted = row.kind in {"file", "link"} and self.has_class("-tall") and self._session is not None
        self.set_class(wanted, "-previewing")
        if self._session is not None:
            self.query_one(FilePeek).show_soon(row.path if wanted else "", self._root, self._session.read_start)

    def reveal(self, path: str, *, inside: bool = False) -> None:
        """Show the whole tree with the cursor on a path; ``inside`` opens it too."""
        self._leave_views()
        self.files.open_down_to(path)
        if inside:
            self.files.open(path)
        self._wanted = path
        if not self._go_to(path):
            self._folders.check()

    def _go_to(self, path: str) -> bool:
        if not self.files.show_name(path):
            return False
        self._wanted = ""
        self.view.show()
        return self.view.go_to(path)

    # The filter and the other views.

    async def action_filter(self) -> None:
        if self._session is None:
            return
        from pygent.tui.file_finder import finder_of  # noqa: PLC0415 - only where files are filtered
        from pygent.tui.panes.filter_line import FilterLine  # noqa: PLC0415

        self._views.finder = finder_of(self._session)
        if not self.query(FilterLine):
            await self.mount(FilterLine(id="file-filter"), before=self.view)
        line = self.query_one(FilterLine)
        if not line.has_class("-on"):
            line.clear()
        line.add_class("-on").focus()

    def on_filter_typed(self, event: FilterTyped) -> None:
        event.stop()
        self._views.typed = event.text
        self._views.update()

    def on_filter_done(self, event: FilterDone) -> None:
        event.stop()
        self.view.focus()

    def on_filter_left(self, event: FilterLeft) -> None:
        event.stop()
        self.action_whole()
        self.view.focus()

    def action_changed(self) -> None:
        self._views.only_changed = not self._views.only_changed
        self._views.update()
        self._facts()

    def action_hidden(self) -> None:
        self._hidden = not self._hidden
        self.files.hides = lambda path, name: (
            not self._hidden and (name[0] == "." or self._git.marks.of(path) == IGNORED)
        )
        self.view.show()
        self._facts()

    def action_whole(self) -> None:
        """Leave the filter and the other views; the cursor stays on its file."""
        row = self.view.current if self._views.on else None
        if row is not None and row.kind != "note":
            self.reveal(row.path)
        else:
            self._leave_views()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "whole" and not (self._views.on or self.query("#file-filter.-on")):
            return False  # Esc is for others
        return super().check_action(action, parameters)

    def _leave_views(self) -> None:
        self.query("#file-filter").remove_class("-on")
        self._views.typed, self._views.only_changed = "", False
        self._views.update()
        self._facts()

    def after_command(self, path: str) -> None:
        if path:
            self.reveal(path)
        self._folders.check()
        self._git.soon()
        super().after_command(path)

    def action_refresh(self) -> None:
        self.files.forget()
        self._folders.check()
        self._git.try_again()
        self.after_command("")
