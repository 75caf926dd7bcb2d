"""Known keys, taken out of whatever leaves the core: events, what the model reads, kept outputs, the log.

A key is hidden as it is written, also as JSON, HTML and an address write it. What a command encodes in another way
(base64, backwards, in pieces) cannot be seen here.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import fields, replace
from html import escape
from typing import Any, TypeVar
from urllib.parse import quote

from pygent.event_base import Event

HIDDEN = "••••"
"""What stands in the place of a key."""

E = TypeVar("E", bound=Event)

_STAMPED = frozenset({"seq", "at", "session_id", "agent_id"})
_PLACEHOLDER = re.compile(
    r"(?i)(sk-)?(no|not|none|empty|dummy|fake|local|placeholder|your|any|change|some|test|example)"
    r"([-_ ](key|api|needed|required|used|me|here|token|thing|string))*|(.)\5*|lm-studio|sk-(x+|1234|0+)"
)


def looks_like_key(text: str) -> bool:
    """Whether ``text`` is a key, and no word that stands for one where a server wants none (``ollama``).

    A word or a placeholder cannot be hidden wherever it stands: files and answers would no longer be what they are.
    """
    if len(text) < 8 or any(char.isspace() for char in text) or _PLACEHOLDER.fullmatch(text):
        return False
    return len(text) >= 16 or (any(map(str.isdigit, text)) and any(map(str.isalpha, text)))


def spellings(secret: str) -> set[str]:
    """How ``secret`` may be written: as it is, in JSON, in HTML, in an address."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        escape(secret),
        quote(secret, safe=""),
    }


class Redactor:
    """Hides known keys. It may learn more of them at any time; thread-safe."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self.texts: tuple[str, ...] = ()
        """The keys in all their spellings, the longest first."""
        self.bytes: tuple[bytes, ...] = ()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, too. What is no key by its looks is left."""
        with self._lock:
            new = {secret for secret in secrets if looks_like_key(secret)} - self._known
            if new:
                self._known |= new
                written = {spelling for secret in self._known for spelling in spellings(secret)}
                self.texts = tuple(sorted(written, key=len, reverse=True))
                self.bytes = tuple(text.encode("utf-8", "surrogateescape") for text in self.texts)

    def text(self, text: str) -> str:
        """``text`` without the keys."""
        for secret in self.texts:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def value(self, value: Any) -> Any:
        """A JSON value without the keys; the same object where there was none."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            made = {self.text(name): self.value(below) for name, below in value.items()}
            same = all(below is value.get(name) for name, below in made.items())
            return value if same and len(made) == len(value) else made
        if isinstance(value, list | tuple):
            items = [self.value(below) for below in value]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else type(value)(items)
        return value

    def event(self, event: E) -> E:
        """An event without the keys."""
        if not self.texts:
            return event
        changed = {}
        for one in fields(event):
            if one.name not in _STAMPED:
                before = getattr(event, one.name)
                after = self.value(before)
                if after is not before:
                    changed[one.name] = after
        return replace(event, **changed) if changed else event

    def stream(self) -> RedactedStream:
        """A reader of bytes that come in pieces."""
        return RedactedStream(self)

    def lost(self, before: bytes, after: str) -> bool:
        """Whether what is to take the place of ``before`` has what was shown for a key where ``before`` has the key.

        Whoever was shown a file without its keys, and writes it back as a whole, would remove them.
        """
        if HIDDEN not in after:
            return False
        written = after.encode("utf-8", "replace")
        return any(before.count(secret) > written.count(secret) for secret in self.bytes)


class RedactedStream:
    """Bytes without the keys. What may be the beginning of one waits for the next piece."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; answer what is known to be no part of a key."""
        secrets = self._redactor.bytes
        if not secrets:
            return data
        data = self._held + data
        for secret in secrets:
            if secret in data:
                data = data.replace(secret, HIDDEN.encode())
        held = max((_begun(data, secret) for secret in secrets), default=0)
        self._held = data[len(data) - held :]
        return data[: len(data) - held]

    def finish(self) -> bytes:
        """What was held back, at the end."""
        held, self._held = self._held, b""
        return held


def _begun(data: bytes, secret: bytes) -> int:
    """How many of the last bytes of ``data`` may be the beginning of ``secret``."""
    end = data[-(len(secret) - 1) :]
    at = end.find(secret[:1])
    while at >= 0:
        if secret.startswith(end[at:]):
            return len(end) - at
        at = end.find(secret[:1], at + 1)
    return 0
