"""What it costs a step to be undoable: a command in a workspace of many files, against a bare walk with stat."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.copies import FILES, MEMORY, repository
from benchmarks.harness import Row, medians, within
from pygent.blobs import Blobs
from pygent.checkpoints.recorder import Recorder
from pygent.workspace import Workspace

REPEATS = 5
FACTOR = 3.0
"""How often a bare walk one look before a command, or after it, may take."""


def measure(files: int = FILES, repeats: int = REPEATS) -> Iterator[Row]:
    """A look before a command that changes one file, and the one after it, which keeps what the file was."""
    top = Path(tempfile.mkdtemp(prefix="pygent-bench-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        work = top / "work"
        work.mkdir()
        repository(work, files)
        recorder = Recorder(Workspace(work), Blobs(top / "blobs"), top / "recorder", lambda _event: None)
        changed = next(path for path in work.rglob("*") if path.is_file() and ".git" not in path.parts)
        with recorder.watching("first", "first"):
            pass

        def looks() -> float:
            began = time.perf_counter()
            with recorder.watching("call", "command"):
                between = time.perf_counter()
                changed.write_text(f"{between}\n")
                between = time.perf_counter() - between
            return (time.perf_counter() - began - between) / 2

        floor, value = medians(repeats, lambda: walk(work), looks)
        recorder.close()
        yield within(f"one look of two around a command, {files:,} files", "walk with stat", floor, value, FACTOR)
    finally:
        shutil.rmtree(top, ignore_errors=True)


def walk(root: Path) -> float:
    """Seconds that a bare walk with one stat of each file takes."""
    began = time.perf_counter()
    waiting = [str(root)]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
    return time.perf_counter() - began
