"""Which of an agent's events still count, where its conversation was rewound.

Nothing is taken out of the log. ``conversation.rewound`` says after which event the conversation goes on, and
``conversation.restored`` takes that back; whoever makes something of the events of a conversation asks here first.
"""

from __future__ import annotations

from collections.abc import Iterable

from pygent.events import MAIN, ConversationRestored, ConversationRewound, Event


def standing(events: Iterable[Event], agent_id: str = MAIN) -> list[Event]:
    """The events of one agent that count, in order; those of rewinds themselves are left out.

    What came after a rewind stays where that is taken back, behind what counts again.
    """
    counting: list[Event] = []
    away: dict[str, tuple[int, list[Event]]] = {}
    for event in events:
        if event.agent_id != agent_id:
            continue
        if isinstance(event, ConversationRewound):
            place = _after(counting, event.to_seq)
            away[event.rewind_id] = (place, counting[place:])
            del counting[place:]
        elif isinstance(event, ConversationRestored):
            place, again = away.get(event.rewind_id, (0, []))
            if place <= len(
                counting
            ):  # else an earlier place was rewound to since, and that has to be taken back first
                counting[place:place] = again
                away.pop(event.rewind_id, None)
        else:
            counting.append(event)
    return counting


def _after(counting: list[Event], seq: int) -> int:
    """How many of the events, which need not be in the order of their numbers, come before those above ``seq``."""
    place = len(counting)
    while place and counting[place - 1].seq > seq:
        place -= 1
    return place
