"""What the fold of events says of an agent at work and of the workspace."""

from __future__ import annotations

import pytest

from pygent.events import (
    Event,
    FilesChanged,
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
