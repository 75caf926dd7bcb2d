"""What in a workspace other programs run or trust: read-only in a sandbox, and named where it changes."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pygent.locks import try_lock
from pygent.sandbox.base import CommandResult
from pygent.settings.paths import WORKSPACE_FOLDER

START_UP_FILES = (
    *(".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile"),
    *(".zshrc", ".zshenv", ".zprofile", ".envrc"),
)
_GIT_FILES = (".git/config", ".git/config.worktree")
_MOST_NAMES = 5
_WRITABLE_GIT = ("objects", "refs", "logs")
_MADE = 1_000_000_000
"""The time, in nanoseconds since 1970, of a folder that is only there to be mounted on: whoever finds it later, also
after a kill, can tell that it is nobody's."""
_TRIES, _PAUSE = 40, 0.005

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Bind:
    """A part of a workspace that is mounted on its own place."""

    path: str
    descriptor: int
    writable: bool = False


class Protected:
    """The parts of the workspace ``root`` that a sandbox mounts read-only, made where they are absent.

    A folder that is a mount point can neither be moved nor replaced inside, so ``.git`` is one too. From outside it
    can, and whoever removes it removes the mount with it. ``user`` gets what is made, where that is not this
    process's. Thread-safe.
    """

    def __init__(self, root: Path, user: tuple[int, int] | None = None) -> None:
        self._root = str(root)
        self._user = user
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def state(self) -> tuple[object, ...]:
        """What of it is there now; what is missing and can be made is made first. Raises ``OSError``."""
        with self._lock:
            self._prepare()
            return tuple(self._known(name) for name in (".git", ".git/hooks", WORKSPACE_FOLDER, *START_UP_FILES))

    def binds(self) -> Iterator[Bind]:
        """What is to be mounted, with open descriptors that the caller closes; links are left out."""
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        folder = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in (".git", WORKSPACE_FOLDER, *START_UP_FILES):
                try:
                    found = os.open(name, flags, dir_fd=folder)
                except OSError:
                    continue
                kind = os.fstat(found).st_mode
                if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                    os.close(found)
                    continue
                is_git = name == ".git" and stat.S_ISDIR(kind)
                yield Bind(f"{self._root}/{name}", found, writable=is_git)
                if is_git:
                    with contextlib.suppress(OSError):
                        hooks = os.open("hooks", flags | os.O_DIRECTORY, dir_fd=found)
                        yield Bind(f"{self._root}/.git/hooks", hooks)
        finally:
            os.close(folder)

    def clear(self) -> None:
        """Remove what was made only to be a mount point, unless it still is one, for another sandbox."""
        with self._lock:
            held, self._held = self._held, {}
            path = f"{self._root}/{WORKSPACE_FOLDER}"
            if (folder := held.get(WORKSPACE_FOLDER)) and folder.is_at(path) and folder.alone() and _is_made(path):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
            for one in held.values():
                one.close()

    def _prepare(self) -> None:
        path = f"{self._root}/{WORKSPACE_FOLDER}"
        for _ in range(_TRIES):
            if _stamp(path) is None:
                self._make(self._root, WORKSPACE_FOLDER, _MADE)
            self._known(WORKSPACE_FOLDER)
            held = self._held.get(WORKSPACE_FOLDER)
            if held is None or (held.share() and held.is_at(path)):
                break
            time.sleep(_PAUSE)  # another sandbox is removing it
        if _stamp(f"{self._root}/.git") and _stamp(f"{self._root}/.git/hooks") is None:
            self._make(f"{self._root}/.git", "hooks")

    def _known(self, name: str) -> tuple[int, ...] | None:
        """What tells the file or folder from all others.

        A folder is held open, since a new one could get the number of one that is gone; a file has its time.
        """
        path = f"{self._root}/{name}"
        held = self._held.get(name)
        if held is not None and held.is_at(path):
            return held.number
        if held is not None:
            self._held.pop(name).close()
        try:
            found = os.lstat(path)
            if not stat.S_ISDIR(found.st_mode):
                return (found.st_dev, found.st_ino, found.st_ctime_ns)
            self._held[name] = Held(path)
        except OSError:
            return None
        return self._held[name].number

    def _make(self, folder: str, name: str, time_ns: int | None = None) -> None:
        with contextlib.suppress(OSError):  # a workspace that cannot be written, or .git is a file
            above = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.mkdir(name, 0o755, dir_fd=above)
                if time_ns is not None:
                    os.utime(name, ns=(time_ns, time_ns), dir_fd=above, follow_symlinks=False)
                if self._user:
                    os.chown(name, *self._user, dir_fd=above, follow_symlinks=False)
            finally:
                os.close(above)


class Held:
    """A folder that is kept open, so that its number stays its own. Raises ``OSError`` where it cannot be opened."""

    def __init__(self, path: str) -> None:
        flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd = os.open(path, os.O_RDONLY | flags)
        except PermissionError:
            self._fd = os.open(path, os.O_PATH | flags)
        found = os.fstat(self._fd)
        self.number = (found.st_dev, found.st_ino)

    def is_at(self, path: str) -> bool:
        """Whether it is what stands there now."""
        return (stamp := _stamp(path)) is not None and stamp[:2] == self.number

    def share(self) -> bool:
        """Let others know that it is used. Whether they can know; where nobody can lock anything, they cannot."""
        return self._locked(shared=True)

    def alone(self) -> bool:
        """Whether nobody else uses it, from now on neither."""
        return self._locked(shared=False)

    def close(self) -> None:
        os.close(self._fd)

    def _locked(self, *, shared: bool) -> bool:
        try:
            return try_lock(self._fd, shared=shared)
        except OSError:  # a file system without locks
            return True


def _is_made(path: str) -> bool:
    """Whether it was made by a sandbox and nobody put anything into it since."""
    stamp = _stamp(path)
    return stamp is not None and stamp[2] == _MADE


def linked_repository(root: Path) -> tuple[Path, Path] | None:
    """The repository of a linked worktree: its common folder and the worktree's own in it; None for other folders.

    Only where the repository names the worktree as its own: what a workspace says alone is not trusted.
    """
    link = root / ".git"
    try:
        if link.is_symlink() or not link.is_file() or link.stat().st_size > 4096:
            return None
        word, _, value = link.read_text("utf-8").strip().partition(": ")
        own = (root / value).resolve(strict=True)
        common = (own / (own / "commondir").read_text("utf-8").strip()).resolve(strict=True)
        back = Path((own / "gitdir").read_text("utf-8").strip())
        named = (back if back.is_absolute() else own / back).resolve() == link.resolve()
    except (OSError, ValueError):
        return None
    if word != "gitdir" or not named or own.parent != common / "worktrees" or not (common / "objects").is_dir():
        return None
    return common, own


def writable_parts(common: Path, own: Path) -> Iterator[Path]:
    """What of a repository the commands in a linked worktree have to write to."""
    for name in _WRITABLE_GIT:
        if (common / name).is_dir():
            yield common / name
    yield own


def trusted_files(root: Path) -> dict[str, Stamp]:
    """What is there in the workspace of the files that other programs run or read commands from, with stamps."""
    found: dict[str, Stamp] = {}
    for name in (*_GIT_FILES, *START_UP_FILES):
        if stamp := _stamp(f"{root}/{name}"):
            found[name] = stamp
    try:
        hooks = os.listdir(f"{root}/.git/hooks")
    except OSError:
        hooks = []
    for name in hooks:
        if not name.endswith(".sample") and (stamp := _stamp(f"{root}/.git/hooks/{name}")):
            found[f".git/hooks/{name}"] = stamp
    return found


def naming(root: Path, run: Callable[[], CommandResult]) -> CommandResult:
    """Run a command in the workspace ``root``; its note names the trusted files that it made or changed."""
    before = trusted_files(root)
    result = run()
    after = trusted_files(root)
    names = sorted(name for name, stamp in after.items() if before.get(name) != stamp)
    if not names:
        return result
    said = f"changed, and other programs run what stands there: {', '.join(names[:_MOST_NAMES])}"
    said += f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return replace(result, note=f"{result.note}; {said}" if result.note else said)


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_mtime_ns)
