"""What work may cost: a number of steps, seconds, tokens, and an amount of money."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_MOST = 10**15


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of what work may use, None for no limit; ``Budget()`` limits nothing.

    ``steps`` and ``tokens`` are whole numbers from 1. ``seconds`` is the time in which somebody is at work on it, and
    ``money`` an amount in the currency of the settings' prices; both are greater than 0.
    Raises ``ValueError``, which says what is accepted, for any other value.
    """

    steps: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    money: float | None = None

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            object.__setattr__(self, name, _checked(name, value))

    def __bool__(self) -> bool:
        return bool(self.to_dict())

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:.15g}" for name, value in self)

    def __iter__(self) -> Any:
        return iter(self.to_dict().items())

    def to_dict(self) -> dict[str, float]:
        """The limits that are set, by name."""
        found = {name: getattr(self, name) for name in PARTS}
        return {name: value for name, value in found.items() if value is not None}

    def narrowed(self, other: Budget) -> Budget:
        """The lower limit of both, one by one."""
        lower = {name: min(value, getattr(self, name) or value) for name, value in other}
        return replace(self, **lower)

    @classmethod
    def of(cls, value: Budget | Mapping[str, Any] | str | None) -> Budget:
        """Read a mapping of limits by name, or a text such as ``tokens=50000, money=0.5``; None is no limit.

        A text may also have colons, as YAML does. Raises ``ValueError``, which says what is accepted.
        """
        if value is None:
            return cls()
        if isinstance(value, cls):
            return value
        given = _parts(value) if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise ValueError(f"{value!r} is not a budget; accepted: {ACCEPTED}")  # noqa: TRY004 - one error for all
        for name in given:
            if name not in PARTS:
                raise ValueError(f"a budget has no {name!r}; accepted: {', '.join(PARTS)}")
        return cls(**given)


PARTS = tuple(field.name for field in fields(Budget))
"""The names of the limits."""

ACCEPTED = "{steps, seconds, tokens, money}, each a number greater than 0"

_WORDS = {
    "steps": "a whole number from 1",
    "tokens": "a whole number from 1",
    "seconds": "a number of seconds greater than 0",
    "money": "an amount greater than 0",
}


def _checked(name: str, value: Any) -> float:
    whole = name in {"steps", "tokens"}
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 < value < _MOST:
        raise ValueError(f"{name}: {value!r} cannot be used; accepted: {_WORDS[name]}")
    return int(value) if whole else float(value)


def _parts(text: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for part in re.sub(r"\s*[:=]\s*", "=", text.strip().strip("{}")).replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals or name in out:
            raise ValueError(f"{part!r} cannot be used; accepted: NAME=NUMBER, once for each of {', '.join(PARTS)}")
        out[name] = _number(value)
    return out


def _number(text: str) -> Any:
    """A number, or the text itself, which the check of its limit then refuses."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
