"""Inputs made of bytes, so that Hypothesis and a coverage-guided fuzzer drive the same targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Source:
    """Reads choices out of bytes; where they have ended, everything is the first choice, 0 or empty."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> bool:
        """Whether there are bytes that were not read."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """The next byte."""
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def number(self, below: int) -> int:
        """A number from 0 to ``below`` - 1."""
        return (self.byte() << 8 | self.byte()) % below if below > 256 else self.byte() % below

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.number(len(choices))]

    def bytes(self, count: int) -> bytes:
        """The next ``count`` bytes, or what there is."""
        self._at += count
        return self._data[self._at - count : self._at]

    def character(self) -> str:
        """Any character at all, halves of surrogate pairs among them; often one of the first planes' controls."""
        kind = self.byte()
        if kind < 100:
            return chr(self.byte() % 0xA0)
        if kind < 200:
            return chr(self.byte() << 8 | self.byte())
        return chr((self.byte() << 16 | self.byte() << 8 | self.byte()) % 0x110000)

    def joined(self, atoms: Sequence[str], most: int = 40) -> str:
        """A text of ``atoms`` and, one time in four, of characters of any kind."""
        out = []
        while self.left and len(out) < most:
            out.append(self.character() if self.byte() < 64 else self.pick(atoms))
        return "".join(out)
