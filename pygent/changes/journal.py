"""What is about to be done to a workspace, written down first: enough to put it back, at once or after a crash.

The folder of a journal has ``plan.json``, the old contents as ``old-N``, and one empty file whose name is the state:

``staging``     new contents are written beside the files, under names of their own; nothing else has happened
``committing``  names are being changed; after a crash all of it is put back
``cleaning``    it is done, and the base knows; old files still have names of their own
``applied``     nothing is left to do; this is an undo point
``kept``        it was put back, save files that others had changed by then; what was not put back stays here
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from pygent.changes.contents import write_version
from pygent.changes.steps import Step
from pygent.changes.tree import NEW_FILE, Entry
from pygent.errors import WorkspaceError
from pygent.workspace import reason_of

State = Literal["staging", "committing", "cleaning", "applied", "kept"]
STATES: tuple[State, ...] = ("staging", "committing", "cleaning", "applied", "kept")

Entries = Mapping[str, Entry | None]
Stamp = tuple[int, int, int]
"""Inode, size, time: what tells a file that was staged from one that stood there."""

_PLAN = "plan.json"
_VERSION = 1


@dataclass(slots=True)
class Item:
    """One step as it is written down. ``place`` is the folder of its temporary name, ``part`` the change it is of."""

    path: str
    place: str
    name: str
    old: Entry | None
    new: Entry | None
    part: int
    staged: Stamp | None = None


@dataclass(slots=True)
class Folder:
    """A folder that is removed where it is empty, and what it is like."""

    path: str
    mode: int
    uid: int
    gid: int


@dataclass(slots=True)
class Journal:
    """``made`` are folders that are made, the outermost first; ``gone`` those that are removed, the innermost first.

    ``parts`` are the entries of the base before and after, change by change.
    """

    folder: Path
    items: list[Item] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    gone: list[Folder] = field(default_factory=list)
    parts: Sequence[tuple[Entries, Entries]] = ()
    token: str = field(default_factory=lambda: secrets.token_hex(6))

    def make_folder(self) -> None:
        """Make the folder. Raises ``WorkspaceError`` where there is something in it."""
        try:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            taken = any(self.folder.iterdir())
        except OSError as error:
            raise in_words(error) from error
        if taken:
            raise WorkspaceError(f"{str(self.folder)!r} is not empty: an undo point has a folder of its own.")

    def begin(self, steps: list[Step]) -> None:
        """Keep the old contents, and write down what will be done. Raises ``OSError``."""
        for number, step in enumerate(steps):
            if step.old is not None and step.old.entry.kind == "file":
                fd = os.open(self.old(number), NEW_FILE, 0o600)
                try:
                    write_version(step.old, fd)
                    if len(steps) <= SINGLY:
                        os.fsync(fd)
                finally:
                    os.close(fd)
        self.write()
        (self.folder / STATES[0]).touch(0o600)
        settle([self.folder] if len(steps) <= SINGLY else None)

    def old(self, number: int) -> Path:
        """Where the content is kept that stood at the path of an item."""
        return self.folder / f"old-{number}"

    def write(self) -> None:
        """Write it down, durably. Raises ``OSError``."""
        plan: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        plan |= {"version": _VERSION, "folder": None, "gone": [asdict(folder) for folder in self.gone]}
        plan["items"] = [[getattr(item, name) for name in Item.__slots__] for item in self.items]
        temporary = self.folder / "plan.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(plan, separators=(",", ":")))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / _PLAN)

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """A journal that was written. Raises ``WorkspaceError``."""
        try:
            with (folder / _PLAN).open(encoding="utf-8") as file:
                plan: dict[str, Any] = json.load(file)
            if plan["version"] != _VERSION:
                raise WorkspaceError(f"{str(folder)!r} was written by another version of Pygent.")
            items = [Item(*item) for item in plan["items"]]
            for item in items:
                item.old, item.new = _entry(item.old), _entry(item.new)
                item.staged = None if item.staged is None else (item.staged[0], item.staged[1], item.staged[2])
            parts = [
                ({path: _entry(entry) for path, entry in before.items()}, {p: _entry(e) for p, e in after.items()})
                for before, after in plan["parts"]
            ]
            gone = [Folder(**one) for one in plan["gone"]]
            return cls(folder, items, plan["made"], gone, parts, plan["token"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise WorkspaceError(f"There is no undo point in {str(folder)!r}: {error}.") from error

    @property
    def state(self) -> State | None:
        """How far it is, None before anything was done."""
        return next((state for state in reversed(STATES) if (self.folder / state).exists()), None)

    def enter(self, state: State) -> None:
        """Go on to another state, durably. Raises ``OSError``."""
        (self.folder / (self.state or STATES[0])).rename(self.folder / state)
        settle([self.folder])

    def keep(self) -> None:
        """It was put back, but not all of it: keep what there is, under another name. Raises ``OSError``."""
        self.enter("kept")
        other = self.folder.with_name(f"{self.folder.name}.kept-{self.token}")
        self.folder.rename(other)
        self.folder = other

    def remove(self) -> None:
        """There is nothing to put back any more."""
        for state in STATES:  # first, so that what is left of an interrupted removal has none
            with contextlib.suppress(OSError):
                (self.folder / state).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def before(self) -> dict[str, Entry | None]:
        """The entries of the base before."""
        return {path: entry for before, _ in self.parts for path, entry in before.items()}

    @property
    def after(self) -> dict[str, Entry | None]:
        """The entries of the base after it."""
        return {path: entry for _, after in self.parts for path, entry in after.items()}


SINGLY = 100
"""Files up to which each is waited for by itself until it is on the disk."""


def settle(folders: list[Path] | None) -> None:
    """Wait until the names in these folders are on the disk; None: everything. Raises ``OSError``."""
    if folders is None:
        os.sync()
        return
    for folder in folders:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def in_words(error: OSError, more: str = "") -> WorkspaceError:
    """Why nothing was done."""
    return WorkspaceError(f"Nothing was changed: {reason_of(error)}.{more}")


def _entry(found: Any) -> Entry | None:
    return None if found is None else Entry(*found)
