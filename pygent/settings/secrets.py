"""What in the settings must not be told."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from pygent.settings.model import Settings

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
"""Names of variables whose values are secrets."""

_SHORTEST = 6
"""Shorter values stand in too many words to be taken out of a text."""


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The secret values in ``settings``, the longest first."""
    found = {settings.api_key or "", *(text for name, text in settings.env.items() if SECRET_NAME.search(name))}
    try:
        password = urlsplit(settings.base_url or "").password or ""
    except ValueError:
        password = ""
    found |= {password, unquote(password)}
    return tuple(sorted((text for text in found if len(text) >= _SHORTEST), key=len, reverse=True))
