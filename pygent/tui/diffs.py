"""Differences of files as data.

They are read from the unified diffs that git, ``diff`` and our own tools print, or found between two texts. Which
words changed within a line is worked out when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from pygent.tui.diff_lines import groups, opcodes
from pygent.tui.diff_words import MOST_WORDS, Span, beside

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_EDITED = re.compile(r"Edited (.+?)(?: in \d+ places)?\.$")
_NO_LINE_END = "  (no line end)"
_OCTAL = re.compile(r"\\([0-7]{3}|.)")
_ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", '"': b'"', "\\": b"\\"}


class DiffLine(NamedTuple):
    """A line of a hunk: ``" "`` in both files, ``"-"`` only in the old one, ``"+"`` only in the new one.

    ``old`` and ``new`` are its numbers there. ``ends`` is False for a last line without a line end.
    """

    kind: str
    text: str
    old: int | None
    new: int | None
    ends: bool = True


class Row(NamedTuple):
    """What stands side by side: a line, the one it became, and which parts of each are others."""

    old: DiffLine | None
    new: DiffLine | None
    old_changes: tuple[Span, ...] = ()
    new_changes: tuple[Span, ...] = ()


@dataclass(eq=False)
class Hunk:
    """Neighbouring changes with the lines around them. ``section`` is what the diff says they stand in."""

    old_start: int
    new_start: int
    lines: list[DiffLine] = field(default_factory=list)
    section: str = ""

    @property
    def old_count(self) -> int:
        return sum(line.kind != "+" for line in self.lines)

    @property
    def new_count(self) -> int:
        return sum(line.kind != "-" for line in self.lines)

    @property
    def header(self) -> str:
        """The line before the hunk, as a unified diff has it."""
        place = f"@@ -{self.old_start},{self.old_count} +{self.new_start},{self.new_count} @@"
        return f"{place} {self.section}".rstrip()


@dataclass(eq=False)
class FileDiff:
    """What happened to one file. ``notes`` tell what lines cannot: modes, binary content, what is missing here."""

    path: str
    old_path: str = ""
    kind: Literal["changed", "added", "deleted", "renamed", "copied"] = "changed"
    hunks: list[Hunk] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    binary: bool = False

    @cached_property
    def added(self) -> int:
        """How many lines were added."""
        return sum(line.kind == "+" for hunk in self.hunks for line in hunk.lines)

    @cached_property
    def removed(self) -> int:
        """How many lines were removed."""
        return sum(line.kind == "-" for hunk in self.hunks for line in hunk.lines)


# Two texts.


def compare(path: str, before: str | None, after: str | None, context: int = 3) -> FileDiff:
    """The difference of two texts of a file; None where there is no file. ``context`` lines stand around changes."""
    kind: Literal["changed", "added", "deleted"] = "changed"
    if before is None:
        kind = "added"
    elif after is None:
        kind = "deleted"
    old, new = _lines(before or ""), _lines(after or "")
    diff = FileDiff(path, path, kind)
    for group in groups(opcodes(old, new), context):
        old_start, new_start = group[0][1], group[0][3]
        old_end, new_end = group[-1][2], group[-1][4]
        # By custom, an empty side is counted from the line before it.
        hunk = Hunk(old_start + (old_end > old_start), new_start + (new_end > new_start))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                pairs = zip(range(old_from, old_to), range(new_from, new_to), strict=True)
                hunk.lines.extend(_made(" ", old[i], i + 1, j + 1) for i, j in pairs)
            else:
                hunk.lines.extend(_made("-", old[i], i + 1, None) for i in range(old_from, old_to))
                hunk.lines.extend(_made("+", new[j], None, j + 1) for j in range(new_from, new_to))
        diff.hunks.append(hunk)
    return diff


def _lines(text: str) -> list[str]:
    """The lines with their line ends."""
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _made(kind: str, line: str, old: int | None, new: int | None) -> DiffLine:
    return DiffLine(kind, line.removesuffix("\n"), old, new, line.endswith("\n"))


# Unified diffs.


def as_text(diffs: Iterable[FileDiff]) -> str:
    """The unified diff of files, as ``parse`` reads it."""
    return "".join(f"{line}\n" for diff in diffs for line in _text_lines(diff))


def _text_lines(diff: FileDiff) -> Iterator[str]:
    yield "--- /dev/null" if diff.kind == "added" else f"--- a/{diff.old_path or diff.path}"
    yield "+++ /dev/null" if diff.kind == "deleted" else f"+++ b/{diff.path}"
    for hunk in diff.hunks:
        yield hunk.header
        for line in hunk.lines:
            yield f"{line.kind}{line.text}"
            if not line.ends:
                yield "\\ No newline at end of file"


def parse(text: str, path: str = "") -> list[FileDiff]:
    """The files of a unified diff. Lines that belong to none are left out.

    ``path`` is the file of hunks that stand under no name, as our own tools print them.
    """
    return _Parser(path).parse(text.split("\n"))


class _Parser:
    def __init__(self, path: str) -> None:
        self._path = path
        self._files: list[FileDiff] = []
        self._file: FileDiff | None = None  # whose hunks come next
        self._git = False

    def parse(self, lines: list[str]) -> list[FileDiff]:
        at = 0
        while at < len(lines):
            line = lines[at].removesuffix("\r")
            if match := _HUNK.match(line):
                at = self._hunk(match, lines, at + 1)
                continue
            if line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
                self._names(line[4:], lines[at + 1][4:].removesuffix("\r"))
                at += 2
                continue
            self._header(line)
            at += 1
        return self._files

    def _start(self, path: str, old_path: str = "", *, git: bool) -> FileDiff:
        self._file = FileDiff(path, old_path or path)
        self._git = git
        self._files.append(self._file)
        return self._file

    def _header(self, line: str) -> None:
        if line.startswith(("diff --git ", "diff --cc ", "diff --combined ")):
            old, new = _git_names(line)
            file = self._start(new, old, git=True)
            if not line.startswith("diff --git "):
                file.notes.append("a merge; its diff is not shown")
            return
        if (edited := _EDITED.match(line)) and not self._path:
            self._path = edited[1]
        elif line.startswith("(lines ") and line.endswith("too many to show)"):
            (self._file or self._start(self._path, git=False)).notes.append(line.strip("()"))
        elif self._file is not None and line.startswith("… "):
            self._file.notes.append(line)
        elif self._file is not None and self._git and not self._file.hunks:
            _git_header(self._file, line)

    def _names(self, old: str, new: str) -> None:
        old, new = (name.partition("\t")[0].rstrip() for name in (old, new))
        file = self._file if self._git and self._file is not None and not self._file.hunks else None
        names = [_unquoted(name) for name in (old, new)]
        if file is not None or all(name == "/dev/null" or name[:2] in {"a/", "b/"} for name in names):
            names = [name if name == "/dev/null" else name[2:] if name[1:2] == "/" else name for name in names]
        if file is None:
            file = self._start("", git=False)
            file.path = names[0] if names[1] == "/dev/null" else names[1]
            file.old_path = file.path if names[0] == "/dev/null" else names[0]
        if names[0] == "/dev/null":
            file.kind = "added"
        elif names[1] == "/dev/null":
            file.kind = "deleted"

    def _hunk(self, match: re.Match[str], lines: list[str], at: int) -> int:
        """Read a hunk from its first line on. Answers where the rest begins."""
        file = self._file or self._start(self._path, git=False)
        old, new = int(match[1]), int(match[3])
        hunk = Hunk(old, new, section=match[5])
        old_left, new_left = (int(size) if size else 1 for size in (match[2], match[4]))
        file.hunks.append(hunk)
        while at < len(lines) and (old_left > 0 or new_left > 0):
            line = lines[at]
            kind = line[:1] or " "
            if kind not in " +-\\":
                break
            if kind != "\\":
                hunk.lines.append(
                    DiffLine(kind, line[1:], None if kind == "+" else old, None if kind == "-" else new)
                )
                if kind != "+":
                    old, old_left = old + 1, old_left - 1
                if kind != "-":
                    new, new_left = new + 1, new_left - 1
                if line.endswith(_NO_LINE_END):
                    hunk.lines[-1] = hunk.lines[-1]._replace(text=line[1 : -len(_NO_LINE_END)], ends=False)
            elif hunk.lines:
                hunk.lines[-1] = hunk.lines[-1]._replace(ends=False)
            at += 1
        if at < len(lines) and lines[at].startswith("\\") and hunk.lines:
            hunk.lines[-1] = hunk.lines[-1]._replace(ends=False)
            at += 1
        return at


def _git_header(file: FileDiff, line: str) -> None:
    """What a line between ``diff --git`` and the first hunk says about the file."""
    match line.split(" "):
        case ["new", "file", "mode", *_]:
            file.kind = "added"
        case ["deleted", "file", "mode", *_]:
            file.kind = "deleted"
        case ["old", "mode", mode]:
            file.notes.append(f"mode {mode}")
        case ["new", "mode", mode] if file.notes:
            file.notes[-1] += f" → {mode}"
        case ["rename" | "copy" as verb, "from", *name]:
            file.kind = "renamed" if verb == "rename" else "copied"
            file.old_path = _unquoted(" ".join(name))
        case ["rename" | "copy", "to", *name]:
            file.path = _unquoted(" ".join(name))
        case ["similarity", "index", share] if share != "100%":
            file.notes.append(f"{share} the same")
        case ["Binary", "files", *_] | ["GIT", "binary", "patch"]:
            file.binary = True


def _git_names(line: str) -> tuple[str, str]:
    """The old and the new path of a ``diff --git`` line; other lines there may know better."""
    rest = line.split(" ", 2)[2]
    if not line.startswith("diff --git "):
        return _unquoted(rest), _unquoted(rest)
    if rest.startswith('"'):
        end = rest.find('" ', 1) + 1
        names = (rest[:end], rest[end + 1 :])
    else:
        middle = len(rest) // 2
        names = (rest[:middle], rest[middle + 1 :])  # where both are the same they are as long
        if names[0][2:] != names[1][2:]:
            before, _, after = rest.partition(" b/")
            names = (before, f"b/{after}")
    old, new = (_unquoted(name) for name in names)
    return old.removeprefix("a/"), new.removeprefix("b/")


def _unquoted(name: str) -> str:
    """A path as it is, from the form in quotes that git gives to unusual ones."""
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name

    def byte(match: re.Match[str]) -> str:
        code = match[1]
        raw = bytes([int(code, 8) & 255]) if len(code) == 3 else _ESCAPES.get(code, code.encode())
        return raw.decode("latin-1")

    inner = "".join(chr(one) for one in name[1:-1].encode())
    return _OCTAL.sub(byte, inner).encode("latin-1").decode(errors="replace")


def rows(lines: Sequence[DiffLine]) -> list[Row]:
    """Lines of a hunk side by side, removed ones beside the added ones that they are most like."""
    return list(_rows(lines))


def _rows(lines: Sequence[DiffLine]) -> Iterator[Row]:
    budget = [MOST_WORDS]
    removed: list[DiffLine] = []
    added: list[DiffLine] = []

    def changed() -> Iterator[Row]:
        for old, new, old_changes, new_changes in beside(
            [one.text for one in removed], [one.text for one in added], budget
        ):
            yield Row(
                None if old is None else removed[old], None if new is None else added[new], old_changes, new_changes
            )
        removed.clear()
        added.clear()

    for line in lines:
        if line.kind == "+":
            added.append(line)
            continue
        if added or line.kind == " ":
            yield from changed()
        if line.kind == "-":
            removed.append(line)
        else:
            yield Row(line, line)
    yield from changed()
