"""The kinds of values that say how a model server is reached."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pygent.settings.kinds import Text, Texts
from pygent.settings.nodes import Invalid, Node

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SCHEMES = {"http", "https", "socks5", "socks5h"}


class Proxy(Text):
    """The address of a proxy, or none in spite of the environment."""

    accepted = "direct, or a URL that starts with http://, https://, socks5:// or socks5h://"

    def from_text(self, text: str) -> str:
        text = text.strip()
        if text.lower() == "direct":
            return "direct"
        try:
            parts = urlsplit(text)
            fits = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fits = False
        if not fits or not text.isprintable() or " " in text:
            raise Invalid(f"this cannot be used; accepted: {self.accepted}")  # it may hold a password
        return text


class Headers(Texts):
    """Headers of HTTP requests."""

    accepted = "a mapping of names of HTTP headers to their values"
    one_line = False  # they are shown hidden, so what is shown cannot be edited

    def from_text(self, text: str) -> dict[str, str]:
        headers = super().from_text(text)
        for name, value in headers.items():
            _check(name, value, None)
        return headers

    def from_node(self, node: Node) -> dict[str, str]:
        headers = super().from_node(node)
        for name, value in headers.items():
            _check(name, value, node.line)
        return headers


def _check(name: str, value: str, line: int | None) -> None:
    # The value may be a secret, so it is not repeated.
    if not _HEADER.fullmatch(name):
        raise Invalid(f"{name!r} is no name of a header; accepted: letters, digits and dashes", line=line, key=name)
    if not (value.isascii() and value.isprintable()):
        text = f"the value of {name} cannot be used; accepted: one line of ASCII characters"
        raise Invalid(text, line=line, key=name)
