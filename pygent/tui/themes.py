"""Themes: YAML palettes without code, checked before they are used.

A theme file is named after its theme and holds one flat mapping: ``dark`` and the colours of `REQUIRED`, perhaps
those of `OPTIONAL`, and under ``variables`` any other colour variable of Textual's design system.

All theme files are read at each start, so reading is cheap: the plain form that our own files have (``key: value``
lines, one indented block) is read by `_plain` in about a millisecond for all of them, and the real YAML parser, whose
import alone costs a tenth of a first paint, is asked only where a file uses more of YAML than that. A test holds
both to one answer.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from textual.color import Color, ColorParseError
from textual.design import ColorSystem
from textual.theme import Theme

from pygent.errors import SettingsError
from pygent.tui.theme_colours import ACCENTS

DEFAULT_THEME = "pygent-dark"

REQUIRED = (
    "background",
    "surface",
    "panel",
    "foreground",
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
)
"""Colours that every theme has."""

OPTIONAL = ("muted",)
"""Colours that are worked out where a theme has none: ``muted`` is the colour of secondary text."""

LIMIT = 64 * 1024
"""Bytes; a palette is never larger."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_LINE = re.compile(
    r"""(?P<indent>[ ]*)(?P<key>[A-Za-z][A-Za-z0-9_-]*):
        (?:[ ]+(?:"(?P<double>[^"\\]*)"|'(?P<single>[^']*)'|(?P<word>[A-Za-z0-9][A-Za-z0-9_ %.-]*?)))?
        [ ]*(?:[ ]\#.*)?\Z""",
    re.VERBOSE,
)
_STYLES = frozenset({"bold", "dim", "italic", "none", "not", "reverse", "strike", "underline", "b", "d", "i", "u"})
_COLOR_HELP = 'a colour such as "#7fb2e5", "rgb(127,178,229)" or "steelblue" (a # needs the quotes)'
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")


class _Value(NamedTuple):
    """A scalar with the line it stands in; ``quoted`` since ``"true"`` is a text and ``true`` is not."""

    text: str
    line: int
    quoted: bool = False


_Data: TypeAlias = "dict[str, tuple[_Value | dict[str, _Value], int]]"


def shipped_folder() -> Path:
    """Where the themes that come with Pygent are: inside the package, or beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "themes"
    return inside if inside.is_dir() else package.parent / "themes"


def load_themes(
    user_folder: Path | None = None, *, on_error: Callable[[SettingsError], object] | None = None
) -> list[Theme]:
    """All themes, those that come with Pygent first; one in ``user_folder`` replaces one of the same name.

    A file that cannot be used is given to ``on_error`` and left out; without ``on_error`` its ``SettingsError`` is
    raised, which names the file, the line, the key and what is accepted.
    """
    themes: dict[str, Theme] = {}
    for folder in (shipped_folder(), user_folder):
        for path in theme_files(folder):
            try:
                theme = read_theme(path)
            except SettingsError as error:
                if on_error is None:
                    raise
                on_error(error)
            else:
                themes[theme.name] = theme
    return list(themes.values())


def find_theme(name: str, user_folder: Path | None = None) -> Theme | None:
    """The theme that ``load_themes`` has under ``name``, without reading the others; None where no file has the name.

    Raises ``SettingsError`` where its file cannot be used.
    """
    path = find_file(name, user_folder) or find_file(name, shipped_folder())
    return None if path is None else read_theme(path)


def find_file(name: str, folder: Path | None) -> Path | None:
    """The file in ``folder`` that has the theme ``name``."""
    return next((path for path in reversed(list(theme_files(folder))) if path.stem == name), None)


def is_theme_name(name: str) -> bool:
    """Whether a theme can be called so."""
    return _NAME.match(name) is not None


def read_theme(path: Path) -> Theme:
    """The theme in one file. Raises ``SettingsError`` where it cannot be used."""
    name = path.stem
    if not is_theme_name(name):
        raise SettingsError(f"a theme's file name is small letters, digits and dashes, not {name!r}", file=path)
    try:
        with path.open("rb") as file:
            raw = file.read(LIMIT + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"is not UTF-8 text (byte {error.start})", file=path) from error
    if len(raw) > LIMIT:
        raise SettingsError(f"is larger than {LIMIT // 1024} KiB, which no palette is", file=path)
    return _build(name, _plain(text) or _yaml(text, path), path)


def theme_files(folder: Path | None) -> Iterable[Path]:
    """The theme files of a folder, which need not exist."""
    if folder is None or not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"} and path.is_file())
    return sorted(found, key=lambda path: (path.stem != DEFAULT_THEME, path.name))


def _plain(text: str) -> _Data | None:
    """The content where each line is of the plain form, else None."""
    data: _Data = {}
    block: dict[str, _Value] | None = None
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            return None
        key, indent = match["key"], len(match["indent"])
        quoted = match["double"] if match["double"] is not None else match["single"]
        scalar = quoted if quoted is not None else match["word"]
        if indent == 0:
            if key in data:
                return None
            block = {} if scalar is None else None
            depth = 0
            value = block if block is not None else _Value(scalar, number, quoted is not None)
            data[key] = (value, number)
        elif block is None or scalar is None or (depth and indent != depth) or key in block:
            return None
        else:
            depth = indent
            block[key] = _Value(scalar, number, quoted is not None)
    return data if all(value for value, _ in data.values()) else None


def _yaml(text: str, path: Path) -> _Data:
    """The same through the YAML parser. Raises ``SettingsError`` for what is not one mapping of scalars."""
    import yaml  # noqa: PLC0415 - only for files that need it

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read as YAML"
        raise SettingsError(str(problem), file=path, line=mark.line + 1 if mark else None) from error
    if not isinstance(root, yaml.MappingNode):
        raise SettingsError("a theme is a mapping with `dark` and colours", file=path, line=1)
    data: _Data = {}
    for key, node in root.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in data:
            raise SettingsError(f"{name} is there twice", file=path, line=line, key=name)
        if isinstance(node, yaml.MappingNode):
            data[name] = ({str(k.value): _scalar(v, str(k.value), path) for k, v in node.value}, line)
        else:
            data[name] = (_scalar(node, name, path), line)
    return data


def _scalar(node: object, key: str, path: Path) -> _Value:
    line = node.start_mark.line + 1  # type: ignore[attr-defined]
    value = getattr(node, "value", None)
    if not isinstance(value, str):
        raise SettingsError(f"{key} is one value, not a list or a mapping", file=path, line=line, key=key)
    return _Value(value, line, getattr(node, "style", None) in {"'", '"'})


def _build(name: str, data: _Data, path: Path) -> Theme:
    colors: dict[str, str] = {}
    variables: dict[str, str] = {}
    dark: bool | None = None
    for key, (value, line) in data.items():
        if isinstance(value, dict):
            if key != "variables":
                raise _unknown(key, line, path, ("variables",) if key not in _KEYS else (), nested=True)
            variables = {k: _variable(k, v, path) for k, v in value.items()}
        elif key == "dark":
            dark = _boolean(value, path)
        elif key in REQUIRED or key in OPTIONAL:
            colors[key] = _color(key, value, path)
        elif key == "variables":
            raise SettingsError("variables is a mapping of names to colours", file=path, line=line, key=key)
        else:
            raise _unknown(key, line, path, _KEYS)
    missing = [key for key in ("dark", *REQUIRED) if (dark is None if key == "dark" else key not in colors)]
    if missing:
        raise SettingsError(f"lacks {', '.join(missing)}", file=path, key=missing[0])
    _only_own_or_terminals(colors, path)
    muted = colors.pop("muted", None)
    if muted is not None:
        variables = {"text-muted": muted, "foreground-muted": muted, **variables}
    # The palette's own colours are the colours of text: what a theme's author reads is what the screen shows.
    own = {f"text-{key}": colors[key] for key in ACCENTS}
    ground = Color.parse(colors["background"])
    if ground.ansi is not None:
        own |= dict.fromkeys(("ansi-background", "ansi-foreground"), "ansi_default")
    else:  # fainter grounds than Textual's, so that text of the same colour is readable on them
        own |= {f"{key}-muted": Color.parse(colors[key]).blend(ground, 0.85).hex for key in ACCENTS}
    theme = Theme(
        name=name,
        primary=colors.pop("primary"),
        dark=bool(dark),
        variables={**own, **variables},
        ansi=ground.ansi is not None,
    )
    for key, color in colors.items():
        setattr(theme, key, color)
    return theme


def _only_own_or_terminals(colors: Mapping[str, str], path: Path) -> None:
    """On a terminal's own ground nothing can be mixed, so there all colours are the terminal's."""
    if Color.parse(colors["background"]).ansi is None:
        return
    for key, text in colors.items():
        if Color.parse(text).ansi is None:
            message = f"{key} is one of the terminal's colours (ansi_blue …) as the background is one, not {text!r}"
            raise SettingsError(message, file=path, key=key)


_KEYS = ("dark", *REQUIRED, *OPTIONAL, "variables")


def _unknown(key: str, line: int, path: Path, known: Iterable[str], *, nested: bool = False) -> SettingsError:
    if nested and key in _KEYS:
        return SettingsError(f"{key} is one value, not a mapping", file=path, line=line, key=key)
    near = difflib.get_close_matches(key, list(known), n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; accepted: {', '.join(_KEYS)}"
    return SettingsError(f"unknown key {key!r}{hint}", file=path, line=line, key=key)


def _boolean(value: _Value, path: Path) -> bool:
    word = value.text.lower()
    if value.quoted or word not in _TRUE + _FALSE:
        raise SettingsError(f"dark is true or false, not {value.text!r}", file=path, line=value.line, key="dark")
    return word in _TRUE


def _color(key: str, value: _Value, path: Path) -> str:
    try:
        color = Color.parse(value.text)
    except ColorParseError:
        color = None
    if color is None or color.auto:
        raise SettingsError(f"{key} is {_COLOR_HELP}, not {value.text!r}", file=path, line=value.line, key=key)
    return value.text


def _variable(key: str, value: _Value, path: Path) -> str:
    known = _variable_names()
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"unknown variable {key!r}{hint}", file=path, line=value.line, key=key)
    if key.endswith(("text-style", "link-style", "link-style-hover")):
        if not set(value.text.split()) <= _STYLES or not value.text.split():
            message = f"{key} is a text style such as bold, italic, underline or none, not {value.text!r}"
            raise SettingsError(message, file=path, line=value.line, key=key)
        return value.text
    return _color(key, value, path)


_names: frozenset[str] = frozenset()


def _variable_names() -> frozenset[str]:
    """What the design system knows; asked of it once, since the list is Textual's."""
    global _names  # noqa: PLW0603 - a cache of a constant
    if not _names:
        _names = frozenset(ColorSystem(primary="#000000").generate())
    return _names
