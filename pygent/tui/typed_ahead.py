"""What is typed before there is a prompt to take it."""

from __future__ import annotations

from textual import events


class TypedAhead:
    """Keeps keys and pastes, in order, until the prompt has the focus.

    An Enter that comes before the terminal is in raw mode arrives as a line feed, so it breaks the line: nothing is
    sent that was not seen.
    """

    def __init__(self) -> None:
        self._kept: list[events.Event] = []
        self._open = False

    def text(self) -> str:
        """The characters that were typed first, taken out: they can stand in the first frame."""
        taken = ""
        while self._kept and isinstance(key := self._kept[0], events.Key) and key.is_printable:
            taken += key.character or ""
            del self._kept[0]
        return taken

    def open(self) -> None:
        """The prompt has the focus."""
        self._open = True

    def keep(self, event: events.Event) -> bool:
        """Whether ``event`` is kept for later."""
        if self._open or not isinstance(event, events.Key | events.Paste):
            return False
        self._kept.append(event)
        return True

    def take(self) -> list[events.Event]:
        """What was kept, once the prompt can have it."""
        if not self._open or not self._kept:
            return []
        kept, self._kept = self._kept, []
        return kept
