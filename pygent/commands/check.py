"""What a check of ``pygent doctor`` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; ``fail`` means that Pygent cannot work as it is set up.

    Of what commands can reach, ``reached`` says whether they do and ``change`` which setting decides it.
    """

    name: str
    state: Literal["ok", "warn", "fail"]
    text: str
    reached: bool | None = None
    change: str = ""

    @property
    def line(self) -> str:
        """What a person reads."""
        return f"{self.text}; {self.change}" if self.change else self.text

    def to_dict(self) -> dict[str, Any]:
        """What a program reads."""
        out: dict[str, Any] = {"check": self.name, "state": self.state, "text": self.text}
        return {**out, "reached": self.reached, "change": self.change} if self.change else out
