"""What in the settings must not be told."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from pygent.redaction import HIDDEN, spellings
from pygent.settings.model import Settings

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
"""Names of variables whose values are secrets."""

_KEY_NAME = re.compile(r"(?i)(?:^|_)(?:\w*KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_ID)?$")
_LONG = 16
"""Characters of a key that only the name of its variable tells."""

_SHORTEST = 6
"""Shorter values stand in too many words to be taken out of a text."""


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The secret values in ``settings``, the longest first."""
    found = {settings.api_key or "", *(text for name, text in settings.env.items() if SECRET_NAME.search(name))}
    servers = [(settings.base_url, settings.proxy, settings.headers)]
    servers += [(one.base_url, one.proxy, one.headers) for one in settings.providers.values()]
    for url, proxy, headers in servers:
        found |= {*_passwords(url), *_passwords(proxy), *secret_headers(headers)}
    for provider in settings.providers.values():
        if provider.key_variable:
            found.add(os.environ.get(provider.key_variable, "").strip())
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True))


def secret_headers(headers: Mapping[str, str]) -> set[str]:
    """The values of headers that are secrets by their names, also without a word such as Bearer before them."""
    return {
        part
        for name, value in headers.items()
        if SECRET_NAME.search(name)
        for part in (value, value.rpartition(" ")[2])
    }


def keys_around(environ: Mapping[str, str]) -> set[str]:
    """The keys in an environment, by the names of its variables. Paths and addresses are none."""
    return {
        value.strip()
        for name, value in environ.items()
        if _KEY_NAME.search(name) and len(value) >= _LONG and not value.startswith(("/", "~")) and "://" not in value
    }


def all_keys(settings: Settings) -> set[str]:
    """The keys in ``settings`` and in the environment."""
    return {*secrets_of(settings), *keys_around(os.environ)}


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` with each of the ``secrets`` hidden, also as JSON and HTML write it."""
    for secret in secrets:
        if secret:
            for written in spellings(secret):
                text = text.replace(written, HIDDEN)
    return text


def _passwords(url: str | None) -> set[str]:
    """The password in an address, as it is written and as it is meant."""
    try:
        password = urlsplit(url or "").password or ""
    except ValueError:
        password = ""
    return {password, unquote(password)}
