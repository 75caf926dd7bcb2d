"""A session saved as a folder, begun from one, and its prompts and answers kept in a file of the person's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pygent.bus import EventBus
from pygent.errors import PygentError
from pygent.events import Event, Level
from pygent.session_log import SessionLog
from pygent.settings import Settings

if TYPE_CHECKING:
    from pygent.agent import Agent


class SessionSaving:
    """The part of a ``Session`` that goes to files and comes from them."""

    settings: Settings
    bus: EventBus
    agent: Agent | None
    _log: SessionLog
    _resume: str | None
    _ready: Callable[[], Agent]
    _notice: Callable[[str, Level], None]

    if TYPE_CHECKING:

        @property
        def id(self) -> str: ...
        @property
        def title(self) -> str: ...
        @property
        def busy_with(self) -> str: ...
        def events(self) -> list[Event]: ...

    def save(self, folder: str | Path) -> str:
        """Write conversation, settings without keys and the workspace's files into a new folder; tells what was done.

        Not for the thread of a screen. Raises ``PygentError`` while the agent works, and where it cannot be written.
        """
        from pygent.saved_state import save  # noqa: PLC0415 - rarely asked for

        agent = self._ready()
        if busy := self.busy_with:
            raise PygentError(busy)
        workspace = agent.runtime.workspace
        told = save(
            Path(folder).expanduser(), self.settings, workspace, self.events(), session_id=self.id, title=self.title
        )
        return str(told)

    def _begin_from_saved(self) -> None:
        """Go on from the conversation of the saved state that the settings name."""
        folder = self.settings.snapshot
        if folder is None or self._resume is not None:
            return
        from pygent.saved_state import read_events  # noqa: PLC0415 - rarely asked for

        self._log.begin_with(read_events(folder)[1], str(folder))

    def _load_saved_files(self) -> None:
        """Bring the files of the saved state into the workspace, and tell of it."""
        folder, agent = self.settings.snapshot, self.agent
        if folder is None or self._resume is not None or agent is None:
            return
        from pygent.saved_state import load_files  # noqa: PLC0415 - rarely asked for

        loaded = load_files(folder, agent.runtime.workspace)
        self._notice(f"{loaded.files:,} files were brought from {folder}.", "info")
        if loaded.different:
            names = ", ".join(loaded.different[:10]) + (" …" if len(loaded.different) > 10 else "")
            text = f"These files are others than in {folder}, and stay as they are in the workspace: {names}"
            self._notice(text, "warning")

    def _keep_history(self) -> Callable[[], None]:
        file = self.settings.history_file
        if file is None:
            return lambda: None
        from pygent.history_file import HistoryFile  # noqa: PLC0415 - where it is asked for

        return self.bus.subscribe(HistoryFile(file, self.settings, self.bus.publish))
