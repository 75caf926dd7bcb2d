"""Where a path in a command leads, as far as its text tells."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection
from enum import Enum

from pygent.approvals.shell import Word

_HOME = re.compile(r"~[^/]*|\$HOME\b|\$\{HOME\}")
_HERE = re.compile(r"(?:\$PWD\b|\$\{PWD\}|\$\(pwd\)|`pwd`)/?")
_STREAMS = re.compile(r"/dev/(null|stdin|stdout|stderr|zero|u?random|fd/\d+)")
_SCRATCH = ("/tmp/", "/var/tmp/")  # noqa: S108 - told apart, not used
_PUBLIC = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix", "/dev", "/etc/os-release", "/proc/cpuinfo",
           "/proc/meminfo", "/tmp", "/var/tmp")  # fmt: skip  # noqa: S108


class Place(Enum):
    """Where a path leads; the value says it in words."""

    INSIDE = "inside the workspace"
    OUTSIDE = "outside the workspace"
    DEVICE = "a device"
    PROTECTED = "which other programs trust"
    UNKNOWN = "a place that is known only when it runs"


class Places:
    """Follows ``cd`` through a command and tells where its paths lead.

    ``roots`` are absolute paths of the workspace; ``protected`` tells paths of the workspace that are not to be
    written.
    """

    def __init__(self, roots: Collection[str], protected: Callable[[str], bool]) -> None:
        self._roots = [posixpath.normpath(root) for root in roots]
        self._protected = protected
        self._folder: str | None = ""  # relative to the workspace, absolute outside of it, None where not known

    def enter(self, word: Word) -> None:
        """Take a ``cd`` into account."""
        place, path = self._resolve(word)
        self._folder = None if place is Place.UNKNOWN or word.text == "-" else path

    def of(self, word: Word) -> Place:
        """Where a word leads that is written to."""
        place, path = self._resolve(word)
        return Place.PROTECTED if place is Place.INSIDE and self._protected(path) else place

    def is_private(self, word: Word) -> bool:
        """True where a word leads out of the workspace to what is not the same on every machine."""
        place, path = self._resolve(word)
        if place is not Place.OUTSIDE or not ("/" in word.text or word.text.startswith(("~", "$", ".."))):
            return False
        if any(path == public or path.startswith(public + "/") for public in _PUBLIC):
            return False
        # A lone slash or "//" in a command is a pattern or a comment more often than the root folder.
        return path.startswith(("~", "..")) or bool(re.match(r"/[A-Za-z0-9._-]", path))

    def _resolve(self, word: Word) -> tuple[Place, str]:
        text = word.text
        if _HOME.match(text):
            return Place.OUTSIDE, text
        text = _HERE.sub("./", text, count=1) if _HERE.match(text) else text
        fixed = re.split(r"[$`{]", text, maxsplit=1)[0] if word.dynamic or word.glob else text
        if not fixed and text:
            return Place.UNKNOWN, ""
        if fixed.startswith("/"):
            return self._absolute(fixed, cut=fixed != text)
        if self._folder is None:
            return Place.UNKNOWN, ""
        if self._folder.startswith(("/", "~", "..")):
            return self._absolute(posixpath.join(self._folder, fixed), cut=False)
        path = posixpath.normpath(posixpath.join(self._folder, fixed))
        return (Place.OUTSIDE if path == ".." or path.startswith("../") else Place.INSIDE), path

    def _absolute(self, text: str, *, cut: bool) -> tuple[Place, str]:
        path = posixpath.normpath(text)
        if path.startswith("//"):
            path = path[1:]
        for root in self._roots:
            if path == root or path.startswith(root.rstrip("/") + "/"):
                return Place.INSIDE, posixpath.relpath(path, root)
        if _STREAMS.fullmatch(path):
            return Place.INSIDE, path
        if path.startswith("/dev/"):
            return Place.DEVICE, path
        if path.startswith(_SCRATCH) or (cut and (path + "/").startswith(_SCRATCH)):
            return Place.INSIDE, path
        return Place.OUTSIDE, path
