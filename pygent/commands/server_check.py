"""Whether the model server answers: one GET of its list of models."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from pygent._version import __version__
from pygent.commands.check import Check
from pygent.settings import Settings
from pygent.settings.masking import without_password

DEFAULT_URL = "https://api.openai.com/v1"
SECONDS = 4.0
_MAX_BYTES = 4 * 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


def model_server(settings: Settings, seconds: float = SECONDS) -> Check:
    """Ask the server for its models; ``seconds`` is how long it may be silent."""
    base = (settings.base_url or DEFAULT_URL).rstrip("/")
    shown = without_password(base)
    key = settings.api_key
    if key is None and settings.base_url is None:
        text = "no key: set OPENAI_API_KEY, or name another server with --base-url; pygent --demo needs neither"
        return Check("model server", "fail", text)
    with_key = f"with a key ({settings.source('api_key')})" if key else "without a key"
    try:
        status, body = _get(f"{base}/models", key, seconds)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        text = f"{shown} does not answer: {reason}; is the server running, is the URL right (it ends in /v1)?"
        return Check("model server", "fail", text)
    if status in {401, 403}:
        return Check(
            "model server", "fail", f"{shown} refused the request {with_key} (status {status}); check the key"
        )
    if status != 200:
        text = f"{shown} answers with status {status} to /models ({with_key}); it may work all the same"
        return Check("model server", "warn", text)
    return _models(settings, body, f"{shown} answers {with_key}")


def _models(settings: Settings, body: bytes, answers: str) -> Check:
    try:
        names = [str(item["id"]) for item in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError):
        return Check("model server", "warn", f"{answers}, but not with a list of models; is the URL right?")
    model = settings.model
    if not names or model in names:
        return Check("model server", "ok", f"{answers}; model {model}")
    listed = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    return Check("model server", "warn", f"{answers}, but does not list the model {model!r}. It lists: {listed}")


def _get(url: str, key: str | None, seconds: float) -> tuple[int, bytes]:
    """Status and body. Raises ``OSError`` where there is no answer, ``ValueError`` for an impossible address."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError("the address is not http or https")
    request = urllib.request.Request(url, headers={"User-Agent": f"pygent/{__version__}"})  # noqa: S310 - checked above
    if key:
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=seconds) as answer:
            return answer.status, answer.read(_MAX_BYTES)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""
