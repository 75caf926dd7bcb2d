"""What a session knows of the stored ones, and how it makes way for another."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pygent.errors import PygentError, SessionInUse
from pygent.session_log import SessionLog, claims_beside
from pygent.settings import Settings, data_dir
from pygent.settings.load import elsewhere

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.forks import ForkPoint
    from pygent.store import FoundSession, Glimpse, Store, StoredSession


class SessionArchive:
    """The part of a ``Session`` that is about other sessions. Works before it is opened, too; may take a moment."""

    settings: Settings
    agent: Agent | None
    interactive: bool
    demo: bool
    _model: Any
    _make_store: Callable[[], Store] | None
    _log: SessionLog

    if TYPE_CHECKING:

        def __init__(
            self,
            settings: Settings,
            *,
            model: Any = None,
            demo: bool = False,
            interactive: bool = True,
            store: Callable[[], Store] | None = None,
            resume: str | None = None,
        ) -> None: ...

        @property
        def id(self) -> str: ...
        @property
        def running(self) -> bool: ...
        @property
        def workspace(self) -> Path: ...

    @property
    def busy_with(self) -> str:
        """Why this session cannot make way for another now, "" where it can."""
        if self.running:
            return "the agent is at work; interrupt it first"
        if self.agent is not None and self.agent.tasks.running():
            return "tasks are at work; stop them or wait for them first"
        return ""

    def stored(self, limit: int = 20, *, everywhere: bool = False) -> list[StoredSession]:
        """The newest stored sessions of this workspace, or of all; none where nothing is stored."""
        with self._archive() as store:
            if store is None:
                return []
            return store.sessions(workspace=None if everywhere else str(self.workspace), limit=limit)

    def find_stored(self, prefix: str) -> StoredSession:
        """The one stored session whose id begins with ``prefix``. Raises ``PygentError`` for none or several."""
        with self._archive() as store:
            if store is None:
                raise PygentError("no sessions are stored here")
            return store.find(prefix)

    @property
    def store_maker(self) -> Callable[[], Store] | None:
        """What opens the store, None where nothing is stored."""
        return self._make_store

    def search_stored(self, text: str, *, everywhere: bool = False) -> list[FoundSession]:
        """Those that have in their title, or in one message or output, all that ``text`` asks for, newest first."""
        with self._archive() as store:
            workspace = None if everywhere else str(self.workspace)
            return store.search(text, workspace=workspace) if store is not None else []

    def glimpse(self, session_id: str) -> Glimpse | None:
        """How much a stored session has, and its last words; None where nothing is stored."""
        with self._archive() as store:
            return None if store is None else store.glimpse(session_id)

    @property
    def title(self) -> str:
        """What this session is called, "" where it is not stored or nothing was asked. Not for a screen's thread."""
        with self._archive() as store:
            found = [] if store is None else [one for one in store.all_sessions() if one.id == self.id]
        return found[0].title if found else ""

    def rename_stored(self, session_id: str, title: str) -> None:
        """Give a stored session a title; an empty one is what was asked first. Raises ``StoreError``."""
        with self._archive() as store:
            if store is None:
                raise PygentError("this session is not stored, so its title cannot be kept")
            store.rename(session_id, title)

    def delete_stored(self, session_id: str) -> None:
        """Remove a stored session, and what its tasks left; not this one, nor one that is open elsewhere."""
        if session_id == self.id:
            raise PygentError("this session is open; begin or choose another one first")
        with self._archive() as store:
            if store is not None:
                from pygent.claims import claim  # noqa: PLC0415 - only where something is deleted
                from pygent.tasks.left import forget  # noqa: PLC0415

                with claim(claims_beside(store), session_id):
                    store.delete(session_id)
                forget(data_dir() / "tasks", [session_id])

    def changed(self, changes: Mapping[str, Any], *, demo: bool = False) -> Self:
        """Another session, not open yet, with some settings changed and the same store."""
        return self._another(replace(self.settings, **changes), demo=demo)

    def resumed(self, stored: StoredSession) -> Self:
        """Another session, not open yet, that goes on with a stored one in its workspace, with the settings of today.

        Raises ``PygentError`` where its workspace is gone, or ends with this session, ``SessionInUse`` where another
        Pygent has it open.
        """
        settings = self._settings_for(stored)
        with self._archive() as store:
            from pygent.claims import holder_of  # noqa: PLC0415 - only where a session is gone on with

            holder = None if store is None else holder_of(claims_beside(store), stored.id)
        if holder is not None:
            raise SessionInUse(stored.id, str(holder), pid=holder.pid, host=holder.host)
        return self._another(settings, resume=stored.id)

    def fork_points(self) -> list[ForkPoint]:
        """The user's messages before which this conversation can be copied, in order. Not for a screen's thread.

        Raises ``StoreError``.
        """
        from pygent.forks import fork_points  # noqa: PLC0415 - only where it is asked for

        return fork_points(self._log.events())

    def forked(self, session_id: str | None = None, to_seq: int | None = None) -> Self:
        """Another session, not open yet, that goes on with a copy of a stored one: of this one where none is named.

        ``to_seq`` is the number of the last event that is copied. Nothing changes for the one that is copied, nor in
        the workspace. Raises ``PygentError`` where it is not stored, and as ``resumed`` does.
        """
        from pygent.forks import fork  # noqa: PLC0415 - only where it is asked for

        with self._archive() as store:
            if store is None:
                raise PygentError("this session is not stored, so it cannot be copied")
            stored = store.find(session_id or self.id)
            settings = self._settings_for(stored)
            return self._another(settings, resume=fork(store, stored, to_seq).id)

    def _settings_for(self, stored: StoredSession) -> Settings:
        folder, settings = Path(stored.workspace), self.settings
        if stored.workspace == str(self.workspace):
            if settings.ephemeral:
                raise PygentError("its workspace is a temporary one, which ends with the session at hand")
        elif not folder.is_dir():
            raise PygentError(f"its workspace {folder} is not there any more")
        else:
            settings = elsewhere(settings, Path(os.path.realpath(folder)))
        return settings

    def _another(self, settings: Settings, *, demo: bool = False, resume: str | None = None) -> Self:
        return type(self)(
            settings,
            model=self._model,
            demo=demo,
            interactive=self.interactive,
            store=self._make_store,
            resume=resume,
        )

    @contextmanager
    def _archive(self) -> Iterator[Store | None]:
        """The store: the open one, or one that is opened for a moment."""
        if self._log.store is not None or self._make_store is None:
            yield self._log.store
            return
        store = self._make_store()
        try:
            yield store
        finally:
            store.close()
