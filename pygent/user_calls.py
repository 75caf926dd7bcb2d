"""Tool calls of the user's own, and the whole of a call's output."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

from pygent.approvals import Policy
from pygent.approvals.base import Answer, Judged, PendingCall
from pygent.cancellation import CancelToken
from pygent.errors import PygentError
from pygent.events import MAIN, USER_CALL, Event, ToolFinished, ToolStarted, ToolStatus
from pygent.offering import DELEGATION_TOOLS
from pygent.openai_compat import ToolCall, ToolCallFunction
from pygent.scope import Scope
from pygent.tools.executor import Executor, Watching

if TYPE_CHECKING:
    from pygent.agent import Agent

USER_COMMAND_TIMEOUT = 600.0
"""Seconds that a command of the user's own may take."""


def run_user_command(
    runtime: Any,
    cmd: str,
    cancel: CancelToken,
    emit: Callable[[Event], object],
    agent_id: str = MAIN,
    watch: Watching | None = None,
) -> None:
    """Run a command of the user's own; it shows as a tool call of that agent. ``watch`` is around it."""
    call_id = f"{USER_CALL}{uuid4().hex[:8]}"
    scope = Scope(agent_id=agent_id, call_id=call_id, cancel=cancel, emit=emit)
    emit(ToolStarted(agent_id=agent_id, call_id=call_id, tool="bash", arguments={"cmd": cmd}))
    output = "Interrupted."
    status: ToolStatus = "cancelled"
    began = time.monotonic()
    try:
        with nullcontext() if watch is None else watch(call_id, "bash", "run", True, {"cmd": cmd}):
            output = runtime.scoped(scope).bash(cmd, USER_COMMAND_TIMEOUT)
        status = scope.outcome or "ok"
    except Exception as error:  # the boundary of the command's thread: the person reads it as the result
        output, status = f"Error: {error}", "error"
    finally:
        emit(
            ToolFinished(
                agent_id=agent_id,
                call_id=call_id,
                status=status,
                output=output,
                seconds=time.monotonic() - began,
                exit_status=scope.exit_status,
                output_file=scope.rest or None,
            )
        )


@dataclass(frozen=True, slots=True)
class UsersOwn:
    """Approves what a person has asked for; what the policy denies stays denied."""

    policy: Policy | None

    def decide(self, tool: Judged, call: PendingCall, *, agent_id: str, cancel: CancelToken) -> Answer:
        """Decide on one call, at once."""
        if self.policy is not None:
            verdict = self.policy.judge(tool, call.arguments, agent_id)
            if verdict.action == "deny":
                return Answer("deny", by="policy", reason=verdict.reason)
        return Answer("allow_once", by="user")


def why_not_again(agent: Agent | None, tool: str, agent_id: str = MAIN) -> str:
    """Why a call of ``tool`` cannot be made again by the user, in a sentence; "" where it can."""
    if agent is None:
        return "The session is not open."
    known = agent.registry.get(tool)
    if known is None:
        return "There is no such tool here."
    if known.effect == "control":
        return f"{tool} tells the run how to go on; it means nothing outside of one."
    if tool == "read_image":
        return "read_image shows a picture to the model; Enter on the file shows what it is."
    if tool in DELEGATION_TOOLS:
        return f"{tool} belongs to the agent that has its tasks; ask the agent to do it again."
    if _runtime(agent, agent_id) is None:
        return "The workspace of the task that called it is not there any more."
    return ""


def run_user_tool(
    agent: Agent,
    policy: Policy | None,
    tool: str,
    arguments: Mapping[str, Any],
    agent_id: str,
    cancel: CancelToken,
    watch: Watching | None = None,
) -> Callable[[], object]:
    """What makes the call, to be run on a thread of its own. Raises ``PygentError`` where it cannot be made."""
    if reason := why_not_again(agent, tool, agent_id):
        raise PygentError(reason)
    runtime, emit = _runtime(agent, agent_id), agent.wiring.bus.publish
    if tool == "bash":
        return partial(run_user_command, runtime, str(arguments.get("cmd", "")), cancel, emit, agent_id, watch)
    call = ToolCall(f"{USER_CALL}{uuid4().hex[:8]}", ToolCallFunction(tool, json.dumps(dict(arguments))))
    executor = Executor(agent.registry, UsersOwn(policy), emit, watch=watch)
    return partial(executor.execute, call, runtime, agent_id=agent_id, cancel=cancel, tasks=agent.tasks)


def open_output(agent: Agent | None, path: str) -> BinaryIO:
    """A kept output, opened. Raises ``PygentError`` where no runtime of this session keeps it, or it is gone.

    Only a plain file directly in such a folder is opened, and no link: the path may come from a stored session.
    """
    wanted = Path(path)
    for runtime in _runtimes(agent):
        if wanted.parent == getattr(runtime, "output_dir", None):
            try:
                handle = os.open(wanted, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise PygentError(f"{path} is not there any more ({error.strerror}).") from error
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                os.close(handle)
                raise PygentError(f"{path} is no file that Pygent has kept.")
            return os.fdopen(handle, "rb")
    raise PygentError("The whole output was kept until the session in which it was made ended.")


def _runtimes(agent: Agent | None) -> Iterator[Any]:
    if agent is not None:
        yield agent.runtime
        for task in list(agent.tasks.tasks.values()):
            yield getattr(task.agent, "runtime", None)


def _runtime(agent: Agent, agent_id: str) -> Any:
    """Where an agent works, None where it is not there any more."""
    if agent_id == MAIN:
        return agent.runtime
    task = agent.tasks.tasks.get(agent_id)
    return getattr(task.agent, "runtime", None) if task is not None else None
