"""What is known of one delegated run."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pygent.budget import Budget
from pygent.cancellation import CancelToken
from pygent.ledger import Account
from pygent.persona import Persona

if TYPE_CHECKING:
    from pygent.loop import RunResult


@dataclass(slots=True)
class Task:
    """One delegated run.

    ``status`` is in the words a model reads: ``running``, ``finished``, ``waiting``, ``cancelled``,
    ``timeout after Ns``, ``error: …``. ``started_at`` and ``ended_at`` are Unix times in seconds. ``account`` counts
    what it costs and holds it to its ``budget``; None before it is joined to its parent.
    """

    id: str
    persona: Persona
    prompt: str
    agent: Any = None
    thread: threading.Thread | None = None
    status: str = "running"
    result: RunResult | None = None
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    budget: Budget = field(default_factory=Budget)
    account: Account | None = None

    @property
    def running(self) -> bool:
        """True until the task has ended."""
        return self.ended_at is None
