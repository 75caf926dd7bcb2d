"""Nothing that a terminal obeys comes out of the cleaner, nor out of the filter before the terminal."""

from __future__ import annotations

import unicodedata

from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from pygent.plain_text import clean, clean_line, one_line
from pygent.tui.line_filter import SafeText
from tests.fuzz.source import Source

ATOMS = (
    *(
        "\x1b",
        "\x1b[",
        "\x1b]",
        "\x1bP",
        "\x1b\\",
        "\x9b",
        "\x9d",
        "\x90",
        "\x9c",
        "\x07",
        "\0",
        "\r",
        "\r\n",
        "\n",
        "\t",
    ),
    *(
        "0;title",
        "52;c;aGk=",
        "8;;file:///x",
        "2J",
        "6n",
        "c",
        "[31m",
        "\x08",
        "\x0b",
        "\x7f",
        "\u202e",
        "\u2066",
        "\u2028",
    ),
    *("word ", "é", "界", "👩‍👩‍👧", "\u200b", "\ufeff", "\U000e0041", "\ud800", "\udc80"),
)
REORDER = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def acts(char: str) -> bool:
    """Whether a terminal obeys ``char``, or what reads it shows another order than is written."""
    return unicodedata.category(char) in {"Cc", "Zl", "Zp"} or unicodedata.bidirectional(char) in REORDER


def texts(data: bytes) -> None:
    """The target."""
    text = Source(data).joined(ATOMS)
    out = clean(text)
    assert not [char for char in out if acts(char) and char not in "\n\t"], ascii(text)
    assert clean(out) == out, ascii(text)
    assert text != "".join(filter(lambda char: char == "\n" or char.isprintable(), text)) or out == text
    for line in (clean_line(text), one_line(text, 20)):
        assert not any(acts(char) for char in line), ascii(text)
    assert len(one_line(text, 20)) <= 20
    segments = SafeText().apply([Segment(text, Style(link=text or None))], Color(0, 0, 0))
    for segment in segments:
        drawn = segment.text + ((segment.style and segment.style.link) or "")
        assert not any(acts(char) for char in drawn), ascii(text)
        segment.text.encode("utf-8")
