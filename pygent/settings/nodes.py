"""A value together with the place where it was written, so that every complaint can name a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pygent.records import record

Scalar: TypeAlias = str | int | float | bool | None


@record
class Node:
    """One value of a settings file.

    ``line`` counts from 1; for the value of a key it is the key's line, and None where there is no file. ``text`` is
    a scalar as it was written, which tells ``yes`` from ``true`` and ``010`` from ``8``.
    """

    value: Scalar | list[Node] | dict[str, Node]
    line: int | None = None
    text: str = ""

    @classmethod
    def of(cls, value: object) -> Node:
        """Wrap a plain Python value."""
        if isinstance(value, Node):
            return value
        if isinstance(value, dict):
            return cls({str(key): cls.of(item) for key, item in value.items()})
        if isinstance(value, (list, tuple, set, frozenset)):
            return cls([cls.of(item) for item in value])
        if value is None or isinstance(value, (str, int, float, bool)):
            return cls(value, text="" if value is None else str(value))
        return cls(str(value), text=str(value))

    def describe(self) -> str:
        """The value in words, short enough for a message: ``'many' (text)``."""
        value = self.value
        if isinstance(value, dict):
            return "a mapping"
        if isinstance(value, list):
            return "a list"
        if value is None:
            return "nothing"
        shown = self.text or str(value)
        shown = repr(shown if len(shown) <= 60 else shown[:57] + "…")
        name = {bool: "true or false", int: "a whole number", float: "a number"}.get(type(value), "text")
        return f"{shown} ({name})"


class Invalid(ValueError):
    """A value cannot be used; ``line`` and ``key`` where they are narrower than the whole value's."""

    def __init__(self, message: str, *, line: int | None = None, key: str | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.key = key


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the nearest known name, empty where none is near."""
    import difflib  # noqa: PLC0415

    names = sorted(known)
    found = difflib.get_close_matches(name, names, 1, 0.6) or difflib.get_close_matches(
        name.lower().replace("-", "_"), names, 1, 0.5
    )
    return f"; did you mean {found[0]!r}?" if found else ""
