"""Models as the settings describe them: each name's own server, with what that server needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NoReturn

from pygent.cancellation import CancelToken
from pygent.errors import APIError, SettingsError
from pygent.models.base import Messages, Model, StreamItem, ToolSchemas
from pygent.models.endpoint import DEFAULT_BASE_URL, Endpoint
from pygent.settings import Settings
from pygent.settings.model import is_file
from pygent.settings.provider import ModelServer, compat_of, key_name_of, key_of, profiles_of, server_of

Tell = Callable[[str], object]


def make_model(settings: Settings, name: str | None = None, on_progress: Tell | None = None) -> Model:
    """A model for ``name``, by default that of the settings, on the server that the name means, or from its file.

    It serves all models of that server. ``on_progress`` hears of the loading of a file. A keyring may ask the person
    to unlock it, so this can block. Raises ``SettingsError`` where the server's key is not where the settings say, or
    the file cannot be a model.
    """
    server = server_of(settings, name)
    if is_file(server.name):
        from pygent.models.gguf import GGUFModel  # noqa: PLC0415 - files only

        window = server.context_window
        return GGUFModel(server.name, context_window=window, on_progress=on_progress, **_options(settings, ""))
    return _on(server, settings, key_of(settings, server.provider))


def make_first_model(settings: Settings, on_progress: Tell) -> Model:
    """``make_model`` for a session that begins: where key or file is missing, its first request tells so."""
    try:
        return make_model(settings, on_progress=on_progress)
    except SettingsError as error:
        return Keyless(f"No model can be asked: {error}")


def endpoint_of(settings: Settings, provider: str, timeout: float) -> Endpoint:
    """How a provider's server is reached, or that of ``base_url`` for "", with ``timeout`` seconds for each silence.

    Raises and blocks as ``make_model`` does.
    """
    server = server_of(settings, f"{provider}/*" if provider else "*")
    return Endpoint(
        (server.base_url or DEFAULT_BASE_URL).rstrip("/"),
        key_of(settings, provider) or "",
        timeout,
        server.headers,
        server.proxy,
        server.certificates,
        key_name=key_name_of(settings, provider),
    )


def preload(model: Any) -> None:
    """Import in the background what the first request needs, while the person still types."""
    work = getattr(model, "preload", None)
    if work is not None:
        threading.Thread(target=work, name="pygent-preload", daemon=True).start()


def _on(server: ModelServer, settings: Settings, key: str | None) -> Model:
    from pygent.models.openai_model import OpenAIModel  # noqa: PLC0415 - once there is a session

    # Never None: what stands in the variables is for one server only.
    model = OpenAIModel(
        server.base_url or DEFAULT_BASE_URL,
        key or "",
        headers=server.headers,
        proxy=server.proxy,
        certificates=server.certificates,
        first_token_timeout=server.first_token_timeout,
        token_timeout=server.token_timeout,
        **_options(settings, server.provider),
    )
    model.provider = server.provider
    for name, profile in profiles_of(settings, server.provider).items():
        model.set_profile(name, profile)
    model.server = replace(model.server, key_name=key_name_of(settings, server.provider))
    return model


def _options(settings: Settings, provider: str) -> dict[str, Any]:
    return {
        "text_tool_calls": settings.text_tool_calls,
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        "compat": compat_of(settings, provider),
        "profile": settings.profile,
    }


class Keyless:
    """Stands for a model whose key cannot be had, until another is chosen."""

    def __init__(self, why: str) -> None:
        self.why = why

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> NoReturn:
        """Raise ``APIError``, which says why."""
        raise APIError(self.why)

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """Raise ``APIError``, which says why."""
        self.chat(messages, model, tools)
