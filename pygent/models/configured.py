"""Models as the settings describe them: each name's own server, with what that server needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, NoReturn

from pygent.cancellation import CancelToken
from pygent.errors import APIError, SettingsError
from pygent.models.base import Messages, Model, StreamItem, ToolSchemas
from pygent.models.endpoint import DEFAULT_BASE_URL
from pygent.settings import Settings
from pygent.settings.provider import ModelServer, compat_of, key_of, server_of


def make_model(settings: Settings, name: str | None = None) -> Model:
    """A model for ``name``, by default that of the settings, on the server that the name means.

    It serves all models of that server. A keyring may ask the person to unlock it, so this can block. Raises
    ``SettingsError`` where the server's key is not where the settings say.
    """
    server = server_of(settings, name)
    return _on(server, settings, key_of(settings, server.provider))


def make_first_model(settings: Settings) -> Model:
    """``make_model`` for a session that begins: where the key is missing, its first request tells so."""
    try:
        return make_model(settings)
    except SettingsError as error:
        return Keyless(str(error))


def preload(model: Any) -> None:
    """Import in the background what the first request needs, while the person still types."""
    work = getattr(model, "preload", None)
    if work is not None:
        threading.Thread(target=work, name="pygent-preload", daemon=True).start()


def _on(server: ModelServer, settings: Settings, key: str | None) -> Model:
    from pygent.models.openai_model import OpenAIModel  # noqa: PLC0415 - once there is a session

    # Never None: what stands in the variables is for one server only.
    return OpenAIModel(
        server.base_url or DEFAULT_BASE_URL,
        key or "",
        text_tool_calls=settings.text_tool_calls,
        temperature=settings.temperature,
        compat=compat_of(settings, server.provider),
    )


class Keyless:
    """Stands for a model whose key cannot be had, until another is chosen."""

    def __init__(self, why: str) -> None:
        self._why = why

    def chat(self, messages: Messages, model: str | None, tools: ToolSchemas | None) -> NoReturn:
        """Raise ``APIError``, which says why."""
        raise APIError(f"No model can be asked: {self._why}")

    def stream(
        self, messages: Messages, model: str | None, tools: ToolSchemas | None, *, cancel: CancelToken | None = None
    ) -> Iterator[StreamItem]:
        """Raise ``APIError``, which says why."""
        self.chat(messages, model, tools)
