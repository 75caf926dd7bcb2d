"""What is above the lines of a changed file: its name, and what has to be known or decided about it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import Static

from pygent.changes import FileChange
from pygent.tui.choosing import Decision
from pygent.tui.keys import key_of
from pygent.tui.panes.change_list import CONFLICT, KINDS, OVERLAP
from pygent.tui.panes.text import fit_end, visible

CHOICES: tuple[tuple[Decision, str, str, str], ...] = (
    ("ours", "m", "mine", "review.ours"),
    ("theirs", "t", "theirs", "review.theirs"),
    ("markers", "w", "both, marked", "review.markers"),
)
"""What can be decided about a conflict: its key, its name, and the id of its key."""

_STYLES = {"success": "$text-success", "warning": "$text-warning", "error": "$text-error", "muted": "$text-muted"}
_STYLES |= {"secondary": "$text-secondary", "": "$foreground", "strong": "bold"}


class ChangeHead(Static):
    """Its choices can be clicked."""

    DEFAULT_CSS = """
    ChangeHead {
        height: auto;
        max-height: 8;
        padding: 0 1;
        link-style: none;
        link-color: $foreground;
        link-color-hover: $text-primary;
        link-background: transparent;
        link-background-hover: $block-hover-background;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)

    def show(
        self,
        change: FileChange | None,
        *,
        conflict: str | None = None,
        decision: Decision | None = None,
        merges: bool = False,
        others: Sequence[str] = (),
    ) -> None:
        """``conflict`` is its reason; ``merges`` says that it was changed here, too, ``others`` which tasks did."""
        if change is None:
            self.update("")
            return
        letter, role = KINDS[change.kind]
        width = max(10, self.size.width - 6)
        lines = [Content.assemble((f"{letter} ", _STYLES[role]), (fit_end(visible(change.path), width), "bold"))]
        if conflict is not None:
            lines.append(Content.assemble((f"{CONFLICT} ", "$text-error"), (visible(conflict), "$text-error")))
            lines.append(self._choices(change, decision))
        elif merges:
            words = "It was changed here, too. Both fit together and will be merged."
            lines.append(Content.assemble(("· ", "$text-muted"), (words, "$text-muted")))
        if others:
            words = f"Also changed by {_listed(others)}, not decided on yet."
            lines.append(Content.assemble((f"{OVERLAP} ", "$text-warning"), (words, "$text-warning")))
        self.update(Content("\n").join(lines))

    def _choices(self, change: FileChange, decision: Decision | None) -> Content:
        parts = [Content.styled("  Take ", "$text-muted")]
        for name, key, words, binding in CHOICES:
            if name == "markers" and not change.hunks:  # what has no lines has no place for them
                continue
            on = name == decision
            text = Content.assemble(
                (" ✓ " if on else "   ", "bold $text-success"),
                (f"{key_of(self.app, binding, key)} ", "bold $text-accent"),
                (f"{words} ", "bold $text-success" if on else "$foreground"),
            )
            parts.append(text.stylize(f"@click=screen.decide('{name}')"))
        key = key_of(self.app, "review.mine", "d")
        text = Content.assemble("   ", (f"{key} ", "bold $text-accent"), ("compare ", "$foreground"))
        parts.append(text.stylize("@click=screen.beside_mine"))
        return Content("").join(parts)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
