"""Writes what a file is to hold: from memory, shared with another file, or copied from it."""

from __future__ import annotations

import os

from pygent.changes.data import KEEP_LIMIT, BlockDigest, blocks, clone, digest_of, digest_of_large, read_all, write_at
from pygent.changes.steps import Version
from pygent.changes.tree import Tree


class Other(OSError):
    """A file has another content than the one that was looked at."""


def write_version(version: Version, copy: int) -> None:
    """Write a file's content to a new file. Raises ``OSError``, and ``Other`` where it is another one by now."""
    if version.data is not None:
        write_at(copy, version.data)
        return
    entry = version.entry
    with Tree(version.root) as tree:
        fd = tree.open(version.path)
    try:
        if entry.size <= KEEP_LIMIT:
            data = read_all(fd, entry.size)
            digest = digest_of(data)
            write_at(copy, data)
        elif clone(fd, copy):
            digest = digest_of_large(copy, os.fstat(copy).st_size)
        else:
            digest = _copy_large(fd, copy, entry.size)
        if digest != entry.digest:
            raise Other(0, f"{version.path!r} was changed meanwhile")
    finally:
        os.close(fd)


def _copy_large(fd: int, copy: int, size: int) -> str:
    digest = BlockDigest()
    for place, block in blocks(fd, size):
        if digest.add(place, block):
            write_at(copy, block, place)
    os.ftruncate(copy, size)
    return digest.result(os.fstat(fd).st_size)
