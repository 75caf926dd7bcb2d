"""Events as lines of JSON that can be written as UTF-8, whatever texts they carry."""

from __future__ import annotations

import json

from pygent.events import Event, Json, to_dict

COMPACT = (",", ":")


def to_line(event: Event, *, compact: bool = False, ascii_only: bool = False) -> str:
    """The wire form of an event as one line of JSON, without its end.

    A name of a file that is not UTF-8, or a prompt from such a command line, holds halves of surrogate pairs. They
    are escaped, since no file and no database takes them; ``from_dict`` gives them back. ``compact`` leaves out the
    spaces, ``ascii_only`` escapes all that is not ASCII.
    """
    return data_to_line(to_dict(event), compact=compact, ascii_only=ascii_only)


def data_to_line(data: Json, *, compact: bool = False, ascii_only: bool = False) -> str:
    """The same for what ``to_dict`` has made of an event."""
    separators = COMPACT if compact else None
    if not ascii_only:
        line = json.dumps(data, ensure_ascii=False, separators=separators)
        try:
            line.encode()
        except UnicodeEncodeError:
            pass
        else:
            return line
    return json.dumps(data, separators=separators)
