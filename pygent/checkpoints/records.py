"""What stood at a path, as events carry it: JSON values, whatever bytes a name has."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from pygent.changes.tree import Entry
from pygent.events import CheckpointMade, Event, FilesRestored

StateKind = Literal["file", "link", "folder"]


class State(NamedTuple):
    """A file, link or folder as it was.

    ``mode`` are the permission bits, ``size`` is in bytes, ``digest`` is that of ``pygent.changes``. ``blob`` names
    the kept content of a file, None where it is not kept; ``link`` is where a link leads.
    """

    kind: StateKind
    mode: int
    size: int = 0
    digest: str = ""
    blob: str | None = None
    link: str | None = None

    def same(self, other: State | None) -> bool:
        """Whether both are the same: kind, content, and a file's permission bits."""
        if other is None or self.kind != other.kind:
            return False
        return self.kind == "folder" or (self.digest == other.digest and self.mode == other.mode)

    @property
    def entry(self) -> Entry:
        """A file or link as change sets have it."""
        assert self.kind != "folder"
        return Entry(self.kind, self.mode, self.size, self.digest, link=self.link)

    @property
    def kept(self) -> bool:
        """Whether it can be made again."""
        return self.kind == "folder" or (self.blob if self.kind == "file" else self.link) is not None

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        out: dict[str, Any] = {"kind": self.kind, "mode": self.mode}
        if self.kind == "file":
            out |= {"size": self.size, "digest": self.digest, "blob": self.blob}
        elif self.link is not None:
            out |= {"digest": self.digest, **_named("link", self.link)}
        return out

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> State:
        """Read it back. Raises ``ValueError`` where that is no state."""
        try:
            link = _name("link", data) if "link" in data else None
            size = data.get("size", len(os.fsencode(link)) if link is not None else 0)
            return cls(data["kind"], int(data["mode"]), int(size), data.get("digest", ""), data.get("blob"), link)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no state of a file: {error}") from error


class Change(NamedTuple):
    """What one path was and is; None is nothing. Not both are None."""

    path: str
    before: State | None
    after: State | None

    @property
    def of_folder(self) -> bool:
        """Whether only a folder was made or removed."""
        return all(state is None or state.kind == "folder" for state in (self.before, self.after))

    @property
    def back(self) -> Change:
        """The change that takes this one back."""
        return Change(self.path, self.after, self.before)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        before = None if self.before is None else self.before.to_dict()
        after = None if self.after is None else self.after.to_dict()
        return {**_named("path", self.path), "before": before, "after": after}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Change:
        """Read it back. Raises ``ValueError`` where that is no change."""
        try:
            before, after = data["before"], data["after"]
            path = _name("path", data)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no change of a file: {error}") from error
        return cls(
            path,
            None if before is None else State.from_dict(before),
            None if after is None else State.from_dict(after),
        )


def same(one: State | None, other: State | None) -> bool:
    """Whether both are the same, or both nothing."""
    return other is None if one is None else one.same(other)


def shown(path: str) -> str:
    """A path as it can be written down: bytes that are no UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def named(changes: Iterable[Change]) -> list[Change]:
    """The changes that people are told of: without folders that were made or removed for what is in them."""
    changes = sorted(changes)
    return [
        change
        for change, following in itertools.zip_longest(changes, changes[1:])
        if not (change.of_folder and following is not None and following.path.startswith(f"{change.path}/"))
    ]


def changes_of(event: CheckpointMade | FilesRestored) -> list[Change]:
    """The changes that an event tells of; one that cannot be read is left out."""
    found = []
    for data in event.changes:
        try:
            found.append(Change.from_dict(data))
        except ValueError:
            continue
    return found


def blobs_of(events: Iterable[Event]) -> Iterator[str]:
    """The names of all kept contents that events need."""
    for event in events:
        if isinstance(event, CheckpointMade | FilesRestored):
            for change in changes_of(event):
                for state in (change.before, change.after):
                    if state is not None and state.blob is not None:
                        yield state.blob


def _named(key: str, name: str) -> dict[str, Any]:
    text = shown(name)
    raw = os.fsencode(name)
    return {key: text} if text.encode() == raw else {key: text, f"raw_{key}": raw.hex()}


def _name(key: str, data: Mapping[str, Any]) -> str:
    raw = data.get(f"raw_{key}")
    return str(data[key]) if raw is None else os.fsdecode(bytes.fromhex(raw))
