"""An agent on a server with a small window, which refuses what is wrong or too long, and sums up when it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pygent import Agent
from pygent.bus import EventBus
from pygent.events import ContextCompacted, Event, Notice
from pygent.history import History
from pygent.model_call import ModelInUse
from pygent.models import OpenAIModel
from pygent.wiring import Wiring
from tests.core.asking import KEY
from tests.core.test_providers import strict
from tests.fakes.invariants import check_events, check_history
from tests.fakes.openai_server import FakeOpenAI, Step, reply, status

ASKED = "is about to be replaced by your summary"
SUMMARY = "Looked at parts; the parser is in parse.py and fails on empty lines."
STOP = reply("Done.", tool_calls=[("stop", {})])
Line = Step | Callable[[dict[str, Any]], Step]


def size(request: dict[str, Any]) -> int:
    """Tokens of a request, as this server counts them."""
    return len(json.dumps([request["messages"], request.get("tools")])) // 4


def is_question(request: dict[str, Any]) -> bool:
    """Whether a summary is asked for."""
    return ASKED in str(request["messages"][-1]["content"])


class Printing:
    """A runtime whose commands print ``size`` characters."""

    def __init__(self, size: int = 2_000) -> None:
        self.size = size

    def bash(self, cmd: str) -> str:
        """What the command prints: its own name, and a lot."""
        return f"{cmd} says: " + "data " * (self.size // 5)

    def write_file(self, path: str, content: str) -> str:
        """As the real one."""
        return f"Wrote {path}"


class Windowed:
    """``window`` is the server's; ``known`` what the agent is told of it, None for nothing."""

    def __init__(
        self,
        script: Sequence[Line],
        *,
        window: int = 8_192,
        known: int | None = None,
        summary: Line | None = None,
        counts: bool = True,
        size: int = 2_000,
        compact_at: float = 0.8,
        words: str = "This model's maximum context length is {} tokens. Your messages resulted in {} tokens.",
        **options: Any,
    ) -> None:
        self.script = list(script)
        self.window, self.summary, self.counts, self.words = window, summary or reply(SUMMARY), counts, words
        self.questions: list[dict[str, Any]] = []
        self.refused = 0
        self.server = FakeOpenAI(self._next)
        self.model = OpenAIModel(self.server.url, KEY, first_pause=0.01, max_retries=1, **options)
        self.events: list[Event] = []
        self.bus = EventBus()
        self.bus.subscribe(self.events.append)
        self.agent = Agent(
            Printing(size), self.model, "m", wiring=Wiring(bus=self.bus, autonomous=False, compact_at=compact_at)
        )
        self.agent.use(ModelInUse(self.model, "m", {}, lambda: known))

    def _next(self, request: dict[str, Any]) -> Step:
        wrong = strict(request)
        if wrong:
            return status(400, wrong)
        tokens = size(request)
        if tokens > self.window:
            self.refused += 1
            return status(400, self.words.format(self.window, tokens))
        if is_question(request):
            self.questions.append(request)
            line: Line = self.summary
        else:
            line = self.script.pop(0)
        step = line(request) if callable(line) else line
        used = {"prompt_tokens": tokens, "completion_tokens": 20, "total_tokens": tokens + 20}
        return step if step.usage is None or step.code != 200 else _with(step, used if self.counts else None)

    def say(self, prompt: str, **limits: Any) -> str:
        """One run; what must hold of every history and every stream holds."""
        result = self.agent.converse(prompt, **limits)
        check_history(self.agent.history)
        check_events(self.events)
        return result.reason

    @property
    def history(self) -> History:
        return self.agent.history

    @property
    def compactions(self) -> list[ContextCompacted]:
        return [event for event in self.events if isinstance(event, ContextCompacted)]

    def told(self) -> list[str]:
        """What people are told."""
        return [event.text for event in self.events if isinstance(event, Notice)]

    def close(self) -> None:
        self.model.close()
        self.server.close()


def _with(step: Step, usage: dict[str, int] | None) -> Step:
    return replace(step, usage=usage)


def looks(count: int, first: int = 0) -> list[Step]:
    """Steps that each run a command."""
    return [
        reply(f"Step {n}.", tool_calls=[("bash", {"cmd": f"look {n}"}, f"c{n}")]) for n in range(first, first + count)
    ]


def same(one: History, other: History) -> bool:
    """Whether two histories are the same, with who said what."""

    def all_of(history: History) -> list[object]:
        return [
            (dict(m), getattr(m, "origin", None), getattr(m, "words", None)) for m in history if m["role"] != "system"
        ]

    return all_of(one) == all_of(other)
