"""What in the settings must not be told."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from html import escape
from urllib.parse import unquote, urlsplit

from pygent.settings.model import Settings

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
"""Names of variables whose values are secrets."""

HIDDEN = "••••"

_SHORTEST = 6
"""Shorter values stand in too many words to be taken out of a text."""


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The secret values in ``settings``, the longest first."""
    found = {settings.api_key or "", *(text for name, text in settings.env.items() if SECRET_NAME.search(name))}
    servers = [(settings.base_url, settings.proxy, settings.headers)]
    servers += [(one.base_url, one.proxy, one.headers) for one in settings.providers.values()]
    for url, proxy, headers in servers:
        found |= {*_passwords(url), *_passwords(proxy)}
        for name, value in headers.items():
            if SECRET_NAME.search(name):
                found |= {value, value.rpartition(" ")[2]}  # the second without a word such as Bearer
    for provider in settings.providers.values():
        if provider.key_variable:
            found.add(os.environ.get(provider.key_variable, "").strip())
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """``text`` with each of the ``secrets`` hidden, also as JSON and HTML write it."""
    for secret in secrets:
        if secret:
            for written in {
                secret,
                json.dumps(secret)[1:-1],
                json.dumps(secret, ensure_ascii=False)[1:-1],
                escape(secret),
            }:
                text = text.replace(written, HIDDEN)
    return text


def _passwords(url: str | None) -> set[str]:
    """The password in an address, as it is written and as it is meant."""
    try:
        password = urlsplit(url or "").password or ""
    except ValueError:
        password = ""
    return {password, unquote(password)}
