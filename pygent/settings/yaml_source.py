"""YAML read into nodes that know their lines; nothing but plain mappings, lists and scalars is built."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent.errors import SettingsError
from pygent.settings.nodes import Node, Scalar

if TYPE_CHECKING:
    import yaml

MAX_BYTES = 1024 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 40
_TAG = "tag:yaml.org,2002:"


def read_yaml(path: Path) -> Node | None:
    """The mapping in the file ``path``; None where there is no such file, an empty mapping where it is empty.

    Raises ``SettingsError`` with file and line where it cannot be read, is no YAML, or is no mapping.
    """
    text = read_text(path)
    return None if text is None else parse_yaml(text, path)


def read_text(path: Path) -> str | None:
    """The text of a regular file of at most ``MAX_BYTES``; None where there is none. Raises ``SettingsError``."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror or error}", file=path) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise SettingsError("is not a regular file", file=path)
    with os.fdopen(handle, "rb") as file:
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise SettingsError(f"cannot be read: {error.strerror or error}", file=path) from None
    if len(data) > MAX_BYTES:
        raise SettingsError(f"is larger than {MAX_BYTES // 1024} KiB, which no settings file needs", file=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError("is not UTF-8 text", file=path, line=line) from None


def parse_yaml(text: str, path: Path) -> Node:
    """The mapping that ``text`` holds; ``path`` is for the messages. Raises ``SettingsError``."""
    root = compose(text, path)
    if root is None:
        return Node({}, 1)
    node = _Builder(path).build(root, 0)
    if not isinstance(node.value, dict):
        raise SettingsError(f"must hold keys and values, not {node.describe()}", file=path, line=node.line)
    return node


def compose(text: str, path: Path) -> yaml.Node | None:
    """The YAML nodes of ``text``, None where it is empty. Raises ``SettingsError``."""
    import yaml  # noqa: PLC0415

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_depth(yaml.parse(text, Loader=loader), path)
        return yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise SettingsError(f"is not YAML: {problem}", file=path, line=mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:
        line = None
        position = getattr(error, "position", None)
        if isinstance(position, int):
            line = text.count("\n", 0, position) + 1
        raise SettingsError(f"is not YAML: {str(error).splitlines()[0]}", file=path, line=line) from None
    except RecursionError:
        raise SettingsError("is nested too deeply", file=path) from None


def _check_depth(events: Iterable[Any], path: Path) -> None:
    """The C composer calls itself for each level and dies of too many; its events come one by one."""
    import yaml  # noqa: PLC0415

    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark = event.start_mark
                raise SettingsError("is nested too deeply", file=path, line=mark.line + 1 if mark else None)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Builder:
    """Turns YAML nodes into ours; counts them, so that aliases of aliases cannot grow without end."""

    def __init__(self, path: Path) -> None:
        import yaml  # noqa: PLC0415

        self.path = path
        self.count = 0
        self.constructor = yaml.SafeLoader("")

    def build(self, node: yaml.Node, depth: int, line: int | None = None) -> Node:
        import yaml  # noqa: PLC0415

        line = line or node.start_mark.line + 1
        self.count += 1
        if self.count > MAX_NODES:
            raise self.error(f"holds more than {MAX_NODES} values (aliases count each time)", line)
        if depth > MAX_DEPTH:
            raise self.error("is nested too deeply", line)
        if isinstance(node, yaml.MappingNode):
            return Node(self.mapping(node, depth), line)
        if isinstance(node, yaml.SequenceNode):
            if node.tag != f"{_TAG}seq":
                raise self.error(f"the tag {node.tag!r} is not accepted", line)
            return Node([self.build(item, depth + 1) for item in node.value], line)
        return Node(self.scalar(node, line), line, node.value)

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        import yaml  # noqa: PLC0415

        if node.tag != f"{_TAG}map":
            raise self.error(f"the tag {node.tag!r} is not accepted", node.start_mark.line + 1)
        out: dict[str, Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self.error("a key must be a plain word", line)
            if key.value in out:
                first = out[key.value].line
                raise SettingsError(
                    f"the key {key.value!r} stands twice, first in line {first}",
                    file=self.path,
                    line=line,
                    key=key.value,
                )
            out[key.value] = self.build(value, depth + 1, line)
        return out

    def scalar(self, node: yaml.Node, line: int) -> Scalar:
        tag = node.tag.removeprefix(_TAG)
        if tag in {"str", "timestamp", "value", "merge"}:
            return str(node.value)
        if tag == "null":
            return None
        constructor: Any = self.constructor
        build = {
            "bool": constructor.construct_yaml_bool,
            "int": constructor.construct_yaml_int,
            "float": constructor.construct_yaml_float,
        }.get(tag)
        if build is None:
            raise self.error(f"the tag {node.tag!r} is not accepted", line)
        try:
            value = build(node)
        except (ValueError, KeyError):
            raise self.error(f"{node.value[:40]!r} cannot be read as {tag}", line) from None
        return value if isinstance(value, (bool, int, float)) else str(value)

    def error(self, message: str, line: int) -> SettingsError:
        return SettingsError(message, file=self.path, line=line)
