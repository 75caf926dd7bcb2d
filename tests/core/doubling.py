"""A program with a fault and the test that finds it, and an agent that is to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pygent import Agent, Persona, RunResult, Runtime
from pygent.bus import EventBus
from pygent.events import CHECK_CALL, Event, MessageFinished, ToolStarted
from pygent.wiring import Wiring
from tests.fakes.invariants import check_events, check_history

WRONG, RIGHT = "def double(x):\n    return x\n", "def double(x):\n    return 2 * x\n"
TEST = "from double import double\n\nassert double(2) == 4, f'double(2) is {double(2)}'\n"
CHECK = "python3 test_double.py"


@contextmanager
def broken(folder: Path) -> Iterator[Runtime]:
    """The program and its test in a folder that commands run in."""
    (folder / "double.py").write_text(WRONG)
    (folder / "test_double.py").write_text(TEST)
    with Runtime(use_docker=False, workspace=folder, banned_commands=()) as made:
        yield made


class Case:
    """An agent and its events; ``wiring`` is what it is joined to besides."""

    def __init__(
        self, runtime: Runtime, model: Any, check: str = CHECK, persona: Persona | None = None, **wiring: Any
    ) -> None:
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.runtime = runtime
        self.agent = Agent(runtime, model, "m", persona, wiring=Wiring(bus=bus, check=check, **wiring))

    def run(self, prompt: str = "double.py is wrong. Mend it.", **limits: Any) -> RunResult:
        """The result of a run, whose events and conversation are as they have to be."""
        result = self.agent.run_until_stop(prompt, **limits)
        check_events(self.events)
        check_history(self.agent.history)
        return result

    def commands(self) -> list[str]:
        """What ran as a check."""
        started = [event for event in self.events if isinstance(event, ToolStarted)]
        return [str(event.arguments["cmd"]) for event in started if event.call_id.startswith(CHECK_CALL)]

    def checks(self) -> int:
        """How often a check ran."""
        return len(self.commands())

    def told(self) -> list[str]:
        """What the model was told of failed checks."""
        finished = [event for event in self.events if isinstance(event, MessageFinished) and event.origin == "check"]
        return [event.message["content"] for event in finished]

    def content(self, path: str = "double.py") -> str:
        """What a file holds."""
        return self.runtime.workspace.read_text(path)
