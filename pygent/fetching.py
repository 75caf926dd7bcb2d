"""Reads one page of the web, and nothing that is not on the web.

A host is resolved once and the connection goes to the very address that was looked at, so no name can mean one place
when it is checked and another when it is used. Only http and https are spoken; redirects to another host are not
followed but told, since whoever allowed the one host was not asked about the other.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import zlib
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from pygent.cancellation import CancelToken
from pygent.errors import DeadlineExceeded, PygentError
from pygent.records import record
from pygent.web_access import WebAccess

SECONDS = 30.0
"""That a whole page may take, redirects and all."""
CONNECT_SECONDS = 10.0
MOST_BYTES = 5 * 1024 * 1024
REDIRECTS = 5
CHUNK = 64 * 1024

_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_HEADERS = {
    "User-Agent": "pygent",
    "Accept": "text/html, text/markdown, text/plain, application/json;q=0.9, */*;q=0.5",
    "Accept-Encoding": "gzip, identity;q=0.5",
    "Connection": "close",
}


class FetchError(PygentError):
    """A page cannot be had; the text says why, in words for a model."""


@record
class Page:
    """What a server answered. ``body`` is at most `MOST_BYTES`; ``cut`` where there was more."""

    url: str
    status: int
    reason: str
    content_type: str
    body: bytes
    cut: bool = False


class _Answer(NamedTuple):
    page: Page
    location: str | None


def fetch(url: str, access: WebAccess, cancel: CancelToken) -> Page:
    """Get a page. Raises ``FetchError``, and ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ends the work."""
    token = cancel.child(SECONDS)
    parts = checked(url)
    for _ in range(REDIRECTS + 1):
        try:
            answer = _get(parts, access, token)
        except (OSError, ValueError, http.client.HTTPException, zlib.error) as error:
            cancel.check()
            if token.cancelled:
                raise FetchError(f"{url} took longer than {SECONDS:.0f} seconds.") from error
            raise FetchError(f"{parts.geturl()} cannot be read: {_words(error)}.") from error
        except DeadlineExceeded as error:
            cancel.check()
            raise FetchError(f"{url} took longer than {SECONDS:.0f} seconds.") from error
        if answer.location is None:
            return answer.page
        target = checked(urljoin(parts.geturl(), answer.location))
        if target.hostname != parts.hostname:
            raise FetchError(f"{url} leads to another host: {target.geturl()}. Ask for that URL if you want it.")
        parts = target
    raise FetchError(f"{url} leads from page to page: more than {REDIRECTS} redirects.")


def checked(url: str) -> SplitResult:
    """The parts of a URL that can be asked for. Raises ``FetchError`` where it is none."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise FetchError(f"{url!r} is no URL: {error}.") from error
    if parts.scheme not in _PORTS:
        raise FetchError(f"{url!r} cannot be fetched; write an address that begins with https:// or http://.")
    if not parts.hostname or port == 0:
        raise FetchError(f"{url!r} names no host.")
    if "@" in parts.netloc:
        raise FetchError("A URL with a name or password in it is not fetched.")
    try:
        netloc = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise FetchError(f"{parts.netloc!r} cannot be the name of a host.") from error
    path, query = (quote(text, safe="/%:@!$&'()*+,;=~-._?") for text in (parts.path, parts.query))
    return parts._replace(netloc=netloc, path=path, query=query, fragment="")


def _get(parts: SplitResult, access: WebAccess, token: CancelToken) -> _Answer:
    connection, path, headers = _connect(parts, access, token)
    sock = connection.sock  # the response takes it over
    with token.on_cancel(lambda: _shut(sock)):
        try:
            connection.request("GET", path, headers=_HEADERS | {"Host": parts.netloc} | headers)
            response = connection.getresponse()
            location = response.getheader("Location") if 300 <= response.status < 400 else None
            body, cut = (b"", False) if location else _read(response, token)
        finally:
            connection.close()
    token.check()
    content_type = response.getheader("Content-Type") or ""
    return _Answer(Page(parts.geturl(), response.status, response.reason, content_type, body, cut), location)


def _connect(
    parts: SplitResult, access: WebAccess, token: CancelToken
) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    """An open connection to the host, or to a proxy that leads there, what to ask for, and headers for the proxy."""
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or _PORTS[parts.scheme]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    left = token.remaining()
    timeout = min(CONNECT_SECONDS, SECONDS if left is None else max(0.1, left))
    context = _context(access) if tls else None
    proxy = access.proxy_for(parts.scheme, host)
    if proxy is not None:
        _check_behind_proxy(host, port, access)
        connection, headers = _by_proxy(proxy, (host, port), context, timeout)
        return (connection, target, {}) if tls else (connection, parts.geturl(), headers)
    sock = _dial(host, port, access, timeout)
    if context is None:
        plain = http.client.HTTPConnection(host, port, timeout=timeout)
        plain.sock = sock
        return plain, target, {}
    secure = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    try:
        secure.sock = context.wrap_socket(sock, server_hostname=host)
    except BaseException:
        sock.close()
        raise
    return secure, target, {}


def _dial(host: str, port: int, access: WebAccess, timeout: float) -> socket.socket:
    """A connection to an address of ``host`` that may be reached."""
    found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    addresses = [str(one) for one in dict.fromkeys(found) if access.private or is_public(str(one))]
    if not addresses:
        raise FetchError(_private(host, str(found[0]) if found else host))
    failure: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except OSError as error:
            failure = error
    raise failure or OSError("no address")


def _by_proxy(
    proxy: str, to: tuple[str, int], context: ssl.SSLContext | None, timeout: float
) -> tuple[http.client.HTTPConnection, dict[str, str]]:
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme != "http" or not parts.hostname:
        raise FetchError("The proxy in the settings cannot be used for pages; it has to begin with http://.")
    headers = {}
    if parts.username:
        import base64  # noqa: PLC0415 - seldom needed

        word = f"{parts.username}:{parts.password or ''}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(word).decode('ascii')}"
    port = parts.port or 80
    if context is None:
        plain = http.client.HTTPConnection(parts.hostname, port, timeout=timeout)
        plain.connect()
        return plain, headers
    secure = http.client.HTTPSConnection(parts.hostname, port, timeout=timeout, context=context)
    secure.set_tunnel(*to, headers=headers)
    secure.connect()
    return secure, headers


def _check_behind_proxy(host: str, port: int, access: WebAccess) -> None:
    """The proxy resolves the name; what this machine knows of it is looked at all the same."""
    if access.private:
        return
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError:
        return  # names that only the proxy knows
    for address in found:
        if not is_public(address):
            raise FetchError(_private(host, address))


def is_public(address: str) -> bool:
    """Whether an address, of either kind and however it is wrapped, lies in the public part of the net."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if found.teredo is not None:
            return False
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def _read(response: http.client.HTTPResponse, token: CancelToken) -> tuple[bytes, bool]:
    """The body, unpacked, and whether there was more of it."""
    packed = (response.getheader("Content-Encoding") or "").strip().lower() in {"gzip", "x-gzip"}
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
    body = bytearray()
    while chunk := response.read1(CHUNK):
        token.check()
        body += unpack.decompress(chunk, MOST_BYTES + 1 - len(body)) if unpack is not None else chunk
        if len(body) > MOST_BYTES:
            return bytes(body[:MOST_BYTES]), True
    token.check()
    return bytes(body), False


def _context(access: WebAccess) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if access.certificates is not None:
        try:
            context.load_verify_locations(access.certificates)
        except (OSError, ssl.SSLError) as error:
            raise FetchError(f"The certificates in {access.certificates} cannot be read: {error}.") from error
    return context


def _shut(sock: socket.socket | None) -> None:
    if sock is not None:
        with contextlib.suppress(OSError):  # it is closed already
            sock.shutdown(socket.SHUT_RDWR)


def _private(host: str, address: str) -> str:
    where = "" if host == address else f" ({address})"
    return (
        f"{host}{where} is this machine or in a private network, which is not fetched (web_fetch_private allows it)."
    )


def _words(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, TimeoutError):
        return "it does not answer"
    return str(error) or type(error).__name__
