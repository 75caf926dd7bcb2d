"""Where a path in a command leads, as far as its text tells."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import Enum

from pygent.approvals.shell import Part, Word
from pygent.approvals.wide import is_too_wide

_HOME = re.compile(r"~[^/]*|\$HOME\b|\$\{HOME\}")
_HERE = re.compile(r"(?:\$PWD\b|\$\{PWD\}|\$\(pwd\)|`pwd`)/?")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\})")
_HIDDEN_PARENT = re.compile(r"(?:^|/)\.[*?\[]")
"""A pattern that begins with a point: it can stand for ``..``."""
_MOST_VALUES, _DEEPEST_VALUE = 16, 3
_STREAMS = re.compile(r"/dev/(null|stdin|stdout|stderr|zero|u?random|fd/\d+)")
_SCRATCH = ("/tmp/", "/var/tmp/")  # noqa: S108 - told apart, not used
_PUBLIC = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/nix", "/dev", "/etc/os-release", "/proc/cpuinfo",
           "/proc/meminfo", "/tmp", "/var/tmp")  # fmt: skip  # noqa: S108


_HERE_NOW = "\0"
"""Stands for the folder that the command is in just now."""


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
    written. Whatever may be a way out is one: a ``cd`` that might have failed, a value that a variable once has.
    """

    def __init__(self, roots: Collection[str], protected: Callable[[str], bool]) -> None:
        wide = [posixpath.normpath(root) for root in roots if is_too_wide(root)]
        self._wide = wide[0] if wide else None
        self._roots = [] if wide else [posixpath.normpath(root) for root in roots]
        self._protected = protected
        # Relative to the workspace, absolute outside of it, None where not known. A workspace that is too wide counts
        # as outside of one: nothing in it is the agent's own.
        self._folder: str | None = wide[0] if wide else ""
        self._left: list[str | None] = []  # folders outside in which the command may still be
        self._before: list[str | None] = []  # folders it would be in where a cd has failed
        self._values: dict[str, list[str]] = {}

    def learn(self, part: Part) -> None:
        """Take the values into account that a simple command gives to variables."""
        self.assign(part.assignments)
        if part.values:
            known = self._values.setdefault(part.values[0].text, [])
            known.extend(word.text for word in part.values[1:] if not word.dynamic)

    def assign(self, words: Iterable[Word]) -> None:
        """Take assignments into account, as they stand."""
        for word in words:
            name, is_one, value = word.text.partition("=")
            if is_one:
                self._values.setdefault(name.rstrip("+").partition("[")[0], []).append(value)

    def enter(self, word: Word) -> None:
        """Take a ``cd`` into account."""
        if self._folder not in self._before and len(self._before) < _MOST_VALUES:
            self._before.append(self._folder)
        place, path = max((self._resolve(value) for value in self._candidates(word)), key=_severity)
        self._folder = None if place is Place.UNKNOWN or word.text == "-" else path
        if place is not Place.INSIDE and self._folder not in self._left and len(self._left) < _MOST_VALUES:
            self._left.append(self._folder)  # whatever cd comes later, in a subshell perhaps

    def of(self, word: Word, *, destroys: bool = False) -> Place:
        """Where a word leads that is written to; ``destroys`` where nothing may be taken for granted."""
        folders = [self._folder, *self._left]
        if destroys and ".." in word.text:
            folders += self._before
        place = max((self._place(value, folder) for value in self._candidates(word) for folder in folders),
                    key=_severity_of)  # fmt: skip
        if (
            destroys
            and place is Place.INSIDE
            and word.dynamic
            and re.search(r"[$`]", _HERE.sub("", word.text, count=1))
        ):
            return Place.UNKNOWN
        return place

    def is_whole(self, word: Word) -> bool:
        """True where a word means all of the workspace."""
        text = re.sub(r"(?<=/)[*]$|^[*]$", "", word.text) or "."
        place, path = self._resolve(Word(text, word.dynamic, word.glob))
        return place is Place.INSIDE and path in {".", ""}

    def _place(self, word: Word, folder: str | None) -> Place:
        place, path = self._resolve(word, folder)
        return Place.PROTECTED if place is Place.INSIDE and self._protected(path) else place

    def _candidates(self, word: Word) -> list[Word]:
        """The word as it is, and with the values that its variables have somewhere in the command."""
        found = [word]
        texts = [word.text] if word.dynamic and self._values else []
        for _ in range(_DEEPEST_VALUE):
            texts = list(dict.fromkeys(new for text in texts for new in self._with_values(text)))[:_MOST_VALUES]
            pieces = dict.fromkeys(piece for text in texts for piece in (text, *text.split()))
            found += [Word(piece, "$" in piece or "`" in piece, glob=True) for piece in pieces]
        return found

    def _with_values(self, text: str) -> Iterator[str]:
        """The text with one of its variables replaced by each value that it has somewhere in the command."""
        for match in _VARIABLE.finditer(text):
            name = match.group(1) or match.group(2)
            for value in self._values.get(name, [])[:_MOST_VALUES]:
                yield text[: match.start()] + value + text[match.end() :]

    def is_private(self, word: Word) -> bool:
        """True where a word leads out of the workspace to what is not the same on every machine."""
        place, path = self._resolve(word)
        if place is not Place.OUTSIDE or not ("/" in word.text or word.text.startswith(("~", "$", ".."))):
            return False
        if any(path == public or path.startswith(public + "/") for public in _PUBLIC):
            return False
        # A lone slash or "//" in a command is a pattern or a comment more often than the root folder.
        return path.startswith(("~", "..")) or bool(re.match(r"/[A-Za-z0-9._-]", path))

    def _resolve(self, word: Word, folder: str | None = _HERE_NOW) -> tuple[Place, str]:
        folder = self._folder if folder is _HERE_NOW else folder
        text = word.text
        if _HOME.match(text):
            return Place.OUTSIDE, text
        text = _HERE.sub("./", text, count=1) if _HERE.match(text) else text
        if word.glob and _HIDDEN_PARENT.search(text):
            return Place.OUTSIDE, text
        fixed = re.split(r"[$`{]", text, maxsplit=1)[0] if word.dynamic or word.glob else text
        if not fixed and text:
            return Place.UNKNOWN, ""
        if fixed.startswith("/"):
            return self._absolute(fixed, cut=fixed != text)
        if folder is None:
            return Place.UNKNOWN, ""
        if folder.startswith(("~", "..", "$")):
            return Place.OUTSIDE, posixpath.join(folder, fixed)
        if folder.startswith("/"):
            return self._absolute(posixpath.join(folder, fixed), cut=False)
        path = posixpath.normpath(posixpath.join(folder, fixed))
        return (Place.OUTSIDE if path == ".." or path.startswith("../") else Place.INSIDE), path

    def _absolute(self, text: str, *, cut: bool) -> tuple[Place, str]:
        path = posixpath.normpath(text)
        if path.startswith("//"):
            path = path[1:]
        for root in self._roots:
            if path == root or path.startswith(root.rstrip("/") + "/"):
                return Place.INSIDE, posixpath.relpath(path, root)
        if self._wide not in {None, "/"} and (path + "/").startswith(f"{self._wide}/"):
            return Place.OUTSIDE, path
        if _STREAMS.fullmatch(path):
            return Place.INSIDE, path
        if path.startswith("/dev/"):
            return Place.DEVICE, path
        if path.startswith(_SCRATCH) or (cut and (path + "/").startswith(_SCRATCH)):
            return Place.INSIDE, path
        return Place.OUTSIDE, path


_ORDER = [Place.INSIDE, Place.UNKNOWN, Place.OUTSIDE, Place.PROTECTED, Place.DEVICE]


def _severity_of(place: Place) -> int:
    return _ORDER.index(place)


def _severity(found: tuple[Place, str]) -> int:
    return _ORDER.index(found[0])
