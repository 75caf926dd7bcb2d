"""The engine's client, which leaves no socket open where nothing listens any more.

The package's own forgets a socket that it could not connect: it stays open until the garbage is collected. That
happens with each request to an engine that has just stopped.
"""

from __future__ import annotations

import functools
import socket
from typing import Any


@functools.cache
def client_class() -> Any:
    """A ``docker.APIClient``; its package is loaded here."""
    from docker import APIClient  # noqa: PLC0415 - a quarter of a second, paid only by those who use it
    from docker.transport import UnixHTTPAdapter  # noqa: PLC0415
    from docker.transport.unixconn import UnixHTTPConnection, UnixHTTPConnectionPool  # noqa: PLC0415

    class Connection(UnixHTTPConnection):
        def connect(self) -> None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                made.settimeout(self.timeout)
                made.connect(self.unix_socket)
            except BaseException:
                made.close()
                raise
            self.sock = made

    class Pool(UnixHTTPConnectionPool):
        def _new_conn(self) -> Any:
            timeout: Any = self.timeout
            return Connection(self.base_url, self.socket_path, timeout)

    class Adapter(UnixHTTPAdapter):
        def get_connection(self, url: Any, proxies: Any = None) -> Any:
            with self.pools.lock:
                pool = self.pools.get(url)
                if pool is None:
                    pool = self.pools[url] = Pool(url, self.socket_path, self.timeout, maxsize=self.max_pool_size)
                return pool

    class Client(APIClient):
        def mount(self, prefix: Any, adapter: Any) -> None:
            # The constructor calls this before the first request.
            if isinstance(adapter, UnixHTTPAdapter):
                place = f"http+unix://{adapter.socket_path}"
                adapter = self._custom_adapter = Adapter(place, adapter.timeout, max_pool_size=adapter.max_pool_size)
            super().mount(prefix, adapter)

    return Client
