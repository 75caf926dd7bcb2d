"""A request begins with all of the request before it, byte by byte, so that a server need not read it again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pygent import Agent
from pygent.bus import EventBus
from pygent.events import ContextCompacted, Event
from pygent.model_call import ModelInUse
from pygent.models import OpenAIModel
from pygent.wiring import Wiring
from tests.core.asking import KEY
from tests.core.windowed import SUMMARY, Printing, is_question
from tests.fakes.openai_server import FakeOpenAI, Step, reply

FORMS: dict[str, dict[str, Any]] = {
    "native": {},
    "text": {"compat": {"*": {"tools": "text"}}},
    "blocks": {"profile": "small"},
}


class Talk:
    """An agent on a server, in one form of calls; ``say`` is a run."""

    def __init__(self, form: str, script: list[Step], window: int | None = None, size: int = 100) -> None:
        self.script = script
        self.server = FakeOpenAI(self._next)
        self.model = OpenAIModel(self.server.url, KEY, **FORMS[form])
        self.steering: list[str] = []
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.agent = Agent(
            Printing(size), self.model, "m", wiring=Wiring(bus=bus, steering=self._said, autonomous=False)
        )
        self.agent.use(ModelInUse(self.model, "m", {}, lambda: window))

    def _said(self) -> list[str]:
        said, self.steering[:] = list(self.steering), []
        return said

    def _next(self, request: dict[str, Any]) -> Step:
        return reply(SUMMARY, usage=None) if is_question(request) else self.script.pop(0)

    def close(self) -> None:
        self.model.close()
        self.server.close()


@pytest.fixture(params=FORMS)
def talk(request: pytest.FixtureRequest) -> Iterator[Any]:
    made: list[Talk] = []

    def make(script: list[Step], **options: Any) -> Talk:
        made.append(Talk(request.param, script, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def taken_apart(body: bytes) -> tuple[bytes, bytes]:
    """What stands before the end of the messages, and the rest: tools and options."""
    end = body.rfind(b'],"tools":')
    end = end if end > 0 else body.rfind(b'],"stream":')
    assert json.loads(body[:end] + b"]}")["messages"]
    return body[:end], body[end:]


def broken(bodies: list[bytes]) -> list[int]:
    """The numbers of the requests that do not begin with the one before them."""
    parts = [taken_apart(body) for body in bodies]
    return [
        number
        for number, ((before, options), (after, same)) in enumerate(itertools.pairwise(parts), 1)
        if not after.startswith(before + b",") or options != same
    ]


def bash(number: int, **more: Any) -> Step:
    """A step that runs a command."""
    return reply(f"Step {number}.", tool_calls=[("bash", {"cmd": f"look {number}"})], **more)


def test_from_step_to_step_and_from_prompt_to_prompt(talk: Any) -> None:
    one = talk([*map(bash, range(4)), reply("Answer."), *map(bash, range(4, 6)), reply("Another.")])
    one.agent.converse("look at it")
    one.agent.converse("and again")
    assert len(one.server.bodies) == 8
    assert broken(one.server.bodies) == []


def test_with_reminders_reports_to_dos_and_what_is_said_meanwhile(talk: Any) -> None:
    one = talk([bash(0), bash(0), bash(0), bash(1), reply("Nothing done."), bash(2), reply("Done.")])
    one.agent.todos.items = [{"text": "mend it", "state": "pending"}]
    one.agent.history.add_user("said before")
    begun = iter([["look there"], [], ["and here"]])
    one.agent.wiring = one.agent.wiring
    ctx_before = one.agent._ctx.before_step

    def before() -> None:
        ctx_before()
        one.steering += next(begun, [])

    one.agent._ctx.before_step = before
    one.agent.run_until_stop("look", max_steps=7)
    assert len(one.server.bodies) == 7
    assert broken(one.server.bodies) == []


def test_a_reply_with_reasoning_and_a_cut_one(talk: Any) -> None:
    one = talk([bash(0, reasoning="hm"), bash(1, finish_reason="length"), reply("Done.", reasoning="so")])
    one.agent.converse("look")
    one.script.append(reply("Fine."))
    one.agent.converse("well?")
    assert broken(one.server.bodies) == []


def test_a_compaction_changes_the_beginning_once(talk: Any) -> None:
    one = talk([*(bash(n, usage=None) for n in range(14)), reply("Done.", usage=None)], window=8_000, size=2_500)
    one.agent.converse("look")
    compactions = [event for event in one.events if isinstance(event, ContextCompacted)]
    assert compactions
    bodies = [body for body in one.server.bodies if not is_question(json.loads(body))]
    assert len(broken(bodies)) == len(compactions)
