"""Changes to the user's own settings file that leave its comments and order as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pygent.errors import SettingsError
from pygent.settings.fields import BY_KEY
from pygent.settings.file_source import folder_layer, read_layer
from pygent.settings.kinds import plain
from pygent.settings.layers import joined
from pygent.settings.load import CREDENTIALS_FILE, USER_FILE
from pygent.settings.nodes import nearest
from pygent.settings.paths import config_dir, write_private
from pygent.settings.yaml_source import compose, parse_yaml, read_text

if TYPE_CHECKING:
    import yaml


def save_user_settings(updates: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Path:
    """Write ``updates`` (by key; None removes one) into the user's ``config.yaml`` and return its path.

    A key of a model server goes to ``credentials.yaml`` beside it. Both are readable only by their owner and written
    in one piece. Raises ``SettingsError`` where a key or a value would not be accepted when read, where the file at
    hand has errors, or where it cannot be written; nothing is changed then.
    """
    for key in updates:
        if key not in BY_KEY:
            raise SettingsError(f"unknown setting {key!r}{nearest(key, BY_KEY)}", key=key)
    folder = config_dir(environ)
    path = folder / USER_FILE
    secret = {key: value for key, value in updates.items() if BY_KEY[key].secret}
    public = {key: value for key, value in updates.items() if key not in secret}
    if any(value is not None for value in secret.values()):
        public.update(_present(path, secret))  # so that an old key in the open file does not stay behind
    texts = {}
    if public:
        texts[path] = edited(path, public)
    if secret:
        texts[folder / CREDENTIALS_FILE] = edited(folder / CREDENTIALS_FILE, secret)
    for file, text in texts.items():
        try:
            write_private(file, text)
        except OSError as error:
            raise SettingsError(f"cannot be written: {error.strerror or error}", file=file) from None
    return path


def user_list(key: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What the user's ``config.yaml`` itself has for a list, without any other source.

    Raises ``SettingsError`` where the file has errors.
    """
    problems: list[SettingsError] = []
    layer = folder_layer(config_dir(environ), USER_FILE, USER_FILE, problems)
    if problems:
        raise joined(problems)
    return list(layer[key].value) if key in layer else []


def _present(path: Path, keys: Mapping[str, object]) -> dict[str, object]:
    text = read_text(path)
    node = parse_yaml(text, path) if text else None
    return {key: None for key in keys if node is not None and isinstance(node.value, dict) and key in node.value}


def edited(path: Path, updates: Mapping[str, object]) -> str:
    """The text of ``path`` with ``updates`` in it, checked as a whole. Raises ``SettingsError``."""
    text = read_text(path) or ""
    for key, value in updates.items():
        text = _edit(text, key, value, path)
    problems: list[SettingsError] = []
    read_layer(parse_yaml(text, path), path, path.name, problems)
    if problems:
        raise joined(problems)
    return text


def _edit(text: str, key: str, value: object, path: Path) -> str:
    root = compose(text, path)
    parse_yaml(text, path)
    entries: list[tuple[yaml.Node, yaml.Node]] = list(root.value) if root is not None else []
    if root is not None and getattr(root, "flow_style", False):
        return _rewritten(entries, key, value, path)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    new = [] if value is None else [_line(key, value)]
    for index, (name, node) in enumerate(entries):
        if name.value != key:
            continue
        start = name.start_mark.line
        limit = entries[index + 1][0].start_mark.line if index + 1 < len(entries) else len(lines)
        end = _end(lines, start, min(limit, len(lines)))
        if new and end == start + 1:
            new[0] = new[0].rstrip("\n") + _comment(lines[start], node) + "\n"
        return "".join([*lines[:start], *new, *lines[end:]])
    if lines and lines[-1].strip() == "...":
        lines.pop()
    return "".join([*lines, *new])


def _end(lines: list[str], start: int, limit: int) -> int:
    """The first line after an entry: comments and blank lines in column 0 belong to what follows."""
    end = limit
    while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].startswith(("#", "...", "---"))):
        end -= 1
    return end


def _comment(line: str, node: yaml.Node) -> str:
    if node.end_mark.line != node.start_mark.line:
        return ""
    rest = line[node.end_mark.column :].strip()
    return f"  {rest}" if rest.startswith("#") else ""


def _rewritten(entries: list[tuple[yaml.Node, yaml.Node]], key: str, value: object, path: Path) -> str:
    """A file in flow style has no lines of its own for its keys: write it anew, a key a line."""
    import yaml  # noqa: PLC0415

    out = []
    for name, node in entries:
        if name.value != key:
            dumped = yaml.serialize(node, Dumper=yaml.SafeDumper, width=10**6).removesuffix("...\n").strip()
            indented = dumped if "\n" not in dumped else "\n  " + dumped.replace("\n", "\n  ")
            out.append(f"{name.value}: {indented}\n")
    text = "".join(out)
    parse_yaml(text, path)
    return text if value is None else text + _line(key, value)


def _line(key: str, value: object) -> str:
    import json  # noqa: PLC0415

    import yaml  # noqa: PLC0415 - not at every start

    shown = plain(sorted(value) if isinstance(value, (set, frozenset)) else value)
    try:
        dumped = yaml.safe_dump(shown, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**6)
    except yaml.YAMLError:
        raise SettingsError(
            f"{key}: a {type(value).__name__} cannot be written to a settings file", key=key
        ) from None
    dumped = dumped.removesuffix("...\n").strip()
    if "\n" in dumped:  # JSON is YAML on one line
        dumped = json.dumps(shown, ensure_ascii=False)
    return f"{key}: {dumped}\n"
