"""The server that a model is asked at: how it is reached, and its failures in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pygent.errors import APIError, APITemporaryError
from pygent.models import api_errors
from pygent.models.api_errors import Failure

if TYPE_CHECKING:
    import ssl

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DIRECT = "direct"
"""As a proxy: none, whatever the environment says."""

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


class Failed(Exception):
    """One try failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.error))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a server is reached.

    ``timeout`` is in seconds, for each silence; ``first_token_timeout`` and ``token_timeout`` take its place in a
    stream, for its first piece of an answer and for each further one. ``headers`` are sent beside the protocol's own,
    and over them. ``proxy`` is a URL, ``direct`` for none; None leaves it to the environment's variables, without
    those for this machine's own servers. ``certificates`` is a PEM file of authorities that are trusted besides, or
    OpenSSL's kind of folder of them. ``key_name`` says where the key stands.
    """

    base_url: str
    api_key: str = field(default="", repr=False)
    timeout: float = 600.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = None
    certificates: Path | None = None
    first_token_timeout: float | None = None
    token_timeout: float | None = None
    key_name: str = "OPENAI_API_KEY"

    @property
    def shown(self) -> str:
        """The address as it can be shown."""
        return api_errors.without_credentials(self.base_url)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The key, and what headers have in its place."""
        from pygent.settings.secrets import secret_headers  # noqa: PLC0415 - after the first frame

        return (self.api_key, *secret_headers(self.headers))

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where no proxy leads."""
        host = urlsplit(self.base_url).hostname or ""
        return host in {"localhost", "::1"} or host.startswith("127.")

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
        if self.proxy not in {None, DIRECT} and urlsplit(self.proxy or "").scheme not in PROXY_SCHEMES:
            shown = api_errors.without_credentials(self.proxy or "")
            raise APIError(
                f"proxy: {shown!r} cannot be used; accepted: {DIRECT}, or a URL that starts with "
                f"{', '.join(f'{scheme}://' for scheme in PROXY_SCHEMES)}",
                url=self.shown,
            )

    def trust(self) -> ssl.SSLContext | None:
        """What certificates are checked with, None for the usual. Raises ``APIError`` where they cannot be read."""
        if self.certificates is None:
            return None
        import ssl  # noqa: PLC0415 - slow, and only for such a server

        try:
            context = ssl.create_default_context()
            folder = self.certificates.is_dir()
            context.load_verify_locations(
                cafile=None if folder else self.certificates, capath=self.certificates if folder else None
            )
        except ssl.SSLError:
            why = "it holds no certificate"
        except OSError as error:
            why = error.strerror or str(error)
        else:
            return context
        raise APIError(
            f"certificates: {str(self.certificates)!r} cannot be used: {why}; accepted: a file of certificates in "
            "PEM form (-----BEGIN CERTIFICATE-----)",
            url=self.shown,
        )

    def refused(self, status: int, said: object, model: str, headers: Any) -> Failed:
        """The server answered with an error."""
        where: dict[str, str] = {"url": self.base_url, "key": self.api_key, "key_name": self.key_name}
        return Failed(api_errors.of_status(status, said, headers, model=model, **where))

    def unreachable(self, error: BaseException) -> Failed:
        """There was no answer, or it broke off."""
        return Failed(api_errors.of_connection(error, url=self.base_url, timeout=self.timeout, proxy=self.proxy))

    def silent(self, why: str) -> Failed:
        """It took too long."""
        return Failed(Failure(APITemporaryError(f"{self.shown} {why}.", url=self.shown), temporary=True))

    def broken(self, what: str) -> Failed:
        """The answer is none; another one may be."""
        return Failed(Failure(APITemporaryError(f"{self.shown}: {what}.", url=self.shown), temporary=True))

    def unusable(self, what: str, status: int | None = None) -> Failed:
        """What came is no model server's answer, and never will be."""
        return Failed(Failure(APIError(f"{self.shown} {what}", url=self.shown, status=status), temporary=False))
