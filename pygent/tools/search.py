"""``search``: names and contents of the workspace's files, bounded in results and time."""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pygent.errors import ToolError, WorkspaceError
from pygent.tools.ignore import NEVER, IgnoreRules, spec_of
from pygent.tools.registry import Tool

RESULTS = 100
"""Matches that are shown."""
SECONDS = 10.0
"""How long one search takes at most."""
FILE_LIMIT = 2 * 1024 * 1024
"""Bytes of a file that is looked into; larger ones are named as left out."""

_LINE_SHOWN = 300
_LINE_SEARCHED = 1000
_DEEPEST = 60
_META = re.compile(r"[\\.^$*+?{}\[\]|()]")


@dataclass(slots=True)
class _Search:
    """One search while it runs."""

    workspace: Any
    ends_at: float
    cancelled: Callable[[], bool]
    found: list[str] = field(default_factory=list)
    files: int = 0
    more: bool = False
    late: bool = False
    skipped: int = 0

    def add(self, line: str) -> None:
        if len(self.found) < RESULTS:
            self.found.append(line)
        else:
            self.more = True

    @property
    def over(self) -> bool:
        if self.more or self.late:
            return True
        self.late = time.monotonic() > self.ends_at or self.cancelled()
        return self.late


def search(rt: Any, pattern: str, path: str = ".", glob: str = "", mode: str = "content") -> str:
    """Find ``pattern`` in files below ``path``, or the files whose name it is where ``mode`` is ``"names"``."""
    workspace = getattr(rt, "workspace", None)
    if workspace is None:
        raise ToolError("this runtime cannot search; use bash, such as grep -rn")
    if not pattern:
        raise ToolError("the pattern is empty")
    start = workspace.relative(path)
    if not workspace.exists(path):
        workspace.read_bytes(path, limit=0)  # raises, with the nearest name
    cancel = getattr(getattr(rt, "scope", None), "cancel", None)
    run = _Search(workspace, time.monotonic() + SECONDS, lambda: cancel is not None and cancel.cancelled)
    wanted = _glob(glob)
    note = ""
    if mode == "names":
        named = _named(pattern)
        for file in _files(run, start):
            run.files += 1
            if wanted(file) and named(file):
                run.add(file)
            if run.over:
                break
    else:
        matcher, note = _matcher(pattern)
        for file in _files(run, start):
            if wanted(file):
                _look_into(run, file, matcher)
            if run.over:
                break
    if cancel is not None:
        cancel.check()
    return _answer(run, pattern, note)


def _answer(run: _Search, pattern: str, note: str) -> str:
    notes = [note] if note else []
    if run.more:
        notes.append(f"only the first {RESULTS} are shown: narrow it with path or glob")
    if run.late:
        notes.append(f"stopped after {SECONDS:.0f} s: narrow it with path or glob")
    if run.skipped:
        notes.append(f"{run.skipped} large or unreadable files left out")
    told = f"\n({'; '.join(notes)})" if notes else ""
    if not run.found:
        return f"Nothing found for {pattern!r} in {run.files} files.{told}"
    return "\n".join(run.found) + told


def _files(run: _Search, start: str) -> Iterator[str]:
    """Paths of the files below a folder, or of the file itself, without the ignored ones."""
    workspace = run.workspace
    if not workspace.is_dir(start):
        yield start
        return
    folder = "" if start == "." else start
    none = IgnoreRules(lambda path: _lines(workspace, path))
    rules = none.enter("")
    above = ""
    for part in folder.split("/") if folder else ():
        above = f"{above}/{part}" if above else part
        # A folder that is asked for by name is searched although it is ignored.
        rules = (none if rules.leaves_out(above, is_dir=True) else rules).enter(above)
    yield from _walk(run, folder, rules, 0)


def _walk(run: _Search, folder: str, rules: IgnoreRules, depth: int) -> Iterator[str]:
    try:
        entries = run.workspace.list_dir(folder or ".")
    except WorkspaceError:  # gone meanwhile, or not readable
        run.skipped += 1
        return
    folders = []
    for entry in entries:
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_link and entry.is_dir:
            continue  # what it leads to is inside and searched there
        if entry.is_dir:
            if entry.name not in NEVER and depth < _DEEPEST and not rules.leaves_out(path, is_dir=True):
                folders.append(path)
        elif not rules.leaves_out(path, is_dir=False):
            if entry.size > FILE_LIMIT:
                run.skipped += 1
            else:
                yield path
        if run.over:
            return
    for path in folders:
        yield from _walk(run, path, rules.enter(path), depth + 1)
        if run.over:
            return


def _look_into(run: _Search, path: str, matches: Callable[[str], object]) -> None:
    try:
        data = run.workspace.read_bytes(path, limit=FILE_LIMIT)
    except WorkspaceError:
        run.skipped += 1
        return
    if b"\0" in data[:8192]:
        return
    run.files += 1
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if matches(line):
            text = line.strip("\r")
            shown = text if len(text) <= _LINE_SHOWN else f"{text[:_LINE_SHOWN]}…"
            run.add(f"{path}:{number}: {shown}")
        if (run.more or number % 200 == 0) and run.over:
            return


def _matcher(pattern: str) -> tuple[Callable[[str], object], str]:
    """What tells a line that matches, and a note where the pattern was not taken as a regular expression."""
    if not _META.search(pattern):
        return (lambda line: pattern in line), ""
    if _repeats_repetition(pattern):
        raise ToolError(f"{pattern!r} repeats a repetition and could run for ever; write it in a simpler way")
    try:
        found = re.compile(pattern).search
        return (lambda line: found(line[:_LINE_SEARCHED])), ""
    except (re.error, RecursionError, OverflowError) as error:
        return (lambda line: pattern in line), f"taken as plain text, since it is no regular expression: {error}"


def _repeats_repetition(pattern: str) -> bool:
    """True for ``(a+)+`` and its like, which can take longer than anybody lives and cannot be interrupted."""
    groups = [False]
    text = re.sub(r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]", "x", pattern, flags=re.DOTALL)
    for at, char in enumerate(text):
        if char == "(":
            groups.append(False)
        elif char == ")" and len(groups) > 1:
            inner = groups.pop()
            if inner and text[at + 1 : at + 2] in {"+", "*", "{"}:
                return True
            groups[-1] |= inner
        elif char in "+*{":
            groups[-1] = True
    return False


def _named(pattern: str) -> Callable[[str], bool]:
    if any(char in pattern for char in "*?["):
        return _glob(pattern)
    wanted = pattern.casefold()
    return lambda path: wanted in path.casefold()


def _glob(pattern: str) -> Callable[[str], bool]:
    """``*.py`` anywhere, ``src/**/*.py`` from the workspace's root, ``a.{py,pyi}`` for either."""
    if not pattern:
        return lambda path: True  # noqa: ARG005
    spec = spec_of([pattern.removeprefix("./") for pattern in _braces(pattern)])
    return lambda path: bool(spec.match_file(path)) or fnmatch.fnmatchcase(path, pattern)


def _braces(pattern: str) -> list[str]:
    found = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [text for choice in found.group(1).split(",") for text in _braces(before + choice + after)][:100]


def _lines(workspace: Any, path: str) -> list[str] | None:
    try:
        if not workspace.exists(path):
            return None
        text: str = workspace.read_bytes(path, limit=FILE_LIMIT).decode("utf-8", "replace")
    except WorkspaceError:
        return None
    return text.splitlines()


TOOLS = (
    Tool(
        "search",
        "Search contents (regular expression) or names of files; skips what .gitignore names.",
        {
            "type": "object",
            "properties": {
                "pattern": {"type": "string"},
                "path": {"type": "string"},
                "glob": {"type": "string", "description": "as *.py"},
                "mode": {"type": "string", "enum": ["content", "names"]},
            },
            "required": ["pattern"],
        },
        search,
        "read",
    ),
)
