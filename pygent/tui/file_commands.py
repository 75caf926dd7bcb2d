"""What a person can do with a file of the workspace, from wherever it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from pygent.errors import PygentError
from pygent.tui.completion import mention
from pygent.tui.panes.text import visible
from pygent.tui.text import plural

if TYPE_CHECKING:
    from pygent.session import Session


class FileCommands:
    """Asks what has to be asked, does it in a thread, and says what came of it.

    ``changed`` is called with the path that the cursor shall be on after a change, "" for wherever it is.
    """

    def __init__(self, widget: Widget, session: Session, changed: Callable[[str], object] = lambda _: None) -> None:
        self._widget = widget
        self._session = session
        self._changed = changed

    def insert(self, path: str, *, is_folder: bool = False) -> None:
        """Put the path into the prompt."""
        main: Any = getattr(self._widget.app, "main", None)
        if not path.isprintable():
            self._tell("Its name has characters that cannot stand in a prompt.", failed=True)
        elif main is not None:
            row, column = main.prompt.cursor_location
            before = main.prompt.get_text_range((row, max(0, column - 1)), (row, column))
            blank = " " if before and not before.isspace() else ""
            main.to_prompt(blank + mention(f"{path}/" if is_folder else path, whole=True))

    def copy_path(self, path: str) -> None:
        """Copy the path, relative to the workspace."""
        self._widget.app.copy_to_clipboard(path)
        self._tell("Copied the path.")

    def diff(self, path: str) -> None:
        """Show what the file was when the session began beside what it is now."""
        from pygent.tui.screens.file_diff import FileDiffScreen  # noqa: PLC0415 - only when asked for

        self._widget.app.push_screen(FileDiffScreen(path, self._session))

    def edit(self, path: str) -> None:
        """Open the file in the person's editor."""
        self._do(self._edit(path))

    def make(self, above: str, *, folder: bool) -> None:
        """Ask for a name in the folder ``above`` and make a file or a folder."""
        self._do(self._make(above, folder))

    def rename(self, path: str) -> None:
        """Ask for another name, or another place."""
        self._do(self._rename(path))

    def delete(self, path: str) -> None:
        """Ask, and move it into the trash."""
        self._do(self._delete(path))

    def undo(self) -> None:
        """Take the last deletion or renaming back."""
        self._do(self._undo())

    async def _edit(self, path: str) -> None:
        from pygent.tui.editor import edit_file  # noqa: PLC0415 - only when asked for

        real = await self._try(self._session.real_path, path)
        if real is not None:
            problem = edit_file(self._widget.app, real)
            if problem:
                self._tell(problem, failed=True)
            self._changed("")

    async def _make(self, above: str, folder: bool) -> None:
        what = "folder" if folder else "file"
        start = f"{above}/" if above else ""
        name = await self._ask(
            f"New {what}", start, "Its path in the workspace. Folders that are missing are made.", "Make"
        )
        if name:
            make = self._session.make_folder if folder else self._session.make_file
            made = await self._try(make, name)
            if made is not None:
                self._changed(made)

    async def _rename(self, path: str) -> None:
        start = path.rfind("/") + 1
        dot = path.rfind(".")
        selected = (start, dot if dot > start else len(path))
        name = await self._ask("Rename", path, "Its new path in the workspace.", "Rename", selected)
        if name and name != path:
            new = await self._try(self._session.rename_file, path, name)
            if new is not None:
                self._tell(f"{visible(path)} is now {visible(new)}. u takes it back.")
                self._changed(new)

    async def _delete(self, path: str) -> None:
        from pygent.tui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - only when asked for

        contents = await self._try(self._session.contents, path)
        if contents is None:
            return
        text = f"{visible(path)} goes into Pygent's trash; u brings it back."
        if contents.kind == "folder":
            count = f"{'more than ' if contents.more else ''}{plural(contents.files, 'file')}"
            inner = f" and {plural(contents.folders, 'folder')}" if contents.folders else ""
            text = f"{visible(path)}/ with {count}{inner} goes into Pygent's trash; u brings it back."
        elif contents.kind == "link":
            text = f"The link {visible(path)} goes into Pygent's trash, not what it leads to; u brings it back."
        question = ConfirmScreen(f"Delete this {contents.kind}?", text, yes="Delete", no="Keep")
        if await self._widget.app.push_screen_wait(question):
            await self._try(self._session.delete_file, path, then=lambda _: self._deleted(path))

    def _deleted(self, path: str) -> None:
        self._tell(f"Deleted {visible(path)}. u brings it back.")
        self._changed("")

    async def _undo(self) -> None:
        told = await self._try(self._session.undo_files)
        if told is not None:
            self._tell(f"{visible(told)}.")
            self._changed("")

    async def _ask(
        self, title: str, text: str, about: str, yes: str, selected: tuple[int, int] | None = None
    ) -> str | None:
        from pygent.tui.screens.ask import AskScreen  # noqa: PLC0415 - only when asked for

        def problem(name: str) -> str:
            return "" if name == text and selected is not None else self._session.name_problem(name)

        selected_or_end = selected or (len(text), len(text))
        screen = AskScreen(title, text, about=about, problem=problem, live=True, selected=selected_or_end, yes=yes)
        return await self._widget.app.push_screen_wait(screen)

    async def _try(
        self, work: Callable[..., Any], *arguments: str, then: Callable[[Any], object] = lambda _: None
    ) -> Any:
        """What ``work`` answers on a thread; None where it failed, which is told."""
        try:
            answer = await asyncio.to_thread(work, *arguments)
        except (PygentError, OSError) as error:
            self._tell(str(error), failed=True)
            return None
        then(answer)
        return answer

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._widget.run_worker(work, group="file-commands", exit_on_error=False)

    def _tell(self, text: str, *, failed: bool = False) -> None:
        self._widget.app.notify(visible(text), severity="error" if failed else "information", markup=False)
