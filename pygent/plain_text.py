"""Text from outside, made safe to show on a terminal.

Escape sequences and other control characters can move the cursor, write to the clipboard or answer in the user's
name; bidirectional controls and invisible characters can hide what a command does. They are removed or shown as
what they are, never passed on.
"""

from __future__ import annotations

import re

_SEQUENCES = re.compile(
    r"""
    \x1b\[ [0-?]* [ -/]* [@-~]                           # CSI: colours, cursor, erase
    | \x9b [0-?]* [ -/]* [@-~]                           # the same with its one-character introducer
    | (?: \x1b[\]PX^_] | [\x9d\x90\x98\x9e\x9f] )        # OSC, DCS, SOS, PM, APC …
      [^\x07\x1b\x9c]* (?: \x07 | \x1b\\ | \x9c )?       # … up to their end
    | \x1b [ -/]* [0-~]                                  # two-character sequences
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    r"""``text`` without escape sequences and control characters; line breaks and tabs stay.

    Invisible and bidirectional characters are shown as ``\u`` escapes. A carriage return counts as a line break's
    part, or as the start of the line anew, as a progress bar means it.
    """
    text = _SEQUENCES.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    text = _CONTROLS.sub("", text)
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def one_line(text: str, width: int) -> str:
    """``text`` cleaned, on one line of at most ``width`` characters."""
    flat = " ".join(clean(text).split())
    return flat if len(flat) <= width else flat[: max(0, width - 1)] + "…"
