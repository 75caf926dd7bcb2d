"""What is kept and told when the application itself fails.

A report names types, files and lines. It has no values: what was on the screen, and the keys in the settings, stand
in the variables of a traceback and in many a message.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from pygent._version import __version__
from pygent.settings import data_dir, terminal
from pygent.settings.paths import write_private

FOLDER = "crashes"
KEPT = 20
"""Reports that stay; older ones go."""

_ABOUT_CODE = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    IndexError,
    NameError,
    NotImplementedError,
    RecursionError,
    TypeError,
)
"""Exceptions whose messages tell of the program rather than of what it works on."""


def where(error: BaseException) -> str:
    """The innermost place of our own code: ``ValueError in pygent/tui/app.py, line 3``."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}pygent{os.sep}" in frame.filename] or frames
    place = f" in {_short(ours[-1].filename)}, line {ours[-1].lineno}" if ours else ""
    return f"{type(error).__name__}{place}"


def write_report(error: BaseException) -> Path | None:
    """Keep what is known of ``error`` in a private file; None where none can be written."""
    try:
        folder = data_dir() / FOLDER
        path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
        write_private(path, report(error))
        for old in sorted(folder.glob("*.txt"))[:-KEPT]:
            old.unlink(missing_ok=True)
    except Exception:  # whoever reports a failure must not be the next one
        return None
    return path


def report(error: BaseException) -> str:
    """The text of a report."""
    from importlib.metadata import version  # noqa: PLC0415 - only where something failed

    head = (
        f"Pygent {__version__}, Textual {version('textual')}, Python {platform.python_version()}, {sys.platform}",
        f"{' '.join(f'{name}={value}' for name, value in terminal().items())}",
        f"{time.strftime('%Y-%m-%d %H:%M:%S')}",
        "",
    )
    return "\n".join((*head, *_chain(error))) + "\n"


def farewell(error: BaseException, path: Path | None, session_id: str | None) -> list[str]:
    """What the person reads in the shell, one line each. ``session_id`` is None where nothing was stored."""
    lines = [f"Pygent failed and had to stop: {where(error)}. The fault is Pygent's."]
    if session_id is not None:
        lines.append(f"The session was closed and is kept. Go on with: pygent --resume {session_id}")
    if path is not None:
        lines.append(f"A report, without prompts and keys, is in {path}")
    else:
        lines.append("No report could be written.")
    return lines


def _chain(error: BaseException, depth: int = 0) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and depth < 5:
        yield from _chain(before, depth + 1)
        yield ""
    yield _headline(error)
    frames = traceback.extract_tb(error.__traceback__)
    if len(frames) > 80:
        frames = traceback.StackSummary.from_list([*frames[:40], *frames[-40:]])
    for frame in frames:
        yield f"  {_short(frame.filename)}:{frame.lineno} in {frame.name}: {frame.line or ''}"


def _headline(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, _ABOUT_CODE):
        return f"{name}: {str(error)[:300]}"
    return f"{name} (its message is left out: it may quote what was on the screen)"


def _short(filename: str) -> str:
    """A path from its package on: nobody's home folder."""
    for folder in (*sys.path, str(Path(__file__).parents[2])):
        if folder and filename.startswith(f"{folder}{os.sep}"):
            return filename[len(folder) + 1 :]
    return filename
