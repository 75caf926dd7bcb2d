"""The workspace's files as a person handles them: listed, read, compared."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.baseline import Baseline, Original
    from pygent.file_actions import Contents, FileActions
    from pygent.git import GitStatus
    from pygent.workspace import Workspace


class SessionFiles:
    """The part of a ``Session`` that is about files. Every method may block, and works from any thread.

    What a person does with files is told to nobody: neither to the model nor as an event.
    """

    _baseline: Baseline | None = None
    _actions: FileActions | None = None

    def list_files(self) -> Iterator[str]:
        """Paths of the workspace's files, relative to it, in no order, without those that git ignores."""
        from pygent.file_list import list_files  # noqa: PLC0415 - a screen is drawn before it is needed

        return list_files(self._ready().runtime.workspace)

    def read_file(self, path: str) -> bytes:
        """A file of the workspace. Raises ``WorkspaceError`` where it cannot be read."""
        return bytes(self._ready().runtime.workspace.read_bytes(path))

    def read_start(self, path: str, most: int) -> tuple[bytes, int]:
        """The first ``most`` bytes of a file of any size, and its size. Raises ``WorkspaceError``."""
        with self._ready().runtime.workspace.open(path) as file:
            return file.read(most), os.fstat(file.fileno()).st_size

    def exists(self, path: str) -> bool:
        """Whether something stands there. Raises ``WorkspaceError`` for a path outside the workspace."""
        return bool(self._ready().runtime.workspace.exists(path))

    def git_status(self, *, ignored: bool = False) -> GitStatus | None:
        """What git says of the workspace, None where it lies in no repository. ``ignored`` tells what is ignored too.

        Raises ``GitTimeout`` where it takes too long, else ``GitError``.
        """
        from pygent.git import Repository, read_status  # noqa: PLC0415 - a screen is drawn before it is needed

        repository = Repository.find(self._ready().runtime.workspace.root)
        if repository is None:
            return None
        status = read_status(repository, ignored=ignored)
        if self._baseline is not None:
            self._baseline.commit = self._baseline.commit or status.commit
        return status

    def original(self, path: str) -> Original:
        """What a file was when the session began, and how that is known. Raises ``WorkspaceError``."""
        from pygent.baseline import Baseline  # noqa: PLC0415

        return (self._baseline or Baseline(self._ready().runtime.workspace)).original(path)

    def real_path(self, path: str) -> Path:
        """Where a file of the workspace is on this machine, for another program. Raises ``WorkspaceError``."""
        workspace: Workspace = self._ready().runtime.workspace
        return workspace.host_path(path)

    # Changes. Each raises ``WorkspaceError`` with what is to be done differently.

    def name_problem(self, path: str) -> str:
        """Why nothing new in the workspace can have this path; empty where it can."""
        return self._file_actions().problem(path)

    def make_file(self, path: str) -> str:
        """Make an empty file, and the folders above it; answers its path."""
        return self._file_actions().make_file(path)

    def make_folder(self, path: str) -> str:
        """Make a folder, and those above it; answers its path."""
        return self._file_actions().make_folder(path)

    def rename_file(self, old: str, new: str) -> str:
        """Rename or move a file or folder, never over something; answers the new path."""
        return self._file_actions().rename(old, new)

    def contents(self, path: str) -> Contents:
        """What would be deleted with a path."""
        return self._file_actions().contents(path)

    def delete_file(self, path: str) -> None:
        """Move a file or folder into Pygent's trash."""
        self._file_actions().delete(path)

    def undo_files(self) -> str:
        """Take the last deletion or renaming back; answers what is so again."""
        return self._file_actions().undo()

    def _file_actions(self) -> FileActions:
        if self._actions is None:
            from pygent.file_actions import FileActions  # noqa: PLC0415 - only where a person changes files
            from pygent.settings import data_dir  # noqa: PLC0415

            self._actions = FileActions(self._ready().runtime.workspace, data_dir() / "trash")
        return self._actions

    def _keep_originals(self) -> None:
        """From now on keep what files are before they are changed."""
        from pygent.baseline import Baseline  # noqa: PLC0415 - loaded once a session is opened

        workspace = getattr(self._ready().runtime, "workspace", None)
        if workspace is not None:
            self._baseline = Baseline(workspace)
            workspace.before_change = self._before_change

    def _before_change(self, path: str) -> None:
        """A file is about to be changed by Pygent. Never raises."""
        if self._baseline is not None:
            self._baseline.remember(path)

    def _forget_originals(self) -> None:
        if self._baseline is not None:
            self._baseline.close()

    def _ready(self) -> Agent:
        raise NotImplementedError
