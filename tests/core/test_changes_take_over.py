"""Taking changes over: what was chosen and nothing else, merged, all or nothing, and back again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pygent.changes import Applied, OnConflict
from pygent.changes.base import Base
from pygent.changes.merge import Merged, merge
from pygent.changes.take_over import apply, preview
from pygent.changes.undoing import recover, undo
from pygent.errors import WorkspaceError
from tests.core.changed_trees import Pair as Changed
from tests.core.changed_trees import listing, snapshot, write

TEN = b"".join(b"line %d\n" % number for number in range(10))


class Pair(Changed):
    """A pair whose changes are taken over."""

    def apply(self, on_conflict: OnConflict = "leave", name: str = "1", **chosen: object) -> Applied:
        seen = self.changes()
        before = snapshot(self.parent)
        told = preview(self.base, seen, self.target, on_conflict=on_conflict, **chosen)  # type: ignore[arg-type]
        assert snapshot(self.parent) == before
        folder = self.top / "undo" / name
        done = apply(self.base, seen, self.target, undo=folder, on_conflict=on_conflict, **chosen)  # type: ignore[arg-type]
        assert done == told
        return done

    def undo(self, name: str = "1") -> tuple[str, ...]:
        return undo(self.top / "undo" / name, self.target, self.base)


FILES = {"a.txt": TEN, "b.txt": b"b\n", "d/c.txt": b"c\n", "d/bin": b"\0\1", "keep": b"k\n"}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path, FILES)


def change_much(child: Path) -> None:
    write(child, {"a.txt": b"new first\n" + TEN.replace(b"line 5", b"LINE 5"), "new/deep/n": b"n", "d/bin": b"\0\2"})
    (child / "b.txt").unlink()
    (child / "keep").chmod(0o755)
    (child / "d/c.txt").rename(child / "moved.txt")
    (child / "link").symlink_to("a.txt")


def test_all_of_it_into_an_untouched_workspace_is_the_copy(pair: Pair) -> None:
    before = snapshot(pair.parent)
    change_much(pair.child)
    done = pair.apply()
    assert snapshot(pair.parent) == snapshot(pair.child)
    assert done.paths == ("a.txt", "b.txt", "d/bin", "d/c.txt", "keep", "link", "moved.txt", "new/deep/n")
    assert (done.merged, done.conflicts) == ((), ())
    assert not pair.changes()
    assert not Base.open(pair.top / "base", pair.child).changes(listing(pair.child))
    assert pair.undo() == ()
    assert snapshot(pair.parent) == before
    assert len(pair.changes().files) == 7
    with pytest.raises(WorkspaceError, match="taken back already"):
        pair.undo()


def test_nothing_chosen_is_nothing_done(pair: Pair) -> None:
    before = snapshot(pair.parent)
    change_much(pair.child)
    assert pair.apply(paths=[]) == Applied()
    assert pair.apply(hunks={"a.txt": []}) == Applied()
    assert snapshot(pair.parent) == before
    assert not (pair.top / "undo/1").exists()


def test_some_files_and_some_hunks(pair: Pair) -> None:
    change_much(pair.child)
    done = pair.apply(paths=["new", "d/c.txt"], hunks={"a.txt": [1]})
    assert done.paths == ("a.txt", "d/c.txt", "moved.txt", "new/deep/n")
    assert (pair.parent / "a.txt").read_bytes() == TEN.replace(b"line 5", b"LINE 5")
    assert (pair.parent / "b.txt").exists()
    left = pair.changes()
    assert left.paths == ("a.txt", "b.txt", "d/bin", "keep", "link")
    assert len(left.files[0].hunks) == 1
    pair.apply(name="2")
    assert snapshot(pair.parent) == snapshot(pair.child)
    assert pair.undo("2") == ()
    assert pair.undo("1") == ()
    assert len(pair.changes().files) == 7


def test_both_sides_are_merged(pair: Pair) -> None:
    write(pair.child, {"a.txt": TEN.replace(b"line 8", b"CHILD 8")})
    (pair.child / "a.txt").chmod(0o755)
    write(pair.parent, {"a.txt": TEN.replace(b"line 1", b"PARENT 1"), "b.txt": b"mine\n"})
    before = snapshot(pair.parent)
    done = pair.apply()
    assert done == Applied(paths=("a.txt",), merged=("a.txt",))
    assert (pair.parent / "a.txt").read_bytes() == TEN.replace(b"line 1", b"PARENT 1").replace(b"line 8", b"CHILD 8")
    assert (pair.parent / "a.txt").stat().st_mode & 0o777 == 0o755
    pair.undo()
    assert snapshot(pair.parent) == before


def test_a_renamed_file_is_merged_under_its_new_name(pair: Pair) -> None:
    (pair.child / "a.txt").rename(pair.child / "z.txt")
    write(pair.child, {"z.txt": TEN.replace(b"line 8", b"CHILD 8")})
    write(pair.parent, {"a.txt": TEN.replace(b"line 1", b"PARENT 1")})
    before = snapshot(pair.parent)
    assert pair.apply() == Applied(paths=("a.txt", "z.txt"), merged=("z.txt",))
    assert not (pair.parent / "a.txt").exists()
    assert (pair.parent / "z.txt").read_bytes() == TEN.replace(b"line 1", b"PARENT 1").replace(b"line 8", b"CHILD 8")
    pair.undo()
    assert snapshot(pair.parent) == before


def conflicting(pair: Pair) -> None:
    """Changes that cannot be merged, of every sort, beside one that can."""
    write(
        pair.child,
        {"a.txt": TEN.replace(b"line 5", b"CHILD"), "d/bin": b"\0child", "both": b"child\n", "keep": b"K\n"},
    )
    write(pair.parent, {"a.txt": TEN.replace(b"line 5", b"PARENT"), "d/bin": b"\0parent", "both": b"parent\n"})
    (pair.child / "b.txt").unlink()
    write(pair.parent, {"b.txt": b"changed\n"})
    write(pair.child, {"d/c.txt": b"changed\n"})
    (pair.parent / "d/c.txt").unlink()


REASONS = {
    "a.txt": "the same lines were changed on both sides",
    "b.txt": "it was changed here, and is deleted in the change set",
    "both": "it was added on both sides",
    "d/bin": "it was changed on both sides, and has no lines that could be merged",
    "d/c.txt": "it was deleted here",
}


def test_conflicts_are_named_and_left(pair: Pair) -> None:
    conflicting(pair)
    before = snapshot(pair.parent)
    done = pair.apply()
    assert {conflict.path: conflict.reason for conflict in done.conflicts} == REASONS
    assert done.paths == ("keep",)
    assert snapshot(pair.parent) == before | {"keep": (0o644, b"K\n")}
    assert pair.changes().paths == tuple(REASONS)


def test_mine_counts_as_decided(pair: Pair) -> None:
    conflicting(pair)
    before = snapshot(pair.parent)
    done = pair.apply("ours", paths=list(REASONS))
    assert done == Applied()
    assert snapshot(pair.parent) == before
    assert pair.changes().paths == ("keep",)
    assert pair.undo() == ()
    assert pair.changes().paths == tuple(sorted([*REASONS, "keep"]))


def test_theirs_is_the_copy(pair: Pair) -> None:
    conflicting(pair)
    before = snapshot(pair.parent)
    done = pair.apply("theirs")
    assert done.conflicts == ()
    assert snapshot(pair.parent) == snapshot(pair.child)
    assert not pair.changes()
    assert pair.undo() == ()
    assert snapshot(pair.parent) == before


def test_markers_keep_both_texts(pair: Pair) -> None:
    conflicting(pair)
    before = snapshot(pair.parent)
    done = pair.apply("markers")
    assert {conflict.path for conflict in done.conflicts} == set(REASONS)
    assert done.paths == ("a.txt", "both", "keep")
    marked = (pair.parent / "a.txt").read_bytes()
    assert b"<<<<<<< workspace\nPARENT\n=======\nCHILD\n>>>>>>> change set\n" in marked
    assert (pair.parent / "both").read_bytes() == (b"<<<<<<< workspace\nparent\n=======\nchild\n>>>>>>> change set\n")
    assert pair.changes().paths == ("b.txt", "d/bin", "d/c.txt")
    assert pair.undo() == ()
    assert snapshot(pair.parent) == before


def test_the_same_change_on_both_sides_is_none(pair: Pair) -> None:
    for root in (pair.child, pair.parent):
        write(root, {"a.txt": b"same\n", "n": b"new\n"})
        (root / "b.txt").unlink()
    assert pair.apply() == Applied()
    assert not pair.changes()
    assert pair.undo() == ()
    assert pair.changes().paths == ("a.txt", "b.txt", "n")


def test_a_folder_becomes_a_file_and_a_file_a_folder(pair: Pair) -> None:
    before = snapshot(pair.parent)
    (pair.child / "d/c.txt").unlink()
    (pair.child / "d/bin").unlink()
    (pair.child / "d").rmdir()
    write(pair.child, {"d": b"file\n"})
    (pair.child / "b.txt").unlink()
    write(pair.child, {"b.txt/x/y": b"deep\n"})
    done = pair.apply(paths=["d", "b.txt/x/y"])  # without what has to go for them
    assert [(conflict.path, conflict.reason) for conflict in done.conflicts] == [
        ("b.txt/x/y", "'b.txt' is a file here"),
        ("d", "a folder stands there here, with 'd/bin' in it"),
    ]
    assert snapshot(pair.parent) == before
    pair.apply()
    assert snapshot(pair.parent) == snapshot(pair.child)
    assert pair.undo() == ()
    assert snapshot(pair.parent) == before


def test_a_folder_with_ignored_files_does_not_give_way(pair: Pair) -> None:
    write(pair.parent, {"d/ignored.log": b"mine\n"})
    before = snapshot(pair.parent)
    for name in ("d/c.txt", "d/bin"):
        (pair.child / name).unlink()
    (pair.child / "d").rmdir()
    write(pair.child, {"d": b"file\n"})
    done = pair.apply()
    assert [(c.path, c.reason) for c in done.conflicts] == [
        ("d", "a folder stands there here, with 'd/ignored.log' in it")
    ]
    assert (pair.parent / "d/ignored.log").read_bytes() == b"mine\n"
    pair.undo()
    assert snapshot(pair.parent) == before


def test_a_folder_that_is_left_empty_goes_and_comes_back(pair: Pair) -> None:
    (pair.parent / "d").chmod(0o750)
    for name in ("d/c.txt", "d/bin"):
        (pair.child / name).unlink()
    (pair.child / "d").rmdir()
    pair.apply()
    assert not (pair.parent / "d").exists()
    pair.undo()
    assert (pair.parent / "d").stat().st_mode & 0o777 == 0o750
    assert (pair.parent / "d/c.txt").read_bytes() == b"c\n"


def test_nothing_is_written_through_a_link(pair: Pair) -> None:
    outside = pair.top / "outside"
    outside.mkdir()
    write(outside, {"c.txt": b"secret\n"})
    write(pair.child, {"d/c.txt": b"changed\n", "b.txt": b"changed\n", "d/new": b"new\n"})
    (pair.parent / "d").rename(pair.top / "away")
    (pair.parent / "d").symlink_to(outside)
    (pair.parent / "b.txt").unlink()
    (pair.parent / "b.txt").symlink_to(outside / "c.txt")
    for on_conflict in ("leave", "markers", "theirs"):
        done = pair.apply(on_conflict, name=on_conflict, paths=["d/c.txt", "d/new"])  # type: ignore[arg-type]
        assert done.paths == ()
        assert len(done.conflicts) == 2
    assert pair.apply("theirs", paths=["b.txt"]).paths == ("b.txt",)
    assert (outside / "c.txt").read_bytes() == b"secret\n"
    assert os.listdir(outside) == ["c.txt"]
    assert (pair.parent / "b.txt").read_bytes() == b"changed\n"
    assert not (pair.parent / "b.txt").is_symlink()
    pair.undo()
    assert os.readlink(pair.parent / "b.txt") == str(outside / "c.txt")


def test_a_link_that_leads_out_has_to_be_named(pair: Pair) -> None:
    (pair.child / "evil").symlink_to("/etc")
    (pair.child / "fine").symlink_to("d")
    done = pair.apply()
    assert done.paths == ("fine",)
    (conflict,) = done.conflicts
    assert conflict.path == "evil"
    assert "leads out of the workspace, to '/etc'" in conflict.reason
    assert pair.apply(name="2", paths=["evil"]).paths == ("evil",)
    assert os.readlink(pair.parent / "evil") == "/etc"


def test_only_what_was_looked_at_is_taken(pair: Pair) -> None:
    change_much(pair.child)
    seen = pair.changes()
    write(pair.child, {"a.txt": b"something else\n"})
    before = snapshot(pair.parent)
    with pytest.raises(WorkspaceError, match=r"'a.txt' was changed again after its changes were looked at"):
        apply(pair.base, seen, pair.target, undo=pair.top / "undo/1")
    assert snapshot(pair.parent) == before
    assert not (pair.top / "undo/1").exists()
    apply(pair.base, seen, pair.target, undo=pair.top / "undo/1", hunks={"a.txt": [1]})
    assert (pair.parent / "a.txt").read_bytes() == TEN.replace(b"line 5", b"LINE 5")


def test_undo_leaves_what_was_changed_since(pair: Pair) -> None:
    change_much(pair.child)
    pair.apply()
    write(pair.parent, {"a.txt": b"my own\n", "new/deep/mine": b"m"})
    assert pair.undo() == ("a.txt",)
    assert (pair.parent / "a.txt").read_bytes() == b"my own\n"
    assert (pair.parent / "new/deep/mine").exists()
    assert not (pair.parent / "new/deep/n").exists()
    assert (pair.parent / "b.txt").read_bytes() == b"b\n"
    assert "a.txt" not in pair.changes().paths


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"paths": ["nowhere"]}, "'nowhere' has no changes to take over. Changed are: 'a.txt', 'b.txt'"),
        ({"paths": "a.txt"}, "a list of paths is accepted"),
        ({"hunks": {"a.txt": [2]}}, "'a.txt' has no hunk 2: 0 to 1 are accepted"),
        ({"hunks": {"a.txt": ["0"]}}, "'a.txt' has no hunk '0'"),
        ({"hunks": {"d/bin": [0]}}, "it has none, and is taken over whole"),
        ({"hunks": {"new": [0]}}, "hunks are chosen by the path that a file has now"),
        ({"on_conflict": "mine"}, "leave, markers, ours and theirs are accepted"),
    ],
)
def test_bad_choices_are_refused_in_words(pair: Pair, chosen: dict[str, object], words: str) -> None:
    change_much(pair.child)
    before = snapshot(pair.parent)
    with pytest.raises(WorkspaceError, match=words):
        apply(pair.base, pair.changes(), pair.target, undo=pair.top / "undo/1", **chosen)  # type: ignore[arg-type]
    assert snapshot(pair.parent) == before


def test_before_change_is_told_of_every_file(pair: Pair) -> None:
    change_much(pair.child)
    seen: list[tuple[str, bool]] = []
    pair.target.before_change = lambda path: seen.append((path, (pair.parent / path).exists()))
    done = pair.apply()
    assert sorted(path for path, _ in seen) == list(done.paths)
    assert dict(seen)["b.txt"] is True  # it was still there
    assert dict(seen)["new/deep/n"] is False


def test_an_undo_point_needs_a_folder_of_its_own(pair: Pair) -> None:
    change_much(pair.child)
    write(pair.top / "undo/1", {"mine": b"m"})
    before = snapshot(pair.parent)
    with pytest.raises(WorkspaceError, match="is not empty"):
        pair.apply()
    assert snapshot(pair.parent) == before
    assert (pair.top / "undo/1" / "mine").exists()
    assert recover(pair.top / "undo", pair.target, pair.base) == []
    assert (pair.top / "undo/1" / "mine").exists()
    with pytest.raises(WorkspaceError, match="no undo point"):
        pair.undo()


def test_a_large_file_is_taken_over_and_back(pair: Pair) -> None:
    with (pair.child / "large").open("wb") as file:
        file.write(b"x" * (33 * 1024 * 1024))
    before = snapshot(pair.parent)
    pair.apply()
    assert (pair.parent / "large").read_bytes() == (pair.child / "large").read_bytes()
    assert not pair.changes()
    with (pair.child / "large").open("ab") as file:
        file.write(b"y")
    assert pair.apply(name="2").paths == ("large",)
    pair.undo("2")
    pair.undo("1")
    assert snapshot(pair.parent) == before


@pytest.mark.parametrize("git", [True, False])
def test_a_side_that_is_preferred_wins_only_where_both_changed_the_same(git: bool) -> None:
    base = b"".join(b"%d\n" % number for number in range(10))
    here = base.replace(b"1\n", b"here\n").replace(b"5\n", b"five\n")
    there = base.replace(b"1\n", b"there\n").replace(b"9\n", b"nine\n")
    both = base.replace(b"5\n", b"five\n").replace(b"9\n", b"nine\n")
    assert merge(base, here, there, git=git).clean is False
    assert merge(base, here, there, "ours", git=git) == Merged(both.replace(b"1\n", b"here\n"), clean=True)
    assert merge(base, here, there, "theirs", git=git) == Merged(both.replace(b"1\n", b"there\n"), clean=True)


def test_names_that_mean_something_elsewhere(pair: Pair) -> None:
    names = ["~", "~/x", " ", "-rf", "a b/ c ", "$HOME", "*", "\\", "\x1b[31m", "new\nline", "d/~"]
    write(pair.child, {name: name.encode() for name in names if name != "~"})
    done = pair.apply()
    assert done.conflicts == ()
    assert snapshot(pair.parent) == snapshot(pair.child)
    assert pair.undo() == ()


def test_a_path_that_is_too_deep_is_left_out(pair: Pair) -> None:
    deep = "/".join(["x"] * 300)
    place = pair.child
    for _ in range(300):
        place /= "x"
    place.mkdir(parents=True)
    (place / "f").write_bytes(b"f")
    found = pair.base.changes([f"{deep}/f", "x/" * 100 + "g"])
    assert not found.files
    assert len(found.notes) == 1
    assert "is no path that could be taken over" in found.notes[0]


def test_notes_have_an_end(pair: Pair) -> None:
    found = pair.base.changes([f"repository{number}/" for number in range(500)])
    assert len(found.notes) == 101
    assert found.notes[-1] == "400 more were left out."
