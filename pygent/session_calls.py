"""What a person does with tool calls in a session: makes some of their own, and reads long outputs whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from pygent.bus import EventBus
from pygent.cancellation import CancelToken
from pygent.events import MAIN

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.approvals import Policy


class SessionCalls:
    """The part of a ``Session`` that is about single tool calls."""

    bus: EventBus
    agent: Agent | None
    policy: Policy | None
    _life: CancelToken
    _own_calls: list[CancelToken]
    _ready: Callable[[], Agent]

    def run_command(self, cmd: str) -> None:
        """Run a command of the user's own in the sandbox, beside the agent; it shows as a tool call."""
        from pygent.user_calls import run_user_command  # noqa: PLC0415 - only once a command is run

        agent, token = self._ready(), self._life.child()
        watch = agent.wiring.watch
        self._beside(partial(run_user_command, agent.runtime, cmd, token, self.bus.publish, watch=watch), token)

    def why_not_again(self, tool: str, agent_id: str = MAIN) -> str:
        """Why a call of ``tool`` cannot be made again by the user, in a sentence; "" where it can."""
        from pygent.user_calls import why_not_again  # noqa: PLC0415 - only once a call is looked at

        return why_not_again(self.agent, tool, agent_id)

    def run_again(self, tool: str, arguments: Mapping[str, Any], agent_id: str = MAIN) -> None:
        """Make a call of the user's own in an agent's workspace, beside the agent; it shows as a new tool call.

        Bans, deny rules and confinement hold; what would be asked for is not, since the user has asked for it.
        Raises ``PygentError`` where that cannot be.
        """
        from pygent.user_calls import run_user_tool  # noqa: PLC0415 - only once a call is made again

        agent, token = self._ready(), self._life.child()
        watch = agent.wiring.watch if agent_id == MAIN else None
        self._beside(run_user_tool(agent, self.policy, tool, arguments, agent_id, token, watch), token)

    def open_output(self, path: str) -> BinaryIO:
        """The file that a tool call's ``output_file`` names; also while it is written.

        Raises ``PygentError`` where it is none of this session's, or gone.
        """
        from pygent.user_calls import open_output  # noqa: PLC0415 - only once a long output is looked at

        return open_output(self.agent, path)

    def _end_own_call(self) -> bool:
        """End the newest call of the user's own. Answers whether there was one."""
        calls = list(self._own_calls)
        if calls:
            calls[-1].cancel()
        return bool(calls)

    def _beside(self, work: Callable[[], object], token: CancelToken) -> None:
        def run() -> None:
            try:
                work()
            finally:
                self._own_calls.remove(token)

        self._own_calls.append(token)
        threading.Thread(target=run, name="pygent-command", daemon=True).start()
