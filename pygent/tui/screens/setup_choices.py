"""What can be chosen on the set-up screen, and whether an answer can be used. Knows no screen."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit


class LocalServer(Protocol):
    """A model server that answered on this machine."""

    @property
    def name(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def models(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """One place where a model can be. ``base_url`` None is the client's own default."""

    key: str
    title: str
    about: str
    base_url: str | None = None
    asks_url: bool = False
    needs_key: bool = False
    key_from: str = ""
    model: str = ""
    models: tuple[str, ...] = ()


OPENAI_URL = "https://api.openai.com/v1"
"""Where the client goes without a base URL."""

OPENAI = Choice(
    "openai",
    "OpenAI",
    "the makers of GPT; a key is needed",
    needs_key=True,
    key_from="platform.openai.com/api-keys",
    model="gpt-4.1-mini",
    models=("gpt-4.1-mini", "gpt-4.1", "gpt-4o-mini", "o4-mini"),
)
OPENROUTER = Choice(
    "openrouter",
    "OpenRouter",
    "one key for the models of many makers",
    base_url="https://openrouter.ai/api/v1",
    needs_key=True,
    key_from="openrouter.ai/keys",
    model="openai/gpt-4.1-mini",
    models=("openai/gpt-4.1-mini", "qwen/qwen3-coder", "deepseek/deepseek-chat", "mistralai/devstral-small"),
)
OTHER = Choice("other", "Another server", "any that speaks the OpenAI protocol", asks_url=True)
DEMO = Choice("demo", "Demo", "no model: a script on the real tools")

PROVIDERS = (OPENAI, OPENROUTER, OTHER, DEMO)


def local_choice(server: LocalServer) -> Choice:
    """A server on this machine as a choice; its first model is proposed."""
    models = tuple(str(model) for model in server.models)
    count = "1 model" if len(models) == 1 else f"{len(models)} models" if models else "no model loaded"
    return Choice(
        f"local:{server.base_url}",
        server.name,
        f"on this machine, {count}",
        base_url=server.base_url,
        model=models[0] if models else "",
        models=models,
    )


def url_problem(url: str, *, with_key: bool) -> str:
    """Why ``url`` cannot be used, "" where it can. A key goes to another machine only over https."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "The URL cannot be read. An example: https://models.example.org/v1"
    if parts.scheme not in {"http", "https"} or not host:
        return "The URL begins with http:// or https:// and names a host, as in https://models.example.org/v1"
    if parts.username or parts.password:
        return "Leave the user name and password out of the URL; a key has its own field."
    if parts.scheme == "http" and with_key and not _is_near(host):
        return "With a key use https://, or anybody on the way can read the key."
    return ""


def key_problem(key: str, choice: Choice) -> str:
    """Why ``key`` cannot be used, "" where it can."""
    if not key:
        return f"{choice.title} needs a key; you get one at {choice.key_from}" if choice.needs_key else ""
    if any(char.isspace() for char in key) or not key.isprintable() or not key.isascii():
        return "A key has no blanks and no special characters; perhaps more than the key was pasted."
    return ""


def model_problem(model: str) -> str:
    """Why ``model`` cannot be used, "" where it can."""
    if not model:
        return "Name a model."
    return "" if model.isprintable() and " " not in model else "A model's name has no blanks."


def _is_near(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")) or "." not in host:
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
