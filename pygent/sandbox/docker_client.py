"""The engine's client, which leaves no socket open where nothing listens any more.

The package's own forgets a socket that it could not connect: it stays open until the garbage is collected. That
happens with each request to an engine that has just stopped.
"""

from __future__ import annotations

import socket
from typing import Any

from docker import APIClient
from docker.transport import UnixHTTPAdapter
from docker.transport.unixconn import UnixHTTPConnection, UnixHTTPConnectionPool


class _Connection(UnixHTTPConnection):
    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self.timeout)
            connection.connect(self.unix_socket)
        except BaseException:
            connection.close()
            raise
        self.sock = connection


class _Pool(UnixHTTPConnectionPool):
    def _new_conn(self) -> Any:
        timeout: Any = self.timeout
        return _Connection(self.base_url, self.socket_path, timeout)


class _Adapter(UnixHTTPAdapter):
    def get_connection(self, url: Any, proxies: Any = None) -> Any:
        with self.pools.lock:
            pool = self.pools.get(url)
            if pool is None:
                pool = self.pools[url] = _Pool(url, self.socket_path, self.timeout, maxsize=self.max_pool_size)
            return pool


class Client(APIClient):
    """``docker.APIClient``."""

    def mount(self, prefix: Any, adapter: Any) -> None:
        """Called by the constructor before the first request."""
        if isinstance(adapter, UnixHTTPAdapter):
            place = f"http+unix://{adapter.socket_path}"
            adapter = self._custom_adapter = _Adapter(place, adapter.timeout, max_pool_size=adapter.max_pool_size)
        super().mount(prefix, adapter)
