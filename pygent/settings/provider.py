"""Named model servers as the settings describe them, and the server that a model's name means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent.errors import SettingsError
from pygent.records import record

if TYPE_CHECKING:
    from pygent.settings.model import Settings

KEYRING_SERVICE = "pygent"
"""The service of the system's keyring under which a plain entry stands."""


@record(kw_only=True)
class ModelEntry:
    """What the settings say of one model of a provider.

    ``context_window`` is in tokens; ``prices`` are for a million tokens: ``input``, ``output``, ``cached_input``.
    ``compat`` is what the model needs on its server, ``profile`` how much it is asked.
    """

    context_window: int | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    compat: Mapping[str, Any] = field(default_factory=dict)
    profile: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """What is set, by key."""
        return _set(self)


@record(kw_only=True)
class Provider:
    """A model server with a name; its models are ``NAME/MODEL`` wherever a model is named.

    ``key_variable`` is the environment variable that holds its key, ``keyring`` the entry of the system's keyring
    that does: ``NAME``, or ``SERVICE/NAME``. ``prices`` are by model, ``compat`` by a pattern of models' names.
    Timeouts are in seconds.
    """

    base_url: str
    key_variable: str | None = None
    keyring: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = field(default=None, repr=False)
    certificates: Path | None = None
    models: Mapping[str, ModelEntry] = field(default_factory=dict)
    context_window: int | None = None
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    compat: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    first_token_timeout: float | None = None
    token_timeout: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """What is set, by key."""
        return _set(self)

    def based_at(self, folder: Path) -> Provider:
        """The same with its relative path taken from ``folder``."""
        return self if self.certificates is None else replace(self, certificates=folder / self.certificates)

    def key(self, name: str, environ: Mapping[str, str] | None = None) -> str | None:
        """The key of the provider that is called ``name``, None where it needs none.

        A keyring may ask the person to unlock it, so this can block. Raises ``SettingsError`` where the key is not
        where the settings say.
        """
        if self.key_variable is not None:
            value = (os.environ if environ is None else environ).get(self.key_variable, "").strip()
            if value:
                return value
            if self.keyring is None:
                text = f"the key of {name} is not set: the variable {self.key_variable} is empty"
                raise SettingsError(text, key=f"providers.{name}.key_variable")
        return None if self.keyring is None else _from_keyring(self.keyring, name)


@record(kw_only=True)
class ModelServer:
    """The server that a model's name means, with what the settings know of the model.

    ``name`` is the model as people write it, ``model`` as the server calls it. ``provider`` is "" for the server of
    ``base_url``, whose models have no prefix; its own default is meant where ``base_url`` is None.
    """

    name: str
    model: str
    provider: str = ""
    base_url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str | None = field(default=None, repr=False)
    certificates: Path | None = None
    first_token_timeout: float | None = None
    token_timeout: float | None = None
    context_window: int | None = None
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    profile: str | None = None


def split_name(settings: Settings, name: str) -> tuple[str, str]:
    """The provider and the model that ``name`` means; the provider is "" for the server of ``base_url``."""
    prefix, slash, rest = name.partition("/")
    return (prefix, rest) if slash and rest and prefix in settings.providers else ("", name)


def server_of(settings: Settings, name: str | None = None) -> ModelServer:
    """The server of the model ``name``, by default that of the settings."""
    name = name or settings.model
    prefix, model = split_name(settings, name)
    if not prefix:
        return ModelServer(
            name=name,
            model=model,
            base_url=settings.base_url,
            headers=settings.headers,
            proxy=settings.proxy,
            certificates=settings.certificates,
            first_token_timeout=settings.first_token_timeout,
            token_timeout=settings.token_timeout,
            context_window=settings.context_window,
            prices=settings.prices,
        )
    provider = settings.providers[prefix]
    entry = provider.models.get(model, ModelEntry())
    prices = {**provider.prices, **{known: one.prices for known, one in provider.models.items() if one.prices}}
    return ModelServer(
        name=name,
        model=model,
        provider=prefix,
        base_url=provider.base_url,
        headers=provider.headers,
        proxy=provider.proxy,
        certificates=provider.certificates,
        first_token_timeout=provider.first_token_timeout,
        token_timeout=provider.token_timeout,
        context_window=entry.context_window or provider.context_window,
        prices=prices,
        profile=entry.profile,
    )


def compat_of(settings: Settings, provider: str) -> Mapping[str, Mapping[str, Any]]:
    """What a provider's models need, by the pattern of their names; for "" those of the server of ``base_url``.

    Patterns of the setting ``compat`` that begin with the provider's name and a slash win over its own.
    """
    if not provider:
        return settings.compat
    one = settings.providers[provider]
    out = dict(one.compat)
    own = {model: entry.compat for model, entry in one.models.items() if entry.compat}
    prefix = f"{provider}/"
    said = {name.removeprefix(prefix): given for name, given in settings.compat.items() if name.startswith(prefix)}
    for found in (own, said):
        for pattern, given in found.items():
            out[pattern] = {**out.pop(pattern, {}), **given}
    return out


def profiles_of(settings: Settings, provider: str) -> dict[str, str]:
    """The profiles that are said for single models of a provider; none for ""."""
    models = settings.providers[provider].models if provider else {}
    return {name: entry.profile for name, entry in models.items() if entry.profile}


def key_of(settings: Settings, provider: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The key of a provider, or that of ``base_url`` for "". Raises and blocks as ``Provider.key`` does."""
    return settings.providers[provider].key(provider, environ) if provider else settings.api_key


def key_name_of(settings: Settings, provider: str) -> str:
    """Where the key of a provider stands, in words; for "" that of the server of ``base_url``."""
    if not provider:
        return "OPENAI_API_KEY"
    one = settings.providers[provider]
    entry = f"the entry {one.keyring} of the keyring" if one.keyring else f"key_variable of the provider {provider}"
    return one.key_variable or entry


def _from_keyring(entry: str, name: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an extra, and slow
        import keyring.errors  # noqa: PLC0415
    except ImportError:
        text = (
            f"the key of {name} is in the system's keyring, and the package that reads it is not installed: "
            "pip install 'pygent[keyring]', or name a variable with key_variable"
        )
        raise SettingsError(text, key=f"providers.{name}.keyring") from None
    service, slash, user = entry.partition("/")
    service, user = (service, user) if slash else (KEYRING_SERVICE, entry)
    try:
        found = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        text = f"the key of {name} cannot be read from the system's keyring: {str(error) or type(error).__name__}"
        raise SettingsError(text, key=f"providers.{name}.keyring") from None
    if not found:
        text = f"the system's keyring has no key of {name}; keep it there with: keyring set {service} {user}"
        raise SettingsError(text, key=f"providers.{name}.keyring")
    return found


def _set(entry: Any) -> dict[str, Any]:
    return {name: value for name in type(entry).__slots__ if (value := getattr(entry, name)) not in (None, {}, ())}
