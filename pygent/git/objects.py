"""What git knows of many files at once: which are ignored, which are clean, and what objects hold."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence

from pygent.git.repository import Repository

MANY_SECONDS = 60.0
"""How long a question about many files may take."""


def ignored(repository: Repository, paths: bytes) -> Iterator[bytes]:
    """Those of ``paths`` that are ignored and not tracked.

    They are relative to the repository's folder, each with a NUL. Raises ``GitError``.
    """
    pieces = repository.pieces("check-ignore", "-z", "--stdin", given=paths, fine=(0, 1), seconds=MANY_SECONDS)
    return (path for path in b"".join(pieces).split(b"\0") if path)


def clean(repository: Repository) -> dict[str, tuple[str, int]]:
    """The object and size of each tracked file that holds what the index says, by its path in the folder.

    Raises ``GitError``.
    """
    dirty = {os.fsdecode(path) for path in repository.records("diff-files", "-z", "--name-only", "--relative")}
    names: dict[str, str] = {}
    for record in repository.records("ls-files", "-z", "--stage", seconds=MANY_SECONDS):
        about, _, path = os.fsdecode(record).partition("\t")
        mode, name, stage = about.split(" ")
        if mode.startswith("100") and stage == "0" and path not in dirty:
            names[path] = name
    sizes = _sizes(repository, list(dict.fromkeys(names.values())))
    return {path: (name, sizes[name]) for path, name in names.items() if name in sizes}


def _sizes(repository: Repository, names: Sequence[str]) -> dict[str, int]:
    given = "".join(f"{name}\n" for name in names).encode()
    form = "--batch-check=%(objectname) %(objectsize)"
    pieces = repository.pieces("cat-file", form, "--buffer", given=given, seconds=MANY_SECONDS)
    found = (line.split(" ") for line in b"".join(pieces).decode("ascii", "replace").splitlines())
    return {parts[0]: int(parts[1]) for parts in found if len(parts) == 2 and parts[1].isdigit()}


def name_of(data: bytes, digits: int) -> str:
    """The name of the object that holds a content, in a repository whose names have so many digits."""
    made = hashlib.sha256() if digits == 64 else hashlib.sha1(usedforsecurity=False)
    made.update(b"blob %d\0" % len(data))
    made.update(data)
    return made.hexdigest()


def contents(repository: Repository, names: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
    """The contents of objects, None for one that is not there. Raises ``GitError``."""
    given = "".join(f"{name}\n" for name in names).encode()
    data = bytearray()
    pieces = repository.pieces("cat-file", "--batch", given=given, seconds=MANY_SECONDS)
    for name in names:
        while (end := data.find(b"\n")) < 0:
            data += next(pieces, b"\n")
        head = bytes(data[:end]).split(b" ")
        del data[: end + 1]
        if len(head) != 3:
            yield name, None
            continue
        size = int(head[2])
        while len(data) <= size:
            data += next(pieces, bytes(size + 1))
        yield name, bytes(data[:size])
        del data[: size + 1]
