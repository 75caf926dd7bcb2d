"""Requests that can be cut off from another thread at any moment.

The ``openai`` package waits in blocking reads, and closing a response from another thread does not wake them;
shutting the socket down does. So each request has a client with one connection of its own, whose socket is known.
Name lookup and connecting cannot be woken at all, so a request that may be cancelled is sent from a helper thread
that is left behind in that case.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pygent.cancellation import CancelToken
from pygent.errors import APIError, Cancelled
from pygent.models.endpoint import DIRECT, Endpoint

# The value "stream" hands the response over with its body unread, whatever the body is.
_HEADERS = {"Content-Type": "application/json", "X-Stainless-Raw-Response": "stream"}
_CONNECTING = 30.0  # seconds
_SILENCE = None  # `Watch` ends silences, which it can tell apart


class Line:
    """A client with one connection, used by one request at a time."""

    def __init__(self, server: Endpoint) -> None:
        import inspect  # noqa: PLC0415 - slow, like the next

        import openai  # noqa: PLC0415 - slow, so only where a request is really made

        self.abandoned = False
        self._wire = _Wire()
        self._arrived = threading.Condition()
        try:
            http = openai.DefaultHttpxClient(event_hooks={"request": [self._wire.watch]}, **_ways(server))
        except ImportError as error:  # a SOCKS proxy needs a package of its own
            raise APIError(f"proxy: {error}", url=server.shown) from error
        # max_retries=0: the package sleeps between its tries, which nobody could see or interrupt.
        self._client = openai.OpenAI(
            base_url=server.base_url,
            api_key=server.api_key or "none",
            timeout=openai.Timeout(_SILENCE, connect=min(_CONNECTING, server.timeout)),
            default_headers=dict(server.headers),
            max_retries=0,
            http_client=http,
        )
        # Older versions take the same bytes as `body`.
        self._bytes_as = "content" if "content" in inspect.signature(self._client.post).parameters else "body"
        self.close = weakref.finalize(self, http.close)

    def post(self, body: bytes, cancel: CancelToken | None) -> Any:
        """Send a chat request; answer the ``httpx`` response with its body still to be read.

        Raises the package's exceptions. Where ``cancel`` is given the caller has it call ``cut``, which makes this
        raise ``Cancelled`` or ``DeadlineExceeded`` at once, and leaves this line ``abandoned`` if it was not done.
        """
        if cancel is None:
            return self._post(body)
        outcome: list[Any] = []

        def work() -> None:
            try:
                result = self._post(body)
            except BaseException as error:  # raised in the caller's thread, or about a request nobody waits for
                result = error
            with self._arrived:
                outcome.append(result)
                self._arrived.notify()
                left_behind = self.abandoned
            if left_behind:
                self.close()

        threading.Thread(target=work, name="pygent-request", daemon=True).start()
        with self._arrived:
            self._arrived.wait_for(lambda: outcome or cancel.cancelled)
            self.abandoned = not outcome
        if self.abandoned or isinstance(outcome[0], BaseException):
            cancel.check()  # an error because the line was cut is no error
            raise outcome[0] if outcome else Cancelled("cancelled")
        return outcome[0]

    def cut(self) -> None:
        """End the request that is under way, from any thread."""
        self._wire.cut()
        with self._arrived:
            self._arrived.notify()

    def ready(self) -> None:
        """Forget an earlier cut."""
        self._wire.is_cut = False

    def _post(self, body: bytes) -> Any:
        how: dict[str, Any] = {self._bytes_as: body}
        reply: Any = self._client.post("/chat/completions", cast_to=object, options={"headers": _HEADERS}, **how)
        return reply.http_response


def _ways(server: Endpoint) -> dict[str, Any]:
    """How a client gets to ``server``, as arguments of the HTTP library's."""
    ways: dict[str, Any] = {}
    trust = server.trust()
    if trust is not None:
        ways["verify"] = trust
    elif urlsplit(server.base_url).scheme == "http":
        from pygent.models.late_trust import LateTrust  # noqa: PLC0415 - `ssl` is slow

        ways["verify"] = LateTrust()
    if server.proxy == DIRECT:
        ways["mounts"] = dict.fromkeys(("all://", "http://", "https://"))
    elif server.proxy is not None:
        ways["proxy"] = server.proxy
    elif server.local:
        # A proxy of the environment is for the world outside; NO_PROXY is often forgotten.
        ways["mounts"] = {f"all://{urlsplit(server.base_url).netloc.rpartition('@')[2]}": None}
    return ways


class _Wire:
    """The socket under a client, found through the ``trace`` extension of its HTTP library."""

    def __init__(self) -> None:
        self.is_cut = False
        self._socket: Any = None

    def watch(self, request: Any) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.is_cut:
                self.cut()

    def cut(self) -> None:
        self.is_cut = True
        if isinstance(self._socket, socket.socket):
            with contextlib.suppress(OSError):
                # The plain socket's method: that of a TLS socket would take its state from under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Lines:
    """The lines to one server: as many as there are requests at the same time, kept for the next ones."""

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._free: list[Line] = []

    def take(self) -> Line:
        with self._lock:
            line = self._free.pop() if self._free else None
        if line is None:
            line = self._make()
        line.ready()
        return line

    def give_back(self, line: Line) -> None:
        if not line.abandoned:
            with self._lock:
                self._free.append(line)

    def close(self) -> None:
        with self._lock:
            lines, self._free = self._free, []
        for line in lines:
            line.close()
