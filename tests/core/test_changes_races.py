"""Taking changes over while others write: what they wrote is never lost, and each does all or nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygent.changes.base import Base
from pygent.changes.hunks import split
from pygent.changes.merge import merge
from pygent.changes.take_over import apply
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace
from tests.core.changed_trees import Pair, listing, quick_folder, snapshot, write

LINES = [b"%d\n" % number for number in range(40)]


def test_what_another_writes_meanwhile_is_not_lost() -> None:
    with quick_folder() as top:
        pair = Pair(top, {"f": b"".join(LINES), "g": b"g\n"})
        stop = threading.Event()
        last = 0

        def writing() -> None:
            nonlocal last
            other = Workspace(pair.parent)
            while not stop.is_set():
                last += 1
                other.write_bytes("f", b"count %d\n" % last + b"".join(LINES))
                time.sleep(0.004)

        thread = threading.Thread(target=writing)
        thread.start()
        done = 0
        refused: list[str] = []
        ends = time.monotonic() + 1.5
        try:
            for number in range(1000):
                if time.monotonic() > ends:
                    break
                write(pair.child, {"f": b"".join([*LINES[:-1], b"child %d\n" % number]), "g": b"g %d\n" % number})
                try:
                    apply(pair.base, pair.changes(), pair.target, undo=top / f"undo/{number}", on_conflict="ours")
                    done += 1
                except WorkspaceError as error:
                    refused.append(str(error))
        finally:
            stop.set()
            thread.join()
        assert done + len(refused) > 5
        assert all("meanwhile" in text for text in refused), refused
        assert (pair.parent / "f").read_bytes().startswith(b"count %d\n" % last)
        assert sorted(snapshot(pair.parent)) == ["f", "g"]  # and nothing is left behind


def test_several_at_once_each_do_all_or_nothing(tmp_path: Path) -> None:
    with quick_folder() as top:
        names = [f"f{number}" for number in range(6)]
        parent = top / "parent"
        write(parent, {name: b"".join(LINES) for name in names})
        target = Workspace(parent)
        bases: list[Base] = []
        for number in range(4):
            child = top / f"child{number}"
            bases.append(Base.make(target, names, child, top / f"base{number}"))
            line = number * 8
            text = b"".join([*LINES[:line], b"of %d\n" % number, *LINES[line + 1 :]])
            write(child, dict.fromkeys(names, text))
        results: dict[int, str] = {}
        barrier = threading.Barrier(len(bases))

        def take(number: int) -> None:
            base = bases[number]
            barrier.wait()
            try:
                apply(base, base.changes(listing(base.root)), target, undo=top / f"undo{number}")
                results[number] = "applied"
            except WorkspaceError as error:
                results[number] = str(error)

        threads = [threading.Thread(target=take, args=(number,)) for number in range(len(bases))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(snapshot(parent)) == names
        for number, base in enumerate(bases):
            has = [b"of %d\n" % number in (parent / name).read_bytes() for name in names]
            assert all(has) if results[number] == "applied" else not any(has), results
            assert (not base.changes([])) == (results[number] == "applied")


TEXTS = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n", b"\n", b"e\r\n"]), max_size=9).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_no_line_of_either_side_is_lost_without_git(base: bytes, here: bytes, there: bytes) -> None:
    merged = merge(base, here, there, git=False)
    lines = split(merged.data)
    for side in (here, there):
        for line in set(split(side)) - set(split(base)):
            assert line in lines
    assert merge(base, there, here, git=False).clean == merged.clean
    if base == here:
        assert merged.data == there


@pytest.mark.parametrize("git", [True, False])
def test_lines_apart_merge_the_same_way_with_and_without_git(git: bool) -> None:
    for first in range(0, 36, 5):
        for second in range(0, 36, 7):
            if abs(first - second) < 2:
                continue
            here, there, both = list(LINES), list(LINES), list(LINES)
            here[first] = both[first] = b"here\n"
            there[second] = both[second] = b"there\n"
            merged = merge(b"".join(LINES), b"".join(here), b"".join(there), git=git)
            assert merged.clean
            assert merged.data == b"".join(both)
