"""Copies files between the workspaces of a task and its parent, as ``files`` and ``collect_file`` want it."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pygent.errors import TaskError
from pygent.events import FilesChanged
from pygent.workspace import Workspace

if TYPE_CHECKING:
    from pygent.tasks.place import Place

COLLECT_LIMIT = 1000
"""Files that one ``collect_file`` of a folder copies at most."""


def copy_between(source: Any, target: Any, path: str, dest: str) -> list[str]:
    """Copy a file, or a folder with all its files, between workspaces; answers the paths written."""
    workspace = getattr(source, "workspace", None)
    if workspace is None:  # a duck-typed runtime
        target.write_file(dest, source.read_file(path))
        return [dest]
    pairs = [(path, dest)]
    if workspace.is_dir(path):
        pairs = [(f"{path}/{name}", f"{dest}/{name}") for name in _files_below(workspace, path)]
    for one, other in pairs:
        data = workspace.read_bytes(one)
        if getattr(target, "workspace", None) is None:
            target.write_file(other, data.decode("utf-8", "replace"))
        else:
            target.workspace.write_bytes(other, data)
    written = [other for _, other in pairs]
    scope = getattr(target, "scope", None)
    if scope is not None:
        scope.emit(FilesChanged(agent_id=scope.agent_id, paths=[str(PurePosixPath(path)) for path in written]))
    return written


def left_files(place: Place | None) -> Any:
    """What ``copy_between`` takes for the files in a place whose agent is gone; None where there is no place."""
    return None if place is None else SimpleNamespace(workspace=Workspace(place.workspace))


def _files_below(workspace: Any, folder: str) -> list[str]:
    """The files below ``folder``; links to folders are not entered, and those that lead out or nowhere left out."""
    names: list[str] = []
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for entry in workspace.list_dir(f"{folder}/{below}" if below else folder):
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.is_link and not workspace.is_file(f"{folder}/{name}"):
                continue
            if entry.is_dir:
                waiting.append(name)
            else:
                names.append(name)
            if len(names) + len(waiting) > COLLECT_LIMIT:
                raise TaskError(f"{folder!r} has more than {COLLECT_LIMIT} files; collect a part of it")
    return sorted(names)
