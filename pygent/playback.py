"""A stored session as something that is played: where it stands, how fast it goes, and whose events show.

Nothing here knows a clock or a screen: whoever plays tells how much time has passed, and gets the events due by then.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pygent.events import MAIN, Event, MessageFinished, SessionStarted, TaskStarted

LONGEST_GAP = 2.0
"""Seconds between two events that are played at most: nobody waits where a person thought or a command ran."""

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0)


class Playback:
    """``shown`` are the events of the chosen agent, ``at`` how many of them are on the screen.

    With no agent chosen all show. A chosen task's events show as the main agent's, so that its conversation is the
    one that is seen. Times are in seconds of playing at the speed 1, in which pauses are cut short.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.agent = ""
        self.playing = False
        self.speed = 1.0
        self.at = 0
        self.time = 0.0
        self.shown: list[Event] = []
        self.agents: dict[str, str] = {MAIN: "main"}
        """What the agents are called, by their ids; the main agent first."""
        self._all: list[Event] = []
        self._clock: list[float] = []
        self.extend(events)

    def extend(self, events: Iterable[Event]) -> None:
        """Add what has been stored since."""
        new = list(events)
        self._all += new
        self.agents |= {event.task_id: event.persona for event in new if isinstance(event, TaskStarted)}
        self._take(new)

    @property
    def last_seq(self) -> int:
        """The number of the last event that is known, 0 for none."""
        return self._all[-1].seq if self._all else 0

    @property
    def seq(self) -> int:
        """The number of the last event on the screen, 0 for none."""
        return self.shown[self.at - 1].seq if self.at else 0

    @property
    def length(self) -> float:
        """The time of the last event."""
        return self._clock[-1] if self._clock else 0.0

    @property
    def ended(self) -> bool:
        """Whether all there is is on the screen."""
        return self.at >= len(self.shown)

    def choose(self, agent_id: str) -> None:
        """Show the events of one agent, "" those of all, up to about where it stands.

        Raises ``ValueError`` for an id that no agent has.
        """
        if agent_id and agent_id not in self.agents:
            raise ValueError(f"no agent of this session is {agent_id!r}; there are: {', '.join(self.agents)}")
        seq, self.agent = self.seq, agent_id
        self.shown, self._clock = [], []
        self._take(self._all)
        self.seek(bisect_right([event.seq for event in self.shown], seq))

    def faster(self, steps: int) -> None:
        """Change the speed by so many steps, down for negative ones."""
        at = bisect_left(SPEEDS, self.speed) + steps
        self.speed = SPEEDS[min(max(at, 0), len(SPEEDS) - 1)]

    def advance(self, seconds: float) -> Sequence[Event]:
        """So much time has passed: the events that are due, which count as shown from now on."""
        if not self.playing:
            return ()
        self.time += seconds * self.speed
        return self._show(max(self.at, bisect_right(self._clock, self.time)))

    def step(self, count: int = 1) -> Sequence[Event]:
        """The next events, which count as shown from now on."""
        before = self.at
        self.seek(self.at + count)
        return self.shown[before : self.at]

    def seek(self, at: int) -> None:
        """Stand behind the first ``at`` events."""
        self.at = min(max(at, 0), len(self.shown))
        self.time = self._clock[self.at - 1] if self.at else 0.0

    def place_at(self, share: float) -> int:
        """How many events show when this share of the time, from 0 to 1, has passed."""
        return bisect_right(self._clock, share * self.length) if share > 0 else 0

    def prompt(self, step: int) -> int:
        """Where the next prompt of the person's has just been shown, with -1 the one before; else the end, or 0."""
        places = [
            number
            for number, event in enumerate(self.shown, start=1)
            if isinstance(event, MessageFinished) and event.origin == "user"
        ]
        if step > 0:
            return next((place for place in places if place > self.at), len(self.shown))
        return next((place for place in reversed(places) if place < self.at), 0)

    def _show(self, at: int) -> Sequence[Event]:
        before, self.at = self.at, at
        if self.ended:
            self.time = self.length
        return self.shown[before:at]

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            if not self.agent or event.agent_id == self.agent or isinstance(event, SessionStarted):
                last = self.shown[-1] if self.shown else None
                gap = 0.0 if last is None else min(max(0.0, event.at - last.at), LONGEST_GAP)
                self._clock.append(self.length + gap)
                self.shown.append(replace(event, agent_id=MAIN) if self.agent else event)
