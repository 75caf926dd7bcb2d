"""The workspace: nothing outside it is read or written, and a write is whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pygent.confined import openat2
from pygent.errors import PathOutsideWorkspace, WorkspaceError
from pygent.workspace import Entry, Workspace

SECRET = "secret-of-the-outside"


@pytest.fixture(params=["kernel", "walk"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """A workspace beside a file and a folder that it must not reach."""
    kernel = request.param == "kernel"
    if kernel and openat2() is None:
        pytest.skip("this kernel has no openat2")
    root = tmp_path / "ws"
    root.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text(SECRET)
    evil = tmp_path / "ws-evil"
    evil.mkdir()
    (evil / "f").write_text(SECRET)
    return Workspace(root, aliases=("/workspace",), kernel=kernel)


def outside(workspace: Workspace) -> Path:
    return workspace.root.parent / "outside"


def snapshot(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- names


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", "a.py"),
        ("./src//a.py", "src/a.py"),
        ("src/../a.py", "a.py"),
        (".", "."),
        ("src/", "src"),
        ("/workspace", "."),
        ("/workspace/src/a.py", "src/a.py"),
        ("//workspace/a.py", "a.py"),
        ("..a", "..a"),
        ("~a", "~a"),
        (" a b ", " a b "),
    ],
)
def test_names_are_normalised(workspace: Workspace, path: str, expected: str) -> None:
    assert workspace.relative(path) == expected


def test_absolute_names_below_the_root_are_accepted(workspace: Workspace) -> None:
    assert workspace.relative(str(workspace.root)) == "."
    assert workspace.relative(str(workspace.root / "src" / "a.py")) == "src/a.py"
    workspace.write_text(str(workspace.root / "x"), "x")
    assert workspace.read_text("/workspace/x") == "x"


def test_the_name_it_was_opened_by_is_accepted_too(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    workspace = Workspace(tmp_path / "link")
    assert workspace.root == (tmp_path / "real").resolve()
    assert workspace.relative(str(tmp_path / "link" / "a")) == "a"


@pytest.mark.hostile(1, 2)
@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/etc/passwd",
        "a/../../x",
        "..",
        "/",
        "/workspace/../etc/passwd",
        "/workspace-evil/f",
        "../ws-evil/f",
        "~/x",
        "~",
        "",
        "  ",
        "a\0b",
        "a" * 5000,
        "x/" * 3000 + "y",
        "\ud800",
    ],
    ids=lambda path: ascii(path[:20]),
)
def test_bad_names_are_refused_by_every_method(workspace: Workspace, path: str) -> None:
    before = snapshot(workspace.root.parent)
    calls = [
        lambda: workspace.read_bytes(path),
        lambda: workspace.read_text(path),
        lambda: workspace.write_bytes(path, b"x"),
        lambda: workspace.write_text(path, "x"),
        lambda: workspace.delete(path),
        lambda: workspace.list_dir(path),
        lambda: workspace.make_dir(path),
    ]
    for call in calls:
        with pytest.raises(WorkspaceError) as caught:
            call()
        assert len(str(caught.value)) < 6000
    assert snapshot(workspace.root.parent) == before
    assert SECRET not in str(caught.value)


@pytest.mark.hostile(1)
def test_outside_says_the_rule(workspace: Workspace) -> None:
    with pytest.raises(PathOutsideWorkspace, match=r"outside the workspace.*cannot leave it"):
        workspace.relative("../x")


# -- links


@pytest.mark.hostile(3)
def test_links_that_stay_inside_work(workspace: Workspace) -> None:
    workspace.write_text("src/a.py", "a")
    (workspace.root / "relative").symlink_to("src/a.py")
    (workspace.root / "absolute").symlink_to(workspace.root / "src" / "a.py")
    (workspace.root / "folder").symlink_to("src")
    (workspace.root / "src" / "up").symlink_to("../src/../src")
    (workspace.root / "container").symlink_to("/workspace/src")
    (workspace.root / "chain").symlink_to("absolute")
    for name in ("relative", "absolute", "folder/a.py", "src/up/a.py", "container/a.py", "chain"):
        assert workspace.read_text(name) == "a", name
        assert workspace.exists(name)
    assert workspace.is_dir("folder")
    assert workspace.host_path("container/a.py") == workspace.root / "src" / "a.py"


def test_writing_through_a_link_inside_changes_what_it_leads_to(workspace: Workspace) -> None:
    workspace.write_text("src/a.py", "old")
    (workspace.root / "link").symlink_to("src/a.py")
    (workspace.root / "folder").symlink_to(workspace.root / "src")
    (workspace.root / "new").symlink_to("src/new.py")
    workspace.write_text("link", "new")
    workspace.write_text("folder/b.py", "b")
    workspace.write_text("new", "n")
    assert (workspace.root / "link").is_symlink()
    assert (workspace.root / "src" / "a.py").read_text() == "new"
    assert (workspace.root / "src" / "b.py").read_text() == "b"
    assert (workspace.root / "src" / "new.py").read_text() == "n"


def make_links_out(workspace: Workspace) -> list[str]:
    root, target = workspace.root, outside(workspace)
    (root / "sub").mkdir()
    (root / "file").symlink_to(target / "f")
    (root / "relative").symlink_to("../outside/f")
    (root / "folder").symlink_to(target)
    (root / "chain").symlink_to("relative")
    (root / "deep").symlink_to("sub/../../outside/f")
    (root / "up").symlink_to("..")
    (root / "evil").symlink_to(str(root) + "-evil/f")
    (root / "proc").symlink_to("/proc/self/root")
    (root / "cwd").symlink_to("/proc/self/cwd")
    proc = str(target).lstrip("/")
    return [
        "file",
        "relative",
        "folder/f",
        "chain",
        "deep",
        "up/outside/f",
        "evil",
        f"proc/{proc}/f",
        "cwd/f",
        "folder/new",
        "up/new",
    ]


@pytest.mark.hostile(3)
def test_links_that_lead_out_are_refused(workspace: Workspace) -> None:
    names = make_links_out(workspace)
    before = snapshot(workspace.root.parent)
    for name in names:
        with pytest.raises(WorkspaceError):
            workspace.read_bytes(name)
        with pytest.raises(WorkspaceError):
            workspace.write_text(name, "overwritten")
        with pytest.raises(PathOutsideWorkspace):
            workspace.host_path(name)
        assert not workspace.exists(name)
    for name in ("folder", "up", "proc"):
        with pytest.raises(PathOutsideWorkspace):
            workspace.list_dir(name)
        with pytest.raises(WorkspaceError):
            workspace.delete(f"{name}/f")
    assert snapshot(workspace.root.parent) == before


@pytest.mark.hostile(3)
def test_links_in_a_circle_end(workspace: Workspace) -> None:
    (workspace.root / "a").symlink_to("b")
    (workspace.root / "b").symlink_to("a")
    (workspace.root / "self").symlink_to("self/x")
    for name in ("a", "self", "a/x"):
        with pytest.raises(WorkspaceError, match="circle"):
            workspace.read_bytes(name)
        with pytest.raises(WorkspaceError):
            workspace.write_text(name, "x")
        assert not workspace.exists(name)


@pytest.mark.hostile(4)
def test_a_folder_swapped_for_a_link_meanwhile_never_leads_out(workspace: Workspace) -> None:
    """Both ways: what is read is never the outside's, what is written never lands there."""
    root, target = workspace.root, outside(workspace)
    (root / "real").mkdir()
    (root / "real" / "f").write_text("inside")
    (root / "d").mkdir()
    (root / "d" / "f").write_text("inside")
    (root / "link").symlink_to(target)
    over = threading.Event()

    def swap() -> None:
        steps = (("d", "away"), ("link", "d"), ("d", "link"), ("away", "d"))
        while not over.is_set():
            for old, new in steps:
                try:
                    os.rename(root / old, root / new)
                except OSError:  # a write made the folder anew while it was away
                    shutil.rmtree(root / "d", ignore_errors=True)

    swapper = threading.Thread(target=swap)
    swapper.start()
    tries = refused = 0
    try:
        end = time.monotonic() + 0.8
        while time.monotonic() < end:
            tries += 1
            try:
                assert workspace.read_text("d/f") == "inside"
                if tries % 10 == 0:
                    workspace.write_text("d/f", "inside")
                    workspace.write_text(f"d/new{tries}", "inside")
            except WorkspaceError:
                refused += 1
    finally:
        over.set()
        swapper.join()
    assert tries > 50
    assert snapshot(target) == {str(target / "f"): SECRET}


# -- what is no regular file


@pytest.mark.hostile(5)
def test_pipes_sockets_devices_and_folders_are_refused_at_once(workspace: Workspace) -> None:
    os.mkfifo(workspace.root / "pipe")
    (workspace.root / "folder").mkdir()
    names = {"pipe": "named pipe", "folder": "a folder"}
    here = os.getcwd()
    server = socket.socket(socket.AF_UNIX)
    os.chdir(workspace.root)  # the address of a socket is short
    try:
        server.bind("sock")
    finally:
        os.chdir(here)
    names["sock"] = "socket"
    if os.geteuid() == 0:
        try:
            os.mknod(workspace.root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
            names["null"] = "device"
        except OSError:  # a container without the right
            pass
    started = time.monotonic()
    with server:
        for name, word in names.items():
            if name != "null" or os.access(workspace.root / name, os.R_OK):
                with pytest.raises(WorkspaceError, match=word if name != "null" else None):
                    workspace.read_bytes(name)
            with pytest.raises(WorkspaceError, match=word):
                workspace.write_text(name, "x")
            assert workspace.exists(name)
    assert time.monotonic() - started < 1


@pytest.mark.hostile(6)
def test_a_huge_sparse_file_is_refused_with_its_size(workspace: Workspace) -> None:
    with open(workspace.root / "huge", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(WorkspaceError, match=r"1,099,511,627,776 bytes.*limit of 33,554,432"):
        workspace.read_bytes("huge")
    with workspace.open("huge") as opened:
        assert opened.read(3) == b"\0\0\0"


def test_the_limit_is_exact(workspace: Workspace) -> None:
    workspace.write_bytes("x", b"12345")
    assert workspace.read_bytes("x", limit=5) == b"12345"
    with pytest.raises(WorkspaceError, match="5 bytes"):
        workspace.read_bytes("x", limit=4)


# -- text


@pytest.mark.hostile(7)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("héé".encode("latin-1"), "byte 0xe9 at offset 1 .line 1."),
        (b"ok\nok\n\xff", "line 3"),
        ("x".encode("utf-16"), "UTF-16"),
        (b"\x7fELF\x00\xff\x00", "binary"),
    ],
)
def test_text_that_is_not_utf8_is_named(workspace: Workspace, data: bytes, words: str) -> None:
    workspace.write_bytes("f", data)
    with pytest.raises(WorkspaceError, match=words):
        workspace.read_text("f")
    assert workspace.read_bytes("f") == data


@pytest.mark.hostile(7)
def test_text_comes_back_as_it_was(workspace: Workspace) -> None:
    text = "\ufeffline\r\nline\rline\n\nlast é 🙂\0"
    workspace.write_text("f", text)
    assert workspace.read_text("f") == text
    assert (workspace.root / "f").read_bytes() == text.encode()


def test_text_that_utf8_cannot_express_is_refused(workspace: Workspace) -> None:
    workspace.write_text("f", "old")
    with pytest.raises(WorkspaceError, match="cannot express"):
        workspace.write_text("f", "a\ud800b")
    assert workspace.read_text("f") == "old"


# -- what is missing


def test_a_missing_file_names_its_neighbour(workspace: Workspace) -> None:
    workspace.write_text("src/main.py", "")
    for path, words in [
        ("src/mian.py", "'src/mian.py' does not exist. Did you mean 'src/main.py'?"),
        ("scr/main.py", "there is no folder 'scr'. Did you mean 'src/main.py'?"),
        ("zzz", "'zzz' does not exist."),
    ]:
        with pytest.raises(WorkspaceError) as caught:
            workspace.read_text(path)
        assert words in str(caught.value)
    (workspace.root / "dangling").symlink_to("nothing")
    with pytest.raises(WorkspaceError, match="symbolic link to nothing"):
        workspace.read_text("dangling")
    with pytest.raises(WorkspaceError, match="a file, not a folder"):
        workspace.read_text("src/main.py/x")


def test_a_workspace_that_went_away_is_named(workspace: Workspace) -> None:
    shutil.rmtree(workspace.root)
    with pytest.raises(WorkspaceError, match="does not exist any more"):
        workspace.read_text("x")


# -- writing


def test_folders_are_made_and_nothing_is_left_beside(workspace: Workspace) -> None:
    workspace.write_text("a/b/c/d.txt", "x")
    workspace.write_text("a/b/c/d.txt", "y")
    assert workspace.read_text("a/b/c/d.txt") == "y"
    assert os.listdir(workspace.root / "a" / "b" / "c") == ["d.txt"]
    workspace.make_dir("m/n")
    workspace.make_dir("m/n")
    assert workspace.is_dir("m/n")


@pytest.mark.hostile(11)
def test_the_mode_is_kept_and_a_new_file_has_the_usual_one(workspace: Workspace) -> None:
    umask = os.umask(0)
    os.umask(umask)
    for mode in (0o755, 0o600, 0o640):
        path = workspace.root / f"f{mode:o}"
        path.write_text("old")
        path.chmod(mode)
        workspace.write_text(path.name, "new")
        assert stat.S_IMODE(path.stat().st_mode) == mode
    workspace.write_text("fresh", "x")
    assert stat.S_IMODE((workspace.root / "fresh").stat().st_mode) == 0o666 & ~umask
    workspace.write_stream("tool", [b"#!", b"/bin/sh"], mode=0o777)
    assert os.access(workspace.root / "tool", os.X_OK)


@pytest.mark.hostile(11)
def test_a_hard_links_other_name_keeps_the_old_content(workspace: Workspace) -> None:
    os.link(outside(workspace) / "f", workspace.root / "f")
    workspace.write_text("f", "mine")
    assert (outside(workspace) / "f").read_text() == SECRET
    assert workspace.read_text("f") == "mine"


def test_a_read_only_file_is_not_replaced(workspace: Workspace) -> None:
    workspace.write_text("f", "old")
    (workspace.root / "f").chmod(0o444)
    with pytest.raises(WorkspaceError, match="read-only"):
        workspace.write_text("f", "new")
    assert workspace.read_text("f") == "old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_as_root_files_belong_to_the_workspaces_owner(workspace: Workspace) -> None:
    os.chown(workspace.root, 12345, 23456)
    workspace.write_text("a/b", "x")
    for name in ("a", "a/b"):
        found = (workspace.root / name).stat()
        assert (found.st_uid, found.st_gid) == (12345, 23456)
    os.chown(workspace.root / "a" / "b", 4, 5)
    workspace.write_text("a/b", "y")
    found = (workspace.root / "a" / "b").stat()
    assert (found.st_uid, found.st_gid) == (4, 5)


@pytest.mark.hostile(10)
def test_a_write_that_fails_leaves_the_old_file(workspace: Workspace) -> None:
    def pieces():  # type: ignore[no-untyped-def]
        yield b"half"
        raise OSError(28, "No space left on device")

    workspace.write_text("f", "old")
    with pytest.raises(WorkspaceError, match="disk is full"):
        workspace.write_stream("f", pieces())
    assert os.listdir(workspace.root) == ["f"]
    assert workspace.read_text("f") == "old"


@pytest.mark.hostile(10)
def test_killed_in_the_middle_of_writes_the_file_is_old_or_new(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from pygent.workspace import Workspace\n"
        "w = Workspace(Path(sys.argv[1])); n = 0\n"
        "w.write_text('f', '0' * 300000); print('go', flush=True)\n"
        "while True:\n    n += 1; w.write_text('f', str(n % 10) * 300000)\n"
    )
    for delay in (0.02, 0.05, 0.08):
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        text = (tmp_path / "f").read_text()
        assert len(text) == 300000
        assert len(set(text)) == 1


@pytest.mark.parametrize("path", [".", "folder/", "/workspace"])
def test_a_folder_is_no_place_to_write(workspace: Workspace, path: str) -> None:
    with pytest.raises(WorkspaceError):
        workspace.write_text(path, "x")


# -- listing and deleting


def test_a_listing_shows_names_sizes_and_links(workspace: Workspace) -> None:
    workspace.write_text("b.txt", "12345")
    workspace.write_text("a/x", "x")
    (workspace.root / "in").symlink_to("a")
    (workspace.root / "out").symlink_to(outside(workspace))
    assert workspace.list_dir() == [
        Entry("a", is_dir=True, size=0),
        Entry("b.txt", is_dir=False, size=5),
        Entry("in", is_dir=True, size=0, is_link=True),
        Entry("out", is_dir=False, size=0, is_link=True),
    ]
    assert list(workspace.walk()) == ["a/x", "b.txt", "out"]
    assert [entry.name for entry in workspace.list_dir("in")] == ["x"]


def test_delete_removes_files_links_and_empty_folders(workspace: Workspace) -> None:
    workspace.write_text("a/x", "x")
    (workspace.root / "out").symlink_to(outside(workspace))
    workspace.delete("out")
    assert outside(workspace).is_dir()
    with pytest.raises(WorkspaceError, match="not empty"):
        workspace.delete("a")
    workspace.delete("a/x")
    workspace.delete("a")
    assert workspace.list_dir() == []
    with pytest.raises(WorkspaceError, match="itself"):
        workspace.delete(".")
    with pytest.raises(WorkspaceError, match="does not exist"):
        workspace.delete("a")


def test_no_descriptor_is_lost(workspace: Workspace) -> None:
    make_links_out(workspace)
    workspace.write_text("ok/f", "x")
    names = ["ok/f", "file", "folder/f", "missing", "missing/x", "ok", "deep", "."]

    def use() -> None:
        for name in names:
            for call in (workspace.read_bytes, workspace.exists, workspace.list_dir, workspace.host_path):
                with contextlib.suppress(WorkspaceError):
                    call(name)
            with contextlib.suppress(WorkspaceError):
                workspace.write_text(name, "x")

    use()
    before = len(os.listdir("/dev/fd"))
    use()
    assert len(os.listdir("/dev/fd")) == before
