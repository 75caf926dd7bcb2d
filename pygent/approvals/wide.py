"""Workspaces that are more than a workspace: the whole file system, a home folder, what holds an engine's socket."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")


def too_wide(roots: Iterable[str]) -> str:
    """What the widest of these absolute paths is that should be no workspace, in words; "" where all can be."""
    for root in map(Path, roots):
        if what := _what(root):
            return what
    return ""


def is_too_wide(root: str) -> bool:
    """True where a path should be no workspace."""
    return bool(_what(Path(root)))


def _what(root: Path) -> str:
    try:
        home: Path | None = Path.home().resolve()
    except (RuntimeError, OSError):  # a user without a home folder
        home = None
    if root == Path(root.anchor):
        return "the whole file system"
    if home is not None and home.is_relative_to(root):
        return "your home folder" if root == home else "a folder with your home folder in it"
    for path in (*map(Path, _SOCKETS), root / "docker.sock"):
        try:
            real = path.resolve()
            held = real.is_socket() and real.is_relative_to(root)
        except OSError:
            continue
        if held:
            return f"a folder with a container engine's socket in it ({real})"
    return ""
