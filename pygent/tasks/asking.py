"""What is asked of a person before a run ends: a task's question, and whether to stop while tasks run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygent.approvals.base import PendingCall
from pygent.cancellation import CancelToken
from pygent.todos import TodoList
from pygent.tools.executor import CallOutcome
from pygent.wiring import Wiring

if TYPE_CHECKING:
    from pygent.tasks.manager import TaskManager

NO_ANSWER = "The user gives no answer. Decide for yourself what is likely meant, and say at the end what you assumed."

NOBODY = (
    "Nobody is there to answer. If the task is done, call stop. If not, go on: decide for yourself what is likely "
    "meant, and say at the end what you assumed."
)


class AskFirst:
    """Asks the person about a call of ``stop`` or ``continue`` where that is called for.

    Called with the call, it answers what that comes to instead, None where it steers the run as usual: nothing is to
    be asked, nobody is there to answer, or the run may stop. Where a task's question meets nobody, the task is told
    so the first time; the second one ends its run. The same goes for a ``stop`` that leaves what tasks changed, and
    for one that leaves to-dos open.
    """

    def __init__(self, wiring: Wiring, tasks: TaskManager, todos: TodoList) -> None:
        self._wiring = wiring
        self._tasks = tasks
        self._todos = todos
        self._told = False
        self._reminded = ""

    def __call__(self, call: PendingCall, agent_id: str, cancel: CancelToken) -> CallOutcome | None:
        if call.tool == "stop" and (left := self._todos.to_do()):
            what = "Finish this, or mark it done with update_todos, then call stop again; or call stop to leave it."
            return CallOutcome("error", f"Not stopped. {left} {what}")
        approvals, wiring = self._wiring.approvals, self._wiring
        ask = getattr(approvals, "ask", None)
        if ask is None:
            return None
        if call.tool == "continue" and wiring.depth > 0:
            outcome = _question(ask, call, agent_id, cancel)
            if outcome is not None or self._told:
                return outcome
            self._told = True
            return CallOutcome("ok", NOBODY)
        if call.tool == "stop" and wiring.depth == 0 and getattr(approvals, "broker", None) is None:
            return self._left_undone()
        if call.tool == "stop" and wiring.at_stop == "ask":
            running = self._tasks.running()
            if running:
                names = ", ".join(f"{task.persona.name} ({task.id}, {task.status})" for task in running)
                which = f"{len(running)} tasks still run" if len(running) > 1 else "1 task still runs"
                return _stop(ask, call, agent_id, cancel, f"{which}: {names}")
        return None

    def _left_undone(self) -> CallOutcome | None:
        """Where nobody watches, an agent that leaves what its tasks did is told so once."""
        to_do = self._tasks.to_do()
        if not to_do or to_do == self._reminded:
            return None
        self._reminded = to_do
        return CallOutcome("error", f"Not stopped: {to_do} Call stop again to leave it for somebody to review.")


def _question(ask: Any, call: PendingCall, agent_id: str, cancel: CancelToken) -> CallOutcome | None:
    question = str(call.arguments.get("question") or "")
    answer = ask(PendingCall(call.call_id, call.tool, {"question": question}), agent_id=agent_id, cancel=cancel)
    if answer is None:
        return None
    if answer.allowed and answer.feedback.strip():
        return CallOutcome("ok", f"The user answers: {answer.feedback}")
    said = f" The user says: {answer.feedback}" if answer.feedback.strip() else ""
    return CallOutcome("ok", NO_ANSWER + said)


def _stop(ask: Any, call: PendingCall, agent_id: str, cancel: CancelToken, reason: str) -> CallOutcome | None:
    answer = ask(call, agent_id=agent_id, cancel=cancel, reason=reason)
    if answer is None or answer.allowed:
        return None
    said = f"\nThe user says: {answer.feedback}" if answer.feedback else ""
    text = f"Not stopped: {reason}, and the user wants you to go on. wait_for_tasks waits for them.{said}"
    return CallOutcome("denied", text, denied=True, denied_by="user")
