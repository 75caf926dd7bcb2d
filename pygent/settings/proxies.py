"""The proxy that this machine is set up with."""

from __future__ import annotations


def system_proxy(scheme: str, host: str) -> str | None:
    """The proxy for a host as environment or system name it, None for none."""
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - loaded with the first page

    return None if proxy_bypass(host) else getproxies().get(scheme)
