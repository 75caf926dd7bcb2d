"""A theme file to begin with: the colours at hand, and what each is for."""

from __future__ import annotations

from pathlib import Path

from textual.color import Color, ColorParseError
from textual.theme import Theme

from pygent.errors import SettingsError
from pygent.tui.themes import is_theme_name

_ABOUT = (
    ("background", "behind everything"),
    ("surface", "behind dialogs"),
    ("panel", "behind fields and buttons"),
    ("foreground", "text"),
    ("muted", "secondary text"),
    ("primary", "what is active: borders in focus, keys, links"),
    ("secondary", "labels"),
    ("accent", "what is marked"),
    ("success", "what went well, lines that were added"),
    ("warning", "what to look at"),
    ("error", "what failed, lines that were removed"),
)


def write_starter(name: str, folder: Path, like: Theme) -> Path:
    """Write ``name``.yaml with the colours of ``like`` into ``folder``, never over a file.

    Raises ``SettingsError``.
    """
    if not is_theme_name(name):
        raise SettingsError(f"a theme's name is small letters, digits and dashes, not {name!r}")
    path = folder / f"{name}.yaml"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(starter(name, like))
    except FileExistsError:
        raise SettingsError("is there already; /theme chooses it, any editor changes it", file=path) from None
    except OSError as error:
        raise SettingsError(f"cannot be written: {error.strerror or error}", file=path) from error
    return path


def starter(name: str, like: Theme) -> str:
    """The text of the file."""
    own = {key: value for key, _ in _ABOUT if (value := getattr(like, key, None))}
    made = {**like.to_color_system().generate(), **like.variables, **own}
    ground = Color.parse(made["background"])
    made["muted"] = made["text-muted"]
    lines = [
        f"# {name}: a theme of Pygent, begun as {like.name}. Saved changes show at once while the theme is on.",
        '# Colours: "#7fb2e5" (with the quotes), "rgb(127,178,229)", steelblue.',
        "dark: true" if like.dark else "dark: false",
        "",
    ]
    for key, about in _ABOUT:
        value = f'{key}: "{_plain(made.get(key, ""), ground, made["foreground"])}"'
        lines.append(f"{value:<24}  # {about}")
    lines += [
        "",
        "# Any other colour variable of Textual can stand here, for example:",
        "# variables:",
        '#   border: "#5b87b5"                   # borders of what has the keys',
        '#   block-cursor-background: "#2f4a68"  # the row under the cursor',
        '#   input-selection-background: "#34557a"',
        "",
    ]
    return "\n".join(lines)


def _plain(text: str, ground: Color, foreground: str) -> str:
    """A colour as a file has it: one of the terminal's by name, any other without transparency."""
    try:
        color = Color.parse(text)
    except ColorParseError:
        color = Color.parse("auto")
    if ground.ansi is not None:
        return text if color.ansi is not None and not color.auto and "%" not in text else "ansi_default"
    if color.auto:
        return ground.blend(Color.parse(foreground), 0.62, alpha=1).hex.lower()
    return (color if color.a >= 1 else ground.blend(color.with_alpha(1), color.a, alpha=1)).hex.lower()
