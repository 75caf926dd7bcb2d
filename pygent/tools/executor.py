"""Runs one tool call: look it up, check it, ask for it, run it, and say how it ended.

::

    tool.started
      [approval.requested … approval.resolved]      where somebody is asked
      [tool.output …]                               while it runs
    tool.finished                                   exactly one, whatever happens

This is the one place that catches whatever a tool throws: an error of a tool is a result that the model reads.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pygent.approvals.base import Answer, Approver, Effect, PendingCall
from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, DeadlineExceeded, Stopped
from pygent.events import DecidedBy, Event, ToolFinished, ToolStarted, ToolStatus
from pygent.models.argument_names import renamed
from pygent.models.arguments import repair
from pygent.models.loose_json import loads
from pygent.models.tool_names import meant
from pygent.openai_compat import ToolCall
from pygent.tools.registry import Tool, ToolRegistry
from pygent.tools.results import RESULT_LIMIT, bounded, describe_error, to_text
from pygent.tools.teaching import misfit, unknown_tool

if TYPE_CHECKING:
    from pygent.images import Image

Control = Literal["stop", "continue", "present_plan"]
BeforeControl = Callable[[PendingCall, str, CancelToken], "CallOutcome | None"]
"""Called with a call of ``stop`` or ``continue``, the agent's id and its cancel token; answers the outcome that the
call has instead, None where it steers the run as usual. May block."""
Watching = Callable[[str, str, Effect, bool, Mapping[str, Any]], AbstractContextManager[None]]
"""Is around a call, and knows its id, tool, effect, whether the tool is one of Pygent's own, and its arguments."""

_RAW_SHOWN = 2000
_CHANGED = "Not run: its arguments were changed while it was asked for. Make the call anew."


@dataclass(slots=True)
class CallOutcome:
    """How a call ended.

    ``output`` is what the model reads. ``control`` is what the call asks of the loop. ``denied`` is True where the
    call was refused, ``denied_by`` then says by whom: ``"nobody"`` means that it needed a person and none was there.
    ``images`` are shown to the model behind all results of its message. ``arguments`` are those that were used.
    """

    status: ToolStatus
    output: str
    control: Control | None = None
    denied: bool = False
    denied_by: DecidedBy | None = None
    images: Sequence[Image] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Executor:
    """Runs tool calls of the tools in ``registry``.

    ``approvals`` decides which calls run; None lets all of them run. ``emit`` takes the events. ``before_control``
    may hold a run that is about to end. ``result_limit`` is how many characters of a result the model reads at most.
    ``sees`` tells whether the model gets images, ``watch`` is around each call that runs. One executor may serve
    several threads.
    """

    def __init__(
        self,
        registry: ToolRegistry,
        approvals: Approver | None,
        emit: Callable[[Event], object],
        before_control: BeforeControl | None = None,
        result_limit: int = RESULT_LIMIT,
        sees: Callable[[], bool] = bool,
        watch: Watching | None = None,
    ) -> None:
        self.registry = registry
        self.approvals = approvals
        self.result_limit = result_limit
        self._emit = emit
        self._before_control = before_control
        self._sees = sees
        self._watch = watch

    def execute(
        self,
        call: ToolCall,
        runtime: Any,
        *,
        agent_id: str,
        cancel: CancelToken,
        tasks: Any = None,
        depth: int = 0,
        allowed: Collection[str] | None = None,
    ) -> CallOutcome:
        """Run one call to its end; every failure is a ``CallOutcome``.

        ``runtime`` is given to the tool, as a scoped view where it has ``scoped``. ``tasks`` and ``depth`` are for
        the delegation tools, ``allowed`` limits the tools to these names. Only ``KeyboardInterrupt`` and its like
        pass, after ``tool.finished`` was emitted.
        """
        run = _Run(call.id, agent_id, cancel, self._emit, self._sees)
        names = [known for known in self.registry.names() if allowed is None or known in allowed]
        name = meant(call.function.name, names) or call.function.name
        tool = self.registry.get(name) if name in names else None
        arguments, problem = _read(call, tool)
        own = _own_copy(arguments)  # whoever changes what an event shows must not change what is judged and runs
        self._emit(ToolStarted(agent_id=agent_id, call_id=call.id, tool=name, arguments=arguments))
        outcome = CallOutcome("cancelled", "Interrupted.")
        try:
            if tool is None:
                outcome = CallOutcome("error", unknown_tool(name, names))
            elif problem:
                outcome = CallOutcome("error", misfit(name, tool.parameters, problem))
            else:
                outcome = self._decide_and_run(run, tool, own, runtime, tasks, depth)
        except Stopped as stop:
            outcome = _stopped(stop)
        except Exception as error:  # approvals or a runtime of somebody else failed; the run goes on
            outcome = CallOutcome("error", f"Error: {describe_error(error)}")
        finally:
            run.keep(outcome.output, self.result_limit)
            outcome.output = bounded(outcome.output, self.result_limit, rest=run.rest)
            told = self._emit(
                ToolFinished(
                    agent_id=agent_id,
                    call_id=call.id,
                    status=outcome.status,
                    output=outcome.output,
                    seconds=run.seconds,
                    exit_status=run.exit_status,
                    output_file=run.rest or None,
                )
            )
            if isinstance(told, ToolFinished):
                outcome.output = told.output  # the model reads what the stream tells, which has no keys
        return outcome

    def _decide_and_run(
        self, run: _Run, tool: Tool, arguments: dict[str, Any], runtime: Any, tasks: Any, depth: int
    ) -> CallOutcome:
        run.cancel.check()
        if self.approvals is not None:
            pending = PendingCall(run.call_id, tool.name, _own_copy(arguments))
            answer = self.approvals.decide(tool, pending, agent_id=run.agent_id, cancel=run.cancel)
            run.cancel.check()
            if not answer.allowed:
                return _denied(answer)
            if not _same(pending.arguments, arguments):  # what was shown is not what would run
                return CallOutcome("denied", _CHANGED, denied=True, denied_by="policy")
        if self._before_control is not None and _controls(tool):
            outcome = self._before_control(PendingCall(run.call_id, tool.name, arguments), run.agent_id, run.cancel)
            run.cancel.check()
            if outcome is not None:
                return outcome
        if self._watch is None:
            return run.run(tool, arguments, runtime, tasks, depth)
        with self._watch(run.call_id, tool.name, tool.effect, tool.ours, arguments):
            return run.run(tool, arguments, runtime, tasks, depth)

    def lets(
        self, name: str, arguments: dict[str, Any], agent_id: str, allowed: Collection[str] | None = None
    ) -> bool:
        """Whether a call would run without anybody being asked."""
        tool = self.registry.get(name)
        if tool is None or (allowed is not None and name not in allowed):
            return False
        if self.approvals is None:
            return True
        lets = getattr(self.approvals, "lets", None)  # approvals of somebody else may know no more than to decide
        return lets is not None and bool(lets(tool, arguments, agent_id))

    def watching(self, call_id: str, command: str) -> AbstractContextManager[None]:
        """What is around a command that runs outside of a call of the model's."""
        return nullcontext() if self._watch is None else self._watch(call_id, "bash", "run", True, {"cmd": command})


class _Run:
    """One call while it runs: its scope, its clock, and what became of it."""

    def __init__(
        self,
        call_id: str,
        agent_id: str,
        cancel: CancelToken,
        emit: Callable[[Event], object],
        sees: Callable[[], bool],
    ) -> None:
        self.call_id = call_id
        self.agent_id = agent_id
        self.cancel = cancel
        self.seconds = 0.0
        self.rest = ""
        self.exit_status: int | None = None
        self._emit = emit
        self._sees = sees
        self._keep: Callable[[str], str] | None = None

    def run(self, tool: Tool, arguments: dict[str, Any], runtime: Any, tasks: Any, depth: int) -> CallOutcome:
        scope = None
        scoped = getattr(runtime, "scoped", None)
        if scoped is not None:
            scope = self._scope(tasks, depth)
            runtime = scoped(scope)
            self._keep = getattr(runtime, "keep_output", None)
        started = time.perf_counter()
        try:
            output = to_text(tool.function(runtime, **arguments))
        except Stopped as stop:
            return _stopped(stop)
        except SystemExit as error:
            return CallOutcome("error", f"Error: the tool tried to end the program (exit {error.code!r})")
        except Exception as error:  # the boundary: whatever a tool throws is a result
            if self.cancel.error is not None:
                return _stopped(self.cancel.error)
            return CallOutcome("error", f"Error: {describe_error(error)}")
        finally:
            self.seconds = time.perf_counter() - started
            self.rest = getattr(scope, "rest", "") or ""
            self.exit_status = getattr(scope, "exit_status", None)
        status: ToolStatus = getattr(scope, "outcome", None) or "ok"
        control = cast("Control", tool.name) if _controls(tool) and status == "ok" else None
        refused = status == "denied"  # by the runtime's own list of banned commands
        images = getattr(scope, "images", ())
        return CallOutcome(status, output, control, refused, "policy" if refused else None, images, arguments)

    def keep(self, output: str, limit: int) -> None:
        """See that the person can read all of ``output`` where the model cannot."""
        if self._keep is not None and not self.rest and len(output) > limit:
            self.rest = self._keep(output)

    def _scope(self, tasks: Any, depth: int) -> Any:
        from pygent.scope import Scope  # noqa: PLC0415 - a duck-typed runtime needs none of it

        return Scope(
            agent_id=self.agent_id,
            call_id=self.call_id,
            cancel=self.cancel,
            emit=self._emit,
            tasks=tasks,
            depth=depth,
            sees=self._sees,
        )


def _read(call: ToolCall, tool: Tool | None) -> tuple[dict[str, Any], str]:
    """The arguments to show and use, and what is wrong with them."""
    raw = call.function.arguments
    if tool is None:
        return _shown(raw), ""
    try:
        arguments = repair(raw, tool.parameters)
        if tool.accepts is None or arguments.keys() <= tool.accepts:
            return arguments, ""
        arguments = repair(renamed(arguments, tool.parameters, tool.accepts), tool.parameters)
    except ValueError as error:
        return _shown(raw), str(error)
    extra = ", ".join(sorted(arguments.keys() - tool.accepts))
    return arguments, f"there is no argument {extra}" if extra else ""


def _shown(raw: object) -> dict[str, Any]:
    """Arguments that cannot be used, as far as they can be shown."""
    try:
        value = loads(raw) if isinstance(raw, str) else raw
    except ValueError:
        value = raw
    if isinstance(value, dict):
        return value
    text = str(value or "").encode("utf-8", "replace").decode()
    return {"raw": text[:_RAW_SHOWN]} if text else {}


def _own_copy(arguments: dict[str, Any]) -> dict[str, Any]:
    if any(isinstance(value, dict | list) for value in arguments.values()):
        return copy.deepcopy(arguments)
    return dict(arguments)


def _same(one: object, other: object) -> bool:
    """True where two values are written alike in JSON: 1, 1.0 and true differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _controls(tool: Tool) -> bool:
    return tool.effect == "control" and tool.name in get_args(Control)


def _stopped(stop: Stopped) -> CallOutcome:
    if isinstance(stop, DeadlineExceeded):
        return CallOutcome("timeout", "Stopped: the time limit was reached.")
    reason = str(stop) if isinstance(stop, Cancelled) else ""
    return CallOutcome("cancelled", f"Stopped before it was done: {reason or 'interrupted'}.")


def _denied(answer: Answer) -> CallOutcome:
    why = f" ({answer.reason})" if answer.reason else ""
    if answer.by == "user":
        text = f"Denied by the user{why}. Do not try the same again; do it another way or ask what is wanted."
    elif answer.by == "nobody":
        text = (
            f"Not run: it needs a person's approval and nobody can answer here{why}. "
            "Do what is possible without it, and say at the end what is left."
        )
    else:
        text = f"Not allowed{why}. Do it in a way that is allowed, or tell the user what you would need."
    if answer.feedback:
        text += f"\nThe user says: {answer.feedback}"
    return CallOutcome("denied", text, denied=True, denied_by=answer.by)
