"""Events as lines of JSON that can be written as UTF-8, whatever texts they carry."""

from __future__ import annotations

import json

from pygent.events import Event, Json, to_dict

_ENCODERS = {
    (compact, ascii_only): json.JSONEncoder(
        ensure_ascii=ascii_only, separators=(",", ":") if compact else None
    ).encode
    for compact in (False, True)
    for ascii_only in (False, True)
}
"""Made once: ``json.dumps`` makes one for each call that asks for anything special."""


def to_line(event: Event, *, compact: bool = False, ascii_only: bool = False) -> str:
    """The wire form of an event as one line of JSON, without its end.

    A name of a file that is not UTF-8, or a prompt from such a command line, holds halves of surrogate pairs. They
    are escaped, since no file and no database takes them; ``from_dict`` gives them back. ``compact`` leaves out the
    spaces, ``ascii_only`` escapes all that is not ASCII.
    """
    return data_to_line(to_dict(event), compact=compact, ascii_only=ascii_only)


def data_to_line(data: Json, *, compact: bool = False, ascii_only: bool = False) -> str:
    """The same for what ``to_dict`` has made of an event."""
    if not ascii_only:
        line = _ENCODERS[compact, False](data)
        if line.isascii() or _can_be_written(line):
            return line
    return _ENCODERS[compact, True](data)


def _can_be_written(line: str) -> bool:
    try:
        line.encode()
    except UnicodeEncodeError:
        return False
    return True
