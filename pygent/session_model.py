"""Which model answers in a session: switched at any time, also to another server, with its window and its prices."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from pygent.errors import PygentError
from pygent.events import Level
from pygent.settings import Settings
from pygent.settings.masking import without_password
from pygent.settings.model import is_file
from pygent.settings.provider import key_of, server_of, split_name

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.model_call import ModelInUse
    from pygent.models.window import Window

OPENAI_URL = "https://api.openai.com/v1"
LISTING = 5.0
"""Seconds that a server may be silent that is asked for its models."""


class OfferedBy(NamedTuple):
    """A server that models can be chosen from: its provider's name, "" for that of ``base_url``, and its address.

    ``models`` are those that the settings name, as they are chosen: with the provider's prefix.
    """

    provider: str
    address: str
    models: tuple[str, ...] = ()


class SessionModel:
    """The part of a ``Session`` that knows which model answers."""

    settings: Settings
    agent: Agent | None
    demo: bool
    interactive: bool
    _model: Any
    _given_agent: bool
    _ready: Callable[[], Agent]
    _notice: Callable[[str, Level], None]
    _progress: Callable[[str], None]

    def __init__(self) -> None:
        self._model_name: str | None = None
        self._models: dict[str, Any] = {}
        self._windows: dict[str, Window | None] = {}

    @property
    def model_name(self) -> str:
        """The model that answers, as people name it."""
        agent, name = self.agent, self._model_name or self.settings.model
        if agent is None or agent.model_name in {None, split_name(self.settings, name)[1]}:
            return name
        return str(agent.model_name)  # a program has set it on the agent

    @property
    def context_window(self) -> int | None:
        """Tokens that the model can see at once: as the settings say, else as its server does. None: not known."""
        return self._window_of(self.model_name)

    def _window_of(self, name: str) -> int | None:
        said = None if is_file(name) else server_of(self.settings, name).context_window
        window = self._told_by_server(name)
        return said or (window.tokens if window is not None else None)

    @property
    def window(self) -> Window | None:
        """What the model's server or file tells of its size; None while that is not known, and where it does not."""
        return self._told_by_server(self.model_name)

    def _told_by_server(self, name: str) -> Window | None:
        return getattr(self._models.get(name), "window", None) if is_file(name) else self._windows.get(name)

    def set_model(self, name: str) -> None:
        """Let another model answer from the next step on, ``PROVIDER/MODEL`` for one of a configured provider.

        ``gguf:PATH`` is a file. The history goes along. A keyring may ask the person to unlock it, so this can block.
        Raises ``SettingsError`` where the key of its server is not where the settings say, or the file is no model.
        """
        agent = self._ready()
        before = self.model_name
        agent.use(self.model_named(name))
        self._model_name = name
        if name != before:
            server = server_of(self.settings, name)
            where = f" on {_address(server.base_url)}" if server.provider else ""
            self._notice(f"The model is {name}{where} from the next step on; before it was {before}.", "info")

    def model_named(self, name: str) -> ModelInUse:
        """The model that ``name`` means, ready to be asked. Raises and blocks as ``set_model`` does."""
        from pygent.model_call import ModelInUse  # noqa: PLC0415 - loaded with the agent
        from pygent.models.configured import make_model, preload  # noqa: PLC0415

        server, place = server_of(self.settings, name), self._place(name)
        if place not in self._models:
            self._models[place] = make_model(self.settings, name, self._progress)
        preload(self._models[place])
        self._look_for_window(name)
        return ModelInUse(self._models[place], server.model, server.prices, lambda: self._window_of(name))

    def servers(self) -> list[OfferedBy]:
        """The servers that a model can be chosen from; that of ``base_url`` first, where one is set up."""
        settings = self.settings
        here = split_name(settings, self.model_name)[0]
        out = []
        if not here or settings.base_url or settings.api_key:
            named = [] if here else [self.model_name]
            if not split_name(settings, settings.model)[0]:
                named.append(settings.model)
            out.append(OfferedBy("", _address(settings.base_url), tuple(dict.fromkeys([*named, *settings.prices]))))
        for name, provider in settings.providers.items():
            known = dict.fromkeys([*provider.models, *provider.prices])
            out.append(OfferedBy(name, _address(provider.base_url), tuple(f"{name}/{model}" for model in known)))
        return out

    def models_of(self, provider: str) -> list[str]:
        """Ask a server for the models that it offers, named as they are chosen. Not for the thread of a screen.

        Raises ``APIError`` where it does not tell, ``SettingsError`` where its key cannot be had.
        """
        from pygent.models.configured import endpoint_of  # noqa: PLC0415 - when it is asked for
        from pygent.models.discover import models_at  # noqa: PLC0415

        found = models_at(endpoint_of(self.settings, provider, LISTING))
        return [f"{provider}/{model}" if provider else model for model in found]

    def _begin_model(self, agent: Agent) -> None:
        """Take note of what the agent begins with, and ask its server for what the settings do not say."""
        from pygent.model_call import ModelInUse  # noqa: PLC0415 - loaded with the agent
        from pygent.models.configured import Keyless  # noqa: PLC0415

        name = self.settings.model
        if self.demo or self._given_agent or self._model is not None:  # a program's own, of which nothing is known
            self._models[""] = agent.model
            self._windows[name] = None
        elif isinstance(agent.model, Keyless):
            if self.interactive:  # told before a prompt is written for it
                self._notice(agent.model.why, "error")
        else:
            self._models[self._place(name)] = agent.model
        agent.wiring = replace(agent.wiring, find_model=self.model_named)
        if not self._given_agent:
            agent.use(ModelInUse(agent.model, agent.model_name, agent.wiring.prices, lambda: self._window_of(name)))
        self._look_for_window(name)

    def _place(self, name: str) -> str:
        """What the models have in common that one object serves: their provider, or the file."""
        return name if is_file(name) else split_name(self.settings, name)[0]

    def _look_for_window(self, name: str) -> None:
        """Ask in the background how much a model sees, where nobody has said it."""
        model = self._models.get(self._place(name))
        if name in self._windows or getattr(model, "base_url", OPENAI_URL) == OPENAI_URL:  # which does not tell
            return
        self._windows[name] = None
        threading.Thread(target=self._find_window, args=(name,), name="pygent-window", daemon=True).start()

    def _find_window(self, name: str) -> None:
        from pygent.models.window import find_window  # noqa: PLC0415 - on this thread

        server = server_of(self.settings, name)
        try:
            key = key_of(self.settings, server.provider)
        except PygentError:
            return
        self._windows[name] = find_window(
            str(server.base_url),
            server.model,
            key,
            headers=server.headers,
            proxy=server.proxy,
            certificates=server.certificates,
        )


def _address(url: str | None) -> str:
    return without_password(url or OPENAI_URL)
