"""Finding a container engine, asking whether it answers, and saying in words why it does not."""

from __future__ import annotations

import contextlib
import errno
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pygent.errors import SandboxUnavailable
from pygent.sandbox.docker_client import client_class
from pygent.settings.engine_environment import engine_environment

DEFAULT_SOCKET = "/var/run/docker.sock"
REQUEST_TIMEOUT = 30
"""Seconds for one request to the engine; pulling and output have limits of their own."""

WITHOUT = "or work without a container: --no-docker (PYGENT_USE_DOCKER=0)"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine listens. ``socket`` is its path where it is a Unix socket."""

    url: str
    tls: bool = False
    socket: Path | None = None


def find_endpoint(environ: Mapping[str, str] | None = None) -> Endpoint | None:
    """The engine that ``DOCKER_HOST`` names, or the first usual socket that exists; None where there is neither."""
    variables = engine_environment(environ)
    url = variables.get("DOCKER_HOST", "")
    if not url:
        path = next((path for path in _usual_sockets(variables) if _is_socket(path)), None)
        return Endpoint(f"unix://{path}", socket=path) if path else None
    if url.startswith("unix://"):
        return Endpoint(url, socket=Path(url.removeprefix("unix://")))
    return Endpoint(url, tls="DOCKER_TLS_VERIFY" in variables)


def available(timeout: float = 1.0, environ: Mapping[str, str] | None = None) -> bool:
    """Whether an engine answers within ``timeout`` seconds. Costs next to nothing where none is set up."""
    try:
        ping(find_endpoint(environ), timeout)
    except SandboxUnavailable:
        return False
    return True


def ping(endpoint: Endpoint | None, timeout: float = 5.0) -> None:
    """Ask the engine for a sign of life, without loading the client package.

    Raises ``SandboxUnavailable`` with what to do.
    """
    if endpoint is None:
        raise SandboxUnavailable(
            f"No container engine was found: DOCKER_HOST is not set and {DEFAULT_SOCKET} does not exist. "
            f"Install and start Docker, set DOCKER_HOST, {WITHOUT}."
        )
    scheme = endpoint.url.partition("://")[0]
    if scheme not in {"unix", "tcp", "http", "https"}:
        raise SandboxUnavailable(
            f"DOCKER_HOST={endpoint.url}: this kind of address is not supported; use unix:// or tcp://, {WITHOUT}."
        )
    if endpoint.tls or scheme == "https":
        return  # the client package speaks TLS; the first request of `connect` is the ping
    try:
        status = _ask(endpoint, timeout)
    except (OSError, ValueError) as error:
        raise SandboxUnavailable(explain(error, endpoint)) from error
    if not status.startswith(b"HTTP/") or b" 200 " not in status:
        raise SandboxUnavailable(
            f"What listens at {endpoint.url} does not answer like a container engine. Check DOCKER_HOST, {WITHOUT}."
        )


def connect(endpoint: Endpoint, environ: Mapping[str, str] | None = None) -> Any:
    """A client of the engine. Raises ``SandboxUnavailable``."""
    import docker  # noqa: PLC0415 - a quarter of a second, paid only by those who use it
    import requests  # noqa: PLC0415
    from docker.utils import kwargs_from_env  # noqa: PLC0415

    try:
        if endpoint.tls:
            arguments = kwargs_from_env(environment={**engine_environment(environ)})
            return client_class()(version="auto", timeout=REQUEST_TIMEOUT, **arguments)
        return client_class()(base_url=endpoint.url, version="auto", timeout=REQUEST_TIMEOUT)
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise SandboxUnavailable(explain(error, endpoint)) from error


def explain(error: BaseException, endpoint: Endpoint) -> str:
    """Why the engine cannot be used, and what to do about it."""
    cause = _os_error(error)
    if isinstance(cause, PermissionError):
        return (
            f"No permission to use the container engine at {endpoint.url}. Add yourself to the group that owns the "
            f"socket (usually: sudo usermod -aG docker $USER, then log in again), use rootless Docker, {WITHOUT}."
        )
    if isinstance(cause, TimeoutError):
        return f"The container engine at {endpoint.url} does not answer in time. Restart it, {WITHOUT}."
    if cause is not None and cause.errno in {errno.ENOENT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE}:
        return f"No container engine answers at {endpoint.url}. Start it (sudo systemctl start docker), {WITHOUT}."
    return f"The container engine at {endpoint.url} cannot be used ({error}). Check it with: docker info, {WITHOUT}."


def runs_as_user(endpoint: Endpoint | None) -> bool:
    """Whether the engine is its user's own (rootless), so that root in a container is that user outside."""
    if endpoint is None or endpoint.socket is None:
        return False
    try:
        return endpoint.socket.stat().st_uid != 0
    except OSError:
        return False


def _ask(endpoint: Endpoint, timeout: float) -> bytes:
    if endpoint.socket is not None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        address: str | tuple[str, int] = str(endpoint.socket)
    else:
        parts = urlsplit(endpoint.url)
        connection = socket.socket(socket.AF_INET6 if ":" in (parts.hostname or "") else socket.AF_INET)
        address = (parts.hostname or "localhost", parts.port or 2375)
    with contextlib.closing(connection):
        connection.settimeout(timeout)
        connection.connect(address)
        connection.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
        return connection.recv(4096).partition(b"\r\n")[0] + b" "


def _usual_sockets(variables: Mapping[str, str]) -> list[Path]:
    places = [Path(DEFAULT_SOCKET)]
    if runtime := variables.get("XDG_RUNTIME_DIR"):
        places.append(Path(runtime) / "docker.sock")
    with contextlib.suppress(RuntimeError):  # a user without a home folder
        home = Path.home() / ".docker"
        places += [home / "run/docker.sock", home / "desktop/docker.sock"]
    return places


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _os_error(error: BaseException | None) -> OSError | None:
    """The system's error inside what the client package wrapped around it."""
    seen: set[int] = set()
    pending: list[object] = [error]
    found: OSError | None = None
    while pending:
        item = pending.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, OSError) and (item.errno is not None or isinstance(item, TimeoutError)):
            found = item
        pending += [item.__cause__, item.__context__, *item.args]
    return found
