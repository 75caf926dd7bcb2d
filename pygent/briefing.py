"""What a small model is shown together with a task: the workspace's files, and of those that matter the text.

A model that has to ask for each file first loses its way in asking. With the files before it, its first reply can
already be the work.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any

from pygent.errors import PygentError, ToolError
from pygent.file_list import list_files
from pygent.git import GitError, Repository, read_status
from pygent.models.asking import BEGINS
from pygent.models.fences import fenced, language_of
from pygent.tools.files import decode

LISTED = 60
"""Names of files that are listed at most."""

FILE = 8_000
"""Characters of a file that is shown; a longer one is only listed."""

SMALL_WORKSPACE = 12
"""Files of a workspace of which all may be shown, unasked for."""

DATA_LINES = 5
"""Lines that are shown of a longer file of data. A model that sees all of it reads where it should count."""

_DATA = frozenset({"csv", "jsonl", "log", "tsv", "txt"})
_GIT = re.compile(
    r"\b(?:git|commit(?:s|ted)?|branch(?:es)?|tags?|merge|rebase|revert|restore|history|stash|staged)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w./-]*\w")


class Briefing:
    """Remembers what was shown already, so that it is not shown again while it is the same."""

    def __init__(self, characters: int = 16_000) -> None:
        self.characters = characters
        """How much text of files a task may bring along."""
        self._shown: dict[str, bytes] = {}
        self._listed: list[str] | None = None

    def reset(self) -> None:
        """The conversation was forgotten, and what was shown with it."""
        self._shown.clear()
        self._listed = None

    @property
    def paths(self) -> list[str]:
        """The files that were listed last."""
        return list(self._listed or ())

    def text(self, runtime: Any, task: str) -> str:
        """What is to stand before ``task``; "" where there is nothing to show."""
        workspace = getattr(runtime, "workspace", None)
        if workspace is None:
            return ""
        with contextlib.suppress(PygentError, OSError):
            paths = sorted(_first(list_files(workspace), 5 * LISTED), key=lambda path: (path.count("/"), path))
            git = _git(workspace) if _GIT.search(task) else ""
            return "\n\n".join(
                part for part in (self._list(paths), git, *self._files(workspace, paths, task)) if part
            )
        return ""

    def _list(self, paths: list[str]) -> str:
        if paths == self._listed:
            return ""
        self._listed = paths
        if not paths:
            return "The folder is empty."
        more = f" and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
        return f"Files here: {', '.join(paths[:LISTED])}{more}"

    def _files(self, workspace: Any, paths: list[str], task: str) -> Iterator[str]:
        named = named_paths(paths, task)
        rest = [path for path in paths if path not in named] if len(paths) <= SMALL_WORKSPACE else []
        left = self.characters
        for path in (*named, *rest):
            try:
                data = workspace.read_bytes(path, limit=4 * FILE)
                text = decode(path, data).text
            except (PygentError, ToolError, OSError):
                continue
            digest = blake2b(data, digest_size=16).digest()
            shown, more = _beginning(path, text)
            if len(shown) > min(FILE, left) or self._shown.get(path) == digest:
                continue
            left -= len(shown)
            self._shown[path] = digest
            yield f"{path}{more}\n{fenced(shown, language_of(path))}" if text.strip() else f"{path} is empty."


def _beginning(path: str, text: str) -> tuple[str, str]:
    """What is shown of a file, and what is said where that is not all of it."""
    lines = text.splitlines(keepends=True)
    if path.rpartition(".")[2].lower() not in _DATA or len(lines) <= 2 * DATA_LINES:
        return text, ""
    return "".join(lines[:DATA_LINES]), f" {BEGINS} {len(lines)} lines:"


def _git(workspace: Any) -> str:
    """Branch, changes and the last commits, where there is a repository."""
    repository = Repository.find(workspace.root)
    if repository is None:
        return ""
    status = read_status(repository)
    changes = [f"{letter} {path}" for path, letter in sorted(status.changes.items())][:LISTED]
    parts = [f"On branch {status.branch or '(none)'}.", f"Changed: {', '.join(changes) or 'nothing'}"]
    with contextlib.suppress(GitError):  # before the first commit there is no log
        commits = [
            record.decode("utf-8", "replace") for record in repository.records("log", "-5", "-z", "--format=%h %s")
        ]
        parts += ["Last commits:", *commits]
    return "\n".join(parts)


def named_paths(paths: Collection[str], task: str) -> list[str]:
    """The paths that the task names, whole or by their last part, in the task's order."""
    by_name: dict[str, list[str]] = {}
    for path in paths:
        by_name.setdefault(path, []).append(path)
        if "/" in path:
            by_name.setdefault(path.rpartition("/")[2], []).append(path)
    words = (word.removeprefix("./") for word in _WORD.findall(task))
    return list(dict.fromkeys(path for word in words for path in by_name.get(word, ())))


def _first(paths: Iterator[str], count: int) -> Iterator[str]:
    for _, path in zip(range(count), paths, strict=False):
        yield path
