"""What the model sees is valid for any server, whatever happened."""

from __future__ import annotations

import pytest

from pygent.history import INTERRUPTED, History
from pygent.openai_compat import Message, ToolCall, ToolCallFunction


def _calls(*ids: str) -> Message:
    return Message("assistant", None, [ToolCall(one, ToolCallFunction("bash")) for one in ids])


@pytest.mark.hostile(63, 64)
def test_open_calls_are_answered_before_the_next_prompt() -> None:
    history = History()
    history.set_system("s")
    history.add_user("a")
    history.add_assistant(_calls("1", "2"))
    history.add_result("1", "done")
    assert history.open_calls() == ["2"]
    history.add_user("b")
    assert [message["role"] for message in history] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert history[4] == {"role": "tool", "tool_call_id": "2", "content": INTERRUPTED}


def test_two_prompts_in_a_row_become_one_message() -> None:
    history = History()
    history.add_user("a")
    history.add_user("b")
    assert history == [{"role": "user", "content": "a\n\nb"}]


def test_an_empty_reply_is_left_out() -> None:
    history = History()
    assert not history.add_assistant(Message("assistant", "  "))
    assert history.add_assistant(_calls("1"))
    assert len(history) == 1


def test_the_system_message_is_one_and_first_and_kept_where_it_is_equal() -> None:
    history = History()
    history.add_user("a")
    history.set_system("s")
    first = history[0]
    history.set_system("s")
    assert history[0] is first
    history.set_system("t")
    assert [message["content"] for message in history] == ["t", "a"]
    history.reset()
    assert history == [{"role": "system", "content": "t"}]
