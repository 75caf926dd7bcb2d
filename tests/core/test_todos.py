"""The list of to-dos: what the model may write, what people see, and what is said where a run leaves some open."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pygent.errors import ToolError
from pygent.events import MAIN, RunStarted, SessionStarted, TodosUpdated, ToolFinished
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from pygent.todos import MOST, progress, read_todos
from pygent.tools.todos import update_todos
from pygent.transcript import Transcript
from tests.core.test_loop import Case
from tests.core.test_session import Watched, made
from tests.fakes.models import ScriptedModel, call, say

__all__ = ["made"]


def _todos(*states: str) -> dict[str, Any]:
    return {"todos": [{"text": f"step {n}", "state": state} for n, state in enumerate(states, 1)]}


def _outputs(events: list[Any]) -> list[tuple[str, str]]:
    return [(event.status, event.output) for event in events if isinstance(event, ToolFinished)]


def test_states_as_models_write_them_are_understood() -> None:
    words = ["pending", "in_progress", "In Progress", "completed", "", "doing", "cancelled"]
    found = read_todos([{"text": "x", "state": word} for word in words])
    assert [one["state"] for one in found] == ["pending", "active", "active", "done", "pending", "active", "done"]
    assert read_todos(["only words"]) == [{"text": "only words", "state": "pending"}]


@pytest.mark.parametrize(
    ("todos", "why"),
    [
        ([{"text": "a", "state": "maybe"}], "to-do 1: the state 'maybe' is none of pending, active, done"),
        ([{"text": "a"}, {"text": " "}], "to-do 2 has no text"),
        ([{"text": "a"}] * (MOST + 1), "at most 50"),
    ],
)
def test_what_cannot_be_a_list_is_refused_with_the_reason(todos: list[Any], why: str) -> None:
    with pytest.raises(ToolError, match=why):
        update_todos(object(), todos)


def test_how_far_a_list_is() -> None:
    assert progress(_todos("done", "pending", "active")["todos"]) == (1, 3, "step 3")
    assert progress(_todos("done", "pending")["todos"]).now == "step 2"
    assert progress(_todos("done")["todos"]) == (1, 1, "")
    assert progress([]).words == "0 of 0 done"


def test_a_duck_typed_runtime_has_a_list_too() -> None:
    assert update_todos(object(), [{"text": "a"}]) == "0 of 1 done. Next: a"
    assert update_todos(object(), []) == "The list is empty."


def test_a_stop_with_open_to_dos_is_answered_once(tmp_path: Path, made: list[Watched]) -> None:
    script = [
        call(("update_todos", _todos("done", "active", "pending"))),
        call(("stop", {})),
        call(("stop", {})),
    ]
    watched = Watched(tmp_path, script, interactive=False)
    made.append(watched)
    watched.session.open()
    result = watched.session.run("go")
    assert result.reason == "stopped"
    status, output = _outputs(watched.events)[1]
    assert status == "error"
    assert "Open on your list: step 2; step 3." in output
    assert _outputs(watched.events)[2] == ("ok", "Stopped.")


def test_a_reply_without_a_call_is_reminded_of_what_is_open() -> None:
    case = Case(say("I am done."), say("Really."))
    case.agent.todos.items = _todos("done", "pending")["todos"]
    assert case.run().reason == "completed"
    reminder = case.agent.history[-2]["content"]
    assert reminder.startswith("Open on your list: step 2.")


def test_a_list_that_is_done_holds_nothing_up(tmp_path: Path, made: list[Watched]) -> None:
    made.append(watched := Watched(tmp_path, [call(("update_todos", _todos("done"))), call(("stop", {}))]))
    watched.session.open()
    watched.say("go")
    assert _outputs(watched.events) == [("ok", "1 of 1 done."), ("ok", "Stopped.")]


def test_the_list_is_there_again_after_a_resume(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "work", use_docker=False)
    store = partial(Store, tmp_path / "sessions.db")
    model = ScriptedModel(
        [call(("update_todos", _todos("done", "active"))), say("ok"), call(("stop", {})), say("so")]
    )
    first = Session(settings, model=model, store=store)
    first.open()
    first.agent.converse("go")  # type: ignore[union-attr]
    first.close()

    again = Session(settings, model=model, store=store, resume=first.id)
    events: list[Any] = []
    again.subscribe(events.append)
    again.open()
    transcript = Transcript()
    for event in again.past:
        transcript.apply(event)
    assert transcript.main.todos == _todos("done", "active")["todos"]
    again.agent.converse("and now?")  # type: ignore[union-attr]
    assert "Open on your list: step 2." in _outputs(events)[0][1]
    for event in events:
        transcript.apply(event)
    assert transcript.main.todos == _todos("done", "active")["todos"]
    again.clear_todos()
    assert events[-1] == TodosUpdated(
        todos=[], seq=events[-1].seq, at=events[-1].at, session_id=again.id, agent_id=MAIN
    )
    assert again.agent.todos.to_do() == ""  # type: ignore[union-attr]
    again.close()


def test_another_conversation_and_another_run_begin_without_what_is_over() -> None:
    transcript = Transcript()
    begin = SessionStarted(model="m", persona="p", workspace="w", sandbox="local", version="1", session_id="a")
    transcript.apply(begin)
    transcript.apply(TodosUpdated(todos=_todos("done")["todos"], session_id="a"))
    transcript.apply(RunStarted(prompt="next", session_id="a"))
    assert transcript.main.todos == []
    transcript.apply(TodosUpdated(todos=_todos("pending")["todos"], session_id="a"))
    transcript.apply(TodosUpdated(todos=_todos("done")["todos"], session_id="a", agent_id="3f2a91c0"))
    transcript.apply(RunStarted(prompt="next", session_id="a"))
    transcript.apply(begin)
    assert transcript.main.todos == _todos("pending")["todos"]
    assert transcript.agent("3f2a91c0").todos == _todos("done")["todos"]
    transcript.apply(SessionStarted(**{**_fields(begin), "session_id": "b"}))
    assert transcript.main.todos == []


def _fields(event: SessionStarted) -> dict[str, Any]:
    return {name: getattr(event, name) for name in ("model", "persona", "workspace", "sandbox", "version")}


def test_its_schema_is_short() -> None:
    from pygent.tools import REGISTRY

    tool = REGISTRY.get("update_todos")
    assert tool is not None
    assert len(json.dumps(tool.schema, separators=(",", ":"))) < 400
