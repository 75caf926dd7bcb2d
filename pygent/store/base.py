"""What the store tells of sessions, and its errors."""

from __future__ import annotations

from dataclasses import dataclass

from pygent.errors import PygentError
from pygent.plain_text import ago


class StoreError(PygentError):
    """The database of sessions cannot be used; the text names the file."""


class SeqTakenError(StoreError):
    """The session has an event of that number already, from another Pygent; it was left as it is."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session as lists show it; times are Unix times in seconds, ``events`` is the number of its last event."""

    id: str
    title: str
    workspace: str
    model: str
    started_at: float
    updated_at: float
    events: int

    @property
    def age(self) -> str:
        """How long ago it was last at work, for people."""
        return ago(self.updated_at)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """How many messages a session has, and the last words of both sides."""

    messages: int
    asked: str
    answered: str


TITLE_LENGTH = 80


def title_of(text: str) -> str:
    """What a session is called by that text."""
    return writable(" ".join(text.split())[:TITLE_LENGTH])


def writable(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no column of text takes."""
    return text.encode("utf-8", "replace").decode()
