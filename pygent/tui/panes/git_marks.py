"""What git says of files as one letter a row, for the folders above them too. Knows no screen and no git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

LETTERS = ["U", "D", "M", "R", "A", "?"]
"""From the one that matters most: a folder shows the first of those in it."""

IGNORED = "!"

ROLES = {"U": "error", "D": "error", "M": "warning", "R": "secondary", "A": "success", "?": "success", "!": "muted"}
"""The colour of a letter, as a role of rows."""

WORDS = {
    "U": "in conflict",
    "D": "deleted",
    "M": "modified",
    "R": "renamed",
    "A": "added",
    "?": "not tracked by git",
    "!": "ignored by git",
}


class GitMarks:
    """The letters of a status, whose paths that end with a slash are folders as a whole."""

    def __init__(self, changes: Mapping[str, str] | None = None) -> None:
        changes = changes or {}
        self._files = {path: letter for path, letter in changes.items() if not path.endswith("/")}
        self._whole = {path[:-1]: letter for path, letter in changes.items() if path.endswith("/")}
        self._above: dict[str, str] = {}
        for path, letter in changes.items():
            if letter != IGNORED:
                self._count(path.rstrip("/"), letter)

    def _count(self, path: str, letter: str) -> None:
        rank = LETTERS.index(letter)
        folder = path.rpartition("/")[0]
        while folder:
            known = self._above.get(folder)
            if known is not None and LETTERS.index(known) <= rank:
                return
            self._above[folder] = letter
            folder = folder.rpartition("/")[0]

    def of(self, path: str, *, is_folder: bool = False) -> str:
        """The letter of a path, empty where git has nothing to say of it."""
        letter = self._whole.get(path, "") or (self._above.get(path, "") if is_folder else self._files.get(path, ""))
        while not letter and path:
            path = path.rpartition("/")[0]
            letter = self._whole.get(path, "") if path else ""
        return letter

    def changed(self) -> Iterator[str]:
        """The paths that are not as they were committed; folders as a whole end with a slash."""
        yield from (path for path, letter in self._files.items() if letter != IGNORED)
        yield from (f"{path}/" for path, letter in self._whole.items() if letter != IGNORED)
