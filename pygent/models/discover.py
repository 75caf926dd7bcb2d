"""Model servers on this machine, and the models that a server offers; for a set-up screen and ``pygent doctor``."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pygent.errors import APIError
from pygent.models import api_errors
from pygent.models.endpoint import Endpoint

USUAL = (("Ollama", 11434), ("llama.cpp", 8080), ("LM Studio", 1234), ("vLLM", 8000))
"""Programs that serve models, each with the port that it listens at by default."""

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A server that answers: the ``name`` is that of the program that usually has its port."""

    name: str
    base_url: str
    models: tuple[str, ...]


def find_servers(candidates: tuple[tuple[str, int], ...] = USUAL, *, timeout: float = 1.0) -> list[FoundServer]:
    """The servers among ``candidates`` (name and port) on this machine that list their models, in that order.

    All are asked at the same time; this takes at most ``timeout`` seconds.
    """
    found: dict[int, FoundServer] = {}

    def probe(position: int, name: str, port: int) -> None:
        base_url = f"http://{_HOST}:{port}/v1"
        try:
            models = list_models(base_url, timeout=timeout)
        except APIError:
            return
        found[position] = FoundServer(name, base_url, tuple(models))

    threads = [
        threading.Thread(target=probe, args=(position, name, port), name="pygent-discover", daemon=True)
        for position, (name, port) in enumerate(candidates)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + timeout
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [server for _, server in sorted(dict(found).items())]


def list_models(
    base_url: str,
    api_key: str | None = None,
    *,
    timeout: float = 5.0,
    headers: Mapping[str, str] | None = None,
    proxy: str | None = None,
    certificates: Path | None = None,
) -> list[str]:
    """The names of the models at ``base_url`` (which usually ends with ``/v1``), as the server orders them.

    ``timeout`` is in seconds; for the others see ``Endpoint``. Raises ``APIError`` where there is no such list,
    ``APITemporaryError`` where nothing answers.
    """
    return models_at(Endpoint(base_url.rstrip("/"), api_key or "", timeout, headers or {}, proxy, certificates))


def models_at(server: Endpoint) -> list[str]:
    """``list_models`` of a server that is known already. Raises what that does."""
    import http.client  # noqa: PLC0415 - slow, like the next
    import urllib.error  # noqa: PLC0415

    from pygent.models.small_requests import Asker  # noqa: PLC0415

    try:
        status, body, answered = Asker(server).send(f"{server.base_url}/models")
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        raise server.unreachable(cause if isinstance(cause, BaseException) else error).failure.error from error
    except ValueError as error:
        raise APIError(f"The base URL {server.shown!r} cannot be used: {error}", url=server.shown) from error
    if status not in {http.HTTPStatus.OK, http.HTTPStatus.NOT_FOUND}:
        raise server.refused(status, _parsed(body) or body, "", answered).failure.error
    names = _names(_parsed(body))
    if names is None:
        said = api_errors.excerpt(body, key=server.api_key)
        check = "Check the base URL, which usually ends with /v1."
        raise APIError(
            f"{server.shown} does not list models. {check} It answered: {said}", url=server.shown, status=status
        )
    return names


def _parsed(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed


def _names(listed: object) -> list[str] | None:
    data = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(data, list):
        return None
    return [item["id"] for item in data if isinstance(item, dict) and isinstance(item.get("id"), str)]
