"""A session with its workspace as a folder of files: ``/save DIR`` writes one, ``--load DIR`` begins from it.

::

    DIR/pygent.json      what it is, and what was left out
    DIR/session.jsonl    the events, one on a line
    DIR/settings.yaml    the settings, without keys
    DIR/workspace/       the files
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pygent._version import __version__
from pygent.copying import copy_file
from pygent.errors import PygentError, WorkspaceError
from pygent.events import AnyEvent, CheckpointMade, Event, FilesRestored, from_dict
from pygent.export import export, write_new
from pygent.settings import Settings, data_dir
from pygent.settings.saved import MANIFEST, SETTINGS_FILE, settings_text
from pygent.settings.secrets import secrets_of
from pygent.workspace import Workspace

VERSION = 1
EVENTS_FILE, FILES = "session.jsonl", "workspace"

MOST_FILES = 100_000
"""Files that are saved at most."""

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved. ``with_keys`` are the files that were left out because a key of the settings stands in them."""

    folder: Path
    files: int
    with_keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files:,} files"
        left = f" Left out, since a key stands in them: {', '.join(self.with_keys)}." if self.with_keys else ""
        return f"Saved to {self.folder}: the conversation, the settings without keys, {files} of the workspace.{left}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was taken from a saved state: how many files, and those that stand in the workspace otherwise."""

    files: int = 0
    different: tuple[str, ...] = field(default=())


def save(
    folder: Path, settings: Settings, workspace: Workspace, events: Iterable[Event], *, session_id: str, title: str
) -> Saved:
    """Write a saved state into ``folder``, which must not be there yet or be empty; it is there whole or not at all.

    Raises ``PygentError`` where that cannot be.
    """
    folder = Path(os.path.realpath(folder))
    root = Path(os.path.realpath(workspace.root))
    if folder.is_relative_to(root):
        raise PygentError(f"{folder} lies in the workspace, which is saved into it; name a folder outside of {root}")
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise PygentError(f"{folder} is there already; nothing is written over: name a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            secrets = secrets_of(settings)
            write_new(half / EVENTS_FILE, export(events, "jsonl", secrets=secrets))
            write_new(half / SETTINGS_FILE, settings_text(settings))
            (half / FILES).mkdir()
            count, with_keys = _copy_out(workspace, Workspace(half / FILES), secrets)
            about = {"v": VERSION, "pygent": __version__, "saved_at": time.time(), "workspace": str(root)}
            about |= {"session_id": session_id, "title": title, "files": count, "left_out": with_keys}
            write_new(half / MANIFEST, json.dumps(about, ensure_ascii=False, indent=2) + "\n")
            os.rename(half, folder)  # noqa: PTH104 - over an empty folder as well
        finally:
            shutil.rmtree(half, ignore_errors=True)
    except OSError as error:
        raise PygentError(f"{folder} cannot be written: {error.strerror or error}") from error
    return Saved(folder, count, tuple(with_keys))


def read_events(folder: Path) -> tuple[str, list[AnyEvent]]:
    """The id of the session that was saved, and its events, without those that tell what files were.

    The contents that these name are not saved, and they are about another workspace. Raises ``PygentError`` where the
    events cannot be read.
    """
    about = _manifest(folder)
    events: list[AnyEvent] = []
    try:
        with (folder / EVENTS_FILE).open(encoding="utf-8") as lines:
            read = (from_dict(json.loads(line)) for line in lines if line.strip())
            events.extend(event for event in read if not isinstance(event, CheckpointMade | FilesRestored))
    except (OSError, ValueError) as error:
        raise PygentError(f"{folder / EVENTS_FILE} cannot be read: {error}") from error
    return str(about.get("session_id", "")), events


def load_files(folder: Path, workspace: Workspace) -> Loaded:
    """Bring the saved files into the workspace. What stands there already stays as it is.

    Raises ``PygentError`` where the state cannot be read, ``WorkspaceError`` where a file cannot be written.
    """
    _manifest(folder)
    if not (folder / FILES).is_dir():
        return Loaded()
    saved, count, different = Workspace(folder / FILES), 0, []
    for name in saved.walk():
        if not saved.is_file(name):
            continue
        if not workspace.exists(name):
            copy_file(saved, name, workspace, name)
            count += 1
        elif not _same(saved, workspace, name):
            different.append(name)
    return Loaded(count, tuple(different))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        about = json.loads((folder / MANIFEST).read_text("utf-8"))
        version = int(about["v"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PygentError(f"{folder} is no saved state that can be read: {error}") from error
    if version > VERSION:
        raise PygentError(f"{folder} was saved by a newer Pygent ({about.get('pygent')})")
    return dict(about)


def _copy_out(source: Workspace, target: Workspace, secrets: Sequence[str]) -> tuple[int, list[str]]:
    keys = [secret.encode() for secret in secrets]
    own = Path(os.path.realpath(data_dir()))
    count, with_keys = 0, []
    for name in source.walk():
        if not source.is_file(name) or Path(os.path.realpath(source.root), name).is_relative_to(own):
            continue  # a pipe, a link that leads out, or Pygent's own
        if count >= MOST_FILES:
            raise WorkspaceError(f"The workspace has more than {MOST_FILES:,} files, which are too many to be saved.")
        if _has_any(source, name, keys):
            with_keys.append(name)
        else:
            copy_file(source, name, target, name)
            count += 1
    return count, with_keys


def _has_any(workspace: Workspace, name: str, keys: Sequence[bytes]) -> bool:
    if not keys:
        return False
    overlap = max(map(len, keys)) - 1
    with workspace.open(name) as file:
        tail = b""
        while piece := file.read(_PIECE):
            piece = tail + piece
            if any(key in piece for key in keys):
                return True
            tail = piece[-overlap:] if overlap else b""
    return False


def _same(one: Workspace, other: Workspace, name: str) -> bool:
    with contextlib.suppress(WorkspaceError, OSError), one.open(name) as left, other.open(name) as right:
        while (piece := left.read(_PIECE)) == right.read(_PIECE):
            if not piece:
                return True
    return False
