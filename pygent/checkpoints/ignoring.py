"""Which paths of a workspace are ignored: what git says in each repository, ``.gitignore`` files elsewhere."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from pygent.git import GitError, Repository
from pygent.git.objects import ignored
from pygent.tools.ignore import NEVER, IgnoreRules

_RULES_LIMIT = 1024 * 1024


class Ignoring:
    """``ignored`` are the paths found to be ignored so far; of what is in an ignored folder nothing is asked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.ignored: set[str] = set()
        self._repositories: dict[str, Repository | None] = {}
        self._rules: dict[str, IgnoreRules] = {}
        self._files: dict[str, tuple[int, int] | None] = {}

    def renew(self) -> frozenset[str]:
        """Forget what was found where a file of rules is another one by now. Answers what was ignored until then."""
        changed = False
        for name, stamp in self._files.items():
            now = _stamp(name)
            if now != stamp:
                self._files[name], changed = now, True
        if not changed:
            return frozenset()
        ignored = frozenset(self.ignored)
        self.ignored.clear()
        self._rules.clear()
        return ignored

    def judge(self, paths: Sequence[tuple[str, bool]]) -> None:
        """Find out which of these paths are ignored; each says whether it is a folder.

        None is below an ignored one.
        """
        if "" not in self._repositories:  # git is asked at the first look, not when a session opens
            self._repositories[""] = _around(self._root)
        asked: dict[str, list[str]] = {}
        for path, is_folder in paths:
            name = path.rpartition("/")[2]
            if name == ".gitignore" and str(self._root / path) not in self._files:
                self._watch(self._root / path)
                self._rules.clear()
            top = self._top(path.rpartition("/")[0])
            if self._repositories[top] is not None:
                asked.setdefault(top, []).append(path)
            elif (is_folder and name in NEVER) or self._rules_of(path.rpartition("/")[0]).leaves_out(path, is_folder):
                self.ignored.add(path)
        for top, some in asked.items():
            self._ask_git(top, some)

    def _top(self, folder: str) -> str:
        """The innermost repository's folder in the workspace that a folder lies in, or ``""``."""
        here = folder
        while here:
            known = self._repositories.get(here, ...)
            if known is None:
                here = here.rpartition("/")[0]
                continue
            if known is not ...:
                return here
            found = Repository.find(self._root / here) if (self._root / here / ".git").exists() else None
            if found is not None and found.top == found.folder:
                self._repositories[here] = found
                return here
            self._repositories[here] = None
            here = here.rpartition("/")[0]
        return ""

    def _ask_git(self, top: str, paths: list[str]) -> None:
        repository = self._repositories[top]
        assert repository is not None
        self._watch(repository.common / "info" / "exclude")
        below = len(top) + 1 if top else 0
        given = b"".join(b"./" + os.fsencode(path[below:]) + b"\0" for path in paths)  # one may begin with a colon
        try:
            found = {os.fsdecode(one) for one in ignored(repository, given)}
        except GitError:
            return  # then nothing is: what is looked at in vain costs time, what is not cannot be undone
        self.ignored.update(path for path in paths if f"./{path[below:]}" in found)

    def _rules_of(self, folder: str) -> IgnoreRules:
        rules = self._rules.get(folder)
        if rules is None:
            above = self._rules_of(folder.rpartition("/")[0]) if folder else IgnoreRules(self._lines)
            rules = self._rules[folder] = above.enter(folder)
        return rules

    def _lines(self, path: str) -> list[str] | None:
        file = self._root / path
        if not os.path.lexists(file) or file.is_symlink():
            return None
        self._watch(file)
        try:
            with file.open("rb") as opened:
                return opened.read(_RULES_LIMIT).decode("utf-8", "replace").splitlines()
        except OSError:
            return None

    def _watch(self, file: Path) -> None:
        name = str(file)
        if name not in self._files:
            self._files[name] = _stamp(name)


def _around(root: Path) -> Repository | None:
    """The repository that the workspace lies in, unless it only happens to lie in an ignored folder of one."""
    found = Repository.find(root)
    if found is not None and found.top != found.folder:
        with contextlib.suppress(GitError):
            if any(ignored(found, b"./\0")):
                return None
    return found


def _stamp(name: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(name)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size)
