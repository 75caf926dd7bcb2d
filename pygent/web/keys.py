"""What opens the door: an address that works once, a password if there is one, and the cookies given for them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections import deque

MOST_BROWSERS = 32
"""Cookies that are valid at once; one more lets the oldest go."""
PAUSE = 1.0
"""Seconds between two guesses of a password, whoever makes them."""
MOST_WAITING = 8
"""Guesses that may wait for their turn; more are refused unread."""


class TooManyGuesses(Exception):
    """Others are guessing the password just now."""


class Keys:
    """The secrets of a server, which end with it. All are compared in constant time; cookies are kept as digests."""

    def __init__(self, password: str | None = None) -> None:
        self._password = password
        self._cookies: deque[bytes] = deque(maxlen=MOST_BROWSERS)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self.token = secrets.token_urlsafe(32)

    @property
    def has_password(self) -> bool:
        return self._password is not None

    def take_token(self, given: str) -> bool:
        """Whether this is the token; it is used up then, and ``token`` is another one."""
        if not _equal(given, self.token):
            return False
        self.token = secrets.token_urlsafe(32)
        return True

    async def is_password(self, given: str) -> bool:
        """Whether this is the password. Wrong ones take their time. Raises ``TooManyGuesses``."""
        if self._password is None:
            return False
        if self._waiting >= MOST_WAITING:
            raise TooManyGuesses
        self._waiting += 1
        try:
            async with self._turn:
                right = _equal(given, self._password)
                if not right:
                    await asyncio.sleep(PAUSE)
                return right
        finally:
            self._waiting -= 1

    def new_cookie(self) -> str:
        """A cookie's value that ``knows`` knows from now on."""
        value = secrets.token_urlsafe(32)
        self._cookies.append(_digest(value))
        return value

    def knows(self, cookie: str) -> bool:
        """Whether this is the value of a cookie that was given to a browser."""
        digest = _digest(cookie)
        return sum(hmac.compare_digest(digest, known) for known in self._cookies) > 0


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
