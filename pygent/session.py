"""``Session``: the one object that a front end holds.

Facts come out through ``subscribe``; everything a person wants goes in through the methods, from any thread. The
session's own thread is the only one on which its agent works.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pygent.bus import EventBus, Sink
from pygent.cancellation import CancelToken
from pygent.clock import standing as standing_still
from pygent.errors import PygentError
from pygent.events import Event, Level, Notice
from pygent.redaction import Redactor
from pygent.session_archive import SessionArchive
from pygent.session_calls import SessionCalls
from pygent.session_context import SessionContext
from pygent.session_controls import SessionControls
from pygent.session_log import SessionLog
from pygent.session_plans import SessionPlans
from pygent.session_prompts import SessionPrompts
from pygent.session_saving import SessionSaving
from pygent.session_tasks import SessionTasks
from pygent.session_undo import SessionUndo
from pygent.settings import Settings
from pygent.settings.secrets import all_keys

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.loop import RunResult
    from pygent.models.discover import FoundServer
    from pygent.store import Store

__all__ = ["Session", "find_servers", "list_models", "standing_still"]

CLOSE_LIMIT = 10.0
"""Seconds that a second caller of ``close`` waits for the first one at most."""


class Session(
    SessionPrompts,
    SessionUndo,
    SessionControls,
    SessionCalls,
    SessionPlans,
    SessionContext,
    SessionTasks,
    SessionSaving,
    SessionArchive,
):
    """An agent, its sandbox, its approvals and its stream of events, joined.

    Making one is cheap and starts nothing; ``open`` does. ``agent`` takes an existing agent in; otherwise one is made
    from ``settings``. ``interactive`` says that somebody is there to answer approvals. With ``demo`` the model is the
    scripted one, in a temporary workspace. ``store`` makes the store of the events, which the session closes;
    ``resume`` goes on with the stored session of that id, whose events stand in ``past`` once it is open.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        agent: Agent | None = None,
        model: Any = None,
        demo: bool = False,
        interactive: bool = True,
        store: Callable[[], Store] | None = None,
        resume: str | None = None,
    ) -> None:
        if demo:
            from pygent.session_parts import demo_settings  # noqa: PLC0415 - the demo only

            settings = demo_settings(settings)
        super().__init__()
        self.settings = settings
        self.demo = demo
        self.bus = EventBus(resume, Redactor(all_keys(settings)))
        self.agent = agent
        self.broker = None
        self.policy = None
        self.interactive = interactive
        self._model = model
        self._make_store = store
        self._log = SessionLog(self.bus, store)
        self._resume = resume
        self._given_agent = agent is not None
        self._life = CancelToken()
        self._own_calls: list[CancelToken] = []
        self._worker: threading.Thread | None = None
        self._sweeper: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._closer: threading.Thread | None = None
        self._all_ended = threading.Event()
        self._end_log: Callable[[], None] = lambda: None
        self._end_history: Callable[[], None] = lambda: None

    read_only = False
    """True for one that is only looked at."""

    @property
    def opened(self) -> bool:
        """True once commands and prompts can run."""
        return self._worker is not None

    @property
    def is_stored(self) -> bool:
        """True where the events are kept on disk, so that the session can be gone on with."""
        return self._log.store is not None

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        """Hand every later event to ``sink``, which must not block. The answer ends that."""
        return self.bus.subscribe(sink)

    def without_keys(self, text: str) -> str:
        """``text`` with the keys hidden that Pygent knows, for what does not come as an event."""
        return self.bus.redactor.text(text)

    def open(self) -> None:
        """Make the sandbox and the agent ready and publish ``session.started``.

        Blocks while a container starts or an image is pulled, so a screen calls it beside its own thread; progress
        comes as notices. Raises ``SandboxUnavailable`` where the sandbox asked for cannot be had, ``WorkspaceError``
        where the workspace cannot be used, ``StoreError`` where the session to go on with cannot be read,
        ``SessionInUse`` where it is open in another Pygent.
        """
        from pygent import diagnostics, scratch  # noqa: PLC0415 - a screen is drawn before all this is loaded
        from pygent import session_parts as parts  # noqa: PLC0415

        self._end_log = diagnostics.start_log(self.settings, self.bus)
        self._end_history = self._keep_history()
        why = self._log.open(self._resume, self._known_end)
        self._begin_from_saved()
        past = self.past  # a front end takes it as soon as it hears of anything
        if why:
            self._notice(f"This session is not stored: {why}", "warning")
        for text in self.settings.notices:
            self._notice(text, "warning")
        if self.agent is None:
            self.agent = parts.make_agent(
                self.settings, self.id, self._progress, model=self._model, demo=self.demo, past=past
            )
        if self._closed:
            self._close_agent()
            return
        self._load_saved_files()
        self._keep_originals()
        self._record_changes(past)
        self.policy, self.broker = parts.join(
            self.agent,
            self.settings,
            self.bus,
            cancel=self._life,
            interactive=self.interactive,
            steering=self._steering,
            steered=lambda: self._queue.steering,
            past=past,
        )
        self.agent.join(replace(self.agent.wiring, watch=self._watching))
        self._begin_model(self.agent)
        self.bus.publish(parts.started(self.status(), self.agent))
        self._keep_tasks()
        self._worker = threading.Thread(target=self._work, name="pygent-session", daemon=True)
        self._worker.start()
        self._restore_tasks(past)
        self._log.look_after(self.settings)
        self._sweeper = threading.Thread(target=scratch.sweep, name="pygent-sweep", daemon=True)
        self._sweeper.start()

    @property
    def past(self) -> list[Event]:
        """The events that a resumed session has behind it, until ``take_past``."""
        return self._log.past

    @past.setter
    def past(self, events: list[Event]) -> None:
        self._log.past = events

    def take_past(self) -> list[Event]:
        """The events that a resumed session has behind it; the caller keeps what it needs of them."""
        return self._log.take_past()

    def events(self) -> list[Event]:
        """The durable events of the present conversation, read back. Not for the thread of a screen.

        Raises ``StoreError`` where they cannot be read.
        """
        return self._log.events()

    def close(self) -> None:
        """End everything that runs and clean up.

        Safe to call twice and from any thread; whoever comes second waits until all is done.
        """
        with self._lock:
            first = not self._closed
            if first:
                self._closed, self._closer = True, threading.current_thread()
        if first:
            try:
                self._close()
            finally:
                self._all_ended.set()
        elif threading.current_thread() not in {self._closer, self._worker}:  # those would wait for themselves
            self._all_ended.wait(CLOSE_LIMIT)

    def _close(self) -> None:
        self._life.cancel("the session was closed")
        if self.broker is not None:
            self.broker.close()
        self._queue.close()
        if self._worker is not None and self._worker is not threading.current_thread():
            self._worker.join(5.0)
        self._close_agent()
        if self._sweeper is not None:  # of a short session, which would end before what it cleans up
            self._sweeper.join(1.0)
        self._end_recording()
        self._forget_originals()
        self._log.close()
        self._end_history()
        self._end_log()

    def _close_agent(self) -> None:
        if self.agent is not None:
            self._close_tasks(self.agent)
            if not self._given_agent:
                self.agent.close()

    def run(
        self,
        prompt: str,
        max_steps: int | None = None,
        step_timeout: float | None = None,
        max_time: float | None = None,
    ) -> RunResult:
        """``Agent.run_until_stop`` on the calling thread, with the settings' limits where none are given."""
        agent, settings = self._ready(), self.settings
        return agent.run_until_stop(
            prompt,
            max_steps=settings.max_steps if max_steps is None else max_steps,
            step_timeout=settings.step_timeout if step_timeout is None else step_timeout,
            max_time=settings.max_time if max_time is None else max_time,
        )

    def copy_in(self, src: str, dest: str | None = None) -> str:
        """Copy a file or folder of this machine into the workspace. Raises ``WorkspaceError`` where it cannot be."""
        return str(self._ready().runtime.upload_file(src, dest))

    def new(self) -> None:
        """Begin a new conversation, stored under an id of its own, in the same workspace.

        Raises ``PygentError`` while the agent or one of its tasks works.
        """
        from pygent.ledger import Account  # noqa: PLC0415 - loaded since the session was opened
        from pygent.session_parts import started  # noqa: PLC0415

        agent = self._ready()
        if busy := self.busy_with:
            raise PygentError(busy)
        agent.history.reset()
        agent.compactor.reset()
        agent.todos.items, agent.plan = [], None
        agent.join(replace(agent.wiring, budget=Account(self.settings.budget)))
        self._forget_originals()
        self._keep_originals()
        self._forget_changes()
        self.bus.begin()
        self._log.begin()
        self.bus.publish(started(self.status(), agent))
        self._notice("A new conversation begins; the workspace stays as it is.")

    def _progress(self, text: str) -> None:
        self._life.check()  # ends a pull that nobody waits for any longer
        self._notice(text)

    def _notice(self, text: str, level: Level = "info") -> None:
        self.bus.publish(Notice(level=level, text=text))


def find_servers() -> list[FoundServer]:
    """The model servers that answer on this machine, on their usual ports; takes a second at most."""
    from pygent.models import discover  # noqa: PLC0415 - a first start only

    return discover.find_servers()


def list_models(base_url: str, api_key: str | None = None) -> list[str]:
    """The models that a server offers. Raises ``APIError``."""
    from pygent.models import discover  # noqa: PLC0415 - a first start only

    return discover.list_models(base_url, api_key)
