"""One step: the model is asked once, and the tools that it calls are run, in order."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from pygent.attempts import written_path
from pygent.cancellation import CancelToken
from pygent.events import (
    MessageFinished,
    MessageStarted,
    Origin,
    PlanPresented,
    PlanSource,
    StepFinished,
    StepStarted,
    ToolFinished,
    ToolStarted,
    ToolStatus,
)
from pygent.history import INTERRUPTED
from pygent.images import Content, Image
from pygent.images import content as with_images
from pygent.model_call import LoopContext, ask
from pygent.openai_compat import Message, ToolCall, Usage
from pygent.tools.executor import CallOutcome, Control

SHOWN = "What was asked for:"
NOT_STOPPED = (
    "Not stopped: a call before it failed. Read its result, mend it, and call stop alone once you saw it work."
)
PROTECTED = "Not written: {0} says what is right and stays as it is. Change the program so that the check passes."


@dataclass(slots=True)
class StepOutcome:
    """What one step brought. ``plan`` is the one that ends a run in plan mode."""

    message: Message
    control: Control | None = None
    denied: int = 0
    usage: Usage = field(default_factory=Usage)
    results: list[str] = field(default_factory=list)
    refused: bool = False
    plan: str = ""


def take_in(ctx: LoopContext) -> bool:
    """Put in what a person said meanwhile, and how tasks ended. Answers whether there was anything."""
    reports, said = list(ctx.reports()), list(ctx.steering())
    for report in reports:
        add_user(ctx, report, "task")
    for content in said:
        add_user(ctx, content, "user")
    return bool(said or reports)


def add_user(ctx: LoopContext, content: Content, origin: Origin) -> None:
    """Put a user message into the history and the stream."""
    message_id = uuid4().hex
    ctx.emit(MessageStarted(agent_id=ctx.agent_id, message_id=message_id, role="user", origin=origin))
    message = {"role": "user", "content": content}
    told = ctx.emit(MessageFinished(agent_id=ctx.agent_id, message_id=message_id, message=message, origin=origin))
    if isinstance(told, MessageFinished):
        content = told.message["content"]  # without keys, as the stream tells it
    ctx.history.add_user(content, origin)


def present(ctx: LoopContext, plan: str, source: PlanSource) -> None:
    """Tell people of a plan."""
    ctx.emit(PlanPresented(agent_id=ctx.agent_id, plan_id=uuid4().hex[:8], plan=plan, source=source))


def run_step(
    ctx: LoopContext, step: int, cancel: CancelToken, count: Callable[[StepOutcome], None] | None = None
) -> StepOutcome:
    """Ask the model once and run the tools it calls, in order.

    ``count`` gets what the step brought, also where it was ended in the middle of a call.

    Raises ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ended it, and what the model raises. The history is
    valid in any case.
    """
    ctx.emit(StepStarted(agent_id=ctx.agent_id, step=step))
    usage = Usage()
    outcome: StepOutcome | None = None
    try:
        message = ask(ctx, cancel) if ctx.compactor is None else ctx.compactor.ask(ctx, cancel)
        usage = ctx.counted(message)
        ctx.charge(usage)
        ctx.history.add_assistant(message)
        outcome = StepOutcome(message, usage=usage)
        _run_calls(ctx, message, outcome, cancel)
        if outcome.control is None:
            cancel.check()
        return outcome
    finally:
        ctx.history.answer_open_calls(INTERRUPTED)
        if count is not None and outcome is not None:
            count(outcome)
        ctx.emit(
            StepFinished(
                agent_id=ctx.agent_id,
                step=step,
                usage=usage.to_dict(),
                cost=ctx.cost(usage),
                context_tokens=ctx.compactor.tokens(ctx) if ctx.compactor is not None else 0,
            )
        )


def _run_calls(ctx: LoopContext, message: Message, outcome: StepOutcome, cancel: CancelToken) -> None:
    skipped, failed = "", False
    images: list[Image] = []
    status: ToolStatus = "cancelled"
    for call in message.tool_calls:
        if message.finish_reason == "length" and not _whole(call):
            skipped, status = (
                "Not run: the reply was cut off at the length limit. Send the call again, shorter.",
                "error",
            )
        elif call.function.name == "stop" and failed:
            _skip(ctx, call, NOT_STOPPED, "error")
            continue
        if skipped:
            _skip(ctx, call, skipped, status)
            continue
        if protected := _protected(ctx, call):
            _skip(ctx, call, PROTECTED.format(protected), "error")
            failed = outcome.refused = True
            continue
        result = _execute(ctx, call, cancel)
        ctx.history.add_result(call.id, result.output)
        outcome.results.append(result.output)
        outcome.denied += result.denied
        images += result.images
        failed = failed or result.status != "ok"
        if result.control is not None:
            outcome.control = result.control
            if result.control == "present_plan":
                outcome.plan = str(result.arguments.get("plan", "")).strip()
                present(ctx, outcome.plan, "tool")
            skipped = f"Not run: `{call.function.name}` was called before it."
        elif cancel.cancelled:
            skipped = "Not run: the run was interrupted."
    if images:  # servers want them behind all results
        add_user(ctx, with_images(SHOWN, images), "tool")


def _execute(ctx: LoopContext, call: ToolCall, cancel: CancelToken) -> CallOutcome:
    if ctx.attempts is not None:
        ctx.attempts.before(call)
    outcome = ctx.executor.execute(
        call,
        ctx.runtime,
        agent_id=ctx.agent_id,
        cancel=cancel,
        tasks=ctx.tasks,
        depth=ctx.depth,
        allowed=ctx.allowed,
    )
    if ctx.attempts is not None:
        ctx.attempts.after(call)
    return outcome


def _protected(ctx: LoopContext, call: ToolCall) -> str:
    """The protected file that a call would write, "" where there is none."""
    path = written_path(call).removeprefix("./") if ctx.protected else ""
    return path if path in ctx.protected else ""


def _whole(call: ToolCall) -> bool:
    try:
        return isinstance(json.loads(call.function.arguments or "{}"), dict)
    except (ValueError, RecursionError):
        return False


def _skip(ctx: LoopContext, call: ToolCall, text: str, status: ToolStatus) -> None:
    """Answer a call that does not run; the stream shows it too."""
    started = time.monotonic()
    ctx.emit(ToolStarted(agent_id=ctx.agent_id, call_id=call.id, tool=call.function.name, arguments={}))
    ctx.emit(
        ToolFinished(
            agent_id=ctx.agent_id,
            call_id=call.id,
            status=status,
            output=text,
            seconds=time.monotonic() - started,
        )
    )
    ctx.history.add_result(call.id, text)
