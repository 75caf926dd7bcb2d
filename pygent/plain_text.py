"""Text from outside, made fit to be shown: what would act on a terminal is taken out, what reads as text stays.

Escape sequences and controls can move the cursor, write to the clipboard or answer in the user's name; format
characters can hide or reorder what is read. (Where a person decides about a text,
`pygent.approvals.summary.visible` shows hidden characters instead.)
"""

from __future__ import annotations

import json
import re
import time

ESCAPE = re.compile(
    r"(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, to its end or as far as it goes
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # the rest
)
"""Escape sequences, whole ones and those cut off at the end of the text."""

UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""Controls, and the format characters that hide or reorder text. The zero-width joiner stays: emoji need it."""


def clean(text: str, tab: str = "\t") -> str:
    """``text`` without escape sequences and controls; line ends stay, and tabs as ``tab``.

    Of a line that was overwritten with carriage returns, as progress bars do, the last state stays.
    """
    if UNSEEN.search(text) is None:
        return text
    text = ESCAPE.sub("", text).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(_overwritten(line) for line in text.split("\n"))
    return tab.join(UNSEEN.sub("", part) for part in text.split("\t"))


def escaped(line: str) -> str:
    """JSON as it can be written to a terminal: what would act on it as JSON's escapes, so that nothing is lost."""
    return UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], line)


def clean_line(text: str) -> str:
    """``text`` cleaned and on one line."""
    return " ".join(clean(text).split())


def one_line(text: str, width: int) -> str:
    """``text`` cleaned, on one line of at most ``width`` characters."""
    flat = clean_line(text)
    return flat if len(flat) <= width else flat[: max(0, width - 1)] + "…"


def ago(moment: float) -> str:
    """How long ago ``moment`` (Unix time in seconds) was, for people."""
    seconds = max(0.0, time.time() - moment)
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"


def _overwritten(line: str) -> str:
    return line.rstrip("\r").rsplit("\r", 1)[-1]
