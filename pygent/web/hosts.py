"""Names that a server answers to, and pages that may talk to it.

A page of another site can make a browser send anything to a loopback address, and its name can be made to mean that
address; but the browser then says truly in ``Host`` and ``Origin`` which name it used and whose page it was.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach this address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


class Hosts:
    """The names of one server.

    On loopback these are loopback's. A server that others reach has any address for a name, since no name has to be
    resolved for one, and this machine's names. Ports are not looked at: a tunnel has its own.
    """

    def __init__(self, host: str, more: Iterable[str] = ()) -> None:
        self._names = {"localhost", host.lower(), *(name.lower() for name in more)}
        self._open = not is_loopback(host)
        if self._open:
            name = socket.gethostname().lower()
            self._names |= {name, name.partition(".")[0], f"{name.partition('.')[0]}.local"}

    def answers_to(self, values: Sequence[str]) -> bool:
        """Whether the ``Host`` headers of a request name this server, once."""
        parts = _split(f"http://{values[0]}") if len(values) == 1 else None
        if parts is None or not parts.hostname or parts.username is not None or parts.path or parts.query:
            return False
        name = parts.hostname.lower()
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(name).is_loopback or self._open or name in self._names
        return name in self._names


def is_own(origins: Sequence[str], host: str) -> bool:
    """Whether the ``Origin`` headers of a request name, once, the page of the server that ``Host`` names."""
    parts = _split(origins[0]) if len(origins) == 1 else None
    if parts is None or parts.scheme not in PORTS or parts.path or parts.query or parts.fragment:
        return False
    own = _split(f"{parts.scheme}://{host}")
    usual = PORTS[parts.scheme]
    return own is not None and (parts.hostname, parts.port or usual) == (own.hostname, own.port or usual)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is read only now, and may be none
    except ValueError:
        return None
    return parts
