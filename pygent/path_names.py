"""Whether a path can be one at all, whatever stands there."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable

from pygent.errors import PathOutsideWorkspace, WorkspaceError

MAX_PATH = 4000
MAX_DEPTH = 250


def plain_parts(path: str) -> list[str]:
    """The parts of a path as a file system may take them that knows neither case nor hidden characters."""
    plain = "".join(char for char in unicodedata.normalize("NFKC", path) if unicodedata.category(char) != "Cf")
    return [part.rstrip(" .") or part for part in plain.casefold().replace("\\", "/").split("/")]


def checked(path: str | os.PathLike[str]) -> str:
    """``path`` as text. Raises ``WorkspaceError`` where no file can be called so, or where it means a home folder."""
    name = os.fspath(path)
    if not isinstance(name, str) or not name.strip():
        raise WorkspaceError("The path is empty. Give a path relative to the workspace, such as 'src/main.py'.")
    if "\0" in name:
        raise WorkspaceError(f"The path {name!r} holds a NUL character, which no file name can.")
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise WorkspaceError(f"The path {name!r} holds characters that no file name can.") from None
    if len(name) > MAX_PATH or name.count("/") > MAX_DEPTH:
        raise WorkspaceError(f"The path {name[:100]!r}… is too long: {len(name):,} characters.")
    if name == "~" or name.startswith("~/"):
        raise PathOutsideWorkspace(name, "'~' is a home folder")
    return name


def below(path: str, prefixes: Iterable[str]) -> str | None:
    """An absolute, normalised path relative to the first of the folders that it is in, None where it is in none."""
    path = "/" + path.lstrip("/")
    for prefix in prefixes:
        if path == prefix:
            return "."
        if path.startswith(prefix.rstrip("/") + "/"):
            return path[len(prefix.rstrip("/")) + 1 :]
    return None
