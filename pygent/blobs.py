"""Bytes kept under the digest of what they are: large outputs of tools, and contents of files to go back to.

One folder beside the database of sessions, which several Pygents use at once. A blob is written under another name
and then renamed, so that it is there whole or not at all; the same bytes are kept once; what is read is checked
against its name. Folders are 0700 and files 0600.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO

from pygent.errors import PygentError

log = logging.getLogger(__name__)

FOLDER = "blobs"
"""Its name in the data folder."""

UNSWEPT_SECONDS = 86_400.0
"""How old a blob has to be to be swept: whoever has just written it has yet to write down that it is used."""

_PIECE = 1 << 20
_DIGITS = frozenset("0123456789abcdef")
_LENGTH = 64
_UNFINISHED = ".new-"


class BlobError(PygentError):
    """A blob cannot be written or read; the text names the file."""


class BlobMissingError(BlobError):
    """There is no such blob, or what is there are other bytes."""


class Blobs:
    """The blobs in ``folder``, which is made when first needed; methods may be called from any thread.

    A digest is the SHA-256 of the bytes in 64 hexadecimal digits.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes, *, sync: bool = False) -> str:
        """Keep ``data`` and answer its digest.

        ``sync`` waits until the disk has it, so that it outlives a loss of power; it outlives the process in any
        case. Raises ``BlobError``.
        """
        digest = hashlib.sha256(data).hexdigest()
        file = self._file(digest)
        if self._fresh(file, len(data)):
            return digest

        def write(target: BinaryIO) -> str:
            target.write(data)
            return digest

        return self._write(write, sync=sync)

    def put_file(self, source: Path | BinaryIO, *, sync: bool = False) -> str:
        """Keep what a file, or an open one from where it stands, has in it, and answer its digest.

        Memory stays small whatever its size. The digest is that of the bytes that were kept, also where the file is
        written meanwhile. ``sync`` is as for ``put``. Raises ``BlobError``, also where the file cannot be read.
        """
        if isinstance(source, Path):
            try:
                with source.open("rb") as opened:
                    return self.put_file(opened, sync=sync)
            except OSError as error:
                raise BlobError(f"{source}: it cannot be read: {error.strerror or error}") from error

        def write(target: BinaryIO) -> str:
            sum_of_it = hashlib.sha256()
            while piece := source.read(_PIECE):
                sum_of_it.update(piece)
                target.write(piece)
            return sum_of_it.hexdigest()

        return self._write(write, sync=sync)

    def get(self, digest: str) -> bytes:
        """The bytes of that digest. Raises ``BlobMissingError`` where they are not there whole, ``BlobError``."""
        file = self._file(digest)
        with self._reading(file):
            data = file.read_bytes()
        _check(file, digest, hashlib.sha256(data).hexdigest())
        return data

    def open(self, digest: str) -> BinaryIO:
        """A file of those bytes to read from, which the caller closes; it has been checked. Raises as ``get``."""
        file = self._file(digest)
        with self._reading(file):
            opened = file.open("rb")
        with contextlib.ExitStack() as closing:
            closing.enter_context(opened)
            with self._reading(file):
                _check(file, digest, hashlib.file_digest(opened, "sha256").hexdigest())
                opened.seek(0)
            closing.pop_all()
        return opened

    def place(self, digest: str) -> str:
        """Where in ``folder`` the bytes of that digest are. Raises ``BlobMissingError`` for what is no digest."""
        return self._file(digest).relative_to(self.folder).as_posix()

    def has(self, digest: str) -> bool:
        """Whether there is a blob of that digest; what is in it is not looked at."""
        return self._file(digest).is_file()

    def size(self) -> int:
        """Bytes that all blobs have together."""
        return sum(stat.st_size for _, stat in self._all())

    def size_of(self, digests: AbstractSet[str]) -> int:
        """Bytes that those of these blobs have together that are there."""
        return sum(stat.st_size for file, stat in self._all() if file.parent.name + file.name in digests)

    def sweep(self, keep: AbstractSet[str], *, older_than: float = UNSWEPT_SECONDS, now: float | None = None) -> int:
        """Remove the blobs whose digests are not in ``keep`` and that nobody put for ``older_than`` seconds.

        Answers how many bytes that freed. What other processes leave unfinished goes as well. A blob that cannot be
        removed stays.
        """
        before = (time.time() if now is None else now) - older_than
        freed = 0
        for file, stat in self._all():
            if stat.st_mtime < before and file.parent.name + file.name not in keep:
                with contextlib.suppress(OSError):
                    freed += self._remove(file, before)
        if freed:
            log.info("%s: %d bytes that nothing uses any more were removed", self.folder, freed)
        return freed

    def _file(self, digest: str) -> Path:
        if len(digest) != _LENGTH or not _DIGITS.issuperset(digest):
            raise BlobMissingError(f"{digest[:80]!r} is no digest of a blob")
        return self.folder / digest[:2] / digest[2:]

    def _fresh(self, file: Path, size: int) -> bool:
        """Whether the blob is there already, whole by its size; then it counts as put at this moment."""
        try:
            if file.stat().st_size != size:
                return False
            os.utime(file)
        except OSError:
            return False
        return True

    def _remove(self, file: Path, before: float) -> int:
        """Remove a blob, unless somebody puts it at this very moment; answers the bytes freed."""
        claimed = self.folder / f"{_UNFINISHED}{os.urandom(8).hex()}"
        file.replace(claimed)
        stat = claimed.stat()
        if stat.st_mtime >= before:  # it was found here, and counted as put, since its age was looked at
            claimed.replace(file)
            return 0
        claimed.unlink()
        return stat.st_size

    def _write(self, write: Callable[[BinaryIO], str], *, sync: bool) -> str:
        unfinished = self.folder / f"{_UNFINISHED}{os.urandom(8).hex()}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(handle, "wb") as target:
                    digest = write(target)
                    size = target.tell()
                    target.flush()
                    if sync:
                        os.fsync(target.fileno())
                file = self._file(digest)
                if self._fresh(file, size):
                    unfinished.unlink()
                    return digest
                file.parent.mkdir(mode=0o700, exist_ok=True)
                unfinished.replace(file)
                if sync:
                    _sync_folder(file.parent)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise BlobError(f"{self.folder}: a blob cannot be written: {error.strerror or error}") from error
        return digest

    @contextlib.contextmanager
    def _reading(self, file: Path) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise BlobMissingError(f"{file}: it is not there") from None
        except OSError as error:
            raise BlobError(f"{file}: it cannot be read: {error.strerror or error}") from error

    def _all(self) -> Iterator[tuple[Path, os.stat_result]]:
        """Every file of the folder, the unfinished ones too; what is gone meanwhile is left out."""
        waiting = [self.folder]
        while waiting:
            try:
                with os.scandir(waiting.pop()) as found:
                    for entry in found:
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(Path(entry.path))
                        else:
                            yield Path(entry.path), entry.stat(follow_symlinks=False)
            except OSError:
                continue


def _check(file: Path, digest: str, found: str) -> None:
    if found != digest:
        raise BlobMissingError(f"{file}: it is damaged")


def _sync_folder(folder: Path) -> None:
    """A new name is on the disk once its folder is; systems that cannot open folders do it by themselves."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
