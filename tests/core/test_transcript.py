"""What the fold of events says of an agent at work and of the workspace."""

from __future__ import annotations

import pytest

from pygent.events import (
    CheckpointMade,
    ConversationRestored,
    ConversationRewound,
    Event,
    FilesChanged,
    FilesRestored,
    MessageDelta,
    MessageFinished,
    MessageStarted,
    RunFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
)
from pygent.transcript import Transcript

SAID = {"role": "assistant", "content": "yes"}


@pytest.mark.parametrize(
    ("events", "doing"),
    [
        ([StepStarted(step=1)], ""),
        ([MessageStarted(message_id="m", role="assistant")], "waiting for the model"),
        ([MessageDelta(message_id="m", text="hm", kind="reasoning")], "thinking"),
        ([MessageDelta(message_id="m", text="yes")], "writing"),
        ([MessageDelta(message_id="m", text="yes"), MessageFinished(message_id="m", message=SAID)], ""),
        ([ToolStarted(call_id="c", tool="bash", arguments={})], "running a tool"),
        (
            [ToolStarted(call_id="c", tool="bash", arguments={}), ToolFinished(call_id="c", status="ok", output="")],
            "",
        ),
        ([MessageStarted(message_id="m", role="assistant"), RunFinished(reason="cancelled")], ""),
        ([MessageStarted(message_id="m", role="user")], ""),
    ],
)
def test_what_an_agent_does_just_now(events: list[Event], doing: str) -> None:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    assert transcript.main.doing == doing


def test_since_when_it_does_that() -> None:
    transcript = Transcript()
    transcript.apply(MessageDelta(message_id="m", text="a", at=10.0))
    transcript.apply(MessageDelta(message_id="m", text="b", at=12.0))
    assert transcript.main.doing_since == 10.0


def test_what_a_task_changes_in_its_own_workspace_is_no_change_of_this_one() -> None:
    transcript = Transcript()
    transcript.apply(FilesChanged(paths=["a.py"]))
    transcript.apply(FilesChanged(paths=["stats.py"], agent_id="3f2a91c0"))
    assert transcript.files_changed == ["a.py"]


def _user(seq: int, text: str) -> MessageFinished:
    return MessageFinished(seq=seq, message_id=f"m{seq}", message={"role": "user", "content": text}, origin="user")


def test_a_rewind_takes_items_away_and_they_come_back() -> None:
    transcript = Transcript()
    for seq, text in enumerate(["a", "b", "c"], start=1):
        transcript.apply(_user(seq, text))
    transcript.apply(ConversationRewound(seq=4, rewind_id="r", to_seq=1))
    assert [item.text for item in transcript.main.items[:-1]] == ["a"]
    assert "goes on from here" in transcript.main.items[-1].text
    transcript.apply(ConversationRestored(seq=5, rewind_id="r"))
    assert [item.text for item in transcript.main.items] == ["a", "b", "c"]
    transcript.apply(ConversationRewound(seq=6, rewind_id="s", to_seq=0))
    transcript.apply(_user(7, "d"))
    assert [item.text for item in transcript.main.items[1:]] == ["d"]


def test_what_was_restored_and_what_was_left_alone_is_said() -> None:
    transcript = Transcript()
    left = [{"path": "b", "reason": "it was changed since, by somebody else"}]
    transcript.apply(FilesRestored(seq=1, restore_id="r", action="undo", paths=["a"], left=left))
    transcript.apply(
        CheckpointMade(
            seq=2, checkpoint_id="c", call_id="x", title="rm huge", unkept=[{"path": "huge", "reason": "it is large"}]
        )
    )
    transcript.apply(CheckpointMade(seq=3, checkpoint_id="d", call_id="y", paths=["a"]))
    assert [(item.level, item.text) for item in transcript.main.items] == [
        ("warning", "Undone: 1 file (a).\nLeft alone: b: it was changed since, by somebody else."),
        ("warning", "Of what `rm huge` changed, this cannot be undone:\nhuge: it is large"),
    ]
