"""An executor with one custom tool, a bus, and all that it tells."""

import json

from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.events import ToolFinished
from pygent.openai_compat import ToolCall, ToolCallFunction
from pygent.tools import BUILTIN, Executor, Tool, ToolRegistry
from tests.fakes.invariants import check_events

NO_ARGUMENTS = {"type": "object", "properties": {}}
NAME = {"type": "object", "properties": {"name": {"type": "string"}, "n": {"type": "integer"}}, "required": ["name"]}


class Bench:
    """An executor with one custom tool, a bus, and all its events."""

    def __init__(self, function=lambda rt: "ok", parameters=NO_ARGUMENTS, approvals=None, effect="run"):
        self.bus = EventBus("s")
        self.events = []
        self.bus.subscribe(self.events.append)
        self.registry = ToolRegistry(BUILTIN)
        self.registry.add(Tool("custom", "", parameters, function, effect))
        self.executor = Executor(self.registry, approvals, self.bus.publish)

    def run(self, name="custom", arguments="{}", runtime=None, **how):
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments)
        how.setdefault("agent_id", "main")
        how.setdefault("cancel", CancelToken())
        outcome = self.executor.execute(ToolCall("c1", ToolCallFunction(name, arguments)), runtime, **how)
        self.check(outcome)
        return outcome

    def check(self, outcome):
        check_events(self.events)
        finished = [event for event in self.events if isinstance(event, ToolFinished)][-1]
        assert (finished.status, finished.output) == (outcome.status, outcome.output)
        assert finished.seconds >= 0
