"""A stored session that is only looked at: replayed, or watched while another Pygent works in it.

It has the face of a ``Session``, so that the same screens show it; what would change anything raises ``PygentError``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pygent.errors import PygentError
from pygent.events import MAIN, Event, SessionStarted
from pygent.playback import Playback
from pygent.session import Session
from pygent.session_controls import SessionStatus
from pygent.session_log import claims_beside
from pygent.settings import Settings
from pygent.settings.load import elsewhere
from pygent.workspace import Workspace

if TYPE_CHECKING:
    from pygent.claims import Holder
    from pygent.images import Image
    from pygent.store import Store, StoredSession

READ_ONLY = "This session is only looked at; f goes on with a copy of it from here, r with the session itself."


class SessionView(Session):
    """``playback`` has the stored events once it is open; ``follow`` says that it is to keep up with them."""

    read_only = True

    def __init__(
        self, settings: Settings, stored: StoredSession, store: Callable[[], Store], *, follow: bool = False
    ) -> None:
        super().__init__(settings, interactive=False, store=store, resume=stored.id)
        self.stored_session = stored
        self.follow = follow
        self.playback = Playback()
        self.first_agent = ""
        """Whose events are to show first, "" for all."""
        self._opened = False
        self._started: SessionStarted | None = None

    @property
    def opened(self) -> bool:
        return self._opened

    @property
    def workspace(self) -> Path:
        return Path(self.stored_session.workspace)

    @property
    def model_name(self) -> str:
        return self._started.model if self._started is not None else self.stored_session.model

    @property
    def running(self) -> bool:
        return False

    def open(self) -> None:
        """Read the events. Raises ``StoreError``."""
        if self._make_store is None or self._closed:
            raise PygentError("nothing is stored")
        self._log.store = self._make_store()
        self.playback.extend(self._log.events())
        try:
            self.playback.choose(self.first_agent)
        except ValueError as error:
            raise PygentError(str(error)) from error
        self._opened = True

    def newer(self) -> list[Event]:
        """What has been stored since; the caller adds it to the playback. Not for the thread of a screen.

        Raises ``StoreError``.
        """
        store, last = self._log.store, self.playback.last_seq
        if store is None or self._closed or store.last_seq(self.id) <= last:
            return []
        return list(store.events(self.id, after=last))

    def holder(self) -> Holder | None:
        """Who works in the session; None where nobody has it open. Not for the thread of a screen."""
        from pygent.claims import holder_of  # noqa: PLC0415 - loaded with the store

        store = self._log.store
        return None if store is None else holder_of(claims_beside(store), self.id)

    def take_past(self) -> list[Event]:
        return []

    def saw(self, events: Sequence[Event]) -> bool:
        """These show: what is told of the session is as of the newest. Answers whether that is something new."""
        before = self._started
        self._started = next((event for event in reversed(events) if isinstance(event, SessionStarted)), before)
        return self._started is not before

    def status(self) -> SessionStatus:
        sandbox = f"was {self._started.sandbox}" if self._started is not None else ""
        persona = self._started.persona if self._started is not None else self.settings.persona.name
        told = super().status()
        return told._replace(permission_mode="read only", sandbox=sandbox, confined=True, persona=persona)

    # What cannot be done.

    def submit(self, prompt: str, images: Sequence[Image] = (), *, held: bool = False) -> NoReturn:
        raise PygentError(READ_ONLY)

    def steer(self, prompt_id: str) -> NoReturn:
        raise PygentError(READ_ONLY)

    def run_command(self, cmd: str) -> NoReturn:
        raise PygentError(READ_ONLY)

    def run_again(self, tool: str, arguments: Mapping[str, Any], agent_id: str = MAIN) -> NoReturn:
        raise PygentError(READ_ONLY)

    def why_not_again(self, tool: str, agent_id: str = MAIN) -> str:
        return READ_ONLY

    def _ready(self) -> Any:
        return _Nobody(self.workspace)

    def _file_actions(self) -> NoReturn:
        raise PygentError(READ_ONLY)

    # What comes after it.

    def _settings_for(self, stored: StoredSession) -> Settings:
        folder = Path(stored.workspace)
        if not folder.is_dir():
            raise PygentError(f"its workspace {folder} is not there any more")
        return elsewhere(self.settings, Path(os.path.realpath(folder)))

    def _another(self, settings: Settings, *, demo: bool = False, resume: str | None = None) -> Session:  # type: ignore[override]
        return Session(settings, demo=demo, store=self._make_store, resume=resume)


def watch(session: Session, session_id: str) -> SessionView:
    """A stored session to look at and keep up with, not open yet. Raises ``PygentError`` where it is not stored."""
    stored, make = session.find_stored(session_id), session.store_maker
    if make is None:
        raise PygentError("no sessions are stored here")
    return SessionView(session.settings, stored, make, follow=True)


class _Nobody:
    """Stands where an agent would: its workspace can be read, as far as it is there, and nothing else is had."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    @property
    def runtime(self) -> Any:
        if not self._workspace.is_dir():
            raise PygentError(f"the workspace {self._workspace} is not there any more")
        return _Folder(self._workspace)

    def __getattr__(self, name: str) -> NoReturn:
        raise PygentError(READ_ONLY)


class _Folder:
    """Stands where a runtime would."""

    def __init__(self, folder: Path) -> None:
        self.workspace = Workspace(folder)

    def __getattr__(self, name: str) -> NoReturn:
        raise PygentError(READ_ONLY)
