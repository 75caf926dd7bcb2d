"""Who an agent is: a name, a description, and optionally a prompt, rights and limits of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pygent.budget import Budget

MODES = ("plan", "ask", "auto", "yolo")
"""Permission modes, from the strictest to the widest."""


@dataclass(frozen=True, slots=True)
class Persona:
    """A role that an agent plays.

    ``description`` is one line, for people and for the model that chooses whom to delegate to. ``prompt`` is what
    the agent itself is told; where it is empty the description serves. ``model`` names another model than the
    parent's.

    The rest only narrows what the parent or the session allows. ``tools`` limits the agent to the named tools; None
    means all. ``deny`` are rules for what is refused. ``network`` False closes its sandbox's. ``image`` is the
    container image of its sandbox, where that is a container. ``permission_mode`` is the widest it gets. ``budget``,
    also as a mapping, is for all its tasks in a session, ``max_steps`` for each of them.
    Raises ``ValueError``, which says what is accepted, for a mode or limit that cannot be used.
    """

    name: str
    description: str = ""
    prompt: str = ""
    model: str | None = None
    tools: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    network: bool | None = None
    image: str | None = None
    permission_mode: str | None = None
    budget: Budget = field(default_factory=Budget)
    max_steps: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.budget, Budget):
            object.__setattr__(self, "budget", Budget.of(self.budget))
        if self.permission_mode is not None and self.permission_mode not in MODES:
            raise ValueError(f"{self.permission_mode!r} is not a permission mode; there are: {', '.join(MODES)}")
        if self.max_steps is not None:
            Budget(steps=self.max_steps)  # the same numbers are accepted

    def to_dict(self) -> dict[str, Any]:
        """What another model needs to choose, name and description first."""
        out: dict[str, Any] = {"name": self.name, "description": self.description}
        rest = {
            "model": self.model or None,
            "tools": None if self.tools is None else list(self.tools),
            "deny": list(self.deny) or None,
            "network": self.network,
            "image": self.image,
            "permission_mode": self.permission_mode,
            "budget": self.budget.to_dict() or None,
            "max_steps": self.max_steps,
        }
        return {**out, **{name: value for name, value in rest.items() if value is not None}}

    def narrowed(self, other: Persona) -> Persona:
        """This persona with what ``other`` allows at most: its tools, mode and limits, and its refusals as well."""
        tools = self.tools
        if other.tools is not None:
            tools = other.tools if tools is None else tuple(tool for tool in tools if tool in other.tools)
        steps = [limit for limit in (self.max_steps, other.max_steps) if limit is not None]
        return replace(
            self,
            tools=tools,
            deny=tuple(dict.fromkeys((*other.deny, *self.deny))),
            network=False if other.network is False else self.network,
            permission_mode=stricter(self.permission_mode, other.permission_mode),
            budget=self.budget.narrowed(other.budget),
            max_steps=min(steps, default=None),
        )


def stricter(one: str | None, other: str | None) -> str | None:
    """The stricter of two permission modes; None is no mode of its own."""
    given = [mode for mode in (one, other) if mode is not None]
    return min(given, key=MODES.index, default=None)
