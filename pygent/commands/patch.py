"""A change set as a patch that `git apply` and people read."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator

from pygent.changes import ChangeSet, FileChange

Contents = Callable[[str], tuple[bytes | None, bytes | None]]
_PLAIN = frozenset(range(0x20, 0x7F)) - set(b'"\\')
_ESCAPES = {ord("\n"): "\\n", ord("\t"): "\\t", ord("\r"): "\\r", ord('"'): '\\"', ord("\\"): "\\\\"}


def patch(changes: ChangeSet, contents: Contents) -> Iterator[bytes]:
    """The lines of a patch in git's form, each with its end; a binary file is named, not shown."""
    for change in changes.files:
        yield from _file(change, contents)


def _file(change: FileChange, contents: Contents) -> Iterator[bytes]:
    old, new = (
        quoted(f"{side}/{name}") for side, name in (("a", change.old_path or change.path), ("b", change.path))
    )
    yield f"diff --git {old} {new}\n".encode()
    yield from (f"{line}\n".encode() for line in _modes(change))
    if change.binary:
        yield f"Binary files {old} and {new} differ\n".encode()
        return
    before, after = contents(change.path)
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(before),
        _lines(after),
        b"/dev/null" if change.kind == "added" else old.encode(),
        b"/dev/null" if change.kind == "deleted" else new.encode(),
    )
    for line in lines:
        yield line
        if not line.endswith(b"\n"):
            yield b"\n\\ No newline at end of file\n"


def _lines(data: bytes | None) -> list[bytes]:
    """Lines as git counts them, which end with a line feed and nothing else."""
    pieces = (data or b"").split(b"\n")
    return [*(piece + b"\n" for piece in pieces[:-1]), *([pieces[-1]] if pieces[-1] else [])]


def _modes(change: FileChange) -> Iterable[str]:
    kind = "120" if change.link is not None else "100"
    old, new = (
        f"{kind}{0o755 if mode & 0o100 else 0o644:o}" for mode in (change.old_mode or 0, change.new_mode or 0)
    )
    if change.kind == "added":
        return [f"new file mode {new}"]
    if change.kind == "deleted":
        return [f"deleted file mode {old}"]
    out = [f"old mode {old}", f"new mode {new}"] if old != new else []
    if change.old_path is not None:
        out += [f"rename from {quoted(change.old_path)}", f"rename to {quoted(change.path)}"]
    return out


def quoted(name: str) -> str:
    """A path as git writes it: in double quotes where it holds anything but plain characters."""
    data = name.encode("utf-8", "surrogateescape")
    if all(byte in _PLAIN for byte in data):
        return name
    return (
        '"' + "".join(_ESCAPES.get(byte) or (chr(byte) if byte in _PLAIN else f"\\{byte:03o}") for byte in data) + '"'
    )
