"""What a resumed session has behind it comes before anything new, and keys are answered meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pygent.events import Event
from pygent.transcript import Transcript

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen


class Past:
    """Folds it into the screen's transcript on a thread of its own; events that come meanwhile wait."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._begun = False
        self._waiting: list[Event] | None = None

    @property
    def under_way(self) -> bool:
        """True while the past is folded."""
        return self._waiting is not None

    def keeps(self, batch: Sequence[Event], then: Callable[[Sequence[Event]], None]) -> bool:
        """Whether ``batch`` has to wait; ``then`` gets it, and what came after it, once the panes show the past."""
        if self._waiting is not None:
            self._waiting.extend(batch)
            return True
        past = [] if self._begun else self._screen.session.take_past()
        self._begun = True
        if not past:
            return False
        self._waiting = list(batch)

        def work() -> None:  # a partial would be described with all its arguments
            self._fold(past, then)

        self._screen.run_worker(work, thread=True, exit_on_error=False)
        return True

    def _fold(self, past: list[Event], then: Callable[[Sequence[Event]], None]) -> None:
        fold(self._screen, self._screen.transcript, past)
        self._screen.app.call_later(self._folded, then)

    def _folded(self, then: Callable[[Sequence[Event]], None]) -> None:
        self._screen.attach_panes()
        waiting, self._waiting = self._waiting or [], None
        then(waiting)


def fold(screen: MainScreen, transcript: Transcript, events: Iterable[Event]) -> None:
    """Make ``transcript`` tell of events, and the panes of a screen ready to show it; on any thread."""
    for event in events:
        transcript.apply(event)
    screen.conversation.prepare(transcript)
    for pane in screen.panes.beside[:1]:  # the tool calls
        pane.prepare(transcript)
