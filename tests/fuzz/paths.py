"""No path, whatever links stand in the workspace, reads, writes, moves or removes anything outside of it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pygent.errors import WorkspaceError
from pygent.moving import rename
from pygent.workspace import Workspace
from tests.fuzz.source import Source

SECRET = b"what stands outside"
PARTS = ("..", ".", "", "a", "b", "in", "out", "abs", "loop", "link", "root", "f", "deep", "ws", "ws-evil", "outside")
ENDS = (
    "/",
    "//",
    "/./",
    "/../",
    "\\",
    "\0",
    " ",
    "~",
    "…",
    "\u202e",
    "\ufeff",
    "\udcff",
    "x" * 300,
    "%2e%2e/",
    "/etc/",
)


class Paths:
    """A folder with a workspace in it, and neighbours that nothing may touch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.root = self.folder / "ws"
        self._outside: dict[str, bytes] = {}
        for name in ("outside", "ws-evil"):
            (self.folder / name / "deep").mkdir(parents=True)
            (self.folder / name / "f").write_bytes(SECRET)
        self._outside = self._look()

    def __call__(self, data: bytes) -> None:
        source = Source(data)
        shutil.rmtree(self.root, ignore_errors=True)
        (self.root / "a" / "deep").mkdir(parents=True)
        (self.root / "b").mkdir()
        (self.root / "f").write_bytes(b"inside")
        (self.root / "a" / "f").write_bytes(b"inside")
        links = {"in": "a", "out": "../outside", "abs": str(self.folder / "outside"), "loop": "loop", "root": "/"}
        for name, target in links.items():
            (self.root / name).symlink_to(target)
        for place in ("link", "a/link"):
            with contextlib.suppress(OSError, ValueError):
                (self.root / place).symlink_to(self._path(source) or "x")
        workspace = Workspace(self.root, aliases=("/workspace",), kernel=source.byte() % 2 == 0)
        for _ in range(1 + source.number(3)):
            with contextlib.suppress(WorkspaceError):
                self._do(workspace, source)
        assert self._look() == self._outside, "something outside was changed"

    def _path(self, source: Source) -> str:
        start = source.pick(("", "", "", "/workspace/", f"{self.root}/", "/", f"{self.folder}/", "/proc/self/root/"))
        parts = []
        for _ in range(source.number(6)):
            parts.append(source.pick(PARTS) if source.byte() < 200 else source.pick(ENDS) + source.character())
        return start + "/".join(parts)

    def _do(self, workspace: Workspace, source: Source) -> None:
        path = self._path(source)
        other = self._path(source)
        does: tuple[Callable[[], object], ...] = (
            lambda: self._read(workspace, path),
            lambda: workspace.write_bytes(path, b"written"),
            lambda: workspace.delete(path),
            lambda: workspace.list_dir(path),
            lambda: self._inside(workspace.host_path(path)),
            lambda: (workspace.exists(path), workspace.is_dir(path)),
            lambda: list(workspace.walk(path)),
            lambda: workspace.make_dir(path),
            lambda: rename(workspace, path, other),
        )
        source.pick(does)()

    def _read(self, workspace: Workspace, path: str) -> None:
        with workspace.open(path) as file:
            self._inside(Path(os.readlink(f"/proc/self/fd/{file.fileno()}")))
            assert file.read() != SECRET, f"{path!r} read what stands outside"

    def _inside(self, found: Path) -> None:
        assert found == self.root or self.root in found.parents, f"{found} is outside"

    def _look(self) -> dict[str, bytes]:
        found = {}
        for above, folders, files in os.walk(self.folder):
            if above == str(self.folder):
                folders[:] = [name for name in folders if name != "ws"]
            found |= {f"{above}/{name}": b"" for name in folders}
            found |= {f"{above}/{name}": Path(above, name).read_bytes() for name in files}
        return found
