"""Workspaces that are more than a workspace: the whole file system, a home folder, what holds an engine's socket."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock")


def too_wide(roots: Iterable[str]) -> str:
    """What the widest of these absolute paths is that should be no workspace, in words; "" where all can be."""
    return next(filter(None, (_what(root) for root in roots)), "")


def is_too_wide(root: str) -> bool:
    """True where a path should be no workspace."""
    return bool(_what(root))


@functools.lru_cache(64)
def _what(name: str) -> str:
    """Looked at once: every call is judged by it, and a dozen links are followed for it."""
    root = Path(name)
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
