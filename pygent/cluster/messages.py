"""What a session and the workers of a cluster say to each other.

From a worker, through Dask's topic of the session's client, each with the task and the run it is of: ``here`` (it has
begun, and waits for leave), ``ready`` (its sandbox is open), ``events`` (numbered, in order), ``ask`` (may this call
run?). To a worker, as a function that is called there: ``go``, ``cancel``, ``say``, ``answer``,
``spent``, ``again``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pygent._version import __version__
from pygent.budget import Budget
from pygent.loop import Limits, RunResult
from pygent.persona import Persona

MARK = "pygent"
"""The key that tells our messages from what Dask itself says under the same topic; its value is the version."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model server as the session's settings name it, for workers that shall not use their own."""

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    compat: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a worker is told of a task, beside its files.

    ``topic`` is where it answers. ``asks`` says that a tool call runs only where the session allows it, and
    ``person`` that somebody is there who answers. ``model``
    None means the worker's own server; ``model_name`` None its own model, and otherwise the name is only taken where
    the worker names none itself, or where ``named`` says that the persona insists. ``tools`` are those of the
    session, ``budget`` what is left of the task's, and ``past`` what was said in it before.
    """

    task_id: str
    topic: str
    prompt: str
    persona: Persona
    limits: Limits
    asks: bool
    person: bool
    tools: tuple[str, ...]
    model_name: str | None = None
    named: bool = False
    model: ModelChoice | None = None
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)
    past: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes that no log shows: Dask writes down what it was given where that fails, and there may be a key in it."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a child ended on its worker.

    ``result`` is None where ``error`` says in words what failed. ``archive`` holds the files that it changed or made,
    ``deleted`` those that it removed; ``notes`` name what is missing in it. ``events`` counts all that were sent.
    ``unread`` was said to it too late.
    """

    events: int
    result: RunResult | None = None
    error: str = ""
    archive: bytes = field(default=b"", repr=False)
    deleted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def message(task_id: str, run: str, kind: str, **fields: Any) -> dict[str, Any]:
    """One message from a worker. Texts are ASCII: what the wire cannot carry would break the worker's connection."""
    return {MARK: __version__, "task": task_id, "run": run, "kind": kind, "json": json.dumps(fields)}


def read(raw: object) -> tuple[str, str, str, dict[str, Any]] | None:
    """Task, run, kind and fields of a message; None for what is none of ours."""
    if not isinstance(raw, dict) or MARK not in raw:
        return None
    try:
        fields = json.loads(raw["json"])
        return str(raw["task"]), str(raw["run"]), str(raw["kind"]), fields if isinstance(fields, dict) else {}
    except (KeyError, TypeError, ValueError):
        return None
