"""One file of the workspace, large."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.lines import Line, LinesView
from pygent.tui.panes.preview import Preview, Read, load_preview
from pygent.tui.panes.text import fit_end, visible

if TYPE_CHECKING:
    from pygent.tui.file_commands import FileCommands


_WITH_COMMANDS = (("i", "To prompt", "insert"), ("d", "Difference", "diff"), ("e", "Edit", "edit"))


class FilePreviewScreen(ModalScreen[None]):
    """Reads the file in a thread with ``read``; ``commands`` offers more with it."""

    CSS_PATH = "file_preview.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="file.close"),
        Binding("c", "copy", "Copy", id="file.copy"),
        Binding("p", "copy_path", "Copy path", id="file.copy_path"),
        Binding("w", "wrap", "Wrap", id="file.wrap"),
        Binding("r", "reload", "Read again", id="file.reload"),
        Binding("i,at", "insert", "Put the path into the prompt", id="file.insert"),
        Binding("d", "diff", "Difference since the session began", id="file.diff"),
        Binding("e", "edit", "Open in your editor", id="file.edit"),
    ]

    def __init__(self, path: str, read: Read, commands: FileCommands | None = None) -> None:
        super().__init__()
        self._commands = commands
        self.path = path
        self._read = read
        self._preview: Preview | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="file"):
            yield LinesView(numbers=True, wrap=False, id="file-lines")
            yield KeyLine(
                ("esc", "Close", "close"),
                ("c", "Copy", "copy"),
                ("p", "Copy path", "copy_path"),
                ("w", "Wrap", "wrap"),
                ("r", "Read again", "reload"),
                *_WITH_COMMANDS[: 3 if self._commands is not None else 0],
            )

    async def on_mount(self) -> None:
        self.query_one(LinesView).focus()
        self.action_reload()

    def on_resize(self) -> None:
        self.query_one("#file").border_title = Content(fit_end(visible(self.path), max(8, self.size.width - 12)))

    def action_reload(self) -> None:
        self.run_worker(self._load(), exclusive=True, exit_on_error=False)

    async def _load(self) -> None:
        self._preview = preview = await asyncio.to_thread(load_preview, self._read, self.path)
        view = self.query_one(LinesView)
        view.numbers = preview.numbered
        view.wrap = not preview.numbered
        view.set_lines(preview.lines)
        self.query_one("#file").border_subtitle = Content(visible(preview.about))

    def action_close(self) -> None:
        self.dismiss()

    def action_wrap(self) -> None:
        self.query_one(LinesView).action_wrap()

    def action_copy(self) -> None:
        lines: list[Line] = self._preview.lines if self._preview is not None and self._preview.numbered else []
        self.app.copy_to_clipboard("".join(f"{line.text}\n" for line in lines))
        self.app.notify("Copied the text." if lines else "There is no text to copy.", markup=False)

    def action_insert(self) -> None:
        if self._commands is not None:
            self.dismiss()
            self.app.call_later(self._commands.insert, self.path)

    def action_diff(self) -> None:
        if self._commands is not None:
            self._commands.diff(self.path)

    def action_edit(self) -> None:
        if self._commands is not None:
            self._commands.edit(self.path)
            self.action_reload()

    def action_copy_path(self) -> None:
        self.app.copy_to_clipboard(self.path)
        self.app.notify("Copied the path.", markup=False)
