"""The words of approvals: what a call does, what the policy says about it, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from pygent.cancellation import CancelToken
from pygent.events import DecidedBy, Decision

Effect = Literal["read", "write", "run", "outside", "delegate", "control"]
"""What a tool does at most: look, change files of the workspace, run commands or code, reach outside the workspace,
start another agent, or steer the run."""

Mode = Literal["plan", "ask", "auto", "yolo"]
MODES: tuple[Mode, ...] = get_args(Mode)
EFFECTS: tuple[Effect, ...] = get_args(Effect)

Action = Literal["allow", "ask", "deny"]


class Judged(Protocol):
    """What a policy needs to know of a tool."""

    @property
    def name(self) -> str: ...

    @property
    def effect(self) -> Effect: ...


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A tool call that somebody has to decide on. ``arguments`` are the ones the tool will get."""

    call_id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says about one call.

    ``reason`` is for the person and the model. ``rule`` is what "always allow" would save, None where nothing may be
    saved. ``strict`` means that no rule covers such a call: only the very same call, allowed before, does. ``once``
    means that an answer holds for this call alone.
    """

    action: Action
    reason: str = ""
    rule: str | None = None
    strict: bool = False
    once: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision on one call, who made it, and why the policy wanted it."""

    decision: Decision
    feedback: str = ""
    by: DecidedBy = "policy"
    reason: str = ""

    @property
    def allowed(self) -> bool:
        """True where the call may run."""
        return self.decision != "deny"


class Approver(Protocol):
    """What the executor asks before a tool runs."""

    def decide(self, tool: Judged, call: PendingCall, *, agent_id: str, cancel: CancelToken) -> Answer:
        """Decide on one call; may block until a person answers or ``cancel`` ends the work."""
        ...
