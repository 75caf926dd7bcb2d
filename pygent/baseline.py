"""What files were before this session changed them."""

from __future__ import annotations

import contextlib
import shutil
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pygent.errors import PygentError
from pygent.git import Repository
from pygent.scratch import scratch_folder
from pygent.workspace import Workspace

FILE_LIMIT = 1024 * 1024
"""Bytes of one file that are kept; of a larger one it is only known that it was changed."""

TOTAL_LIMIT = 64 * 1024 * 1024
"""Bytes of all files that are kept."""


@dataclass(frozen=True, slots=True)
class Original:
    """What a file was when the session began.

    ``origin`` is ``"session"`` for what was kept before the first change, ``"commit"`` for what is committed, which
    may not be the same, and ``"unknown"``. ``data`` None: there was no such file, or nobody knows. ``commit`` is its
    id, as far as it is known.
    """

    data: bytes | None
    origin: Literal["session", "commit", "unknown"]
    commit: str = ""


class Baseline:
    """Keeps what files hold before their first change, in a private folder that ``close`` removes. Thread-safe."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._kept: dict[str, Path | Literal["none", "unknown"]] = {}
        self._left = TOTAL_LIMIT
        self._folder: Path | None = None
        self._lock = threading.Lock()
        self._finalizer: weakref.finalize[..., Baseline] | None = None
        self.commit = ""
        """The commit that the work tree was at when it was first asked about; empty where that is not known."""

    def remember(self, path: str) -> None:
        """A file is about to be changed. Never raises, since a change must not fail for this."""
        with self._lock:
            if path not in self._kept:
                self._kept[path] = "unknown"
                with contextlib.suppress(OSError, PygentError):
                    self._kept[path] = self._keep(path)

    def original(self, path: str) -> Original:
        """What the file was. May take a while where git is asked."""
        name = self._real(path)
        with self._lock:
            kept = self._kept.get(name)
        if isinstance(kept, Path):
            with contextlib.suppress(OSError):
                return Original(kept.read_bytes(), "session")
        if kept == "none":
            return Original(None, "session")
        repository = Repository.find(self._workspace.root)
        data = None if repository is None else repository.committed(name, self.commit or "HEAD", most=FILE_LIMIT)
        return Original(data, "unknown" if data is None else "commit", self.commit)

    def _real(self, path: str) -> str:
        """The path without links, as far as it leads somewhere."""
        name = self._workspace.relative(path)
        with contextlib.suppress(PygentError, ValueError):
            return self._workspace.host_path(name).relative_to(self._workspace.root).as_posix()
        return name

    def close(self) -> None:
        """Remove what was kept."""
        if self._finalizer is not None:
            self._finalizer()

    def _keep(self, path: str) -> Path | Literal["none", "unknown"]:
        if not self._workspace.exists(path):
            return "none"
        if not self._workspace.is_file(path):
            return "unknown"
        data = self._workspace.read_bytes(path, limit=min(FILE_LIMIT, self._left))
        self._left -= len(data)
        if self._folder is None:
            self._folder = scratch_folder("baseline-")
            self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        file = self._folder / str(len(self._kept))
        file.write_bytes(data)
        return file
