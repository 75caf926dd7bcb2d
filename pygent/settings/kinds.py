"""The kinds of values that settings have: each reads a text (variable, option) and a node (settings file)."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pygent.budget import Budget
from pygent.settings.nodes import Invalid, Node
from pygent.settings.provider import ModelEntry, Provider

TRUE_WORDS = ("1", "true", "yes", "on")
FALSE_WORDS = ("0", "false", "no", "off")
_WORDS = ("on", "off", "yes", "no")
"""For editors, whose YAML may be 1.2: there these are texts."""


class Kind:
    """One kind of value. ``accepted`` says in words what can be read; ``Invalid`` is raised for all else."""

    accepted = ""
    one_line = True
    """False for what is too large to be typed on one line."""

    def from_text(self, text: str) -> Any:
        """Read the text of a variable or an option."""
        raise NotImplementedError

    def from_node(self, node: Node) -> Any:
        """Read a value of a settings file; by default only what is written as text."""
        if not isinstance(node.value, str):
            raise self.refused(node)
        return self.from_text(node.value)

    def schema(self) -> dict[str, Any]:
        """The JSON schema of what a settings file may hold."""
        return {"type": "string"}

    def refused(self, node: Node) -> Invalid:
        """The complaint about a value of another type or range."""
        hint = "; put it in quotes" if self.accepted == "text" and isinstance(node.value, (bool, int, float)) else ""
        return Invalid(f"{node.describe()} cannot be used; accepted: {self.accepted}{hint}", line=node.line)


class Text(Kind):
    """Any text that is not empty."""

    accepted = "text"

    def from_text(self, text: str) -> str:
        if not text.strip():
            raise Invalid("empty text cannot be used; accepted: text")
        if "\0" in text:
            raise Invalid("a text with a NUL character cannot be used")
        return text


class Url(Text):
    """An address of a server."""

    accepted = "a URL that starts with http:// or https://"

    def from_text(self, text: str) -> str:
        text = text.strip()
        host = text.removeprefix("http://").removeprefix("https://")
        if host in {text, ""} or " " in text or not text.isprintable():
            raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")
        return text


class ClusterAddress(Text):
    """Where the scheduler of a cluster listens, as Dask writes it."""

    accepted = "an address such as tcp://host:8786, or tls://host:8786"

    def from_text(self, text: str) -> str:
        text = text.strip()
        scheme, _, place = text.partition("://")
        host, _, port = place.rpartition(":")
        if scheme not in {"tcp", "tls", "ws", "wss"} or not host or not port.isdecimal() or not text.isprintable():
            raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")
        return text


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.accepted = ", ".join(words)

    def from_text(self, text: str) -> str:
        word = text.strip().lower()
        if word not in self.words:
            raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")
        return word

    def from_node(self, node: Node) -> str:
        """A word such as ``off`` is one here, though YAML takes it for a truth value."""
        if isinstance(node.value, bool) and node.text.lower() in self.words:
            return node.text.lower()
        return str(super().from_node(node))

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.words)}


class Flag(Kind):
    """True or false."""

    accepted = "true or false (also yes/no, on/off, 1/0)"

    def from_text(self, text: str) -> bool | None:
        word = text.strip().lower()
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")

    def from_node(self, node: Node) -> bool | None:
        if isinstance(node.value, bool):
            return node.value
        if isinstance(node.value, (str, int)):
            try:
                return self.from_text(str(node.value))
            except Invalid:
                pass
        raise self.refused(node)

    def schema(self) -> dict[str, Any]:
        return {"enum": [True, False, *_WORDS]}


class AutoFlag(Flag):
    """True, false, or None for ``auto``."""

    accepted = "true, false or auto (also yes/no, on/off, 1/0)"

    def from_text(self, text: str) -> bool | None:
        return None if text.strip().lower() == "auto" else super().from_text(text)

    def schema(self) -> dict[str, Any]:
        return {"enum": [True, False, "auto", *_WORDS]}


class Whole(Kind):
    """A whole number with a least value."""

    def __init__(self, least: int) -> None:
        self.least = least
        self.accepted = f"a whole number from {least}"

    def from_text(self, text: str) -> int:
        plain = text.strip().removeprefix("+")
        if plain.isascii() and plain.isdigit() and len(plain) < 16 and int(plain) >= self.least:
            return int(plain)
        raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")

    def from_node(self, node: Node) -> int:
        if type(node.value) is int and self.least <= node.value < 10**15:
            return node.value
        raise self.refused(node)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least}


class Number(Kind):
    """A finite number within bounds; ``above`` leaves the bound itself out."""

    def __init__(
        self, accepted: str, *, least: float = -math.inf, above: float = -math.inf, most: float = math.inf
    ) -> None:
        self.accepted = accepted
        self._least, self._above, self._most = least, above, most

    def from_text(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self._fits(value):
            raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")
        return value

    def from_node(self, node: Node) -> float:
        value = node.value
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self._fits(value):
            return float(value)
        raise self.refused(node)

    def schema(self) -> dict[str, Any]:
        bounds = (("minimum", self._least), ("exclusiveMinimum", self._above), ("maximum", self._most))
        return {"type": "number", **{name: bound for name, bound in bounds if math.isfinite(bound)}}

    def _fits(self, value: float) -> bool:
        return math.isfinite(value) and self._least <= value <= self._most and value > self._above


class Seconds(Number):
    """A time in seconds, more than nothing and finite."""

    def __init__(self) -> None:
        super().__init__("a number of seconds greater than 0", above=0)


class FilePath(Kind):
    """A path of this machine; ``~`` is the home folder. Relative ones stay so until their base is known."""

    accepted = "a path"

    def from_text(self, text: str) -> Path:
        if not text.strip() or "\0" in text:
            raise Invalid(f"{text!r} cannot be used; accepted: {self.accepted}")
        try:
            return Path(text).expanduser()
        except RuntimeError as error:
            raise Invalid(f"{text!r} cannot be used: {error}") from None


class Listing(Kind):
    """Several values of one kind: a YAML list or a single value; in a text separated by ``os.pathsep``."""

    def __init__(self, item: Kind) -> None:
        self.item = item
        self.accepted = f"a list, each item {item.accepted}"

    def from_text(self, text: str) -> tuple[Any, ...]:
        return tuple(self.item.from_text(part.strip()) for part in text.split(os.pathsep) if part.strip())

    def from_node(self, node: Node) -> tuple[Any, ...]:
        if isinstance(node.value, dict) or node.value is None:
            raise self.refused(node)
        items = node.value if isinstance(node.value, list) else [node]
        return tuple(self.item.from_node(item) for item in items)

    def schema(self) -> dict[str, Any]:
        item = self.item.schema()
        return {"anyOf": [{"type": "array", "items": item}, item]}


class Texts(Kind):
    """A mapping of names to texts; numbers and truth values count as they were written."""

    accepted = "a mapping of names to texts"

    def from_text(self, text: str) -> dict[str, str]:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise Invalid(f"{text!r} cannot be used; accepted: NAME=VALUE")
        return {name.strip(): value}

    def from_node(self, node: Node) -> dict[str, str]:
        if not isinstance(node.value, dict):
            raise self.refused(node)
        return {key: self._text(key, item) for key, item in node.value.items()}

    def _text(self, key: str, item: Node) -> str:
        if isinstance(item.value, (dict, list)) or item.value is None or "\0" in item.text:
            raise Invalid(f"{item.describe()} cannot be used; accepted: text", line=item.line, key=key)
        return item.text

    def schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}


class Prices(Kind):
    """Prices of models by name, for a million tokens each: ``input``, ``output``, ``cached_input``."""

    accepted = "a mapping of model names to {input, output, cached_input}, prices of a million tokens"
    parts = ("input", "output", "cached_input")

    def from_node(self, node: Node) -> dict[str, dict[str, float]]:
        if not isinstance(node.value, dict):
            raise self.refused(node)
        return {model: self._price(model, item) for model, item in node.value.items()}

    def _price(self, model: str, node: Node) -> dict[str, float]:
        if not isinstance(node.value, dict):
            raise self.refused(node)
        out: dict[str, float] = {}
        for name, item in node.value.items():
            value = item.value
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
            if name not in self.parts or not number:
                raise Invalid(
                    f"{name}: {item.describe()} cannot be used; accepted: {', '.join(self.parts)}, numbers from 0",
                    line=item.line,
                    key=model,
                )
            out[name] = float(str(value))
        return out

    def schema(self) -> dict[str, Any]:
        number = {"type": "number", "minimum": 0}
        price = {"type": "object", "properties": dict.fromkeys(self.parts, number), "additionalProperties": False}
        return {"type": "object", "additionalProperties": price}


def absolute(value: Any, base: Path) -> Any:
    """``value`` with each relative path in it taken from ``base``."""
    if isinstance(value, Path):
        return base / value
    if isinstance(value, tuple):
        return tuple(absolute(item, base) for item in value)
    if isinstance(value, dict):
        return {key: absolute(item, base) for key, item in value.items()}
    return value.based_at(base) if isinstance(value, Provider) else value


def plain(value: Any) -> Any:
    """``value`` in JSON types, as ``config show`` prints it."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Budget):
        return value.to_dict()
    if isinstance(value, Provider | ModelEntry):
        return plain(value.to_dict())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
