"""Which texts and tools suit a model: all of them, or few and short ones for a small model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pygent.models.endpoint import Endpoint

Profile = Literal["full", "small"]
Wanted = Literal["auto", "full", "small"]

SMALL_WINDOW = 8_192
"""Tokens of a context window up to which a model gets the small profile."""

SMALL_MODEL = 4e9
"""Parameters up to which it does."""

SECONDS = 1.0
_BILLIONS = re.compile(r"(?<![\w.])(?:\d+x)?(\d+(?:\.\d+)?)b(?![a-z])", re.IGNORECASE)


def wanted(profile: str) -> Wanted:
    """``profile`` as one of those there are. Raises ``ValueError`` for another word."""
    match profile:
        case "auto" | "full" | "small":
            return profile
    raise ValueError(f"profile {profile!r}: use auto, full or small")


def choose(which: Wanted, model: str, server: Endpoint) -> Profile:
    """The profile of that name; for ``auto`` by the model's size, as its name or else its server tells it."""
    if which != "auto":
        return which
    if named := _BILLIONS.findall(model):
        return "small" if float(named[-1]) * 1e9 <= SMALL_MODEL else "full"
    from pygent.models.window import find_window  # noqa: PLC0415 - brings a client of its own

    found = find_window(
        server.base_url,
        model,
        server.api_key or None,
        SECONDS,
        headers=server.headers,
        proxy=server.proxy,
        certificates=server.certificates,
    )
    if found is None:
        return "full"
    narrow = found.tokens is not None and found.tokens <= SMALL_WINDOW
    return "small" if narrow or (found.parameters or SMALL_MODEL + 1) <= SMALL_MODEL else "full"
