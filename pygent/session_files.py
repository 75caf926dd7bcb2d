"""The workspace's files as a person handles them: listed, read, compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.git import GitStatus


class SessionFiles:
    """The part of a ``Session`` that is about files. Every method may block, and works from any thread."""

    def list_files(self) -> Iterator[str]:
        """Paths of the workspace's files, relative to it, in no order, without those that git ignores."""
        from pygent.file_list import list_files  # noqa: PLC0415 - a screen is drawn before it is needed

        return list_files(self._ready().runtime.workspace)

    def read_file(self, path: str) -> bytes:
        """A file of the workspace. Raises ``WorkspaceError`` where it cannot be read."""
        return bytes(self._ready().runtime.workspace.read_bytes(path))

    def git_status(self, *, ignored: bool = False) -> GitStatus | None:
        """What git says of the workspace, None where it lies in no repository. ``ignored`` tells what is ignored too.

        Raises ``GitTimeout`` where it takes too long, else ``GitError``.
        """
        from pygent.git import Repository, read_status  # noqa: PLC0415 - a screen is drawn before it is needed

        repository = Repository.find(self._ready().runtime.workspace.root)
        return None if repository is None else read_status(repository, ignored=ignored)

    def _ready(self) -> Agent:
        raise NotImplementedError
