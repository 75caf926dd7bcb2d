"""What opens the door: an address that works once, a password if there is one, and the cookies given for them.

A browser sends its cookies to every port of an address, so whoever serves another port can see them. The page has a
second secret therefore, which it gets once for its cookie and keeps where only pages of its own port can read it.
"""

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


class Browser:
    """A browser that was let in, by its two secrets; ``key`` is none until the page has asked for it."""

    def __init__(self, cookie: bytes) -> None:
        self.cookie = cookie
        self.key: bytes | None = None


class Keys:
    """The secrets of a server, which end with it. All are compared in constant time; cookies are kept as digests."""

    def __init__(self, password: str | None = None) -> None:
        self._password = password
        self._browsers: deque[Browser] = deque(maxlen=MOST_BROWSERS)
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
        """A cookie's value that is known from now on."""
        value = secrets.token_urlsafe(32)
        self._browsers.append(Browser(_digest(value)))
        return value

    def knows(self, cookie: str) -> bool:
        """Whether this is the value of a cookie that was given to a browser."""
        return self._browser(cookie) is not None

    def new_key(self, cookie: str) -> str | None:
        """The key of that browser's page, once; afterwards, and for an unknown cookie, None."""
        browser = self._browser(cookie)
        if browser is None or browser.key is not None:
            return None
        value = secrets.token_urlsafe(32)
        browser.key = _digest(value)
        return value

    def opens(self, cookie: str, key: str) -> bool:
        """Whether both are secrets of the same browser."""
        browser = self._browser(cookie)
        return browser is not None and browser.key is not None and hmac.compare_digest(_digest(key), browser.key)

    def _browser(self, cookie: str) -> Browser | None:
        digest = _digest(cookie)
        found = [browser for browser in self._browsers if hmac.compare_digest(digest, browser.cookie)]
        return found[0] if found else None


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(_digest(one), _digest(other))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
