"""Sessions whose Pygent is killed again and again, and what must hold after each of the kills.

A session works on a script with tools, background processes, tasks, and long outputs. Its process gets SIGKILL at a
random moment; another one goes on with it, and may be killed as well. After each kill:

- the database is whole, and has, byte for byte, every durable event of which the process had printed the line;
- nothing of the process goes on;
- the next one resumes the session: its requests are valid, and hold what was said and done before; tasks that were
  killed are ``lost``, and their files are there.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.killed_session import OPTIONS, KilledSession, Moment, is_compaction
from tests.fakes.pygents import Pygents

KILLS_OF_ONE = 8
"""How often one session is killed at most."""


def learn(pygents: Pygents, top: Path) -> None:
    """Let the Pygents to come start quickly."""
    with KilledSession(top / "learned", pygents) as session:
        session.script.begin()
        pygents.learn(("-p", "Do it all.", *OPTIONS), session.folder, session.environment)


@dataclass
class Figures:
    """What a number of kills has shown."""

    kills: int = 0
    sessions: int = 0
    events: int = 0
    lost_tasks: int = 0
    compactions: int = 0
    after: Counter[str] = field(default_factory=Counter)
    resumed: list[float] = field(default_factory=list)

    def told(self) -> str:
        """In a line."""
        where = ", ".join(f"{name} {count}" for name, count in self.after.most_common())
        median = sorted(self.resumed)[len(self.resumed) // 2] if self.resumed else 0.0
        return (
            f"{self.kills} kills in {self.sessions} sessions; {self.events:,} acknowledged events, none missing; "
            f"{self.compactions} compactions; {self.lost_tasks} tasks lost, with their files; resumed to the first "
            f"event in {median * 1000:.0f} ms (median); the last thing printed was: {where}"
        )


class Killer:
    """Kills sessions that work in folders below ``top``."""

    def __init__(self, top: Path, pygents: Pygents) -> None:
        self.figures = Figures()
        self._top = top
        self._pygents = pygents
        self._usual = (80, 0.5)

    def measure(self) -> None:
        """See what a process does that nobody kills."""
        with KilledSession(self._top / "measured", self._pygents) as session:
            life = session.live(None)
            assert life.end == 0, session.errors
            session.check_end()
        self._usual = (len(life.lines), life.seconds)

    def kill(self, count: int, *, seed: int, afresh: bool = False) -> None:
        """Kill so many processes, and look at each of their sessions.

        ``afresh``: processes that are started as a person starts them.
        """
        dice = random.Random(seed)
        until = self.figures.kills + count
        while self.figures.kills < until:
            self.figures.sessions += 1
            session = KilledSession(
                self._top / f"session-{self.figures.sessions}-{afresh}", self._pygents, afresh=afresh
            )
            with session:
                self._one(session, min(until - self.figures.kills, dice.randint(1, KILLS_OF_ONE)), dice)

    def _one(self, session: KilledSession, kills: int, dice: random.Random) -> None:
        lines, seconds = self._usual
        slower = 6.0 if session.afresh else 1.0
        for _ in range(kills):
            moment = Moment.random(dice, lines, seconds * slower)
            life = session.live(moment)
            if life.end != -9:
                assert life.end == 0, (moment, session.errors)
                break
            self.figures.kills += 1
            self.figures.after[json.loads(life.lines[-1])["type"] if life.lines else "nothing"] += 1
            session.check_kill()
        else:
            life = session.live(None)
            assert life.end == 0, session.errors
        session.check_end()
        self.figures.events += session.acknowledged
        self.figures.lost_tasks += len(session.lost)
        self.figures.compactions += sum(map(is_compaction, session.events))
        self.figures.resumed += session.resumed
