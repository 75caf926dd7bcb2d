"""The user's check: a command that says whether the work is done, run where the model says that it is.

A model's claim is no evidence, least of all a small model's. What the command prints where it fails goes back to the
model, until it passes or the run's limits end it. A small model without one is held to the test that its task names;
nobody gave that command, so it runs only where approvals let the model run it without asking.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pygent.attempts import Attempts
from pygent.cancellation import CancelToken
from pygent.events import CHECK_CALL, CheckState, FilesChanged, ToolFinished, ToolStarted, ToolStatus
from pygent.images import Content, text_of
from pygent.model_call import LoopContext
from pygent.models.asking import CHECK_FAILED, CHECK_PASSES, goes_on, is_test
from pygent.models.attempts import BEGIN_AGAIN, NEXT_FILE, wanted
from pygent.models.fences import fenced
from pygent.named_test import named_test
from pygent.scope import Scope
from pygent.step import add_user
from pygent.tools.failing import failing_part

_JUDGES = re.compile(r"(?i)accept|check|expect|golden|judge|spec|valid|verif")

SECONDS = 600.0
"""How long a check may take."""

SHOWN = 3000
"""Characters of a failing check's output that the model reads."""

HOPELESS = 3
"""Times in a row that the model may say it is done, with nothing changed in between, while the check fails."""

_FOUND_SECONDS = 120
"""How long the test that a task names may take."""

_NO_PYTEST = "No module named pytest"

NOTHING_DONE = "Nothing is changed yet."

ATTEMPTS = 12
"""Attempts of a small model, which begin anew, after which it is left at that."""


@dataclass(slots=True)
class Check:
    """One run's check: ``command``, and how it went when it was last run. ``goal``: to make it pass is the task.

    ``found``: nobody gave it, it runs the test that the task names. One that cannot be run is ``dropped``.
    """

    command: str
    found: bool = False
    dropped: bool = False
    state: CheckState = ""
    goal: bool = False
    claims: int = 0
    failures: int = -1
    _changes: int = -1
    _said: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether it makes no sense to go on: the model changes nothing any more, or every attempt failed."""
        return self.claims >= HOPELESS or self.failures >= ATTEMPTS

    @property
    def result(self) -> CheckState:
        """What is told of the user's check when the run is over."""
        return "" if self.found else self.state

    @property
    def warning(self) -> str:
        """What a person must know of a check that nobody gave; "" where that is nothing."""
        if not self.found or self.dropped or self.state != "failed":
            return ""
        return f"The test that the task names still fails: {self.command}"

    def holds_back(self, ctx: LoopContext, cancel: CancelToken, *, more: bool, claimed: bool) -> bool:
        """Whether the run has to go on, where there may be ``more`` steps; the model is told why.

        ``claimed``: the model says that it is done; else it has just changed something, or tried to.
        """
        if self.dropped:
            return not claimed
        if self.hopeless:
            return False
        told = self.claimed(ctx, cancel)
        if self.dropped:
            return not claimed
        if not (told or self.goal) and self.failures > 0 and ctx.attempts is not None and ctx.attempts.untouched:
            # It passes because the failed attempts were taken back: the reply is one more that did not do the work.
            self._said = NOTHING_DONE
            told = self._failed()
        if not told:
            return not claimed and not self.goal  # it passed all the time; the model says when it is done
        if self.hopeless:
            return False
        if more:
            next_one = self._next_attempt(ctx)
            add_user(ctx, f"{told}\n{next_one}" if next_one else told, "check")
        return True

    def claimed(self, ctx: LoopContext, cancel: CancelToken) -> str:
        """The model says that it is done. Answers what it must be told, "" where it is right."""
        if self._changes != ctx.changes or not self.state:
            self.claims = 1
            return self.run(ctx, cancel)
        # Nothing changed since. In an attempt that can begin again, that is one more failed attempt.
        self.claims += ctx.attempts is None
        return self._failed() if self.state == "failed" else ""

    def run(self, ctx: LoopContext, cancel: CancelToken) -> str:
        """Run the command, which everybody sees. Answers what the model must be told, "" where it passes.

        Raises ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ended it.
        """
        self._changes = ctx.changes
        if self.found and not ctx.executor.lets("bash", {"cmd": self.command}, ctx.agent_id, ctx.allowed):
            self.dropped = True
            return ""
        output, status = _run(ctx, self.command, cancel, _FOUND_SECONDS if self.found else SECONDS)
        if self.found and (status not in {"ok", "error"} or _NO_PYTEST in output):
            self.dropped = True
            return ""
        self.state = "passed" if status == "ok" else "failed"
        if self.state == "passed":
            return ""
        shown = failing_part(output.partition("\n")[2] or output, SHOWN)
        self._said = f"{CHECK_FAILED}: `{self.command}`\n{fenced(shown)}"
        return self._failed()

    def _failed(self) -> str:
        self.failures += 1
        return self._said

    def _next_attempt(self, ctx: LoopContext) -> str:
        """How the next attempt begins. Where that is as this one did, the files are put back."""
        if ctx.attempts is None:
            return ""
        files = len(wanted(ctx.history))
        if goes_on(self.failures, files):
            return NEXT_FILE
        if files < 2 and ctx.attempts.made_files and self.failures % 2:
            return ""
        if paths := ctx.attempts.put_back():
            ctx.emit(FilesChanged(agent_id=ctx.agent_id, paths=paths))
        return BEGIN_AGAIN


def begin(ctx: LoopContext, prompt: Content, cancel: CancelToken) -> Check | None:
    """Before a run: its check, if there is one. A small model is shown the files, and why the check fails."""
    ctx.protected, ctx.attempts = frozenset(), None
    given = "" if ctx.planning() else ctx.check_command  # a plan changes nothing
    check = Check(given) if given else None
    if ctx.briefing is None:
        return check
    words = text_of(prompt)
    parts = [ctx.briefing.text(ctx.runtime, f"{words} {ctx.check_command}")]
    if check is None and not ctx.planning():
        check = _found(ctx, words)
    why = check.run(ctx, cancel) if check is not None else ""
    if check is not None and check.dropped:
        check = None
    if check is not None:
        ctx.attempts = Attempts(ctx.runtime)
        check.goal, check.failures = bool(why), 0
        if check.goal:
            ctx.protected = files_of(check.command, ctx.briefing.paths, words)
        parts.append(why or f"{CHECK_PASSES}: `{check.command}`. It has to pass afterwards, too.")
    if shown := "\n\n".join(part for part in parts if part):
        add_user(ctx, shown, "reminder")
    return check


def _found(ctx: LoopContext, words: str) -> Check | None:
    """The test that a task names, as its check."""
    workspace = getattr(ctx.runtime, "workspace", None)
    if workspace is None or ctx.briefing is None:
        return None
    command = named_test(words, ctx.briefing.paths, workspace)
    return Check(command, found=True) if command else None


def files_of(command: str, paths: Collection[str], task: str = "") -> frozenset[str]:
    """Those of ``paths`` that say what is right: tests, and what the command names that judges by its name.

    A check that the model may rewrite is none. A program that the command only runs is what may have to be mended,
    and so is whatever the task names, but for tests.
    """
    names = set(_words(command)) - set(_words(task))
    return frozenset(path for path in paths if is_test(path) or (path in names and _JUDGES.search(path)))


def _words(text: str) -> list[str]:
    return [word.rstrip(".,:!?").removeprefix("./") for word in re.split(r"[\s'\"`;|&<>=(),]+", text)]


def _run(ctx: LoopContext, command: str, cancel: CancelToken, seconds: float) -> tuple[str, ToolStatus]:
    call_id = f"{CHECK_CALL}{uuid4().hex[:8]}"
    scope = Scope(agent_id=ctx.agent_id, call_id=call_id, cancel=cancel, emit=ctx.emit)
    ctx.emit(ToolStarted(agent_id=ctx.agent_id, call_id=call_id, tool="bash", arguments={"cmd": command}))
    status: ToolStatus = "cancelled"
    output, began = "Interrupted.", time.monotonic()
    try:
        with ctx.executor.watching(call_id, command):
            output = str(_scoped(ctx.runtime, scope).bash(command, seconds))
        status = scope.outcome or "ok"
    except Exception as error:  # the boundary of a tool: people read it, the model is told
        cancel.check()
        output, status = f"Error: {error}", "error"
    finally:
        ctx.emit(
            ToolFinished(
                agent_id=ctx.agent_id,
                call_id=call_id,
                status=status,
                output=output,
                seconds=time.monotonic() - began,
                exit_status=scope.exit_status,
                output_file=scope.rest or None,
            )
        )
    cancel.check()
    return output, status


def _scoped(runtime: Any, scope: Scope) -> Any:
    scoped = getattr(runtime, "scoped", None)
    return runtime if scoped is None else scoped(scope)
