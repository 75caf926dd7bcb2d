"""Colours that can be read: contrast, and themes of others made to keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.color import Color, ColorParseError
from textual.theme import Theme

TEXT, MUTED = 4.5, 3.0
"""The least contrast of text, and of secondary text, with any ground it can stand on."""

ACCENTS = ("primary", "secondary", "accent", "success", "warning", "error")
_STEPS = 24


def luminance(color: Color) -> float:
    """Relative luminance from 0 (black) to 1 (white), as WCAG defines it."""
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Color, other: Color) -> float:
    """How well one can be read on the other: from 1, the same, to 21, black on white."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def least(color: Color, grounds: Iterable[Color]) -> float:
    """The contrast with the ground on which it is read worst."""
    return min(contrast(color, ground) for ground in grounds)


def readable(color: Color, grounds: Iterable[Color], wanted: float = TEXT) -> Color:
    """``color``, moved towards white or black only as far as it has to be to be read on all ``grounds``."""
    grounds = tuple(grounds)
    if least(color, grounds) >= wanted:
        return color
    ends = [Color(255, 255, 255), Color(0, 0, 0)]
    ends.sort(key=lambda end: least(end, grounds), reverse=True)
    for step in range(1, _STEPS + 1):
        moved = color.blend(ends[0], step / _STEPS, alpha=1)
        if least(moved, grounds) >= wanted:
            return moved
    return ends[0]


def legible(theme: Theme) -> Theme:
    """A theme that was not made for Pygent, with the colours that are worked out from it made readable.

    Its grounds and its own colours stay; one of the terminal's own colours is left as it is, since nobody knows them.
    """
    if theme.ansi:
        return theme
    made: Mapping[str, str] = {**theme.to_color_system().generate(), **theme.variables}
    background = Color.parse(made["background"])
    grounds = [background, *(_flat(made[name], background) for name in ("surface", "panel"))]
    foreground = readable(_flat(made["foreground"], background), grounds)
    muted = readable(background.blend(foreground, 0.62, alpha=1), grounds, TEXT)
    own = {"foreground": foreground.hex, "text-muted": muted.hex, "foreground-muted": muted.hex}
    for name in ACCENTS:
        color = readable(_flat(made[name], background), grounds)
        own[f"text-{name}"] = color.hex
        own[f"{name}-muted"] = color.blend(background, 0.85, alpha=1).hex
    own["border"] = readable(_flat(made["border"], background), grounds[:2], MUTED).hex
    for name in ("block-cursor", "block-cursor-blurred"):
        ground = _flat(made[f"{name}-background"], background)
        if contrast(ground, background) < 1.15:  # a cursor that nobody sees
            ground = background.blend(_flat(made["primary"], background), 0.3, alpha=1)
        own[f"{name}-background"] = ground.hex
        own[f"{name}-foreground"] = readable(foreground, [ground]).hex
    primary, accent = (_flat(made[name], background) for name in ("primary", "accent"))
    ends = (background, foreground, Color(0, 0, 0), Color(255, 255, 255))
    label = max(ends, key=lambda end: contrast(end, primary))
    own["button-color-foreground"] = label.hex
    own["accent"] = readable(accent, [label], MUTED).hex
    hover = background.blend(foreground, 0.08, alpha=1)
    own["block-hover-background"] = hover.hex
    variables = {**theme.variables, **own}
    kept = {name: getattr(theme, name) for name in (*ACCENTS, "background", "surface", "panel", "boost")}
    return Theme(
        name=theme.name,
        foreground=own["foreground"],
        dark=theme.dark,
        luminosity_spread=theme.luminosity_spread,
        text_alpha=theme.text_alpha,
        variables=variables,
        **kept,
    )


def _flat(text: str, ground: Color) -> Color:
    """A colour without transparency, on ``ground``; what cannot be read as a colour is the ground itself."""
    try:
        color = Color.parse(text)
    except ColorParseError:
        return ground
    if color.auto:
        return ground
    return color if color.a >= 1 else ground.blend(color.with_alpha(1), color.a, alpha=1)
