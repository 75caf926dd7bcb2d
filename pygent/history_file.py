"""A file of the person's own that keeps what was asked and answered, session after session (``PYGENT_HISTORY_FILE``).

It is only ever added to, one entry at a time, so that several Pygents can have the same one. A name that ends with
``.jsonl`` gets JSON Lines, every other one Markdown. Keys of the settings are hidden in it.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path

from pygent.events import MAIN, Event, MessageFinished, Notice, SessionStarted
from pygent.images import text_of
from pygent.plain_text import clean
from pygent.settings import Settings
from pygent.settings.secrets import secrets_of, without_secrets


class HistoryFile:
    """A sink that adds the main agent's prompts and answers. Where that fails it says so once, and ends."""

    def __init__(self, file: Path, settings: Settings, publish: Callable[[Event], object]) -> None:
        self._file = file
        self._lines = file.suffix.lower() == ".jsonl"
        self._secrets = secrets_of(settings)
        self._publish = publish
        self._session: SessionStarted | None = None
        self._headed = ""
        self._failed = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, SessionStarted):
            self._session = event
        elif isinstance(event, MessageFinished) and event.agent_id == MAIN and not event.discarded:
            role, text = str(event.message.get("role")), text_of(event.message.get("content"))
            if text.strip() and (role == "assistant" or (role == "user" and event.origin == "user")):
                self._add(self._entry(event, role, clean(text)))

    def _entry(self, event: Event, role: str, text: str) -> str:
        started = self._session
        folder, model = (started.workspace, started.model) if started is not None else ("", "")
        if self._lines:
            about = {"at": event.at, "session_id": event.session_id, "workspace": folder, "model": model}
            return json.dumps({**about, "role": role, "text": text}, ensure_ascii=False) + "\n"
        when = dt.datetime.fromtimestamp(event.at).astimezone()
        head = ""
        if self._headed != event.session_id:
            self._headed = event.session_id
            head = f"# {when:%Y-%m-%d %H:%M} · {clean(folder)} · {clean(model)} · {event.session_id[:8]}\n\n"
        return f"{head}## {'You' if role == 'user' else 'Pygent'} {when:%H:%M:%S}\n\n{text.strip()}\n\n"

    def _add(self, text: str) -> None:
        if self._failed:
            return
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, without_secrets(text, self._secrets).encode("utf-8", "replace"))
            finally:
                os.close(handle)
        except OSError as error:
            self._failed = True
            text = f"Prompts and answers are not kept in {self._file}: {error.strerror or error}"
            self._publish(Notice(level="warning", text=text))
