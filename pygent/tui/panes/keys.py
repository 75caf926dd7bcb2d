"""A line that names keys; each can be clicked too."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from pygent.tui.keys import rebound


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
        changed = rebound(self.screen)
        self.update(keys_content(*((changed.get(action, key), words, action) for key, words, action in self._keys)))


def keys_content(*keys: tuple[str, str, str]) -> Content:
    """The line's text; a click on a part runs its action."""
    parts: list[Content] = []
    for key, description, action in keys:
        if parts:
            parts.append(Content("   "))
        text = Content.assemble((key, "bold $text-accent"), " ", description)
        parts.append(text.stylize(f"@click=screen.{action}"))
    return Content("").join(parts)
