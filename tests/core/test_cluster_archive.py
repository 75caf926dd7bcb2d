"""Archives of workspaces: nothing is lost on the way, and nothing gets out of the folder they are unpacked in."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pygent.cluster.archive import everything, pack, pack_all, remove, stamps, touched, unpack
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace


def _workspace(folder: Path) -> Workspace:
    folder.mkdir(parents=True, exist_ok=True)
    return Workspace(folder)


def _tree(folder: Path) -> dict[bytes, tuple[object, ...]]:
    out: dict[bytes, tuple[object, ...]] = {}
    top = os.fsencode(folder)
    for above, folders, names in os.walk(top):
        for name in (*folders, *names):
            path = os.path.join(above, name)
            found = os.lstat(path)
            if os.path.islink(path):
                content: object = os.readlink(path)
            elif os.path.isdir(path):
                content = "folder"
            else:
                content = (Path(os.fsdecode(path)).read_bytes(), found.st_mode & 0o777)
            out[os.path.relpath(path, top)] = (content,)
    return out


def _archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _file(
    name: str, data: bytes = b"x", *, kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, data


def test_a_workspace_comes_out_as_it_went_in(tmp_path: Path) -> None:
    source = _workspace(tmp_path / "a")
    (source.root / "run me.sh").write_text("#!/bin/sh\n")
    (source.root / "run me.sh").chmod(0o755)
    (source.root / "read only").write_text("x")
    (source.root / "read only").chmod(0o444)
    (source.root / "zwei\nZeilen").mkdir()
    (source.root / "zwei\nZeilen" / "日本語.txt").write_bytes(bytes(range(256)) * 300)
    (source.root / "empty" / "deep").mkdir(parents=True)
    (source.root / "~").write_text("a home folder is meant elsewhere")
    (source.root / "out").symlink_to("/etc/passwd")
    (source.root / "in").symlink_to("read only")
    (source.root / "nowhere").symlink_to("gone")
    Path(os.fsdecode(os.fsencode(source.root) + b"/latin-\xe9")).write_text("not UTF-8")
    packed = pack(source, everything(source), whole=True)
    target = _workspace(tmp_path / "b")
    written = unpack(packed.data, target)
    assert _tree(target.root) == _tree(source.root)
    assert packed.left_out == ()
    assert "zwei\nZeilen/日本語.txt" in written
    assert "empty" not in written


_names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."} and name.strip() and len(name.encode()) < 200
)
_paths = st.lists(_names, min_size=1, max_size=3).map("/".join)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(_paths, st.binary(max_size=200), max_size=6))
def test_any_names_and_contents_come_through(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    top = tmp_path_factory.mktemp("names")
    source = _workspace(top / "a")
    for path, data in files.items():
        place = source.root / path
        if not any(parent.is_file() for parent in place.parents) and not place.is_dir():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    target = _workspace(top / "b")
    unpack(pack(source, everything(source), whole=True).data, target)
    assert _tree(target.root) == _tree(source.root)
    shutil.rmtree(top)


@pytest.mark.hostile(69)
@pytest.mark.parametrize(
    "members",
    [
        [_file("../evil")],
        [_file("a/../../evil")],
        [_file("/tmp/evil-absolute")],
        [_file("a", b"", kind=tarfile.SYMTYPE, link=".."), _file("a/evil")],
        [_file("a", b"", kind=tarfile.SYMTYPE, link="/tmp"), _file("a/evil")],
        [_file("a", b"", kind=tarfile.LNKTYPE, link="/etc/passwd")],
        [_file("a", b"", kind=tarfile.FIFOTYPE)],
        [_file("a", b"", kind=tarfile.CHRTYPE)],
        [_file("a\0b")],
    ],
)  # fmt: skip
def test_a_hostile_archive_writes_nothing_outside(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    target = _workspace(tmp_path / "w")
    before = sorted(path.name for path in tmp_path.iterdir())
    data = _archive(*members)
    if members[0][0].name == "/tmp/evil-absolute" or "\0" in members[0][0].name:
        unpack(data, target)  # such a name is one below the workspace, or ends at the NUL
        assert not Path("/tmp/evil-absolute").exists()
    else:
        with pytest.raises(WorkspaceError):
            unpack(data, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert not Path("/tmp/evil").exists()


@pytest.mark.hostile(3, 69)
def test_a_link_that_is_overwritten_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "precious"
    outside.write_text("mine")
    target = _workspace(tmp_path / "w")
    (target.root / "a").symlink_to(outside)
    unpack(_archive(_file("a", b"theirs")), target)
    assert outside.read_text() == "mine"
    assert (target.root / "a").read_text() == "theirs"


def test_a_file_takes_the_place_of_a_folder_and_the_other_way_round(tmp_path: Path) -> None:
    target = _workspace(tmp_path / "w")
    (target.root / "a").mkdir()
    (target.root / "a" / "x").write_text("x")
    (target.root / "b").write_text("b")
    remove(target, ["a/x", "b", "never there"])
    unpack(_archive(_file("a", b"file"), _file("b/y", b"below")), target)
    assert (target.root / "a").read_text() == "file"
    assert (target.root / "b" / "y").read_text() == "below"


def test_changes_never_bring_a_repository_s_internals(tmp_path: Path) -> None:
    target = _workspace(tmp_path / "w")
    for name in (".git/hooks/post-checkout", "sub/.GIT/config"):
        with pytest.raises(WorkspaceError, match="belongs to git"):
            unpack(_archive(_file(name)), target, repositories=False)
    assert list(target.root.iterdir()) == []


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", gzip.compress(b"no tar at all" * 100, mtime=0)[:-20]],
    ids=["empty", "text", "cut off"],
)
def test_a_damaged_archive_is_an_error_in_words(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(WorkspaceError, match=r"damaged|cannot be unpacked"):
        unpack(data, _workspace(tmp_path / "w"))


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge")
    info.size = 1 << 50
    with pytest.raises(WorkspaceError, match="more than a workspace may"):
        unpack(gzip.compress(info.tobuf()), _workspace(tmp_path / "w"))


def test_what_is_too_large_to_send_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    source = _workspace(tmp_path / "w")
    (source.root / "noise").write_bytes(os.urandom(3 * 1024 * 1024))
    with pytest.raises(WorkspaceError, match=r"more than 1 MiB, even compressed.*Give the task the files"):
        pack(source, everything(source), limit=1024 * 1024, whole=True)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    source = _workspace(tmp_path / "w")
    os.mkfifo(source.root / "pipe")
    (source.root / "file").write_text("x")
    packed = pack(source, everything(source))
    assert packed.left_out == ("'pipe' is neither a file nor a link.",)
    assert packed.count == 1
    with pytest.raises(WorkspaceError, match="pipe"):
        pack(source, everything(source), whole=True)


def test_a_sparse_terabyte_is_left_out(tmp_path: Path) -> None:
    source = _workspace(tmp_path / "w")
    with (source.root / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert "too large to be sent" in pack(source, ["sparse"]).left_out[0]


def test_touched_files_are_found_and_others_are_not(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path / "w")
    for name in ("same", "content", "mode", "gone", "link", "ignored"):
        (workspace.root / name).write_text(name)
    before = stamps(workspace, everything(workspace))
    (workspace.root / "content").write_text("CONTENT")
    os.utime(workspace.root / "content", ns=(before["content"][2], before["content"][2]))
    (workspace.root / "mode").chmod(0o755)
    (workspace.root / "gone").unlink()
    (workspace.root / "link").unlink()
    (workspace.root / "link").symlink_to("same")
    (workspace.root / "ignored").write_text("it was there from the start")
    (workspace.root / "new").write_text("new")
    changed, gone = touched(workspace, before, ["same", "new"])
    assert sorted(changed) == ["content", "ignored", "link", "mode", "new"]
    assert gone == ["gone"]


def test_what_belongs_to_git_or_lies_outside_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    target = _workspace(tmp_path / "w")
    (target.root / ".git").mkdir()
    (target.root / ".git" / "HEAD").write_text("ref")
    (target.root / "link").symlink_to(tmp_path)
    remove(target, [".git/HEAD", "../outside", str(tmp_path / "outside"), "link/outside", "no\0name"])
    assert (target.root / ".git" / "HEAD").exists()
    assert (tmp_path / "outside").exists()


def test_a_repository_that_is_too_large_stays_behind(tmp_path: Path) -> None:
    source = _workspace(tmp_path / "w")
    (source.root / ".git" / "objects").mkdir(parents=True)
    (source.root / ".git" / "objects" / "pack").write_bytes(os.urandom(200_000))
    (source.root / "code.py").write_text("x")
    assert pack_all(source).left_out == ()
    packed = pack_all(source, limit=100_000)
    assert packed.left_out == ("the repository (.git), which is too large to be sent",)
    target = _workspace(tmp_path / "t")
    assert unpack(packed.data, target) == ["code.py"]
    (source.root / "noise").write_bytes(os.urandom(200_000))
    with pytest.raises(WorkspaceError, match="which is the most that is sent"):
        pack_all(source, limit=100_000)
