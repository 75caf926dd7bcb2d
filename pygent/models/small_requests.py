"""Small questions to a server, beside a conversation: what it offers, what it knows of a model.

With the standard library, since a question must not wait for a package that takes a second to import.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pygent._version import __version__
from pygent.models.endpoint import DIRECT, Endpoint

LONGEST = 4 * 1024 * 1024
"""Bytes of an answer that are read."""


class Asker:
    """Sends requests to one server, in the way that leads there. Raises ``APIError`` where that cannot be gone."""

    def __init__(self, server: Endpoint) -> None:
        self._timeout = server.timeout
        self._headers = {"User-Agent": f"pygent/{__version__}", "Accept": "application/json"}
        if server.api_key:
            self._headers["Authorization"] = f"Bearer {server.api_key}"
        self._headers.update(server.headers)
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if server.proxy not in {None, DIRECT}:
            handlers.append(urllib.request.ProxyHandler(dict.fromkeys(("http", "https"), str(server.proxy))))
        elif server.proxy == DIRECT or server.local:
            handlers.append(urllib.request.ProxyHandler({}))
        trust = server.trust()
        if trust is not None:
            handlers.append(urllib.request.HTTPSHandler(context=trust))
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
        except (OSError, ValueError, RecursionError, http.client.HTTPException):
            return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None
