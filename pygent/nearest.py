"""Which paths of a workspace come nearest to one that is not there."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pygent.errors import PathOutsideWorkspace, WorkspaceError

if TYPE_CHECKING:
    from pygent.workspace import Workspace

MOST = 3
"""Paths that are named."""

_LOOKED_AT = 4000
_FOLDERS = 300
_IN_FOLDER = 5000
_LISTED = 12
_PASSED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", ".tox", ".mypy_cache"})


def not_found(workspace: Workspace, name: str) -> str:
    """Say which part of a path is missing, and what comes nearest to it."""
    if not workspace.root.is_dir():
        return f"The workspace {str(workspace.root)!r} does not exist any more."
    folder, missing = _missing(workspace, name)
    names = _names(workspace, folder)
    part = posixpath.basename(missing)
    shown = name if len(name) <= 200 else name[:200] + "…"
    text = f"{shown!r} does not exist"
    if part in names:
        return f"{text}: {missing!r} is a symbolic link to nothing."
    if missing != name:
        text += f": there is no folder {missing!r}"
    near = nearest(workspace, name)
    if near:
        return f"{text}. Did you mean {' or '.join(map(repr, near))}?"
    others = [other for other in sorted(names) if not other.startswith(".") and other not in _PASSED]
    where = "The workspace" if folder == "." else f"The folder {folder!r}"
    more = ", …" if len(others) > _LISTED else ""
    return f"{text}. {where} has: {', '.join(others[:_LISTED])}{more}" if others else f"{text}. {where} is empty."


def nearest(workspace: Workspace, name: str, *, alike: bool = True) -> list[str]:
    """At most ``MOST`` existing paths that ``name`` may mean, the likeliest first.

    Looked for are the same path below another folder or in other letters, a name with another ending, and with
    ``alike`` names that are spelled alike.
    """
    folder, missing = _missing(workspace, name)
    base = posixpath.basename(name)
    here = [posixpath.normpath(f"{folder}/{other}") for other in _names(workspace, folder)] if missing == name else []
    found = list(dict.fromkeys([*here, *_paths(workspace)]))
    plain, stem = name.casefold(), _stem(base)
    ranks = (
        [path for path in _inner(workspace, name) if path in found or workspace.exists(path)],
        [path for path in found if path.casefold() == plain],
        [path for path in found if posixpath.basename(path) == base],
        [path for path in found if posixpath.basename(path).casefold() == base.casefold()],
        [path for path in here if _stem(posixpath.basename(path)) == stem],
        _alike(missing, here or [path for path in found if posixpath.dirname(path) == posixpath.dirname(missing)])
        if alike
        else [],
        [path for path in found if _stem(posixpath.basename(path)) == stem],
        _alike(base, found, whole=False) if alike else [],
    )
    return next((list(dict.fromkeys(rank))[:MOST] for rank in ranks if rank), [])


def outside(workspace: Workspace, path: str) -> PathOutsideWorkspace:
    """The error for a path that leads out of the workspace, with the path in it that may be meant."""
    tails = list(_inner(workspace, path.lstrip("/")))
    near = next((tail for tail in tails if workspace.exists(tail)), "")
    near = near or next((tail for tail in tails if workspace.is_dir(posixpath.dirname(tail) or ".")), "")
    where = f"the workspace is {workspace.root}" if path.startswith("/") else ""
    hint = f"{near!r} would be a path in it" if near else ""
    return PathOutsideWorkspace(path, "; ".join(part for part in (where, hint) if part))


def _inner(workspace: Workspace, name: str) -> Iterator[str]:
    """A path without its first folders, one less each time."""
    parts = [part for part in name.split("/") if part not in {"", ".", ".."}]
    start = 0 if name.startswith("..") or "/../" in name else 1
    if len(parts) > 1 and parts[0] == workspace.root.name:
        start = 1
    for first in range(start, min(len(parts), 30)):
        yield "/".join(parts[first:])


def _missing(workspace: Workspace, name: str) -> tuple[str, str]:
    """The last folder of a path that is there, and the path up to the first part that is not."""
    folder, missing = ".", name
    parts = name.split("/")
    for index in range(len(parts)):
        missing = "/".join(parts[: index + 1])
        if index == len(parts) - 1 or not workspace.is_dir(missing):
            break
        folder = missing
    return folder, missing


def _names(workspace: Workspace, folder: str) -> list[str]:
    names: list[str] = []
    try:
        for entry in workspace.scan_dir(folder):
            names.append(entry.name)
            if len(names) >= _IN_FOLDER:
                break
    except WorkspaceError:  # gone meanwhile, or not readable
        pass
    return names


def _paths(workspace: Workspace) -> list[str]:
    """Paths of the workspace, the nearest to its root first, as far as they can be looked at in a moment."""
    out: list[str] = []
    folders = deque(["."])
    for _ in range(_FOLDERS):
        if not folders or len(out) >= _LOOKED_AT:
            break
        folder = folders.popleft()
        try:
            for entry in workspace.list_dir(folder)[:_LOOKED_AT]:
                path = entry.name if folder == "." else f"{folder}/{entry.name}"
                out.append(path)
                if entry.is_dir and not entry.is_link and entry.name not in _PASSED:
                    folders.append(path)
        except WorkspaceError:  # gone meanwhile, or not readable
            continue
    return out


def _stem(name: str) -> str:
    return posixpath.splitext(name)[0].casefold() if not name.startswith(".") else name.casefold()


def _alike(name: str, paths: list[str], *, whole: bool = True) -> list[str]:
    import difflib  # noqa: PLC0415 - only for a path that is not there

    key = posixpath.basename(name).casefold()
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(posixpath.basename(path).casefold(), []).append(path)
    near = difflib.get_close_matches(key, list(by_name), n=MOST, cutoff=0.6 if whole else 0.8)
    return [path for other in near for path in by_name[other]]
