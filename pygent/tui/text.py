"""Text as the screen shows it: cleaned, cut to its last lines, and numbers for people."""

from __future__ import annotations

from pygent import plain_text
from pygent.plain_text import UNSEEN, clean_line

__all__ = ["UNSEEN", "clean", "clean_line", "count", "money", "plural", "seconds", "tail_lines"]

_TAB = "    "


def clean(text: str, tab: str = _TAB) -> str:
    """``text`` cleaned, its tabs as ``tab``."""
    return plain_text.clean(text, tab)


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


def money(value: float) -> str:
    """An amount with as many digits as say something: ``0.0042``, ``0.31``, ``12.50``."""
    if value >= 0.1 or value <= 0:
        return f"{value:.2f}"
    return f"{value:.4f}".rstrip("0") if value >= 0.0001 else "<0.0001"
