"""Reasoning that a model writes into its text, between ``<think>`` tags at the very beginning."""

from __future__ import annotations

import re

_OPEN = re.compile(r"\s*<(think|thinking)>")
_BEGINNINGS = ("<think>", "<thinking>")


class ThinkTags:
    """Parts text and reasoning as they come, also where a tag is split over pieces."""

    def __init__(self) -> None:
        self._state = "before"
        self._held = ""
        self._close = "</think>"

    def feed(self, piece: str) -> tuple[str, str]:
        """Take a piece; answer the text and the reasoning that are certain now."""
        if self._state == "after":
            return piece, ""
        self._held += piece
        reasoning = ""
        if self._state == "before":
            found = _OPEN.match(self._held)
            if found is None:
                begun = self._held.lstrip()
                if any(tag.startswith(begun) for tag in _BEGINNINGS):
                    return "", ""
                return self._rest_as_text(), ""
            self._state, self._close = "inside", f"</{found.group(1)}>"
            self._held = self._held[found.end() :]
        if self._state == "inside":
            reasoning, closed, rest = self._held.partition(self._close)
            if not closed:
                keep = _overlap(reasoning, self._close)
                self._held = reasoning[len(reasoning) - keep :]
                return "", reasoning[: len(reasoning) - keep]
            self._state, self._held = "closed", rest
        # What follows the tag directly is layout, not answer.
        self._held = self._held.lstrip()
        return (self._rest_as_text() if self._held else ""), reasoning

    def finish(self) -> tuple[str, str]:
        """The text has ended; answer what was held back."""
        held, self._held = self._held, ""
        return ("", held) if self._state == "inside" else (held if held.strip() else "", "")

    def _rest_as_text(self) -> str:
        self._state = "after"
        held, self._held = self._held, ""
        return held


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of ``text`` may be the beginning of ``tag``."""
    longest = min(len(text), len(tag) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(tag[:size])), 0)
