"""The bytes of files: read, written, shared, and what stands for them."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from hashlib import blake2b

KEEP_LIMIT = 32 * 1024 * 1024
"""Bytes up to which a file's content is read and kept; of a larger one only the digest is."""

BLOCK = 1024 * 1024
_ZEROS = bytes(BLOCK)
_CLONE = 0x40049409  # FICLONE
_CANNOT = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM})


def digest_of(data: bytes) -> str:
    """What stands for a content."""
    return blake2b(data, digest_size=20).hexdigest()


def read_all(fd: int, size: int) -> bytes:
    """A file from its beginning, which should have ``size`` bytes and may have others meanwhile."""
    data = os.pread(fd, size + 1, 0)
    if len(data) == size:
        return data
    pieces = [data]
    place = len(data)
    while piece := os.pread(fd, BLOCK, place):
        pieces.append(piece)
        place += len(piece)
    return b"".join(pieces)


class BlockDigest:
    """The digest of a file that is too large to keep: of its blocks that are not all zeros, with their places."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=20)

    def add(self, place: int, block: bytes) -> bool:
        """Take the block in; answers False where it is all zeros."""
        if block == (_ZEROS if len(block) == BLOCK else bytes(len(block))):
            return False
        self._hash.update(b"%d:%d:" % (place, len(block)))
        self._hash.update(block)
        return True

    def result(self, size: int) -> str:
        self._hash.update(b"%d" % size)
        return self._hash.hexdigest()


def blocks(fd: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The blocks of a file that hold data, with their places; holes are passed over."""
    place = 0
    while place < size:
        try:
            data = os.lseek(fd, place, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # only a hole is left
                return
            data = place  # a file system that tells no holes
        place = data - data % BLOCK
        block = os.pread(fd, min(BLOCK, size - place), place)
        if not block:
            return
        yield place, block
        place += len(block)


def digest_of_large(fd: int, size: int) -> str:
    """What stands for the content of a file above ``KEEP_LIMIT``."""
    digest = BlockDigest()
    for place, block in blocks(fd, size):
        digest.add(place, block)
    return digest.result(size)


def copy_content(fd: int, copy: int) -> None:
    """Write all of one file to another one that is empty. Raises ``OSError``."""
    if clone(fd, copy):
        return
    place = 0
    while piece := os.pread(fd, BLOCK, place):
        write_at(copy, piece, place)
        place += len(piece)


def write_at(fd: int, data: bytes, place: int = 0) -> None:
    """Write all of ``data``. Raises ``OSError``."""
    written = os.pwrite(fd, data, place) if data else 0
    if written == len(data):
        return
    view, place = memoryview(data)[written:], place + written
    while view:
        written = os.pwrite(fd, view, place)
        view, place = view[written:], place + written


def clone(fd: int, copy: int) -> bool:
    """Let ``copy`` share the data of ``fd``, which costs next to nothing; False where the file system cannot."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(copy, _CLONE, fd)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True
