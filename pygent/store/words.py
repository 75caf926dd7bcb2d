"""What somebody looks for, and whether and where a text has it.

A text is taken apart into words: runs of letters and digits, without case and accents, and each character by itself
in scripts that put no space between words. The index of the store is made of the same words, so that it finds what
this finds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 64
"""Characters of a word that count; what is longer is no word, but data."""

_TOO_LONG = re.compile(f"[A-Za-z0-9]{{{LONGEST + 1}}}")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"[{_UNSPACED}]|[^\\W_{_UNSPACED}]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
_QUOTED = re.compile(r'"([^"]*)("|$)|([^"]+)')


@dataclass(frozen=True, slots=True)
class Term:
    """Words that have to stand one after the other; the last may go on where it is ``open``."""

    words: tuple[str, ...]
    open: bool

    @property
    def expression(self) -> str:
        """The same for FTS5. There is nothing in a word that it could take for more than a letter."""
        return f'"{" ".join(self.words)}"' + (" *" if self.open else "")

    def found(self, words: Sequence[str], start: int = 0) -> int:
        """Where in ``words`` this stands first, from ``start`` on; -1 for nowhere."""
        *whole, last = self.words
        for at in range(start, len(words) - len(whole)):
            word = words[at + len(whole)]
            if (word.startswith(last) if self.open else word == last) and list(words[at : at + len(whole)]) == whole:
                return at
        return -1


def parse(text: str) -> tuple[Term, ...]:
    """What ``text`` asks for: every word finds what begins with it, "words in quotes" find just these in this order.

    Words that other characters join, as in ``src/main.py``, stand one after the other. What has no letter and no
    digit asks for nothing; a quotation mark at the end may be missing while somebody types.
    """
    terms: list[Term] = []
    for quoted, end, plain in _QUOTED.findall(text):
        pieces = [quoted] if not plain else plain.split()
        terms += [Term(words, open=bool(plain) or not end) for piece in pieces if (words := tuple(words_of(piece)))]
    return tuple(dict.fromkeys(terms))


def expression(terms: Sequence[Term]) -> str:
    """What FTS5 is asked for texts that have all ``terms``."""
    return " AND ".join(term.expression for term in terms)


def words_of(text: str) -> list[str]:
    """The words of a text, in order."""
    if text.isascii():
        return [word[:LONGEST] for word in _ASCII_WORD.findall(text.lower())]
    return [word[:LONGEST] for word in _WORD.findall(_folded(text))]


def indexable(text: str) -> str:
    """A text of which FTS5 with ``tokenize='ascii'`` makes the same words. It does most of the work itself."""
    if text.isascii() and _TOO_LONG.search(text) is None:
        return text
    return " ".join(words_of(text))


def has_all(text: str, terms: Sequence[Term]) -> bool:
    """Whether a text has all ``terms``."""
    words = words_of(text)
    return all(term.found(words) >= 0 for term in terms)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a text on one line; what was found is ``text[start:end]``."""

    text: str
    start: int = 0
    end: int = 0


def excerpt(text: str, terms: Sequence[Term], width: int = 120) -> Excerpt:
    """The piece of ``text``, some ``width`` characters wide, with the first of ``terms`` that it has."""
    spans = list(_spans(text))
    words = [word for word, _, _ in spans]
    for term in terms:
        at = term.found(words)
        if at >= 0:
            start, end = spans[at][1], spans[at + len(term.words) - 1][2]
            return _cut(text, start, end, width)
    return _cut(text, 0, 0, width)


def _cut(text: str, start: int, end: int, width: int) -> Excerpt:
    end = min(end, start + width)
    first = max(0, start - max(0, (width - (end - start)) // 3))
    if first and (space := re.search(r"\s", text[first:start])):  # it begins with a whole word, where there is one
        first += space.end()
    before = " ".join(("…" if first else "", *text[first:start].split()))
    joined = text[max(0, start - 1) : start].isspace()
    before = before.lstrip() + (" " if joined and before.strip() else "")
    found = " ".join(text[start:end].split())
    room = max(0, width - len(before) - len(found))
    after = text[end : end + room]
    more = "…" if len(text) > end + room else ""
    after = (" " if after[:1].isspace() else "") + " ".join(after.split())
    return Excerpt(before + found + after + more, len(before), len(before) + len(found))


def _spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The words of a text, and where they begin and end in it."""
    if text.isascii():
        for found in _ASCII_WORD.finditer(text.lower()):
            yield found.group()[:LONGEST], *found.span()
        return
    for found in re.finditer(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*", text):
        pieces = _WORD.findall(_folded(found.group()))
        start, end = found.span()
        if len(pieces) == end - start:  # one for each character, as in Chinese
            for number, piece in enumerate(pieces):
                yield piece, start + number, start + number + 1
        else:
            for piece in pieces:
                yield piece[:LONGEST], start, end


def _folded(text: str) -> str:
    """Without case, and without the accents of Latin, Greek and Cyrillic letters."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))
