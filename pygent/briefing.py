"""What a small model is shown together with a task: the workspace's files, and of those that matter the text.

A model that has to ask for each file first loses its way in asking. With the files before it, its first reply can
already be the work.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from pygent.errors import PygentError, ToolError
from pygent.file_list import list_files
from pygent.models.blocks import fenced, language_of
from pygent.tools.files import decode

LISTED = 60
"""Names of files that are listed at most."""

FILE = 8_000
"""Characters of a file that is shown; a longer one is only listed."""

SMALL_WORKSPACE = 12
"""Files of a workspace of which all may be shown, unasked for."""

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
            return "\n\n".join(part for part in (self._list(paths), *self._files(workspace, paths, task)) if part)
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
        named = _named(paths, task)
        rest = [path for path in paths if path not in named] if len(paths) <= SMALL_WORKSPACE else []
        left = self.characters
        for path in (*named, *rest):
            try:
                data = workspace.read_bytes(path, limit=4 * FILE)
                text = decode(path, data).text
            except (PygentError, ToolError, OSError):
                continue
            digest = blake2b(data, digest_size=16).digest()
            if len(text) > min(FILE, left) or self._shown.get(path) == digest:
                continue
            left -= len(text)
            self._shown[path] = digest
            yield f"{path}\n{fenced(text, language_of(path))}" if text.strip() else f"{path} is empty."


def _named(paths: list[str], task: str) -> list[str]:
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
