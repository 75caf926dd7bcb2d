"""The server that a model is asked at, and its failures in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pygent.errors import APIError, APITemporaryError
from pygent.models import api_errors
from pygent.models.api_errors import Failure

DEFAULT_BASE_URL = "https://api.openai.com/v1"


class Failed(Exception):
    """One try failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.error))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a server is reached. ``timeout`` is in seconds, for connecting and for each silence."""

    base_url: str
    api_key: str = field(default="", repr=False)
    timeout: float = 600.0

    @property
    def shown(self) -> str:
        """The address as it can be shown."""
        return api_errors.without_credentials(self.base_url)

    def check(self) -> None:
        """Raise ``APIError`` where nothing can be asked there."""
        if urlsplit(self.base_url).scheme not in {"http", "https"}:
            raise APIError(f"The base URL {self.shown!r} must begin with http:// or https://.", url=self.shown)
        if not self.api_key and self.base_url == DEFAULT_BASE_URL:
            raise APIError(
                f"No API key is set for {self.base_url}. Set OPENAI_API_KEY, or OPENAI_BASE_URL (--base-url) to the "
                "address of another server; a local one usually needs no key.",
                url=self.base_url,
            )

    def refused(self, status: int, said: object, model: str, headers: Any) -> Failed:
        """The server answered with an error."""
        return Failed(api_errors.of_status(status, said, headers, url=self.base_url, model=model, key=self.api_key))

    def unreachable(self, error: BaseException) -> Failed:
        """There was no answer, or it broke off."""
        return Failed(api_errors.of_connection(error, url=self.base_url, timeout=self.timeout))

    def broken(self, what: str) -> Failed:
        """The answer is none; another one may be."""
        return Failed(Failure(APITemporaryError(f"{self.shown}: {what}.", url=self.shown), temporary=True))

    def unusable(self, what: str, status: int | None = None) -> Failed:
        """What came is no model server's answer, and never will be."""
        return Failed(Failure(APIError(f"{self.shown} {what}", url=self.shown, status=status), temporary=False))
