"""A stored session as it is played: time, steps, scrubbing, one agent's events."""

from __future__ import annotations

import pytest

from pygent.events import (
    MAIN,
    Event,
    MessageFinished,
    Notice,
    RunFinished,
    RunStarted,
    SessionStarted,
    TaskFinished,
    TaskStarted,
    stamp,
)
from pygent.playback import LONGEST_GAP, Playback
from pygent.transcript import Transcript, UserItem


def said(text: str, at: float, *, agent: str = MAIN, origin: str = "user") -> tuple[Event, float]:
    message = {"role": "user", "content": text}
    return MessageFinished(message_id=text, message=message, origin=origin, agent_id=agent), at  # type: ignore[arg-type]


EVENTS = [
    (SessionStarted(model="m", persona="p", workspace="/w", sandbox="local", version="0"), 100.0),
    (RunStarted(prompt="first"), 101.0),
    said("first", 101.0),
    (TaskStarted(task_id="t1", persona="tester", prompt="test it"), 101.5),
    (RunStarted(prompt="test it", agent_id="t1"), 101.5),
    said("test it", 101.5, agent="t1", origin="task"),
    (Notice(level="info", text="of the task", agent_id="t1"), 101.75),
    (RunFinished(reason="stopped", agent_id="t1"), 160.0),
    (TaskFinished(task_id="t1", status="finished"), 160.0),
    (RunFinished(reason="stopped"), 160.0),
    (RunStarted(prompt="second"), 9000.0),
    said("second", 9000.0),
    (RunFinished(reason="stopped"), 8999.0),  # a clock that was set back
]


@pytest.fixture
def playback() -> Playback:
    return Playback(stamp(event, seq=2 * n, at=at, session_id="s") for n, (event, at) in enumerate(EVENTS, start=1))


def test_time_goes_by_with_pauses_cut_short(playback: Playback) -> None:
    assert playback.length == pytest.approx(1.75 + LONGEST_GAP * 2)
    assert playback.advance(1.0) == ()  # it does not play yet
    playback.playing = True
    assert [event.type for event in playback.advance(0.0)] == ["session.started"]
    assert [event.seq for event in playback.advance(1.0)] == [4, 6]
    playback.speed = 4.0
    assert [event.seq for event in playback.advance(0.125)] == [8, 10, 12]
    assert not playback.ended
    assert [event.seq for event in playback.advance(60)] == list(range(14, 27, 2))
    assert playback.ended
    assert playback.time == playback.length
    assert playback.advance(60) == []


def test_speeds_have_ends(playback: Playback) -> None:
    for _ in range(20):
        playback.faster(1)
    assert playback.speed == 64
    for _ in range(20):
        playback.faster(-1)
    assert playback.speed == 0.25


def test_steps_and_places(playback: Playback) -> None:
    assert [event.seq for event in playback.step(3)] == [2, 4, 6]
    assert playback.seq == 6
    assert playback.prompt(1) == 12
    assert playback.prompt(-1) == 0
    playback.seek(playback.prompt(1))
    assert playback.prompt(1) == len(EVENTS)
    assert playback.prompt(-1) == 3
    playback.seek(-5)
    assert (playback.at, playback.seq, playback.time) == (0, 0, 0.0)
    playback.seek(10_000)
    assert playback.at == len(EVENTS)
    assert playback.place_at(0) == 0
    assert playback.place_at(1) == len(EVENTS)
    assert playback.place_at(0.2) == 3


def test_a_tasks_events_show_as_the_main_conversation(playback: Playback) -> None:
    playback.seek(7)
    assert playback.agents == {"main": "main", "t1": "tester"}
    playback.choose("t1")
    assert [event.type for event in playback.shown] == [
        "session.started",
        "run.started",
        "message.finished",
        "notice",
        "run.finished",
    ]
    assert playback.at == 4  # it stands where it stood
    transcript = Transcript()
    for event in playback.shown:
        transcript.apply(event)
    assert [item.text for item in transcript.main.items if isinstance(item, UserItem)] == ["test it"]
    playback.choose("main")
    assert {event.agent_id for event in playback.shown} == {MAIN}
    assert playback.at == 4
    playback.choose("")
    assert (len(playback.shown), playback.at) == (len(EVENTS), 4)
    with pytest.raises(ValueError, match="there are: main, t1"):
        playback.choose("t2")


def test_what_is_stored_meanwhile_comes_to_it(playback: Playback) -> None:
    playback.choose("t1")
    last = playback.last_seq
    assert last == 26
    playback.extend(
        [
            stamp(Notice(level="info", text="more", agent_id="t1"), seq=28, at=9001.0, session_id="s"),
            stamp(Notice(level="info", text="main"), seq=30, at=9001.0, session_id="s"),
        ]
    )
    assert playback.last_seq == 30
    assert [event.seq for event in playback.shown][-1] == 28
    assert Playback().length == 0.0
    assert Playback().ended
