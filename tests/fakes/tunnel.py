"""A tunnel to a port of this machine, as ``ssh -L`` makes one, that can go silent or break."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Self


class Tunnel:
    """Passes bytes on between connections to ``port`` of its own and those to ``target``; a context manager."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._other: dict[socket.socket, socket.socket] = {}
        self._lock = threading.RLock()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._silent = self._broken = self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join()
        self.break_down()
        self._listener.close()
        self._selector.close()

    def go_silent(self) -> None:
        """Pass nothing on, and say nothing: a pulled cable."""
        self._silent = True

    def break_down(self) -> None:
        """End all connections, and let none in."""
        self._broken = True
        with self._lock:
            for one in list(self._other):
                self._close(one)

    def repair(self) -> None:
        """Let new connections in; what was passed on before stays lost."""
        with self._lock:
            for one in list(self._other):
                self._close(one)
        self._silent = self._broken = False

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select(0.05):
                one = key.fileobj
                assert isinstance(one, socket.socket)
                with self._lock, contextlib.suppress(OSError):
                    if one is self._listener:
                        self._accept()
                    elif one in self._other:
                        self._pass_on(one)

    def _accept(self) -> None:
        here, _ = self._listener.accept()
        if self._broken:
            here.close()
            return
        there = socket.create_connection(("127.0.0.1", self._target), 5)
        for one, other in ((here, there), (there, here)):
            self._other[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        try:
            data = one.recv(65536)
            if data and not self._silent:
                self._other[one].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._close(one)

    def _close(self, one: socket.socket) -> None:
        for end in (one, self._other.pop(one, None)):
            if end is not None:
                self._other.pop(end, None)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(end)
                end.close()
