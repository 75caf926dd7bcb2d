"""What a person does with the conversation as the model sees it: has it summed up, and takes that back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pygent.bus import EventBus
from pygent.errors import PygentError
from pygent.events import ContextCompacted, ContextRestored, Event, Level

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.context_use import ContextUse
    from pygent.prompt_queue import PromptQueue


class SessionContext:
    """The part of a ``Session`` that is about the model's window."""

    bus: EventBus
    agent: Agent | None
    _queue: PromptQueue
    _ready: Callable[[], Agent]
    _notice: Callable[[str, Level], None]
    events: Callable[[], list[Event]]
    if TYPE_CHECKING:

        @property
        def running(self) -> bool: ...
        @property
        def context_window(self) -> int | None: ...

    def context_use(self) -> ContextUse:
        """What fills the model's window, part by part; reads the project's instructions, so it may take a moment."""
        use = self._ready().context_use()
        return use if use.window else replace(use, window=self.context_window)

    def compact(self, hint: str = "") -> str:
        """Let the model sum up the conversation but for its task and its last steps.

        ``hint`` says what matters most. During a run that is done before its next step. Answers, in words for
        people, when it is done; events tell of it once it is.
        """
        agent = self._ready()
        if self.running or agent.running:
            agent.compactor.request(hint)
            return "The conversation is compacted before the next step."
        self._queue.put(f"/compact {hint}".strip(), work=lambda: self._compact(agent, hint))
        return ""

    def _compact(self, agent: Agent, hint: str) -> None:
        from pygent.errors import Stopped  # noqa: PLC0415 - loaded with the agent

        try:
            agent.compact(hint)
        except Stopped:
            self._notice("Interrupted; the conversation is as it was.", "info")
        except PygentError as error:
            self._notice(f"The conversation was not compacted: {error}", "error")

    def undo_compaction(self) -> None:
        """Let the model see again what the last compaction left out; events tell of it once that is done.

        It is compacted once more when it nearly fills the window. Raises ``PygentError`` during a run, and where
        there is no compaction to undo.
        """
        agent = self._ready()
        if self.running or agent.running:
            raise PygentError("The agent is at work; interrupt it first.")
        if last_compaction(self.events()) is None:
            raise PygentError("Nothing was compacted, so nothing can be undone.")
        self._queue.put("/compact undo", work=lambda: self._undo_compaction(agent))

    def _undo_compaction(self, agent: Agent) -> None:
        events = self.events()
        last = last_compaction(events)
        if last is None:  # a rewind came first
            return
        tokens = agent.remember([*events, ContextRestored(compaction_id=last.compaction_id)])
        agent.compactor.undone = True
        self.bus.publish(ContextRestored(compaction_id=last.compaction_id, tokens=tokens))
        self._notice(f"The model sees all of the conversation again, {tokens:,} tokens.", "info")


def last_compaction(events: list[Event]) -> ContextCompacted | None:
    """The main agent's last compaction that still counts, None where there is none."""
    from pygent.standing import standing  # noqa: PLC0415 - seldom asked for

    counting = standing(events)
    undone = {event.compaction_id for event in counting if isinstance(event, ContextRestored)}
    compactions = [event for event in counting if isinstance(event, ContextCompacted) and event.messages]
    return next((event for event in reversed(compactions) if event.compaction_id not in undone), None)
