"""What a check of ``pygent doctor`` found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; ``fail`` means that Pygent cannot work as it is set up."""

    name: str
    state: Literal["ok", "warn", "fail"]
    text: str
