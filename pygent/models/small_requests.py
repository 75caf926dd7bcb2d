"""Small questions to a server, beside a conversation: what it offers, what it knows of a model.

With the standard library, since a question must not wait for a package that takes a second to import.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pygent._version import __version__

LONGEST = 4 * 1024 * 1024
"""Bytes of an answer that are read."""


class Asker:
    """Sends requests with the same key, headers, proxy and certificates; ``timeout`` is in seconds."""

    def __init__(
        self,
        api_key: str | None = None,
        timeout: float = 5.0,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        certificates: Path | None = None,
    ) -> None:
        self._timeout = timeout
        self._headers = {"User-Agent": f"pygent/{__version__}", "Accept": "application/json", **(headers or {})}
        if api_key:
            self._headers["Authorization"] = f"Bearer {api_key}"
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if proxy is not None:
            handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
        if certificates is not None:
            handlers.append(urllib.request.HTTPSHandler(context=_context(certificates)))
        self._opener = urllib.request.build_opener(*handlers)

    def send(self, url: str, body: object = None) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers of the answer to a GET, or to a POST where there is a ``body`` for it.

        Raises ``OSError`` or ``http.client.HTTPException`` where there is no answer, ``ValueError`` for an address
        that is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("it must begin with http:// or https://")
        _ = parts.port  # ValueError where it is no number
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data)  # noqa: S310 - checked above
        for name, value in self._headers.items():
            request.add_unredirected_header(name, value)
        if data is not None:
            request.add_unredirected_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                return answer.status, answer.read(LONGEST), dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(LONGEST), dict(error.headers)

    def json(self, url: str, body: object = None) -> Any:
        """The JSON value of a good answer, None for anything else."""
        import http.client  # noqa: PLC0415 - there already, since urllib is

        try:
            status, data, _ = self.send(url, body)
            return json.loads(data) if status == http.HTTPStatus.OK else None
        except (OSError, ValueError, http.client.HTTPException):
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _context(certificates: Path) -> Any:
    """What vouches for a server: what does on this machine, and ``certificates`` besides. Raises ``OSError``."""
    import ssl  # noqa: PLC0415 - only where there are any

    context = ssl.create_default_context()
    folder = certificates.is_dir()
    context.load_verify_locations(
        cafile=None if folder else str(certificates), capath=str(certificates) if folder else None
    )
    return context
