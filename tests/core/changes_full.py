"""Takes changes over, and back, on a file system that is full, with a little more room each time. Run by a test."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pygent.changes.base import Base
from pygent.changes.take_over import apply
from pygent.changes.undoing import recover, undo
from pygent.errors import WorkspaceError
from tests.core.changed_trees import Pair, listing, snapshot, write

STEP = 16 * 1024


def with_room(top: Path, room: int, work: Callable[[], object]) -> str:
    """Do the work with so many bytes left; answers what it said where it failed."""
    filler = top / "filler"
    found = os.statvfs(top)
    with filler.open("wb") as file:
        file.write(bytes(max(0, found.f_bavail * found.f_frsize - room)))
    try:
        work()
    except WorkspaceError as error:
        return str(error)
    finally:
        filler.unlink()
    return ""


def tried(top: Path, work: Callable[[], object], check: Callable[[], None]) -> int:
    """Give more room until it works; answers how often it did not, and looks each time."""
    for count in range(200):
        said = with_room(top, count * STEP, work)
        if not said:
            return count
        assert said.endswith("the disk is full."), said
        check()
    raise AssertionError("it never worked")


def main(top: Path) -> None:
    pair = Pair(top / "pair", {"a": b"1\n2\n3\n", "big": os.urandom(90_000), "b": b"b\n"})
    write(pair.child, {"a": b"1\ntwo\n3\n", "new/n": os.urandom(70_000), "big": os.urandom(110_000)})
    (pair.child / "b").unlink()
    before, seen, model = snapshot(pair.parent), pair.changes(), snapshot(pair.child)
    undos = pair.top / "undo"

    def untouched(files: dict[str, object], paths: tuple[str, ...]) -> Callable[[], None]:
        def check() -> None:
            assert snapshot(pair.parent) == files
            assert pair.changes().paths == paths
            base = pair.reopen()
            assert base.changes(listing(pair.child)).paths == paths
            assert recover(undos, pair.target, base) == []

        return check

    def forward() -> None:
        apply(pair.base, seen, pair.target, undo=undos / "1")

    counts = [tried(top, forward, untouched(before, seen.paths))]
    assert snapshot(pair.parent) == model
    counts.append(tried(top, lambda: undo(undos / "1", pair.target, pair.base), untouched(model, ())))
    assert snapshot(pair.parent) == before
    assert pair.changes() == seen

    def copy() -> None:
        Base.make(pair.target, listing(pair.parent), top / "copy", top / "kept")

    def nothing_left() -> None:
        assert os.listdir(top / "copy") == os.listdir(top / "kept") == []

    counts.append(tried(top, copy, nothing_left))
    print(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
