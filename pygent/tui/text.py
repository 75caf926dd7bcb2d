"""Text from outside, made fit for the screen: what would act on a terminal is taken out, what reads as text stays.

(Where a person decides about a text, `pygent.approvals.summary.visible` shows hidden characters instead.)
"""

from __future__ import annotations

import re

ESCAPE = re.compile(
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, to its end or as far as it goes
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # the rest
)
"""Escape sequences, whole ones and those cut off at the end of the text."""

UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
"""Controls, and the format characters that hide or reorder text. The zero-width joiner stays: emoji need it."""

_TAB = "    "


def clean(text: str) -> str:
    """``text`` without escape sequences and controls; lines stay, tabs become spaces.

    Of a line that was overwritten with carriage returns, as progress bars do, the last state stays.
    """
    if UNSEEN.search(text) is None:
        return text
    text = ESCAPE.sub("", text).replace("\r\n", "\n").replace("\t", _TAB)
    if "\r" in text:
        text = "\n".join(_overwritten(line) for line in text.split("\n"))
    return UNSEEN.sub("", text)


def clean_line(text: str) -> str:
    """``text`` cleaned and on one line."""
    return " ".join(clean(text).split())


def tail_lines(text: str, count: int) -> tuple[list[str], int]:
    """The last ``count`` lines of ``text``, cleaned, and how many lines stand before them.

    The cost does not grow with the text, save for counting its line ends.
    """
    stripped = text.rstrip("\n")
    end = len(stripped)
    start = end
    for _ in range(count):
        start = stripped.rfind("\n", 0, start)
        if start < 0:
            break
    before = stripped.count("\n", 0, start) + 1 if start >= 0 else 0
    shown = stripped[max(start + 1, end - 200_000) :]
    return clean(shown).split("\n") if shown else [], before


def seconds(value: float) -> str:
    """A duration for people: ``0.4s``, ``12s``, ``3m 05s``, ``1h 02m``."""
    if value < 10:
        return f"{value:.1f}s"
    whole = round(value)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def count(value: int) -> str:
    """A number for people: ``950``, ``2.4k``, ``128k``, ``1.2M``."""
    if value < 1000:
        return str(value)
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if value >= size:
            number = value / size
            return f"{number:.1f}{unit}" if number < 10 and value % size else f"{number:.0f}{unit}"
    return str(value)


def plural(number: int, noun: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _overwritten(line: str) -> str:
    return line.rstrip("\r").rsplit("\r", 1)[-1]
