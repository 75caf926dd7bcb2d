"""Whether the model server answers: one GET of its list of models."""

from __future__ import annotations

import http.client
import json

from pygent.commands.check import Check
from pygent.errors import APIError, SettingsError
from pygent.models.configured import endpoint_of
from pygent.models.small_requests import Asker
from pygent.settings import Settings
from pygent.settings.masking import without_password
from pygent.settings.provider import key_name_of, server_of

SECONDS = 4.0


def model_server(settings: Settings, seconds: float = SECONDS) -> Check:
    """Ask the server for its models; ``seconds`` is how long it may be silent."""
    wanted = server_of(settings)
    if settings.api_key is None and wanted.base_url is None:
        text = "no key: set OPENAI_API_KEY, or name another server with --base-url; pygent --demo needs neither"
        return Check("model server", "fail", text)
    try:
        server = endpoint_of(settings, wanted.provider, seconds)
    except SettingsError as error:
        return Check("model server", "fail", str(error))
    shown = without_password(server.base_url)
    where = key_name_of(settings, wanted.provider) if wanted.provider else settings.source("api_key")
    with_key = f"with a key ({where})" if server.api_key else "without a key"
    try:
        status, body, _ = Asker(server).send(f"{server.base_url}/models")
    except (OSError, ValueError, APIError, http.client.HTTPException) as error:
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
    return _models(wanted.model, body, f"{shown} answers {with_key}")


def _models(model: str, body: bytes, answers: str) -> Check:
    try:
        names = [str(item["id"]) for item in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError):
        return Check("model server", "warn", f"{answers}, but not with a list of models; is the URL right?")
    if not names or model in names:
        return Check("model server", "ok", f"{answers}; model {model}")
    listed = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
    return Check("model server", "warn", f"{answers}, but does not list the model {model!r}. It lists: {listed}")
