"""What ``/context`` answers: what fills the model's window, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pygent.tui.text import clean_line, count

if TYPE_CHECKING:
    from pygent.context_use import ContextUse, Part

BAR = 40
NAME = 22


def report(use: ContextUse) -> str:
    """The lines for people: the whole, its parts, the instructions, the biggest outputs."""
    return "\n".join(_lines(use))


def _lines(use: ContextUse) -> Iterator[str]:
    how = "as the server counted" if use.counted else "estimated"
    if use.window:
        share = use.tokens / use.window
        filled = min(BAR, round(share * BAR))
        yield f"{count(use.tokens)} of {count(use.window)} tokens, {how}"
        yield f"{'█' * filled}{'░' * (BAR - filled)} {share:.0%}"
        yield f"compacted at {use.compact_at:.0%}" if use.compact_at else "not compacted by itself (compact_at: 0)"
    else:
        yield f"{count(use.tokens)} tokens, {how}"
        window = "The model's window is not known, so nothing is compacted by itself"
        yield f"{window} (context_window in the settings says it)."
    yield ""
    yield from _rows(use.parts, use)
    if use.instructions:
        yield from ("", "Instructions")
        yield from _rows(use.instructions, use)
    for problem in use.problems:
        yield f"  ! {clean_line(problem)}"
    if use.biggest:
        yield from ("", "Biggest outputs")
        yield from _rows(use.biggest, use)


def _rows(parts: Iterable[Part], use: ContextUse) -> Iterator[str]:
    for part in parts:
        share = f"{part.tokens / max(1, use.window or use.tokens):.1%}"
        many = f" ({part.count})" if part.count > 1 else ""
        yield f"  {count(part.tokens):>7} {share:>6}  {clean_line(part.name)}{many}"
