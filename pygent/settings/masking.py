"""What must not be shown of a setting's value."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pygent.persona import Persona
from pygent.settings.fields import BY_KEY
from pygent.settings.kinds import plain
from pygent.settings.provider import Provider
from pygent.settings.secrets import SECRET_NAME


def masked(text: str) -> str:
    """``text`` hidden; the end of a long one stays, to tell two keys apart."""
    return f"••••{text[-4:]}" if len(text) >= 20 else "••••"


def without_password(url: str) -> str:
    """``url`` with the password of its address hidden."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.password is None:
        return url
    return parts._replace(netloc=f"{parts.username}:••••@{parts.netloc.rpartition('@')[2]}").geturl()


def shown(key: str, value: Any) -> Any:
    """A setting's value in JSON types, secrets hidden."""
    if value is None:
        return None
    if key == "persona":
        return value.name
    if isinstance(value, tuple) and value and isinstance(value[0], Persona):
        return [persona.name for persona in value]
    if key in BY_KEY and BY_KEY[key].secret:
        return masked(value)
    if key in {"base_url", "proxy"}:
        return without_password(value)
    if key in {"env", "headers"}:  # what a header is for cannot be told from its name
        hidden = key == "headers"
        return {name: masked(text) if hidden or SECRET_NAME.search(name) else text for name, text in value.items()}
    if key == "providers":
        return {name: _provider(provider) for name, provider in value.items()}
    return plain(value)


def _provider(provider: Provider) -> dict[str, Any]:
    out: dict[str, Any] = plain(provider)
    for name in ("base_url", "proxy", "headers"):
        if name in out:
            out[name] = shown(name, out[name])
    return out
