"""What was sent before, and where Up and Down are in it."""

from __future__ import annotations

from collections.abc import Iterable

from pygent.tui.draft import Draft


class Recall:
    """Drafts, the newest last, and the one that was brought back, if any."""

    def __init__(self) -> None:
        self.sent: list[Draft] = []
        self.brought: str | None = None
        """The text that was brought back, as it came to stand in the prompt; None where none was."""
        self._at = 0

    def remember(self, draft: Draft) -> None:
        """Keep a draft, unless it begins with a blank."""
        if draft.text and not draft.text[0].isspace() and (not self.sent or self.sent[-1] != draft):
            self.sent.append(draft)
        self.leave()

    def remember_earlier(self, drafts: Iterable[Draft]) -> None:
        """What was sent in earlier sessions, the newest last."""
        earlier = list(drafts)
        self.sent[:0] = earlier
        self._at += len(earlier)

    def leave(self) -> None:
        """Begin at the newest the next time."""
        self.brought = None

    def step(self, step: int) -> Draft | None:
        """The draft before (-1) or behind (1); an empty one behind the newest; None where there is none."""
        at = (len(self.sent) if self.brought is None else self._at) + step
        if at >= len(self.sent):
            self.leave()
            return Draft()
        if at < 0:
            return None
        self._at = at
        return self.sent[at]
