"""Source code in the theme's colours. Pygments is loaded when the first block with a known language is drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style

from pygent.tui.colours import Palette
from pygent.tui.wrap import Run

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

LONGEST = 40_000
"""Characters up to which code is coloured."""

_ALIASES = {"sh": "bash", "shell": "bash", "console": "bash", "py": "python", "yml": "yaml", "patch": "diff"}
_SPANNING = ("Literal.String", "String", "Comment.Multiline", "Literal.Scalar")
_ITALIC = Style(italic=True)


def highlighted(code: str, language: str, palette: Palette) -> list[list[Run]]:
    """The lines of ``code`` as styled runs; plain where the language is unknown or the code is very long."""
    return highlighted_part(code, language, palette)[0]


def highlighted_part(code: str, language: str, palette: Palette) -> tuple[list[list[Run]], int]:
    """The same, and after how many lines one may go on as with a new piece: no string or comment is open there."""
    language = _ALIASES.get(language.lower(), language.lower())
    wanted = code.count("\n") + 1
    if language == "diff":
        return [[(line, diff_style(line, palette))] for line in code.split("\n")], wanted
    lexer = _lexer(language) if language and len(code) <= LONGEST else None
    if lexer is None:
        return [[(line, palette.text)] for line in code.split("\n")], wanted
    lines: list[list[Run]] = [[]]
    whole = 0
    for token, text in lexer.get_tokens(code):
        kind = str(token)[6:]
        style = _style(kind, palette)
        first, *others = text.split("\n")
        if first:
            lines[-1].append((first, style))
        if others:
            lines.extend([(piece, style)] if piece else [] for piece in others)
            if not kind.startswith(_SPANNING):
                whole = len(lines) - 1
    return (lines + [[]] * wanted)[:wanted], min(whole, wanted - 1)


def diff_style(line: str, palette: Palette) -> Style:
    """The style of one line of a unified diff."""
    if line.startswith(("+++", "---")):
        return palette.strong
    if line.startswith("+"):
        return palette.added
    if line.startswith("-"):
        return palette.removed
    return palette.accent if line.startswith("@@") else palette.muted


@lru_cache(64)
def _lexer(language: str) -> Lexer | None:
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped] # noqa: PLC0415 - slow to load
    from pygments.util import ClassNotFound  # type: ignore[import-untyped] # noqa: PLC0415

    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return None


def _style(kind: str, palette: Palette) -> Style:
    if kind.startswith("Comment"):
        return palette.muted + _ITALIC
    if kind.startswith("Keyword"):
        return palette.accent
    if kind.startswith(("Literal.String", "String")):
        return palette.success
    if kind.startswith(("Literal.Number", "Name.Builtin", "Name.Constant", "Name.Decorator")):
        return palette.mark
    if kind.startswith(("Name.Function", "Name.Class", "Name.Tag")):
        return palette.strong
    if kind.startswith(("Operator", "Punctuation")):
        return palette.muted
    return palette.text
