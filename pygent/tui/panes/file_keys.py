"""The keys of a pane with files, and the menu that offers the same to the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Static

from pygent.tui.keys import bindings_of, key_of
from pygent.tui.panes.file_tree import TreeRow
from pygent.tui.panes.file_tree_view import FileTreeView

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.tui.file_commands import FileCommands

_OF_FILES = ("rows.open", "files.insert", "files.copy-path", "files.diff", "files.edit")
_OF_FOLDERS = ("rows.open", "files.insert", "files.copy-path")
_OF_NAMES = ("files.rename", "files.delete")
_ALWAYS = ("files.new", "files.new-folder", "files.undo")
_OF_PANE = ("files.filter", "files.changed", "files.hidden", "files.refresh")

_HINTS = (("files.filter", "/", "filter"), ("files.changed", "c", "changed"), ("files.menu", "m", "menu"))


class FileHints(Static):
    """The keys that lead to all others; each can be clicked."""

    DEFAULT_CSS = """
    FileHints {
        display: none;
        height: 1;
        padding: 0 1;
        color: $text-muted;
        link-style: none;
        link-color: $text-muted;
        link-color-hover: $text-primary;
        link-background: transparent;
        link-background-hover: transparent;
    }
    """

    def __init__(self) -> None:
        super().__init__(markup=False)

    def on_mount(self) -> None:
        parts = []
        for binding, key, words in _HINTS:
            shown = key_of(self.app, binding, key)
            shown = shown.lower() if len(shown) == 1 else shown
            text = Content.assemble((shown, "bold $text-accent"), " ", words)
            parts.append(text.stylize(f"@click=ask('{binding.partition('.')[2]}')"))
        self.update(Content("  ").join(parts))

    async def action_ask(self, action: str) -> None:
        assert isinstance(self.parent, Widget)
        await self.parent.run_action(action)


class FileKeys(Widget):
    """What the keys do to the file under the cursor of a `FileTreeView` inside."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i,at", "insert", "Put the path into the prompt", id="files.insert"),
        Binding("y", "copy_path", "Copy the path", id="files.copy-path"),
        Binding("d", "diff", "Difference since the session began", id="files.diff"),
        Binding("e", "edit", "Open in your editor", id="files.edit"),
        Binding("n", "new(False)", "New file", id="files.new"),
        Binding("N", "new(True)", "New folder", id="files.new-folder"),
        Binding("r", "rename", "Rename or move", id="files.rename"),
        Binding("delete", "delete", "Delete", id="files.delete"),
        Binding("u", "undo", "Bring the last deleted or renamed back", id="files.undo"),
        Binding("m", "menu", "Menu of the file", id="files.menu"),
    ]
    _session: Session | None = None

    @property
    def view(self) -> FileTreeView:
        """The rows."""
        return self.query_one(FileTreeView)

    @property
    def commands(self) -> FileCommands | None:
        """What can be done with files; None before there is a session."""
        from pygent.tui.file_commands import FileCommands  # noqa: PLC0415 - only when asked for

        return None if self._session is None else FileCommands(self, self._session, self.after_command)

    def after_command(self, path: str) -> None:
        """Files were changed; the cursor belongs on ``path`` where that is not empty."""
        if self._session is not None:
            from pygent.tui.file_finder import finder_of  # noqa: PLC0415 - only where files are changed

            finder_of(self._session).stale()

    def action_insert(self) -> None:
        if self.commands is not None and (row := self._row("folder", "file", "link", "other")) is not None:
            self.commands.insert(row.path, is_folder=row.kind == "folder")

    def action_copy_path(self) -> None:
        if self.commands is not None and (row := self._row("folder", "file", "link", "other")) is not None:
            self.commands.copy_path(row.path)

    def action_diff(self) -> None:
        if self.commands is not None and (row := self._row("file", "link")) is not None:
            self.commands.diff(row.path)

    def action_edit(self) -> None:
        if self.commands is not None and (row := self._row("file", "link")) is not None:
            self.commands.edit(row.path)

    def action_new(self, folder: bool) -> None:
        if self.commands is not None:
            row = self._row("folder", "file", "link", "other", "more")
            above = "" if row is None else row.path if row.kind in {"folder", "more"} else row.path.rpartition("/")[0]
            self.commands.make(above, folder=folder)

    def action_rename(self) -> None:
        if self.commands is not None and (row := self._row("folder", "file", "link", "other")) is not None:
            self.commands.rename(row.path)

    def action_delete(self) -> None:
        if self.commands is not None and (row := self._row("folder", "file", "link", "other")) is not None:
            self.commands.delete(row.path)

    def action_undo(self) -> None:
        if self.commands is not None:
            self.commands.undo()

    def action_menu(self) -> None:
        view = self.view
        y = view.cursor - view.scroll_offset.y + 1 if view.rows else 0
        self._open_menu(view.content_region.offset + Offset(4, max(0, min(y, view.size.height))))

    def on_file_tree_view_menu_asked(self, event: FileTreeView.MenuAsked) -> None:
        event.stop()
        self._open_menu(event.place)

    def _open_menu(self, place: Offset) -> None:
        from pygent.tui.screens.menu import BETWEEN, MenuItem, MenuScreen  # noqa: PLC0415 - only when asked for

        row = self._row("folder", "file", "link", "other")
        groups = [_ALWAYS, _OF_PANE]
        if row is not None:
            groups = [_OF_FOLDERS if row.kind == "folder" else _OF_FILES, (*_OF_NAMES, *_ALWAYS), _OF_PANE]
        known = {made.id: (node, keys, made) for node in (self, self.view) for keys, made in bindings_of(node)}
        items: list[MenuItem] = []
        for group in groups:
            items += [BETWEEN] if items else []
            for name in group:
                _, keys, made = known[name]
                press = key_of(self.app, name, made.key, plain=True)
                first = press.partition(",")[0]
                shown = first if len(first) == 1 else keys.partition(",")[0]  # "n" is another key than "N"
                items.append(MenuItem(made.description, shown, name, press))

        async def chosen(name: str | None) -> None:
            if name is not None:
                node, _, made = known[name]
                await node.run_action(made.action)

        self.app.push_screen(MenuScreen(row.path if row is not None else "Workspace", items, place), chosen)

    def _row(self, *kinds: str) -> TreeRow | None:
        """The row under the cursor, if it is one of these."""
        row = self.view.current
        return row if row is not None and row.kind in kinds else None
