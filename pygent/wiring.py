"""How an agent is joined to what is around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pygent.approvals import Approvals, narrowed
from pygent.budget import Budget
from pygent.bus import EventBus, Stream
from pygent.cancellation import CancelToken
from pygent.compactor import COMPACT_AT
from pygent.events import MAIN
from pygent.images import Content
from pygent.instructions import Instructions
from pygent.ledger import Account
from pygent.model_call import ModelInUse
from pygent.persona import Persona
from pygent.tools.executor import Watching


def no_instructions(small: bool) -> Instructions:  # noqa: ARG001 - the signature of what reads some
    """Of nothing."""
    return Instructions()


@dataclass(frozen=True, slots=True)
class Wiring:
    """The defaults are an agent on its own.

    ``approvals`` None asks nobody. ``cancel`` ends every run of the agent. ``depth`` is 0 for an agent that people
    talk to and 1 for a task. ``autonomous`` tells the model whether somebody reads along. ``settle_tasks`` ends the
    agent's tasks before the end of its run is told; ``at_stop`` says what becomes of those that run when the model
    stops (``ask`` the person, ``wait``, ``cancel``), None leaves them running. ``steering`` hands over what a person
    says during a run, once, and ``steered`` tells whether there is anything. ``prices`` are those of the model.
    ``find_model`` answers the model of a persona that names one; without it that is a name on the same server.
    ``budget`` counts what the agent costs and limits it. ``check`` is the command that says whether its work is done.
    ``vision`` says whether models get images, None asks their names. ``compact_at`` is the share of the model's
    window at which the conversation is compacted, 0 for never. ``instructions`` answers those of the project and the
    user, for a small model or another.
    """

    bus: Stream = field(default_factory=EventBus)
    agent_id: str = MAIN
    approvals: Approvals | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    depth: int = 0
    autonomous: bool = True
    cancellable: bool = False
    settle_tasks: bool = False
    at_stop: str | None = None
    steering: Callable[[], Iterable[Content]] = tuple
    steered: Callable[[], bool] = bool
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    find_model: Callable[[str], ModelInUse] | None = None
    budget: Account = field(default_factory=Account)
    check: str = ""
    vision: bool | None = None
    watch: Watching | None = None
    compact_at: float = COMPACT_AT
    instructions: Callable[[bool], Instructions] = no_instructions


def hide(secrets: Iterable[str], bus: Stream, runtime: object) -> None:
    """Keep these out of the events and of what commands of ``runtime`` print, from now on."""
    known = tuple(secrets)
    for redactor in (bus.redactor, getattr(runtime, "redactor", None)):
        if redactor is not None:
            redactor.learn(known)


def keys_of(model: object) -> tuple[str, ...]:
    """The keys that a model sends to its server."""
    return tuple(getattr(model, "secrets", ()))


def alone(persona: Persona, budget: Budget) -> Wiring:
    """The wiring of an agent that nobody joins to anything: it asks nobody, and does what its persona allows."""
    bus = EventBus()
    return Wiring(bus=bus, approvals=narrowed(None, None, persona, bus.publish), budget=Account(budget))


def open_network(persona: Persona, runtime: object) -> str:
    """What is to be told where a persona is to have no network and gets one all the same; "" elsewhere."""
    sandbox = getattr(runtime, "sandbox", None)
    if persona.network is not False or sandbox is None or getattr(sandbox, "confined", False):
        return ""
    return (
        f"The persona {persona.name} is to work without a network, but its commands run on this machine and can use "
        "it. Docker (--docker) closes it."
    )


def workspace_roots(runtime: object) -> tuple[str, ...]:
    """The absolute paths that mean ``runtime``'s workspace, here and as its commands see it."""
    places = (getattr(runtime, "base_dir", None), getattr(getattr(runtime, "sandbox", None), "workdir", None))
    return tuple(dict.fromkeys(str(place) for place in places if place is not None))
