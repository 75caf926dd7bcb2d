"""An event as a row: its JSON on one line, from which long texts are taken out and kept as blobs.

A long text is one of ``LARGE`` characters or more, wherever it stands in the event: the output of a tool, a file that
a call writes, a picture. In the line it is "". The column ``outside`` says where it was and what it is, as JSON:
``[[digest, characters, key, key, …], …]``.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pygent.blobs import BlobError, BlobMissingError, Blobs
from pygent.event_lines import data_to_line
from pygent.events import AnyEvent, CheckpointMade, Event, FilesRestored, Json, from_dict, to_dict

log = logging.getLogger(__name__)

LARGE = 16_384
"""Characters of a text from which on it is not in the row."""

Key = str | int
_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
"""Stands for a picture that is lost: a server refuses a conversation in which there is none."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is stored of an event; ``digests`` are those of the blobs that it uses."""

    line: str
    outside: str | None = None
    digests: tuple[str, ...] = ()


def to_row(event: Event, blobs: Blobs) -> Row:
    """The row of an event, whose long texts are blobs then. Where those cannot be written, they stay in the row."""
    data, contents = to_dict(event), _contents(event)
    if not _has_long(data):
        return Row(data_to_line(data, compact=True), digests=contents)
    found: list[list[Any]] = []
    try:
        short = _take_out(data, (), found, blobs)
    except BlobError as error:
        log.warning("a long text stays in the database: %s", error)
        return Row(data_to_line(data, compact=True), digests=contents)
    digests = tuple(dict.fromkeys([*(one[0] for one in found), *contents]))
    return Row(data_to_line(short, compact=True), json.dumps(found), digests)


def _has_long(value: Any) -> bool:
    """Whether a text is in it that is kept outside. Encoding it only to see that would cost as much again."""
    if isinstance(value, str):
        return len(value) >= LARGE
    if isinstance(value, dict):
        return any(map(_has_long, value.values()))
    return isinstance(value, list) and any(map(_has_long, value))


def digests_of(line: str, outside: str | None) -> set[str]:
    """The blobs that a stored row uses; none where it cannot be read."""
    found: set[str] = set()
    with contextlib.suppress(ValueError, TypeError, IndexError):
        found |= {str(one[0]) for one in json.loads(outside or "[]")}
    with contextlib.suppress(ValueError):
        found |= set(_contents(from_dict(json.loads(line))))
    return found


def _contents(event: Event) -> tuple[str, ...]:
    """The contents of files that an event of an undo tells of."""
    if not isinstance(event, CheckpointMade | FilesRestored):
        return ()
    from pygent.checkpoints.records import blobs_of  # noqa: PLC0415 - only where a session changed files

    return tuple(dict.fromkeys(blobs_of([event])))


def from_row(data: Any, outside: str | None, blobs: Blobs) -> AnyEvent:
    """The event of a row whose line is ``data``. Where a long text is lost, a sentence that says so is in its place.

    Raises ``ValueError`` where this version cannot read it.
    """
    if not isinstance(data, dict):
        raise ValueError(f"it is no object of JSON: {data}")  # noqa: TRY004 - as any other text that cannot be read
    if outside is not None:
        put_back(data, outside, blobs)
    return from_dict(data)


def read_lines(lines: Sequence[str]) -> list[Any]:
    """What lines of JSON say, a ``ValueError`` for each that is none.

    They are read as one text, which takes half the time, and one by one only where that fails.
    """
    try:
        found: list[Any] = json.loads(f"[{','.join(lines)}]")
        if len(found) == len(lines):
            return found
    except ValueError:
        pass
    return [_read_line(line) for line in lines]


def _read_line(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        return error


def put_back(data: Json, outside: str, blobs: Blobs) -> None:
    """Put the long texts where they were. Raises ``ValueError`` where ``outside`` does not fit the data."""
    try:
        for digest, length, *path in json.loads(outside):
            *way, last = path
            place: Any = data
            for key in way:
                place = place[key]
            place[last] = _text(blobs, digest, length, picture=last == "url")
    except (TypeError, KeyError, IndexError) as error:
        raise ValueError(f"its long texts cannot be put back: {error!r}") from error


def _text(blobs: Blobs, digest: str, length: int, *, picture: bool) -> str:
    try:
        return blobs.get(digest).decode("utf-8", "surrogatepass")
    except BlobMissingError as error:
        log.warning("a long text is lost: %s", error)
        return _PICTURE if picture else f"[{length} characters that stood here are lost: {error}]"
    except BlobError as error:
        log.warning("a long text cannot be read: %s", error)
        return _PICTURE if picture else f"[{length} characters that stand here cannot be read: {error}]"


def _take_out(value: Any, path: tuple[Key, ...], found: list[list[Any]], blobs: Blobs) -> Any:
    """A copy of ``value`` without its long texts, of which ``found`` then has the places."""
    if isinstance(value, str):
        if len(value) < LARGE:
            return value
        found.append([blobs.put(value.encode("utf-8", "surrogatepass"), sync=True), len(value), *path])
        return ""
    copy: Callable[[Key, Any], Any] = lambda key, item: _take_out(item, (*path, key), found, blobs)  # noqa: E731
    if isinstance(value, dict):
        return {key: copy(key, item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy(number, item) for number, item in enumerate(value)]
    return value
