"""How pages of the web are reached; what reads them is loaded with the first one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pygent.records import record


@record
class WebAccess:
    """How the web is reached.

    ``private`` allows addresses of this machine and of private networks. ``proxy`` is the URL of an http proxy or
    None, ``find_proxy`` answers one for a scheme and a host. ``certificates`` is a file of further trusted ones.
    """

    private: bool = False
    proxy: str | None = None
    certificates: Path | None = None
    find_proxy: Callable[[str, str], str | None] | None = None

    def proxy_for(self, scheme: str, host: str) -> str | None:
        """The proxy to use, None for none."""
        return self.proxy or (self.find_proxy(scheme, host) if self.find_proxy is not None else None)
