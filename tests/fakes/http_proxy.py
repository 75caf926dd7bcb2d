"""A proxy for tests: it forwards plain HTTP, tunnels everything else, and can ask for a password."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from typing import Self
from urllib.parse import urlsplit


class FakeProxy:
    """The proxy; a context manager. ``asked`` are the first lines of the requests that came, ``url`` its address."""

    def __init__(self, *, password: str | None = None) -> None:
        self.asked: list[str] = []
        self._password = password
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(65536)
                if not piece:
                    return
                head += piece
            lines, _, rest = head.partition(b"\r\n\r\n")
            first, *headers = lines.decode("latin-1").split("\r\n")
            self.asked.append(first)
            method, target, version = first.split(" ")
            told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
            if self._password is not None:
                expected = "Basic " + base64.b64encode(f"me:{self._password}".encode()).decode()
                if told.get("proxy-authorization") != expected:
                    client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                    client.close()
                    return
            tunnel = method == "CONNECT"
            parts = urlsplit(f"//{target}" if tunnel else target)
            try:
                server = socket.create_connection((parts.hostname, parts.port or 80))
            except OSError:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                client.close()
                return
            self._open.append(server)
            if tunnel:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall("\r\n".join([f"{method} {parts.path} {version}", *headers, "", ""]).encode() + rest)
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            _pump(client, server)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    for one in (source, sink):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
