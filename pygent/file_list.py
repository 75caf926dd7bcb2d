"""The files of a workspace to choose from: without what is ignored, quickly also where there are many."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence

from pygent.errors import WorkspaceError
from pygent.git import GitError, Repository
from pygent.tools.ignore import NEVER, IgnoreRules, RulesAbove
from pygent.workspace import Workspace

MOST = 400_000
"""Files that are listed at most; those near the top come first where they are found by walking."""

SECONDS = 30.0
"""How long listing may take; what was found by then is the list."""

_RULES_LIMIT = 1024 * 1024
_DEEPEST = 100


def list_files(workspace: Workspace, *, alone: bool = False, above: Sequence[RulesAbove] = ()) -> Iterator[str]:
    """Paths of files and links, relative to the workspace, in no order.

    With ``alone`` a repository counts only where the workspace is its top, not one that it happens to lie in; then
    the rules ``above`` hold, the nearest first. git
    tells them where the workspace lies in a repository, so its excludes hold too. Elsewhere, and in repositories
    inside, folders are walked and ``.gitignore`` files read. No link is followed; what cannot be read is left out.
    """
    left = MOST
    for path in _files(workspace, alone, above):
        yield path
        left -= 1
        if not left:
            return


def _files(workspace: Workspace, alone: bool, above: Sequence[RulesAbove]) -> Iterator[str]:
    ends_at = time.monotonic() + SECONDS
    repository = Repository.find(workspace.root)
    if repository is None or (alone and repository.top != repository.folder):
        yield from _walk(workspace, "", ends_at, above)
        return
    try:
        gone = {*_paths(repository, "--deleted")}
        modules = _modules(repository)
        for path in _paths(repository, "--cached", "--others", "--exclude-standard", "--deduplicate"):
            if path.endswith("/"):  # a repository of its own
                yield from _walk(workspace, path[:-1], ends_at)
            elif path in modules:
                yield from _walk(workspace, path, ends_at)
            elif path not in gone:
                yield path
    except GitError:
        yield from _walk(workspace, "", ends_at)


def _paths(repository: Repository, *which: str) -> Iterator[str]:
    return map(os.fsdecode, repository.records("ls-files", "-z", *which, seconds=SECONDS))


def _modules(repository: Repository) -> set[str]:
    if not (repository.top / ".gitmodules").is_file():
        return set()
    return {path.partition("\t")[2] for path in _paths(repository, "--stage") if path.startswith("160000 ")}


def _walk(workspace: Workspace, start: str, ends_at: float, above: Sequence[RulesAbove] = ()) -> Iterator[str]:
    none = IgnoreRules(lambda path: _lines(workspace, path), tuple(("", rules) for rules in above))
    waiting = deque([(start, none.enter(start))])
    while waiting and time.monotonic() < ends_at:
        folder, rules = waiting.popleft()
        try:
            names = _names(workspace, folder or ".")
        except (WorkspaceError, OSError):  # gone meanwhile, or not readable
            continue
        for name, is_dir in names:
            path = f"{folder}/{name}" if folder else name
            if is_dir:
                deep = path.count("/") >= _DEEPEST
                if name not in NEVER and not deep and not rules.leaves_out(path, is_dir=True):
                    waiting.append((path, rules.enter(path)))
            elif not rules.leaves_out(path, is_dir=False):
                yield path


def _names(workspace: Workspace, folder: str) -> list[tuple[str, bool]]:
    with workspace.folder(folder) as fd, os.scandir(fd) as found:
        return [(item.name, item.is_dir(follow_symlinks=False)) for item in found]


def _lines(workspace: Workspace, path: str) -> list[str] | None:
    if not os.path.lexists(workspace.root / path):  # most folders have none, and an error in words takes its time
        return None
    try:
        return workspace.read_bytes(path, limit=_RULES_LIMIT).decode("utf-8", "replace").splitlines()
    except WorkspaceError:
        return None
