"""Plans: what an agent in plan mode ends with, and a person decides on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pygent.events import MAIN, Event, PlanDecided, PlanPresented

_ITEM = re.compile(r"^\s{0,6}(?:\d{1,2}[.)]|[-*+])\s+\S", re.MULTILINE)
_HEADING = re.compile(r"^#{1,4}\s+\S", re.MULTILINE)


def looks_like_plan(text: str) -> bool:
    """Whether a text has the form of a plan: steps below each other, or a heading with something below it."""
    return len(_ITEM.findall(text)) >= 2 or (bool(_HEADING.search(text)) and "\n" in text.strip())


def last_plan(events: Iterable[Event], agent_id: str = MAIN) -> PlanPresented | None:
    """The newest plan in an agent's stored events, None where there is none that is still to be decided on."""
    found: PlanPresented | None = None
    for event in events:
        if isinstance(event, PlanPresented) and event.agent_id == agent_id:
            found = event
        elif isinstance(event, PlanDecided) and found is not None and event.plan_id == found.plan_id:
            found = None
    return found
