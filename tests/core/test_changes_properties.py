"""Change sets of any trees: what is taken over is what the copy holds; taken back, nothing has been."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pygent.changes.base import Base
from pygent.changes.take_over import apply
from pygent.changes.undoing import undo
from pygent.workspace import Workspace
from tests.core.changed_trees import Pair, listing, quick_folder, snapshot

PATHS = ["a", "b", "a/x", "a/y", "b/x", "c/x/y", "c/x", "c", "a/x/z", "\udcff \n", "c/é"]
LINES = st.lists(st.sampled_from([b"one\n", b"two\n", b"three\n", b"four\n", b"\n"]), max_size=8).map(b"".join)
CONTENTS = st.one_of(LINES, LINES.map(lambda data: data[:-1]), st.just(b"\0binary"), st.just(b"\0other"))
FILES = st.tuples(st.sampled_from([0o644, 0o755, 0o600, 0o444]), CONTENTS)
LINKS = st.sampled_from(["a", "x", "../b", "nowhere"])
TREES = st.dictionaries(st.sampled_from(PATHS), st.one_of(FILES, FILES, FILES, LINKS), max_size=7)
EDITS = st.dictionaries(st.sampled_from(PATHS), st.one_of(st.none(), FILES, FILES, LINKS), max_size=5)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Tree = Mapping[str, tuple[int, bytes] | str | None]


def put(root: Path, tree: Tree) -> None:
    """Write these files and links over what is there; None removes. What is in the way goes."""
    for path, what in tree.items():
        place = root / path
        for above in [*reversed(place.relative_to(root).parents[:-1]), None]:
            one = place if above is None else root / above
            if one.is_symlink() or one.is_file():
                one.unlink()
            elif above is None and one.is_dir():
                shutil.rmtree(one)
        if what is None:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(what, str):
            place.symlink_to(what)
        else:
            place.write_bytes(what[1])
            place.chmod(what[0])


def pair_of(top: Path, tree: Tree, edits: Tree) -> Pair:
    parent = top / "parent"
    parent.mkdir()
    put(parent, tree)
    pair = Pair.__new__(Pair)
    pair.top, pair.parent, pair.child = top, parent, top / "child"
    pair.target = Workspace(parent)
    pair.make()
    put(pair.child, edits)
    return pair


@QUICK
@given(TREES, EDITS)
def test_everything_into_an_untouched_workspace_and_back(tree: Tree, edits: Tree) -> None:
    with quick_folder() as top:
        pair = pair_of(top, tree, edits)
        before = snapshot(pair.parent)
        seen = pair.changes()
        named = seen.paths  # links that lead out as well
        done = apply(pair.base, seen, pair.target, undo=top / "undo", paths=named)
        assert done.conflicts == ()
        assert snapshot(pair.parent, folders=False) == snapshot(pair.child, folders=False)
        assert not pair.changes()
        assert not pair.reopen().changes(listing(pair.child))
        if seen:
            assert undo(top / "undo", pair.target, pair.base) == ()
        assert snapshot(pair.parent) == before
        assert pair.changes() == seen
        assert pair.reopen().changes(listing(pair.child)) == seen
        pair.base.close()


@QUICK
@given(TREES, EDITS, EDITS)
def test_with_changes_on_both_sides(tree: Tree, edits: Tree, meanwhile: Tree) -> None:
    with quick_folder() as top:
        pair = pair_of(top, tree, edits)
        put(pair.parent, meanwhile)
        before = snapshot(pair.parent)
        seen = pair.changes()
        done = apply(pair.base, seen, pair.target, undo=top / "undo", paths=seen.paths)
        after = snapshot(pair.parent)
        conflicts = {conflict.path for conflict in done.conflicts}
        assert pair.changes().paths == tuple(sorted(conflicts))
        touched = set(done.paths)
        for path, what in before.items():
            if path not in touched and what != "folder":
                assert after.get(path) == what
        for change in seen.files:
            if change.path in conflicts:
                assert change.path not in touched
        if (top / "undo").exists():
            assert undo(top / "undo", pair.target, pair.base) == ()
        assert snapshot(pair.parent) == before
        assert pair.changes() == seen
        pair.base.close()


@QUICK
@given(TREES, EDITS, st.data())
def test_a_part_and_then_the_rest(tree: Tree, edits: Tree, data: st.DataObject) -> None:
    with quick_folder() as top:
        pair = pair_of(top, tree, edits)
        before = snapshot(pair.parent)
        seen = pair.changes()
        hunks = {}
        for change in seen.files:
            if change.hunks and data.draw(st.booleans()):
                hunks[change.path] = data.draw(st.sets(st.integers(0, len(change.hunks) - 1)))
        paths = [change.path for change in seen.files if change.path not in hunks and data.draw(st.booleans())]
        done = apply(pair.base, seen, pair.target, undo=top / "undo-1", paths=paths, hunks=hunks)
        part = snapshot(pair.parent)
        for path, what in before.items():
            if path not in done.paths and what != "folder":
                assert part.get(path) == what
        rest = pair.changes()
        again = apply(pair.base, rest, pair.target, undo=top / "undo-2", paths=rest.paths)
        assert again.conflicts == ()
        assert snapshot(pair.parent, folders=False) == snapshot(pair.child, folders=False)
        for name in ("undo-2", "undo-1"):
            if (top / name).exists():
                assert undo(top / name, pair.target, pair.base) == ()
        assert snapshot(pair.parent) == before
        assert pair.changes() == seen
        pair.base.close()


def test_the_examples_are_real(tmp_path: Path) -> None:
    pair = pair_of(tmp_path, {"a/x": (0o644, b"1\n")}, {"a": "b", "c": (0o444, b"")})
    assert isinstance(pair.base, Base)
    assert {change.path: change.kind for change in pair.changes().files} == {
        "a": "added",
        "a/x": "deleted",
        "c": "added",
    }
