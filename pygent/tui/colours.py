"""The few text styles that drawn blocks use, taken from the theme that is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.style import Style
from textual.color import Color, ColorParseError

if TYPE_CHECKING:
    from textual.app import App


class Palette(NamedTuple):
    """Styles by meaning. ``ground`` is the colour behind a block, ``raised`` that of a panel on it.

    ``added_mark`` and ``removed_mark`` are the stronger grounds of what changed within a line.
    """

    text: Style
    strong: Style
    muted: Style
    faint: Style
    accent: Style
    mark: Style
    success: Style
    warning: Style
    error: Style
    raised: Style
    added: Style
    removed: Style
    added_mark: Style
    removed_mark: Style
    selection: Style
    ground: Color
    dark: bool

    @classmethod
    def of(cls, app: App[Any]) -> Palette:
        """The styles of the theme that ``app`` has on."""
        return cls.from_variables(app.get_css_variables(), dark=app.current_theme.dark)

    @classmethod
    def from_variables(cls, variables: Mapping[str, str], *, dark: bool) -> Palette:
        """Read a theme's CSS variables, as ``App.get_css_variables`` answers them."""
        ground = _colour(variables, "background", "#101010")
        if ground.ansi is not None:
            return cls._of_terminal(variables, ground, dark=dark)
        text = _colour(variables, "foreground", "#e0e0e0")
        raised = _colour(variables, "surface", "#1e1e1e")
        accent, mark, success, warning, error = (
            _parsed(variables.get(f"text-{name}", "")) or _colour(variables, name, default)
            for name, default in _DEFAULTS
        )
        primary = _colour(variables, "primary", "#0178d4")
        muted = _parsed(variables.get("muted") or variables.get("text-muted") or "") or ground.blend(text, 0.62)
        if muted.a < 1:
            muted = ground.blend(muted, muted.a, alpha=1)
        return cls(
            text=_style(text),
            strong=_style(text) + Style(bold=True),
            muted=_style(muted),
            faint=_style(ground.blend(text, 0.3)),
            accent=_style(accent),
            mark=_style(mark),
            success=_style(success),
            warning=_style(warning),
            error=_style(error),
            raised=Style(bgcolor=raised.rich_color),
            added=_style(success) + Style(bgcolor=ground.blend(success, 0.12).rich_color),
            removed=_style(error) + Style(bgcolor=ground.blend(error, 0.12).rich_color),
            added_mark=Style(bgcolor=ground.blend(success, 0.32).rich_color),
            removed_mark=Style(bgcolor=ground.blend(error, 0.36).rich_color),
            selection=Style(bgcolor=ground.blend(primary, 0.4).rich_color),
            ground=ground,
            dark=dark,
        )

    @classmethod
    def _of_terminal(cls, variables: Mapping[str, str], ground: Color, *, dark: bool) -> Palette:
        """The terminal's own colours cannot be mixed: what is marked is marked by its style, on one ground."""
        accent, mark, success, warning, error = (
            _style(_colour(variables, name, default)) for name, default in _DEFAULTS
        )
        muted = _style(_parsed(variables.get("text-muted", "")) or Color.parse("ansi_bright_black"))
        return cls(
            text=Style(),
            strong=Style(bold=True),
            muted=muted,
            faint=muted,
            accent=accent,
            mark=mark,
            success=success,
            warning=warning,
            error=error,
            raised=Style(),
            added=success,
            removed=error,
            added_mark=Style(reverse=True),
            removed_mark=Style(reverse=True),
            selection=Style(reverse=True),
            ground=ground,
            dark=dark,
        )


_DEFAULTS = (
    ("primary", "#0178d4"),
    ("accent", "#fea62b"),
    ("success", "#4ebf71"),
    ("warning", "#fea62b"),
    ("error", "#b93c5b"),
)


def _style(colour: Color) -> Style:
    return Style(color=colour.rich_color)


def _colour(variables: Mapping[str, str], name: str, default: str) -> Color:
    return _parsed(variables.get(name, "")) or Color.parse(default)


def _parsed(text: str) -> Color | None:
    if not text or text.startswith("auto"):
        return None
    try:
        return Color.parse(text)
    except ColorParseError:
        return None
