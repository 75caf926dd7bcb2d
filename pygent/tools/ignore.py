"""Which files a search leaves out: what ``.gitignore`` files say, nested ones too, and repositories' internals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NEVER = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv"})
"""Folders that are left out wherever they are, unless the search begins in them."""


class IgnoreRules:
    """The rules that hold in one folder: its own ``.gitignore`` and those of the folders above it.

    ``read`` answers the lines of a ``.gitignore`` by its path, None where there is none.
    """

    def __init__(
        self,
        read: Callable[[str], Sequence[str] | None],
        above: tuple[tuple[str, GitIgnoreSpec | RulesAbove], ...] = (),
    ) -> None:
        self._read = read
        self._specs = above

    def enter(self, folder: str) -> IgnoreRules:
        """The rules inside a folder, by its path relative to the workspace (``""`` for the workspace)."""
        lines = self._read(f"{folder}/.gitignore" if folder else ".gitignore")
        if not lines:
            return self
        return IgnoreRules(self._read, ((folder, spec_of(lines)), *self._specs))

    def leaves_out(self, path: str, is_dir: bool) -> bool:
        """True where the file or folder is not to be looked at; the nearest rule decides."""
        for folder, spec in self._specs:
            below = path[len(folder) + 1 :] if folder else path
            answer = spec.check_file(below + "/" if is_dir else below).include
            if answer is not None:
                return answer
        return False


class RulesAbove:
    """The rules of a folder above the workspace, which lies ``below`` it."""

    def __init__(self, below: str, lines: Sequence[str]) -> None:
        self._below = below
        self._spec = spec_of(lines)

    def check_file(self, path: str) -> Any:
        """What the rules say of a path in the workspace."""
        return self._spec.check_file(f"{self._below}/{path}")


def spec_of(lines: Sequence[str]) -> Any:
    """The patterns in git's way of reading them. A line that is no pattern is left out."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - only searches need it

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:
        good = []
        for line in lines:
            try:
                GitIgnoreSpec.from_lines([line])
            except ValueError:
                continue
            good.append(line)
        return GitIgnoreSpec.from_lines(good)
