"""Kills processes in the middle of taking changes over and back, and looks at what is left. Run by a test.

Each attempt is a process of its own that ends itself with SIGKILL at one line of the code that writes, a line further
each time, until one gets through. Afterwards both sides are as they were, or as they were to become.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from pygent.changes.take_over import apply
from pygent.changes.undoing import is_undone, recover, undo
from pygent.errors import PygentError
from pygent.workspace import Workspace
from tests.core.changed_trees import Pair, listing, quick_folder, snapshot, write

TRACED = ("transaction.py", "journal.py", "pack.py", "undoing.py", "take_over.py")
FILES = {"a": b"1\n2\n3\n4\n", "b": b"gone\n", "d/x": b"x\n", "d/y": b"y\n", "f": b"file\n", "m": b"old name\n" * 9}


def killed(work: Callable[[], object], line: int) -> bool:
    """Do the work in a process of its own, killed at the given line; answers whether it came so far."""
    pid = os.fork()
    if pid == 0:
        seen = 0

        def trace(frame: FrameType, event: str, _argument: object) -> object:
            nonlocal seen
            if not frame.f_code.co_filename.endswith(TRACED):
                return None
            if event == "line":
                seen += 1
                if seen >= line:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            work()
        finally:
            os._exit(3)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def change(pair: Pair) -> None:
    write(pair.child, {"a": b"0\n1\n2\n3\nfour\n", "n/e/w": b"new\n"})
    (pair.child / "b").unlink()
    (pair.child / "d/x").unlink()
    (pair.child / "d/y").unlink()
    (pair.child / "d").rmdir()
    write(pair.child, {"d": b"a file\n"})
    (pair.child / "f").unlink()
    write(pair.child, {"f/in": b"in\n"})
    (pair.child / "m").rename(pair.child / "moved")
    (pair.child / "link").symlink_to("a")
    write(pair.parent, {"a": b"1\n2\nmid\n3\n4\n", "ignored": b"mine\n"})


def attempts(
    pair: Pair, work: Callable[[], object], *, step: int, first: dict[str, object], then: dict[str, object]
) -> int:
    """Kill the work at every ``step``-th line; answers how often it was killed."""
    count = 0
    line = 1
    undos = pair.top / "undo"
    while killed(work, line):
        count += 1
        base = pair.reopen()
        if count % 3 == 0:  # and putting it right is killed as well
            killed(lambda base=base: recover(undos, pair.target, base), 1 + line % 97)  # type: ignore[misc]
            base = pair.reopen()
        recover(undos, pair.target, base)
        now = snapshot(pair.parent)
        rest = base.changes(listing(pair.child)).paths
        if now == then["files"] and rest == then["rest"]:
            return count  # killed after it was done
        assert now == first["files"], (line, sorted(now.keys() ^ first["files"].keys()))  # type: ignore[attr-defined]
        assert rest == first["rest"], (line, rest)
        assert recover(undos, pair.target, base) == []
        line += step
        if "-v" in sys.argv:
            print(line, count, time.monotonic(), flush=True)
    return count


def main(step: int, kernel: bool) -> None:
    with quick_folder() as top:
        pair = Pair(top / "try", FILES)
        pair.target = Workspace(pair.parent, kernel=kernel)
        change(pair)
        first = {"files": snapshot(pair.parent), "rest": pair.changes().paths}

        model = Pair(top / "model", FILES)
        change(model)
        apply(model.base, model.changes(), model.target, undo=top / "model-undo")
        then = {"files": snapshot(model.parent), "rest": model.changes().paths}
        assert then["rest"] == ()

        def forward() -> None:
            apply(pair.base, pair.changes(), pair.target, undo=top / "try/undo/1")

        def back() -> None:
            undo(top / "try/undo/1", pair.target, pair.base)

        counts = [attempts(pair, forward, step=step, first=first, then=then)]
        if not (top / "try/undo/1").exists():
            forward()
        assert snapshot(pair.parent) == then["files"]
        counts.append(attempts(pair, back, step=step, first=then, then=first))
        if not is_undone(top / "try/undo/1"):
            back()
        assert snapshot(pair.parent) == first["files"]
        changed_after_a_crash(pair, first)
        print(json.dumps(counts))


def changed_after_a_crash(pair: Pair, first: dict[str, object]) -> None:
    """What a person writes after the crash, before it is put right, stays; and so does what was there before."""
    undos = pair.top / "again"
    line = 1
    while (pair.parent / "a").read_bytes() == b"1\n2\nmid\n3\n4\n":
        recover(undos, pair.target, pair.reopen())
        assert killed(lambda: apply(pair.base, pair.changes(), pair.target, undo=undos / "1"), line)
        line += 37
    (pair.parent / "a").write_bytes(b"by hand\n")
    told = recover(undos, pair.target, pair.reopen())
    (kept,) = undos.iterdir()
    assert told[1:] == [f"'a' was changed since; it stays, and what it was is kept in {str(kept)!r}."], told
    assert snapshot(pair.parent) == first["files"] | {"a": (0o644, b"by hand\n")}  # type: ignore[operator]
    assert b"1\n2\nmid\n3\n4\n" in [path.read_bytes() for path in kept.iterdir()]
    assert pair.changes().paths == first["rest"]
    assert recover(undos, pair.target, pair.base) == []
    assert kept.exists()


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), kernel=sys.argv[2] == "kernel")
    except PygentError as error:
        print(f"{type(error).__name__}: {error}")
        raise
    assert Path(__file__).exists()
