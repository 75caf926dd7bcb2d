"""The few text styles that drawn blocks use, taken from the theme that is on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color


@dataclass(frozen=True, slots=True)
class Palette:
    """Styles by meaning. ``ground`` is the colour behind a block, ``raised`` that of a panel on it."""

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
    selection: Style
    ground: Color
    dark: bool

    @classmethod
    def from_variables(cls, variables: Mapping[str, str], *, dark: bool) -> Palette:
        """Read a theme's CSS variables, as ``App.get_css_variables`` answers them."""
        ground = _colour(variables, "background", "#101010")
        text = _colour(variables, "foreground", "#e0e0e0")
        raised = _colour(variables, "surface", "#1e1e1e")
        success = _colour(variables, "success", "#4ebf71")
        error = _colour(variables, "error", "#b93c5b")
        primary = _colour(variables, "primary", "#0178d4")
        muted = _parsed(variables.get("muted") or variables.get("text-muted") or "") or ground.blend(text, 0.62)
        if muted.a < 1:
            muted = ground.blend(muted, muted.a, alpha=1)
        return cls(
            text=_style(text),
            strong=_style(text) + Style(bold=True),
            muted=_style(muted),
            faint=_style(ground.blend(text, 0.3)),
            accent=_style(primary),
            mark=_style(_colour(variables, "accent", "#fea62b")),
            success=_style(success),
            warning=_style(_colour(variables, "warning", "#fea62b")),
            error=_style(error),
            raised=Style(bgcolor=raised.rich_color),
            added=_style(success) + Style(bgcolor=ground.blend(success, 0.12).rich_color),
            removed=_style(error) + Style(bgcolor=ground.blend(error, 0.12).rich_color),
            selection=Style(bgcolor=ground.blend(primary, 0.4).rich_color),
            ground=ground,
            dark=dark,
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
    except ValueError:
        return None
