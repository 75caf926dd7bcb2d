"""What a sandbox of the operating system shows of this machine: programs and their libraries, nothing personal.

Everything is an allow list. A person's own programs count where their folder stands on the ``PATH``: of such a folder
the installation around it is shown, never a folder that something personal lies in.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu"),
    *("/run/current-system", "/sys/devices/system/cpu"),
    *("/var/lib/ca-certificates", "/var/lib/texmf", "/var/cache/fontconfig"),
)
"""Folders of the system that commands may read, where they are there."""

CLOSED = (
    *(
        ".ssh",
        ".aws",
        ".gnupg",
        ".azure",
        ".kube",
        ".docker",
        ".password-store",
        ".mozilla",
        ".thunderbird",
        ".config",
    ),
    *(".local/share/keyrings", ".local/share/kwalletd", ".terraform.d", ".gradle", ".wine"),
)
"""What of a home folder is never shown but for a folder of programs in it."""

PERSONAL = (
    *CLOSED,
    *(".local/share", ".local/state", ".cache", ".netrc", ".git-credentials", ".npmrc", ".pypirc", ".pgpass"),
    *(".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml", ".vault-token"),
    *(".composer/auth.json", "snap", "Library"),
)
"""What of a home folder is never shown, and neither is a folder around it."""

COMPANIONS = {".cargo/bin": (".rustup", ".cargo/registry", ".cargo/git"), "go/bin": ("go/pkg",)}
"""What programs in a folder of the home need elsewhere in it."""

_PROGRAM_FOLDERS = frozenset({"bin", "sbin", "shims", "scripts", "cmd"})
_LIBRARIES = ("lib", "lib64", "libexec", "include")
_MARKS = (*_LIBRARIES, "pyvenv.cfg", "versions", "tools", "install", "pkg")
"""What makes the folder around a ``bin`` the installation that its programs belong to."""

_MOST_LINKS = 1000
_PYTHON = re.compile(r"python(3(\.\d+t?)?)?")
_VENVS = (".venv", "venv", "env", ".env")


class Tools:
    """The folders outside ``SYSTEM`` that programs on the ``PATH`` need: ``{where it is shown: where it is}``.

    ``hidden`` are the folders that must not be shown, nor any folder around them; below ``inside``, the workspace,
    nothing is collected, as all of it is there.
    """

    def __init__(self, home: Path, hidden: Sequence[Path], inside: Path) -> None:
        self.binds: dict[str, str] = {}
        self._home = home
        self._inside = inside
        self._closed = tuple(str(path) for path in (*(home / name for name in CLOSED), *hidden))
        self._hidden = tuple(
            str(path)
            for path in (home, inside, *(home / name for name in PERSONAL), *hidden, Path("/tmp"))  # noqa: S108
        )

    def add_path(self, path: str) -> None:
        """Take the folders of a ``PATH``."""
        for entry in path.split(os.pathsep):
            if entry.startswith("/"):
                self.add_folder(entry)

    def add_installation(self, prefix: str) -> None:
        """Take an installation that is known to be one, such as that of a Python."""
        if self._may_show(os.path.realpath(prefix)):
            self._bind(os.path.realpath(prefix), os.path.realpath(prefix))
            self._bind(prefix, os.path.realpath(prefix))

    def add_folder(self, folder: str, *, links: bool = True) -> None:
        """Take a folder of programs, with what belongs to them."""
        real = os.path.realpath(folder)
        if not os.path.isdir(real):
            return
        if self._is_shown(real):
            self._bind(folder, real)  # a link into the system, such as that of a Nix profile
            return
        for shown, root in self._roots(folder, real):
            self._bind(shown, root)
            self._bind(root, root)
        for end, needed in COMPANIONS.items():
            if real == str(self._home / end):
                for name in needed:
                    companion = str(self._home / name)
                    if os.path.isdir(companion):
                        self._bind(companion, companion)
        if links:
            for target in _links(real):
                self._add_target(target)

    def add_environments(self) -> None:
        """Take the Pythons that virtual environments in the workspace are made with.

        What a workspace says is not trusted: only a folder that is a Python's installation is shown for it.
        """
        for name in _VENVS:
            link = self._inside / name / "bin" / "python"
            real = Path(os.path.realpath(link))
            prefix = real.parent.parent
            if _PYTHON.fullmatch(real.name) and real.parent.name == "bin" and any(prefix.glob("lib/python3.*/os.py")):
                self.add_installation(str(prefix))
                first = Path(os.path.normpath(link.parent / os.readlink(link))) if link.is_symlink() else real
                if first.parent.name == "bin":
                    self._bind(str(first.parent.parent), str(prefix))

    def _add_target(self, target: str) -> None:
        """Take where a link in a folder of programs leads."""
        real = os.path.realpath(target)
        if os.path.isfile(real) and not self._is_shown(real):
            for shown, root in self._roots(os.path.dirname(target), os.path.dirname(real)):
                self._bind(shown, root)
                self._bind(root, root)

    def _roots(self, folder: str, real: str) -> Iterator[tuple[str, str]]:
        """The installation around a folder of programs, else the folder and the libraries beside it."""
        name, parent = os.path.basename(real), os.path.dirname(real)
        around = os.path.dirname(folder)
        beside = name.lower() in _PROGRAM_FOLDERS
        beside = beside and not any(within(parent, closed) for closed in self._closed)
        if beside and self._may_show(parent) and (name == "shims" or _has(parent, _MARKS)):
            yield around, parent
            return
        if self._may_show(real):
            yield folder, real
        for library in _LIBRARIES if beside else ():
            if os.path.isdir(f"{parent}/{library}") and self._may_show(f"{parent}/{library}"):
                yield f"{around}/{library}", f"{parent}/{library}"

    def _may_show(self, folder: str) -> bool:
        if folder.count("/") < 2 and folder not in SYSTEM:
            return False
        return not any(within(hidden, folder) for hidden in self._hidden)

    def _is_shown(self, real: str) -> bool:
        return within(real, str(self._inside)) or any(
            within(real, shown) for shown in (*SYSTEM, *self.binds) if shown != "/etc"
        )

    def _bind(self, shown: str, real: str) -> None:
        if within(shown, str(self._inside)) or any(within(shown, folder) for folder in (*SYSTEM, *self.binds)):
            return
        if self._may_show(shown):
            self.binds[shown] = real


def within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies in it, by their names."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def private_files(folder: str = "/etc") -> Iterator[str]:
    """What in ``folder`` is not for everybody to read.

    For a process of root's, who may read all of it also without any capability.
    """
    try:
        found = list(os.scandir(folder))
    except OSError:
        return
    for entry in found:
        if entry.is_symlink():
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        mode = entry.stat(follow_symlinks=False).st_mode
        if not mode & (stat.S_IXOTH if is_folder else stat.S_IROTH):
            yield entry.path
        elif is_folder:
            yield from private_files(entry.path)


def _links(folder: str) -> Iterator[str]:
    """Where the links in a folder lead: the first hop, as an absolute path."""
    try:
        found = [entry for entry in os.scandir(folder) if entry.is_symlink()]
    except OSError:
        return
    for entry in found[:_MOST_LINKS]:
        try:
            yield os.path.normpath(os.path.join(folder, os.readlink(entry.path)))
        except OSError:
            continue


def _has(folder: str, names: Sequence[str]) -> bool:
    return any(os.path.exists(f"{folder}/{name}") for name in names)
