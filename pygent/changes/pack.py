"""What the files of a copy were, on disk: a manifest, a pack of their contents, and a log of what changed since."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pygent.changes.data import digest_of, write_at
from pygent.changes.tree import Entry
from pygent.errors import WorkspaceError

TOTAL_LIMIT = 2 * 1024 * 1024 * 1024
"""Bytes of contents that are kept; of what comes after them only the digest is."""

_VERSION = 1


class Pack:
    """Contents in one file that only grows. Thread-safe. After ``close`` the file is opened again when needed."""

    def __init__(self, file: Path, *, new: bool = False) -> None:
        self._file = file
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        self._fd: int | None = fd
        self._end = os.fstat(fd).st_size
        self._lock = threading.Lock()

    def add(self, data: bytes, *, always: bool = False) -> int:
        """Keep a content; answers where, -1 where the limit is reached (unless ``always``). Raises ``OSError``."""
        with self._lock:
            offset = self._end
            if offset + len(data) > TOTAL_LIMIT and not always:
                return -1
            self._end += len(data)
            fd = self._open()
        write_at(fd, data, offset)
        return offset

    @property
    def end(self) -> int:
        """How many bytes it has."""
        return self._end

    def cut(self, end: int) -> None:
        """Let go of what was added behind ``end``. Nobody may be adding."""
        with self._lock, contextlib.suppress(OSError):
            os.ftruncate(self._open(), end)
            self._end = end

    def get(self, entry: Entry) -> bytes | None:
        """A content, None where it is not kept, or not whole any more."""
        if entry.offset < 0:
            return None
        with self._lock:
            data = os.pread(self._open(), entry.size, entry.offset)
        return data if digest_of(data) == entry.digest else None

    def sync(self) -> None:
        """Wait until it is on the disk."""
        with self._lock:
            os.fsync(self._open())

    def close(self) -> None:
        """Let go of the open file. Nobody may be adding."""
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _open(self) -> int:
        if self._fd is None:
            self._fd = os.open(self._file, os.O_RDWR | os.O_CLOEXEC)
        return self._fd


class Records:
    """The manifest in ``folder``, and the log of what changed since, whose lines count whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._manifest = folder / "manifest.json"
        self._log = folder / "log.jsonl"

    def write(self, entries: Mapping[str, Entry], notes: Iterable[str], *, durable: bool = True) -> None:
        """Write the manifest; without it there is no base."""
        text = json.dumps({"version": _VERSION, "notes": list(notes), "files": entries}, separators=(",", ":"))
        temporary = self._manifest.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(self._manifest)

    @property
    def there(self) -> bool:
        """Whether the manifest was written, to its end."""
        return self._manifest.is_file()

    def read(self) -> tuple[dict[str, Entry], tuple[str, ...]]:
        """The entries as they are now, and the notes. Raises ``WorkspaceError``."""
        try:
            with self._manifest.open(encoding="utf-8") as file:
                found: dict[str, Any] = json.load(file)
            if found["version"] != _VERSION:
                raise WorkspaceError(f"{str(self._manifest)!r} was written by another version of Pygent.")
            entries = {path: Entry(*entry) for path, entry in found["files"].items()}
            for line in self._lines():
                for path, entry in line.items():
                    if entry is None:
                        entries.pop(path, None)
                    else:
                        entries[path] = Entry(*entry)
            return entries, tuple(found["notes"])
        except FileNotFoundError:
            raise WorkspaceError(
                f"{str(self._manifest)!r} is missing: the copy was not finished, or not made here."
            ) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise WorkspaceError(f"{str(self._manifest)!r} cannot be read: {error}.") from error

    def append(self, changed: Mapping[str, Entry | None]) -> None:
        """Log entries that are others now; None is one that is gone. Durable on return. Raises ``OSError``."""
        data = json.dumps(changed, separators=(",", ":")).encode("ascii") + b"\n"
        fd = os.open(self._log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = self._whole(fd)
            try:
                os.ftruncate(fd, end)  # what a crash left of a line
                write_at(fd, data, end)
                os.fsync(fd)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(fd, end)
                raise
        finally:
            os.close(fd)

    def _lines(self) -> list[dict[str, Any]]:
        try:
            data = self._log.read_bytes()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in data.split(b"\n")[:-1] if line]

    @staticmethod
    def _whole(fd: int) -> int:
        """Where the last whole line ends."""
        size = os.fstat(fd).st_size
        place = size
        while place > 0:
            start = max(0, place - 65536)
            end = os.pread(fd, place - start, start).rfind(b"\n")
            if end >= 0:
                return start + end + 1
            place = start
        return 0
