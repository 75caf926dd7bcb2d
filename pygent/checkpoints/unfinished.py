"""Restoring files in a way that a kill cannot tear apart: what is done is written down first, with its event.

Each has a folder of its own, named after its id: ``event.json``, what the session is to be told; ``journal``, as in
``pygent.changes.journal``; ``lock``, which whoever is at it holds.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pygent.blobs import Blobs
from pygent.changes.journal import Journal
from pygent.changes.undoing import recovered
from pygent.checkpoints.records import Change, named, shown
from pygent.checkpoints.restoring import NoBase, Plan, carry, told
from pygent.errors import PygentError, WorkspaceError
from pygent.events import FilesRestored, from_dict, to_dict
from pygent.locks import holding
from pygent.workspace import Workspace, reason_of

_EVENT = "event.json"
_JOURNAL = "journal"


def restore(
    target: Workspace, blobs: Blobs, made: Plan, folder: Path, event: FilesRestored, session_id: str
) -> tuple[FilesRestored, Callable[[], None]]:
    """Do what is planned. Answers the event, filled in, and what is to be called once it is stored.

    Raises ``WorkspaceError``, and then nothing was changed.
    """
    left = [{"path": shown(path), "reason": reason} for path, reason in told(made)]
    event = replace(event, left=left, **_as_told(made.changes.values()))
    if not made.changes:
        return event, lambda: None
    place = folder / event.restore_id
    stack = contextlib.ExitStack()
    try:
        place.mkdir(0o700, parents=True)
        stack.enter_context(holding(place / "lock"))
        about = {"session_id": session_id, "workspace": str(target.root), "event": to_dict(event)}
        _write(place / _EVENT, json.dumps(about))
        done = carry(target, blobs, made, place / _JOURNAL)
    except BaseException as error:
        if not isinstance(error, PygentError) or Journal(place / _JOURNAL).state is None:
            shutil.rmtree(place, ignore_errors=True)
        stack.close()
        if isinstance(error, OSError):
            raise WorkspaceError(f"Nothing was changed: {reason_of(error)}.") from error
        raise
    so = {change.path for change in done}
    left += [
        {"path": shown(path), "reason": "something else is in its place"} for path in made.changes if path not in so
    ]
    event = replace(event, left=left, **_as_told(done))

    def end() -> None:
        shutil.rmtree(place, ignore_errors=True)
        stack.close()

    return event, end


def _as_told(changes: Collection[Change]) -> dict[str, Any]:
    return {
        "paths": [shown(change.path) for change in named(changes)],
        "changes": [change.to_dict() for change in changes],
    }


def mend(
    folder: Path, target: Workspace, session_id: str, known: Collection[str]
) -> Iterator[tuple[str, FilesRestored | None]]:
    """Put right what a killed Pygent left half restored in ``target``.

    Answers it in words for people, with the event that session ``session_id`` is still to be told; ``known`` are the
    ids of those that it was told.
    """
    if not os.access(folder, os.R_OK | os.X_OK):  # there is none, or nobody here may look into it
        return
    for place in sorted(place for place in folder.iterdir() if (place / _EVENT).exists()):
        with contextlib.suppress(OSError), holding(place / "lock") as held:
            if held:
                yield from _mended(place, target, session_id, known)


def _mended(
    place: Path, target: Workspace, session_id: str, known: Collection[str]
) -> Iterator[tuple[str, FilesRestored | None]]:
    try:
        about = json.loads((place / _EVENT).read_text("utf-8"))
        event = from_dict(about["event"])
        ours = about["workspace"] == str(target.root)
    except (OSError, ValueError, KeyError, TypeError):  # it was not begun
        if Journal(place / _JOURNAL).state is None:
            shutil.rmtree(place, ignore_errors=True)
        return
    if not ours or not isinstance(event, FilesRestored):
        return
    try:
        texts = recovered(place / _JOURNAL, target, NoBase()) if (place / _JOURNAL).is_dir() else []
    except WorkspaceError as error:
        yield str(error), None
        return
    for text in texts:
        yield text, None
    if any(place.glob(f"{_JOURNAL}.kept-*")):
        return  # what could not be put back stays there, as was said
    if Journal(place / _JOURNAL).state != "applied":
        if not texts:
            yield f"An undo of {_count(event)} was interrupted before it began; nothing was changed.", None
        shutil.rmtree(place, ignore_errors=True)
    elif event.restore_id in known:
        shutil.rmtree(place, ignore_errors=True)
    elif about["session_id"] == session_id:
        yield f"An undo of {_count(event)} was interrupted and is complete.", event
        shutil.rmtree(place, ignore_errors=True)


def _count(event: FilesRestored) -> str:
    return f"{len(event.paths)} file{'' if len(event.paths) == 1 else 's'}"


def _write(file: Path, text: str) -> None:
    with file.open("x", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
