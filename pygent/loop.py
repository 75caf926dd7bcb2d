"""The agent's loop: ask the model, run the tools it calls, until somebody says stop.

::

    run.started
      message.started/finished (the prompt)
      step.started
        message.started  message.delta…  message.finished
        tool.started  [approval.requested/resolved]  tool.output…  tool.finished      (each call, in order)
      step.finished
      …
    run.finished

Everything that is begun is ended, whatever happens in between.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from pygent import clock
from pygent.cancellation import CancelToken
from pygent.check import Check, begin
from pygent.described import what_to_do
from pygent.errors import Cancelled, DeadlineExceeded, StuckError
from pygent.events import (
    CheckState,
    Notice,
    Reason,
    RunFinished,
    RunStarted,
)
from pygent.history import INTERRUPTED
from pygent.images import Content, text_of
from pygent.model_call import LoopContext
from pygent.openai_compat import Usage
from pygent.plans import looks_like_plan
from pygent.prompts import PLAN_NOW, reminder
from pygent.repeats import Repeats
from pygent.step import StepOutcome, add_user, present, run_step, take_in

log = logging.getLogger(__name__)

NEARLY_SPENT = "{} Finish what matters most, then call stop and say what is left."


LAST_SECONDS = 20.0
"""How long a last step may take."""

LAST_STEP = (
    "The limit of {} is reached, and no tool can be called any more. Say in a few words what you did, what you found "
    "out, and what is left to do."
)
WORDS: dict[Reason, str] = {"max_steps": "steps", "timeout": "time", "budget": "the budget"}


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended.

    ``text`` is the last thing the assistant said, ``usage`` the sum over the steps. ``denied`` counts the calls that
    were refused. ``error`` says what failed where ``reason`` is ``"failed"``. ``cost`` is that of the
    run's own steps by the settings' prices, None where the model has none. The totals are those of the run and of the
    tasks in it, as far as they had come. ``seconds`` passed until it was over or reached its limit. ``check``
    tells how the user's check went when it was last run, "" where there was none.
    """

    reason: Reason
    text: str
    steps: int
    usage: Usage
    denied: int = 0
    files_changed: tuple[str, ...] = ()
    error: str | None = None
    cost: float | None = None
    total_usage: Usage = field(default_factory=Usage)
    total_cost: float | None = None
    seconds: float = 0.0
    check: CheckState = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a run: ``max_steps`` steps, ``step_timeout`` and ``max_time`` in seconds; None for no bound."""

    max_steps: int | None = 20
    step_timeout: float | None = None
    max_time: float | None = None


def run(
    ctx: LoopContext, prompt: Content, limits: Limits, cancel: CancelToken, *, until_stop: bool = True
) -> RunResult:
    """Work on ``prompt`` until the model stops or a limit is reached.

    With ``until_stop`` a reply without a tool call is answered once with a reminder, and a second one in a row ends
    the run; without it the first one does. What a person says meanwhile (``ctx.steering``) goes in between two steps,
    and so do the reports of tasks that ended (``ctx.reports``); the run goes on with them where it would have ended.
    Raises what the model raises, after ``run.finished`` told of it.
    """
    with _own_account(ctx):
        return _run(ctx, prompt, limits, cancel, until_stop=until_stop)


@contextlib.contextmanager
def _own_account(ctx: LoopContext) -> Iterator[None]:
    """Count what a run and the tasks in it cost by themselves, too."""
    agents = ctx.budget
    ctx.budget = ctx.run_account = agents.below()
    ctx.warning = ""
    try:
        with ctx.budget.working():
            yield
    finally:
        ctx.budget, ctx.run_account = agents, None


def _run(ctx: LoopContext, prompt: Content, limits: Limits, cancel: CancelToken, *, until_stop: bool) -> RunResult:
    left = [seconds for seconds in (limits.max_time, ctx.budget.seconds_left()) if seconds is not None]
    token = cancel.child(min(left, default=None))
    progress = _Progress()
    ctx.files_changed.clear()
    ctx.emit(RunStarted(agent_id=ctx.agent_id, prompt=text_of(prompt)))
    reason: Reason = "failed"
    error: BaseException | None = None
    try:
        progress.check = begin(ctx, prompt, token)
        add_user(ctx, prompt, "user")
        reason = _limited(ctx, limits, token, progress, until_stop)
        progress.end()
        if reason in WORDS and (ctx.last_words or reason == "budget" or ctx.planning()) and progress.steps:
            _last_step(ctx, progress, WORDS[reason], cancel)
        if reason != "input_required":
            _offer(ctx, progress)
    except Cancelled:
        reason = "cancelled"
    except BaseException as failure:
        error = failure
        reason = "cancelled" if isinstance(failure, KeyboardInterrupt) else "failed"
        raise
    finally:
        progress.end()
        ctx.history.answer_open_calls(INTERRUPTED)
        if ctx.before_finish is not None:
            ctx.before_finish()
        if reason == "budget":
            ctx.emit(Notice(agent_id=ctx.agent_id, level="warning", text=ctx.budget.why))
        if progress.check is not None and progress.check.warning:
            ctx.emit(Notice(agent_id=ctx.agent_id, level="warning", text=progress.check.warning))
        result = progress.result(reason, ctx, error)
        ctx.emit(
            RunFinished(
                agent_id=ctx.agent_id,
                reason=reason,
                text=result.text,
                steps=result.steps,
                usage=result.usage.to_dict(),
                cost=result.cost,
                files_changed=list(result.files_changed),
                denied=result.denied,
                error=result.error,
                total_usage=result.total_usage.to_dict(),
                total_cost=result.total_cost,
                check=result.check,
            )
        )
    return result


@dataclass(slots=True)
class _Progress:
    text: str = ""
    steps: int = 0
    denied: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    repeats: Repeats = field(default_factory=Repeats)
    check: Check | None = None
    begun: float = field(default_factory=clock.now)
    seconds: float | None = None
    plan: str = ""

    def end(self) -> None:
        if self.seconds is None:
            self.seconds = clock.now() - self.begun

    def add(self, outcome: StepOutcome, cost: float | None) -> None:
        self.denied += outcome.denied
        self.usage = self.usage + outcome.usage
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost
        self.plan = outcome.plan
        if outcome.plan:
            self.text = outcome.plan
        elif (outcome.message.content or "").strip():
            self.text = outcome.message.content or ""

    def result(self, reason: Reason, ctx: LoopContext, error: BaseException | None) -> RunResult:
        told = None if error is None else str(error) or type(error).__name__
        files, used = tuple(ctx.files_changed), ctx.budget.used()
        total, seconds = Usage(used.prompt_tokens, used.completion_tokens, used.tokens), self.seconds or 0.0
        return RunResult(
            *(reason, self.text, self.steps, self.usage, self.denied, files, told, self.cost),
            *(total, used.money, seconds, "" if self.check is None else self.check.result),
        )


def _limited(ctx: LoopContext, limits: Limits, token: CancelToken, progress: _Progress, until_stop: bool) -> Reason:
    try:
        return _steps(ctx, limits, token, progress, until_stop)
    except DeadlineExceeded:
        return "budget" if ctx.budget.spent else "timeout"


def _offer(ctx: LoopContext, progress: _Progress) -> None:
    """Offer the last thing that was said as the plan, where the model should have called for it.

    An answer without any looking around is one, unless it has the form of a plan.
    """
    text = progress.text.strip()
    if ctx.planning() and not progress.plan and text and (progress.steps > 1 or looks_like_plan(text)):
        present(ctx, text, "text")


def _last_step(ctx: LoopContext, progress: _Progress, why: str, cancel: CancelToken) -> None:
    """Let the model say what it did, without tools and in a short time; a failure of that changes nothing."""
    ctx.history.answer_open_calls(INTERRUPTED)
    add_user(ctx, (PLAN_NOW if ctx.planning() else LAST_STEP).format(why), "reminder")
    progress.steps += 1
    ctx.budget.take_step(force=True)
    allowed, ctx.allowed = ctx.allowed, frozenset()
    try:
        run_step(
            ctx,
            progress.steps,
            cancel.child(LAST_SECONDS),
            lambda outcome: progress.add(outcome, ctx.cost(outcome.usage)),
        )
    except Exception:  # the run is over anyway, and for another reason
        log.debug("the last step failed", exc_info=True)
    finally:
        ctx.allowed = allowed


def _steps(ctx: LoopContext, limits: Limits, token: CancelToken, progress: _Progress, until_stop: bool) -> Reason:
    reminded = False
    while limits.max_steps is None or progress.steps < limits.max_steps:
        token.check()
        ctx.before_step()
        if not ctx.budget.take_step():
            return "budget"
        take_in(ctx)
        progress.steps += 1
        changes = ctx.changes
        outcome = run_step(
            ctx,
            progress.steps,
            token.child(limits.step_timeout),
            lambda outcome: progress.add(outcome, ctx.cost(outcome.usage)),
        )
        more = (limits.max_steps is None or progress.steps < limits.max_steps) and not ctx.budget.spent
        if more and ctx.warning and outcome.message.tool_calls and outcome.control is None:
            add_user(ctx, NEARLY_SPENT.format(ctx.warning), "reminder")
            ctx.warning = ""
        ended = _end(ctx, outcome, reminded=reminded, until_stop=until_stop)
        # A small model is told at once whether its change is right: deciding to look is beyond many of them.
        tried = ctx.changes != changes or outcome.refused
        checked = ctx.small and progress.check is not None and tried and outcome.control is None
        if more and not token.cancelled and take_in(ctx):
            reminded = False
        elif outcome.control == "continue":
            return "input_required"
        elif ended or checked:
            reminded = False
            if not _held_back(ctx, token, progress, more=more, claimed=bool(ended), always=until_stop):
                return ended or "stopped"
        elif outcome.message.tool_calls:
            reminded = False
            _watch_repeats(ctx, outcome, progress)
        elif more:
            add_user(ctx, _reminder(ctx, outcome.message.content or ""), "reminder")
            reminded = True
    return "max_steps"


def _reminder(ctx: LoopContext, reply: str) -> str:
    instead = what_to_do(reply, ctx.executor.registry.schemas(ctx.allowed))
    return reminder(reply, ctx.to_do(), instead, planning=ctx.planning(), small=ctx.small)


def _plans_in_words(ctx: LoopContext, outcome: StepOutcome) -> bool:
    return ctx.planning() and looks_like_plan(outcome.message.content or "")


def _end(
    ctx: LoopContext, outcome: StepOutcome, *, reminded: bool, until_stop: bool
) -> Literal["", "stopped", "completed"]:
    """How a run would end with this step, "" where the model has more to do."""
    if outcome.control is not None:
        return "stopped"
    if outcome.message.tool_calls:
        return ""
    if _plans_in_words(ctx, outcome):
        return "completed"
    # In the form of blocks a reply without one is how a model says that it is done. Where a check tells whether that
    # is so, an unusable block is a failed attempt, and another attempt does better than a correction.
    blocks = "```" in (outcome.message.content or "") and ctx.attempts is None
    said = ctx.small and not blocks and not ctx.to_do()
    return "completed" if reminded or said or not until_stop else ""


def _held_back(
    ctx: LoopContext, token: CancelToken, progress: _Progress, *, more: bool, claimed: bool, always: bool
) -> bool:
    """Whether the run goes on where it would end: the user's check fails, or a task that ended brought something.

    A check is run in any case where nobody reads along (``always``), else where the run has changed a file.
    """
    check = progress.check
    if (
        check is not None
        and (always or ctx.files_changed)
        and check.holds_back(ctx, token, more=more, claimed=claimed)
    ):
        return True
    return _settled(ctx, token, more=more)


def _settled(ctx: LoopContext, token: CancelToken, *, more: bool) -> bool:
    """Wait for the tasks where the run's end is to. Answers whether that brought anything to go on with.

    Without ``more`` steps the run cannot go on; what the tasks do in the time that is left is not lost for that.
    """
    if ctx.settle is None or ctx.budget.spent:
        return False
    ctx.settle(token)
    return more and take_in(ctx)


def _watch_repeats(ctx: LoopContext, outcome: StepOutcome, progress: _Progress) -> None:
    """Say so where the model goes in circles, and end the run where that does not help. Raises ``StuckError``."""
    calls = [(call.function.name, call.function.arguments) for call in outcome.message.tool_calls]
    if not calls or any(_asks_for_news(ctx, name) for name, _ in calls):
        return
    repeat = progress.repeats.add(calls, outcome.results)
    if repeat is None:
        return
    if repeat.stuck:
        raise StuckError(f"the model made the same call {repeat.times} times in a row: {calls[0][0]}")
    if repeat.text:
        add_user(ctx, repeat.text, "reminder")


def _asks_for_news(ctx: LoopContext, name: str) -> bool:
    tool = ctx.executor.registry.get(name)
    return tool is not None and tool.effect == "delegate"
