"""The test that a task names, as the check of a small model that was given none.

"test_prices.py fails, fix prices.py": shown both files, a small model writes one of them down again, and calls that
done. What the test prints is what it needs, and whether the test passes is what tells if it is done. Told to run a
test first, it makes up what that would print.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any

from pygent.briefing import named_paths
from pygent.errors import PygentError
from pygent.models.asking import is_test, targets

_ASKS = re.compile(
    r"\?|\bwhy\b|(?:^|[.!:;\n]\s*|\bplease\s+)(?:explain|describe|summari[sz]e|review|show|list|tell)\b"
    r"|\b(?:add|write|extend|more|new)\b[^.]*\btests?\b",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"\b(?:fix|mend|repair|correct|write|implement|make|create|add|move|rename|replace|change|extract|refactor|rewrite"
    r"|remove|let|use|turn|update|find (?:the|a) (?:bug|fault|error))\b",
    re.IGNORECASE,
)
_UNITTEST = re.compile(r"^\s*(?:import|from) unittest\b", re.MULTILINE)
_PYTEST = re.compile(r"^\s*(?:(?:import|from) pytest\b|(?:async )?def test_\w*\()", re.MULTILINE)
_PLAIN = re.compile(r"[\w./-]+\.py")
_READ = 100_000
"""Bytes of a test that are looked at."""


def named_test(words: str, paths: Collection[str], workspace: Any) -> str:
    """The command that runs the one test that a task names; "" where it names none, or asks for no change.

    ``words`` are the task as the person said it, ``paths`` the files of the workspace. Only tests in Python are
    known, and the task must name the file to change as well.
    """
    if _ASKS.search(words) or not _CHANGES.search(words):
        return ""
    tests = [path for path in named_paths(paths, words) if is_test(path)]
    code = [path for path in targets("", words) if path.endswith(".py")]
    if len(tests) != 1 or not code or not _PLAIN.fullmatch(tests[0]):
        return ""
    with contextlib.suppress(PygentError, OSError):
        return _command(tests[0], workspace.read_bytes(tests[0], limit=_READ).decode("utf-8", "replace"))
    return ""


def _command(path: str, content: str) -> str:
    if _UNITTEST.search(content):
        place = PurePosixPath(path)
        if str(place.parent) == ".":
            return f"python3 -m unittest -q {place.stem}"
        return f"python3 -m unittest discover -q -s {place.parent} -t . -p {place.name}"
    return f"python3 -m pytest -q {path}" if _PYTEST.search(content) else f"python3 {path}"
