"""Where a task's costs are counted: below its persona in its session, and in the run that started it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygent.budget import Budget
from pygent.errors import TaskError
from pygent.ledger import Account
from pygent.persona import Persona

if TYPE_CHECKING:
    from pygent.agent import Agent


def session_account(parent: Agent | None, own: Account) -> Account:
    """The account of the session that ``parent`` is in; ``own`` where nobody has one."""
    return own if parent is None else parent.wiring.budget


def task_account(task_id: str, persona: Persona, budget: Budget, session: Account, parent: Agent | None) -> Account:
    """A new account for a task.

    Raises ``TaskError`` where its persona or the session has nothing left.
    """
    of_persona = session.persona(persona.name, persona.budget)
    if of_persona.spent:
        raise TaskError(of_persona.why)
    run = () if parent is None or parent.run_account is None else (parent.run_account,)
    return of_persona.below(budget, *run, what="the task", agent_id=task_id)
