"""Paths that models send, in every tool that takes one: nothing outside the workspace is read or changed."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pygent import Runtime
from pygent.errors import PygentError
from pygent.sandbox.strays import MARKER
from pygent.tasks.files import COLLECT_LIMIT, copy_between
from tests.fakes.desk import Desk, use

SECRET = "what stands outside"
BAD = [
    *("../ws-evil/f", "../outside/f", "/etc/passwd", "a/../../outside/f", "", "a\0b", "x" * 5000, "~/f"),
    *("\udcff/../../outside/f", "out/f", "file", "chain", "loop", "root/etc/passwd"),
]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A workspace with links of every kind, and neighbours that must stay as they are."""
    for name in ("outside", "ws-evil"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text(SECRET)
    root = tmp_path / "ws"
    root.mkdir()
    (root / "good").write_text("good\n")
    for name, target in {
        "out": "../outside",
        "file": str(tmp_path / "outside" / "f"),
        "chain": "file",
        "loop": "loop",
        "root": "/proc/self/root",
    }.items():
        (root / name).symlink_to(target)
    return Desk(root)


def neighbours(desk: Desk) -> dict[str, tuple[bytes, int]]:
    above = desk.workspace.root.parent
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for name in ("outside", "ws-evil")
        for path in (above / name).rglob("*")
    }


def _desks_runtime(desk: Desk) -> Runtime:
    return Runtime(use_docker=False, workspace=desk.workspace.root)


@pytest.mark.hostile(1, 2, 3, 9)
@pytest.mark.parametrize("path", BAD, ids=lambda path: ascii(path[:16]))
def test_no_file_tool_takes_a_path_outside(desk: Desk, path: str) -> None:
    before = neighbours(desk)
    other = Desk(desk.workspace.root)
    calls: list[Any] = [
        lambda: use("read_file", desk, path=path),
        lambda: use("write_file", desk, path=path, content="x"),
        lambda: use("edit_file", desk, path=path, old=SECRET, new="x"),
        lambda: use("search", desk, pattern="outside", path=path),
        lambda: use("download_file", desk, path=path),
        lambda: copy_between(desk, other, path, "taken"),
        lambda: copy_between(desk, other, "good", path),
    ]
    for call in calls:
        with pytest.raises(PygentError) as caught:
            call()
        assert SECRET not in str(caught.value)
        assert len(str(caught.value)) < 6000
    with _desks_runtime(desk) as runtime:
        for copy in (
            lambda: runtime.upload_file(desk.workspace.root / "good", path or "\0"),
            lambda: runtime.export_file(path, desk.workspace.root / "got"),
        ):
            with pytest.raises(PygentError):
                copy()
    assert neighbours(desk) == before
    assert SECRET not in "".join(
        p.read_text() for p in desk.workspace.root.iterdir() if p.is_file() and not p.is_symlink()
    )


@pytest.mark.hostile(8, 9)
def test_a_folder_is_collected_without_what_its_links_lead_to(desk: Desk, tmp_path: Path) -> None:
    task, into = Desk(_folder(tmp_path / "task")), SimpleNamespace(workspace=desk.workspace)
    folder = task.workspace.root / "result"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "deep" / "b").write_text("b")
    (folder / "inside").symlink_to("a")
    for name, target in {"out": "../../outside/f", "folder": "/etc", "round": ".", "nowhere": "gone"}.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "deep" / "pipe")
    with pytest.raises(PygentError, match="pipe"):
        copy_between(task, into, "result", "not")
    (folder / "deep" / "pipe").unlink()
    (desk.workspace.root / "got").mkdir(exist_ok=True)
    (desk.workspace.root / "got" / "a").write_text("older")
    assert copy_between(task, into, "result", "got") == ["got/a", "got/deep/b", "got/inside"]
    assert (desk.workspace.root / "got" / "a").read_text() == "a"
    before = neighbours(desk)
    for dest in ("../outside", "out", "file", "/tmp"):
        with pytest.raises(PygentError):
            copy_between(task, into, "result", dest)
    assert neighbours(desk) == before


@pytest.mark.hostile(8)
def test_a_folder_of_too_many_files_is_not_collected(desk: Desk, tmp_path: Path) -> None:
    task = Desk(_folder(tmp_path / "task"))
    (task.workspace.root / "many").mkdir()
    for number in range(COLLECT_LIMIT + 1):
        (task.workspace.root / "many" / str(number)).touch()
    with pytest.raises(PygentError, match=f"more than {COLLECT_LIMIT} files"):
        copy_between(task, desk, "many", "many")
    assert not (desk.workspace.root / "many").exists()


@pytest.mark.hostile(28)
def test_a_command_cannot_end_its_own_output(tmp_path: Path) -> None:
    with Runtime(use_docker=False, workspace=tmp_path) as runtime:
        marks = f'echo "${MARKER}"; printf "exit 0\\n\\0\\377end\\n"; cat /proc/$$/environ; exit 7'
        result = runtime.run(f"{marks}\necho never")
        assert (result.status, result.exit_status) == ("ok", 7)
        assert "exit 0\n" in result.output
        more = runtime.run(f'echo "${MARKER}"; echo more')
        assert more.output.endswith("more\n")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
