"""A copy of a workspace and what was changed in it: every byte, mode and name as it is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.changes.base import Base
from pygent.changes.data import KEEP_LIMIT
from pygent.errors import Cancelled, WorkspaceError
from pygent.workspace import Workspace
from tests.core.changed_trees import listing, write


class Copy:
    """A workspace, and the copy of it that a child works in."""

    def __init__(self, top: Path, files: dict[str, bytes]) -> None:
        self.top = top
        self.source = top / "source"
        self.source.mkdir()
        write(self.source, files)
        self.root = top / "root"

    def make(self) -> Base:
        self.base = Base.make(Workspace(self.source), listing(self.source), self.root, self.top / "base")
        return self.base

    def changes(self) -> dict[str, str]:
        found = self.base.changes(listing(self.root))
        return {change.path: change.kind for change in found.files}


FILES = {"a.txt": b"one\ntwo\nthree\n", "d/b.bin": bytes(range(256)), "d/e/c.txt": b"no end", "empty": b""}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path, FILES)


def test_a_copy_is_the_same_and_has_no_changes(copy: Copy) -> None:
    (copy.source / "run").write_bytes(b"#!/bin/sh\n")
    (copy.source / "run").chmod(0o751)
    (copy.source / "link").symlink_to("d/b.bin")
    (copy.source / "out").symlink_to("/etc")
    (copy.source / "private").mkdir(0o700)
    (copy.source / "private/key").write_bytes(b"k")
    os.utime(copy.source / "a.txt", ns=(1, 1_234_567_890))
    base = copy.make()
    assert base.notes == ()
    assert base.paths == tuple(sorted(listing(copy.source)))
    for path, data in FILES.items():
        assert (copy.root / path).read_bytes() == data
    assert (copy.root / "run").stat().st_mode & 0o777 == 0o751
    assert (copy.root / "private").stat().st_mode & 0o777 == 0o700
    assert (copy.root / "a.txt").stat().st_mtime_ns == 1_234_567_890
    assert os.readlink(copy.root / "link") == "d/b.bin"
    assert os.readlink(copy.root / "out") == "/etc"
    assert copy.changes() == {}
    assert not base.changes([])


def test_every_kind_of_change_is_found(copy: Copy) -> None:
    write(copy.source, {"old name": b"a long line that stays\n" * 5, "exact": b"just moved\n", "mode": b"m\n"})
    base = copy.make()
    root = copy.root
    write(root, {"a.txt": b"one\nTWO\nthree\nfour\n", "new/n.txt": b"1\n2\n"})
    (root / "d/b.bin").unlink()
    (root / "mode").chmod(0o755)
    (root / "exact").rename(root / "d/moved")
    (root / "old name").unlink()
    (root / "new name").write_bytes(b"a long line that stays\n" * 4 + b"another\n")
    (root / "to").symlink_to("a.txt")
    found = base.changes(listing(root))
    assert {change.path: (change.kind, change.old_path) for change in found.files} == {
        "a.txt": ("changed", None),
        "d/b.bin": ("deleted", None),
        "d/moved": ("renamed", "exact"),
        "mode": ("changed", None),
        "new name": ("renamed", "old name"),
        "new/n.txt": ("added", None),
        "to": ("added", None),
    }
    text = found.of("a.txt")
    assert text is not None
    assert [(h.old_start, h.removed, h.new_start, h.added) for h in text.hunks] == [
        (1, (b"two\n",), 1, (b"TWO\n",)),
        (3, (), 3, (b"four\n",)),
    ]
    assert (text.old_size, text.new_size, text.binary, text.lines) == (14, 19, False, (2, 1))
    mode = found.of("mode")
    assert mode is not None
    assert (mode.old_mode, mode.new_mode, mode.mode_changed, mode.hunks) == (0o644, 0o755, True, ())
    binary, link, added = found.of("d/b.bin"), found.of("to"), found.of("new/n.txt")
    assert binary is not None
    assert (binary.binary, binary.hunks, binary.new_size, binary.new_mode) == (True, (), None, None)
    assert link is not None
    assert (link.link, link.leads_out, link.binary) == ("a.txt", False, False)
    assert added is not None
    assert added.lines == (2, 0)
    assert base.contents("a.txt") == (FILES["a.txt"], b"one\nTWO\nthree\nfour\n")
    assert base.contents("new name", "old name")[0] == b"a long line that stays\n" * 5
    assert base.contents("new/n.txt") == (None, b"1\n2\n")
    assert base.contents("d/b.bin") == (FILES["d/b.bin"], None)
    assert base.contents("to") == (None, b"a.txt")


def test_a_change_that_keeps_size_and_time_is_found(copy: Copy) -> None:
    copy.make()
    before = (copy.root / "a.txt").stat()
    (copy.root / "a.txt").write_bytes(b"one\nTWO\nthree\n")
    os.utime(copy.root / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert copy.changes() == {"a.txt": "changed"}
    (copy.root / "a.txt").write_bytes(FILES["a.txt"])
    assert copy.changes() == {}


@pytest.mark.parametrize(
    ("link", "out"),
    [
        ("../x", False),
        ("../../x", True),
        ("/etc/passwd", True),
        ("x/../../../y", True),
        ("./e/x", False),
        ("..", False),
    ],
)
def test_it_is_said_whether_a_link_leads_out(copy: Copy, link: str, out: bool) -> None:
    base = copy.make()
    (copy.root / "d/link").symlink_to(link)
    found = base.changes(["d/link"]).of("d/link")
    assert found is not None
    assert found.leads_out is out


def test_a_folder_becomes_a_file_and_a_file_a_folder(copy: Copy) -> None:
    copy.make()
    for path in ("d/b.bin", "d/e/c.txt"):
        (copy.root / path).unlink()
    (copy.root / "d/e").rmdir()
    (copy.root / "d").rmdir()
    (copy.root / "d").write_bytes(b"a file\n")
    (copy.root / "a.txt").unlink()
    write(copy.root, {"a.txt/inside": b"x\n"})
    assert copy.changes() == {
        "a.txt": "deleted",
        "a.txt/inside": "added",
        "d": "added",
        "d/b.bin": "deleted",
        "d/e/c.txt": "deleted",
    }


def test_a_folder_that_is_a_link_now_is_not_looked_into(copy: Copy) -> None:
    base = copy.make()
    secret = copy.top / "secret"
    write(secret, {"b.bin": b"secret", "e/c.txt": b"secret"})
    (copy.root / "d").rename(copy.top / "away")
    (copy.root / "d").symlink_to(secret)
    found = base.changes(["d", "d/b.bin", "d/new"])
    assert {change.path: change.kind for change in found.files} == {
        "d": "added",
        "d/b.bin": "deleted",
        "d/e/c.txt": "deleted",
    }
    assert base.contents("d/b.bin") == (FILES["d/b.bin"], None)


def test_names_of_all_sorts(copy: Copy) -> None:
    names = [
        "with space",
        "line\nbreak",
        "日本語",
        "-n",
        "a\\b",
        '"q"',
        os.fsdecode(b"\xff\xfe"),
        "é",
        "e\u0301",
        "A.txt",
    ]
    write(copy.source, {f"n/{name}": name.encode("utf-8", "surrogateescape") for name in names})
    base = copy.make()
    assert copy.changes() == {}
    for name in names:
        with (copy.root / "n" / name).open("ab") as file:
            file.write(b"\nmore\n")
    base = Base.open(copy.top / "base", copy.root)
    found = base.changes(listing(copy.root))
    assert set(found.paths) == {f"n/{name}" for name in names}
    assert base.contents("n/line\nbreak") == (b"line\nbreak", b"line\nbreak\nmore\n")


def test_what_is_no_file_is_named_and_left_out(copy: Copy) -> None:
    os.mkfifo(copy.source / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(copy.source / "socket"))
        base = copy.make()
        assert [note.split(" ")[0] for note in base.notes] == ["'pipe'", "'socket'"]
        assert sorted(os.listdir(copy.root)) == ["a.txt", "d", "empty"]
    os.mkfifo(copy.root / "pipe")
    (copy.root / "empty").unlink()
    os.mkfifo(copy.root / "empty")
    found = base.changes([*listing(copy.root), "repo/", "../x", "/etc/passwd", "", "gone"])
    assert not found.files
    assert [note.split("'")[1] for note in found.notes] == ["empty", "", "../x", "/etc/passwd", "pipe", "repo/"]


@pytest.mark.parametrize("name", [".git/config", "sub/.git/hooks/pre-commit", ".GIT/config", ".g\u200cit/config"])
def test_git_is_never_part_of_it(copy: Copy, name: str) -> None:
    write(copy.source, {name: b"x"})
    base = copy.make()
    assert name not in base
    write(copy.root, {name: b"y"})
    assert copy.changes() == {}


def test_a_large_file_is_compared_by_its_digest(copy: Copy) -> None:
    with (copy.source / "large").open("wb") as file:
        file.write(b"begin")
        file.seek(KEEP_LIMIT + 5)
        file.write(b"end")
    base = copy.make()
    assert (copy.root / "large").read_bytes() == (copy.source / "large").read_bytes()
    assert (copy.root / "large").stat().st_blocks * 512 < KEEP_LIMIT  # it still has its hole
    os.utime(copy.root / "large")
    assert copy.changes() == {}
    with (copy.root / "large").open("r+b") as file:
        file.seek(1000)
        file.write(b"x")
    change = base.changes([]).of("large")
    assert change is not None
    assert (change.kind, change.binary, change.hunks) == ("changed", True, ())
    assert base.contents("large") == (None, None)


def test_a_terabyte_of_nothing_costs_nothing(copy: Copy) -> None:
    with (copy.source / "sparse").open("wb") as file:
        file.truncate(1024**4)
    copy.make()
    assert (copy.root / "sparse").stat().st_size == 1024**4
    with (copy.root / "sparse").open("r+b") as file:
        file.seek(1024**4 // 2)
        file.write(b"x")
    assert copy.changes() == {"sparse": "changed"}


def test_the_base_is_there_after_a_crash(copy: Copy) -> None:
    copy.make()
    write(copy.root, {"a.txt": b"other\n", "b.txt": b"new\n"})
    again = Base.open(copy.top / "base", copy.root)
    found = again.changes(listing(copy.root))
    assert [change.path for change in found.files] == ["a.txt", "b.txt"]
    again.accept([change for change in found.files if change.path == "b.txt"])
    with (copy.top / "base/log.jsonl").open("ab") as file:
        file.write(b'{"a.txt":["fil')  # killed in the middle of a line
    third = Base.open(copy.top / "base", copy.root)
    found = third.changes(listing(copy.root))
    assert [change.path for change in found.files] == ["a.txt"]
    third.accept(found.files)
    assert not Base.open(copy.top / "base", copy.root).changes(listing(copy.root))


def test_what_is_no_base_is_refused_in_words(copy: Copy) -> None:
    with pytest.raises(WorkspaceError, match="was not finished, or not made here"):
        Base.open(copy.top / "base", copy.root)
    copy.make()
    (copy.top / "base/manifest.json").write_bytes(b"{}")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        Base.open(copy.top / "base", copy.root)
    with pytest.raises(WorkspaceError, match="is not empty"):
        Base.make(Workspace(copy.source), ["a.txt"], copy.root, copy.top / "other")
    assert (copy.root / "a.txt").exists()
    with pytest.raises(WorkspaceError, match=r"without '\.\.'"):
        Base.make(Workspace(copy.source), ["../x"], copy.top / "r2", copy.top / "b2")


def test_a_copy_that_is_cancelled_leaves_nothing(copy: Copy) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        Base.make(Workspace(copy.source), listing(copy.source), copy.root, copy.top / "base", cancel=cancel)
    assert os.listdir(copy.root) == []
    assert os.listdir(copy.top / "base") == []


def test_progress_is_told(copy: Copy) -> None:
    write(copy.source, {f"many/{number}": b"x" for number in range(1500)})
    seen: list[tuple[int, int]] = []
    Base.make(
        Workspace(copy.source),
        listing(copy.source),
        copy.root,
        copy.top / "base",
        on_progress=lambda done, of: seen.append((done, of)),
    )
    assert seen[-1] == (1504, 1504)


def test_a_part_of_the_hunks_is_accepted_and_the_rest_stays(copy: Copy) -> None:
    base = copy.make()
    write(copy.root, {"a.txt": b"zero\none\ntwo\nTHREE\n"})
    change = base.changes([]).of("a.txt")
    assert change is not None
    assert len(change.hunks) == 2
    before = base.accept([change], {"a.txt": [1]})
    left = base.changes([]).of("a.txt")
    assert left is not None
    assert left.hunks == (change.hunks[0],)
    assert base.contents("a.txt") == (b"one\ntwo\nTHREE\n", b"zero\none\ntwo\nTHREE\n")
    base.record(before)
    again = base.changes([]).of("a.txt")
    assert again == change


def test_nothing_is_accepted_that_was_not_looked_at(copy: Copy) -> None:
    base = copy.make()
    write(copy.root, {"a.txt": b"one\n"})
    found = base.changes([])
    write(copy.root, {"a.txt": b"another\n"})
    with pytest.raises(WorkspaceError, match="was changed again"):
        base.accept(found.files)
    assert copy.changes() == {"a.txt": "changed"}
