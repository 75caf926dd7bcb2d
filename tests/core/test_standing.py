"""Which events count after a rewind, and what the model sees then."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pygent.events import ConversationRestored, ConversationRewound, Event, MessageFinished, Notice
from pygent.history import History
from pygent.standing import standing


def _said(seq: int, text: str, role: str = "user") -> MessageFinished:
    return MessageFinished(
        seq=seq,
        message_id=f"m{seq}",
        message={"role": role, "content": text},
        origin="user" if role == "user" else "model",
    )


LOG: list[Event] = [
    _said(1, "a"),
    _said(2, "A", "assistant"),
    _said(3, "b"),
    _said(4, "B", "assistant"),
]


def _told(events: list[Event]) -> list[str]:
    history = History()
    history.replay(events)
    return [message["content"] for message in history]


def test_what_was_rewound_is_not_in_the_history_and_comes_back() -> None:
    rewound = [*LOG, ConversationRewound(seq=5, rewind_id="r", to_seq=2)]
    assert _told(rewound) == ["a", "A"]
    assert _told([*rewound, _said(6, "c")]) == ["a", "A", "c"]
    assert _told([*rewound, ConversationRestored(seq=6, rewind_id="r")]) == _told(LOG)


def test_a_rewind_in_what_was_rewound_comes_back_with_it() -> None:
    events = [
        *LOG,
        ConversationRewound(seq=5, rewind_id="r", to_seq=2),
        ConversationRewound(seq=6, rewind_id="s", to_seq=0),
    ]
    assert _told(events) == []
    assert _told([*events, ConversationRestored(seq=7, rewind_id="r")]) == []
    back = [*events, ConversationRestored(seq=7, rewind_id="s")]
    assert _told(back) == ["a", "A"]
    assert _told([*back, ConversationRestored(seq=8, rewind_id="r")]) == _told(LOG)


def test_a_rewind_touches_no_other_agent() -> None:
    events = [
        *LOG,
        Notice(seq=5, level="info", text="t", agent_id="task"),
        ConversationRewound(seq=6, rewind_id="r", to_seq=0),
    ]
    assert standing(events) == []
    assert standing(events, "task") == [events[4]]


@given(st.lists(st.integers(0, 40) | st.none(), max_size=30))
def test_rewinds_that_are_taken_back_in_turn_leave_nothing_behind(moves: list[int | None]) -> None:
    """A number rewinds to there, None says something; taking all rewinds back in turn leaves what counted before."""
    log: list[Event] = []
    open_rewinds: list[tuple[str, list[Event]]] = []
    for move in moves:
        seq = len(log) + 1
        if move is None:
            log.append(_said(seq, f"t{seq}"))
            open_rewinds.clear()  # a rewind is taken back only while nothing came after it
            continue
        before = standing(log)
        log.append(ConversationRewound(seq=seq, rewind_id=f"r{seq}", to_seq=move))
        assert standing(log) == [event for event in before if event.seq <= move]
        open_rewinds.append((f"r{seq}", before))
    while open_rewinds:
        rewind, before = open_rewinds.pop()
        log.append(ConversationRestored(seq=len(log) + 1, rewind_id=rewind))
        assert standing(log) == before
