"""The prompts of a session that have not begun yet.

One prompt is the present one; the others wait behind it, in order. Those that were waiting when the person
interrupted are held: they stay, and run only when the person says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Literal

from pygent.records import record

if TYPE_CHECKING:
    from pygent.images import Image

Waiting = Literal["next", "held", "steer"]
"""For the end of the run; for the person to say so; for the next step of the run."""


@record
class QueuedPrompt:
    """A prompt, its images, and what it waits for; with ``work`` that is done in place of a run."""

    id: str
    text: str
    images: tuple[Image, ...] = ()
    waiting: Waiting = "next"
    work: Callable[[], object] | None = None


class PromptQueue:
    """Thread-safe; one worker takes."""

    def __init__(self) -> None:
        self._waiting: list[QueuedPrompt] = []
        self._present: QueuedPrompt | None = None
        self._taken = False
        self._closed = False
        self._changed = threading.Condition()
        self._numbers = count(1)

    @property
    def busy(self) -> bool:
        """True while there is a present prompt: its run is under way, or about to begin."""
        return self._present is not None

    def items(self) -> list[QueuedPrompt]:
        """Those that wait, in their order; the present one is not among them."""
        with self._changed:
            return list(self._waiting)

    def put(
        self,
        text: str,
        images: Sequence[Image] = (),
        *,
        held: bool = False,
        work: Callable[[], object] | None = None,
    ) -> str:
        """Add a prompt, or ``work``, at the end. It is the present one where there is none and it is not held."""
        with self._changed:
            waiting: Waiting = "held" if held else "next"
            item = QueuedPrompt(f"q{next(self._numbers)}", text, tuple(images), waiting, work)
            self._waiting.append(item)
            self._advance()
            return item.id

    def remove(self, item_id: str) -> QueuedPrompt | None:
        """Take a prompt out; None where it does not wait (any longer)."""
        with self._changed:
            for item in self._waiting:
                if item.id == item_id:
                    self._waiting.remove(item)
                    return item
            return None

    def edit(self, item_id: str, text: str) -> bool:
        """Change the text of a prompt that waits. Answers whether it still did."""
        with self._changed:
            return self._replace(item_id, text=text)

    def steer(self, item_id: str) -> bool:
        """Let a prompt go in at the run's next step, or begin where there is no run. False where it does not wait."""
        with self._changed:
            if not self._replace(item_id, waiting="steer" if self._present is not None else "next"):
                return False
            if self._present is None:  # chosen by the person: before all others
                self._waiting.sort(key=lambda item: item.id != item_id)
            else:
                self._waiting.sort(key=lambda item: item.waiting != "steer")
            self._advance()
            return True

    def hold(self) -> None:
        """Let all that wait wait for the person."""
        with self._changed:
            self._waiting = [replace(item, waiting="held") for item in self._waiting]

    def take(self) -> QueuedPrompt | None:
        """The present prompt, once there is one; None once the queue was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or (self._present is not None and not self._taken))
            if self._closed:
                return None
            self._taken = True
            return self._present

    def take_steering(self) -> list[QueuedPrompt]:
        """Take out what waits for the run's next step."""
        with self._changed:
            taken = [item for item in self._waiting if item.waiting == "steer"]
            self._waiting = [item for item in self._waiting if item.waiting != "steer"]
            return taken

    @property
    def steering(self) -> bool:
        """Whether anything waits for the run's next step."""
        with self._changed:
            return any(item.waiting == "steer" for item in self._waiting)

    def done(self) -> None:
        """The present prompt's run is over. What was to steer it comes next."""
        with self._changed:
            self._present, self._taken = None, False
            self._waiting = [
                replace(item, waiting="next") if item.waiting == "steer" else item for item in self._waiting
            ]
            self._advance()

    def close(self) -> None:
        """Hand out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _replace(self, item_id: str, **changes: object) -> bool:
        for position, item in enumerate(self._waiting):
            if item.id == item_id:
                self._waiting[position] = replace(item, **changes)  # type: ignore[arg-type]
                return True
        return False

    def _advance(self) -> None:
        if self._present is not None:
            return
        for item in self._waiting:
            if item.waiting == "next":
                self._waiting.remove(item)
                self._present = item
                self._changed.notify_all()
                return
