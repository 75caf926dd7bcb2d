"""A line that names keys; each can be clicked too."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from pygent.tui.keys import rebound

GAP = "   "
NAMED = {"esc": "Esc", "enter": "Enter", "space": "Space"}


class KeyLine(Static):
    """Keys with what they do, as ``(key, description, action of the screen)``."""

    DEFAULT_CSS = """
    KeyLine {
        height: auto;
        max-height: 2;
        color: $text-muted;
        link-style: none;
        link-color: $text-muted;
        link-color-hover: $text-primary;
        link-background: transparent;
        link-background-hover: transparent;
    }
    """

    def __init__(self, *keys: tuple[str, str, str], id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)
        self._keys = keys

    def on_mount(self) -> None:
        self.tell(*self._keys)

    def tell(self, *keys: tuple[str, str, str]) -> None:
        """Name these keys from now on."""
        changed = rebound(self.screen)
        self._keys = tuple((changed.get(action, key), words, action) for key, words, action in keys)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self.update(keys_content(*self._keys, width=self.size.width))


def keys_content(*keys: tuple[str, str, str], width: int = 0) -> Content:
    """The line's text, broken between two keys where it is wider than ``width`` columns; 0: not broken.

    A click on a part runs its action.
    """
    parts: list[Content] = []
    column = 0
    for key, description, action in keys:
        text = Content.assemble((NAMED.get(key, key), "bold $text-accent"), " ", description)
        if parts:
            broken = 0 < width < column + len(GAP) + text.cell_length
            parts.append(Content("\n" if broken else GAP))
            column = 0 if broken else column + len(GAP)
        column += text.cell_length
        parts.append(text.stylize(f"@click=screen.{action}"))
    return Content("").join(parts)
