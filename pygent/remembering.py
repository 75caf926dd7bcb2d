"""The part of an ``Agent`` that is about its conversation as a whole: summed up, and put back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from pygent.briefing import Briefing
from pygent.cancellation import CancelToken
from pygent.compactor import Compactor, tools_told
from pygent.context_use import ContextUse, context_use
from pygent.events import Event
from pygent.history import History
from pygent.model_call import LoopContext, ModelInUse
from pygent.recounting import counted
from pygent.standing import standing
from pygent.wiring import Wiring


class Remembering:
    """``compactor`` keeps the ``history`` within the model's window."""

    history: History
    wiring: Wiring
    compactor: Compactor
    _ctx: LoopContext
    _briefing: Briefing

    @property
    def chosen(self) -> ModelInUse:
        """The model that the next step asks, with its name, its prices and its window."""
        return self._ctx.chosen

    @property
    @abstractmethod
    def agent_id(self) -> str: ...

    @property
    @abstractmethod
    def running(self) -> bool: ...

    @abstractmethod
    def system_message(self) -> str: ...

    @abstractmethod
    def tool_names(self) -> list[str]: ...

    @abstractmethod
    def _working(self) -> AbstractContextManager[CancelToken]: ...

    def compact(self, hint: str = "") -> bool:
        """Let the model sum up the conversation but for its task and its last steps; ``hint`` says what matters.

        During a run that waits for its next step. Answers whether anything was left out now. Raises ``Cancelled``
        after ``cancel()``.
        """
        if self.running:
            self.compactor.request(hint)
            return False
        with self._working() as token:
            self._ctx.follow()
            return self.compactor.compact(self._ctx, token, "user", hint)

    def context_use(self) -> ContextUse:
        """What fills the model's window, from any thread."""
        ctx, compactor, messages = self._ctx, self.compactor, list(self.history)
        if not messages or messages[0]["role"] != "system":  # nothing was sent yet
            messages.insert(0, {"role": "system", "content": self.system_message()})
        return context_use(
            messages,
            tools_told(ctx, frozenset(self.tool_names())),
            self.wiring.instructions(ctx.small),
            tokens=compactor.last or None,
            window=compactor.window(ctx),
            compact_at=compactor.compact_at,
            counted=compactor.meter.counted or compactor.resumed,
        )

    def remember(self, events: Iterable[Event]) -> int:
        """Let the conversation be what these stored events tell of. Answers its tokens.

        Raises ``RuntimeError`` while the agent is at work.
        """
        with self._working():
            self.history.reset()
            self._briefing.reset()
            self.recall(list(events))
            return self.compactor.tokens(self._ctx)

    def recall(self, events: Sequence[Event]) -> None:
        """Add what stored events tell of to the conversation, with what a server has counted of it."""
        self.history.replay(events, self.agent_id)
        messages = sum(message["role"] != "system" for message in self.history)
        self.compactor.resume(counted(standing(events, self.agent_id), messages))
