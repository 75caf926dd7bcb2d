"""What a person says in a session: prompts and their queue, steering, images, and Esc."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pygent.errors import PathOutsideWorkspace, PygentError
from pygent.events import Level
from pygent.prompt_queue import PromptQueue

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.images import Content, Image
    from pygent.prompt_queue import QueuedPrompt
    from pygent.settings import Settings

log = logging.getLogger(__name__)

BEGINNING = 0.25
"""Seconds from a prompt's turn to the beginning of its run at most, where an interrupt waits for it."""


class SessionPrompts:
    """The part of a ``Session`` that takes what the person says; any thread may call it."""

    settings: Settings
    agent: Agent | None
    _closed: bool
    _ready: Callable[[], Agent]
    _notice: Callable[[str, Level], None]
    _end_own_call: Callable[[], bool]

    def __init__(self) -> None:
        super().__init__()
        self._queue = PromptQueue()

    @property
    def running(self) -> bool:
        """True while the agent works or is about to. Prompts that are held until the person says so do not count."""
        return self._queue.busy

    def submit(self, prompt: str, images: Sequence[Image] = (), *, held: bool = False) -> str:
        """Start a run; while one is under way the prompt waits for its turn. Answers the prompt's id.

        ``images`` go with it where the model can see (the setting ``vision``); where not, their paths stand in the
        text and a notice says so. With ``held`` it waits until ``steer`` is called for it.
        """
        self._ready()
        return self._queue.put(prompt, images, held=held)

    def queued(self) -> list[QueuedPrompt]:
        """The prompts that wait, in their order."""
        return self._queue.items()

    def unqueue(self, prompt_id: str) -> QueuedPrompt | None:
        """Take a prompt out of the queue. None where it does not wait any longer."""
        return self._queue.remove(prompt_id)

    def edit_queued(self, prompt_id: str, text: str) -> bool:
        """Change the text of a prompt that waits. False where it does not any longer."""
        return self._queue.edit(prompt_id, text)

    def steer(self, prompt_id: str) -> bool:
        """Let a queued prompt go in at the next step of the run; where there is no run, start one with it.

        If the run ends first, the prompt comes next. False where it does not wait any longer.
        """
        agent = self._ready()
        steered = self._queue.steer(prompt_id)
        agent.tasks.reports.wake()  # whoever waits for tasks listens to the person first
        return steered

    def interrupt(self) -> bool:
        """End the run in the foreground, or else the newest call of the user's own. Answers whether there was one.

        Tasks go on. Prompts that wait are held from then on.
        """
        if self._queue.busy:
            self._queue.hold()
            end_by = time.monotonic() + BEGINNING
            while self._queue.busy and time.monotonic() < end_by:  # a run that is about to begin cannot be ended yet
                if self.agent is not None and self.agent.cancel():
                    return True
                time.sleep(0.001)
        elif self.agent is not None and self.agent.cancel():
            return True
        return self._end_own_call()

    def read_image(self, path: str) -> Image:
        """An image file: of the workspace, or anywhere on this machine by its absolute path.

        Raises ``PygentError``, which names the file and what is accepted.
        """
        from pygent.images import MAX_BYTES, read_image, too_large  # noqa: PLC0415 - rarely asked for
        from pygent.workspace import Workspace  # noqa: PLC0415

        agent = self.agent
        workspace = getattr(agent.runtime, "workspace", None) if agent is not None else None
        if workspace is None:
            workspace = Workspace(self.settings.workspace or Path.cwd())
        try:
            workspace.relative(path)
        except PathOutsideWorkspace:
            if not path.startswith(("/", "~/")):
                raise
            data = _read(Path(path), MAX_BYTES + 1)
        else:
            with workspace.open(path) as file:
                data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise too_large(path, len(data))
        return read_image(path, data)

    def _work(self) -> None:
        while (prompt := self._queue.take()) is not None:
            try:
                if not self._closed and prompt.work is not None:
                    prompt.work()
                elif not self._closed:
                    self._converse(prompt)
            except Exception:  # the run's end has told of it already; the thread must live on
                log.exception("a run failed")
                self._queue.hold()  # what made this one fail would make them fail unseen
            finally:
                self._queue.done()

    def _converse(self, prompt: QueuedPrompt) -> None:
        settings = self.settings
        source = settings.source("max_steps")
        steps = None if source == "default" else settings.max_steps  # a person who reads along is the limit
        agent = self._ready()
        before = agent.plan
        agent.converse(self._content(prompt), steps, settings.step_timeout, settings.max_time)
        if agent.plan is not None and agent.plan is not before and agent.plan.source == "tool":
            self._queue.hold()  # what waits was written before there was a plan to decide on

    def _steering(self) -> Iterable[Content]:
        return [self._content(prompt) for prompt in self._queue.take_steering()]

    def _content(self, prompt: QueuedPrompt) -> Content:
        from pygent.images import can_see, content, without_images  # noqa: PLC0415 - loaded with the agent

        model = (self.agent.model_name if self.agent is not None else None) or self.settings.model
        vision = self.settings.vision
        if not prompt.images or (can_see(model) if vision is None else vision):
            return content(prompt.text, prompt.images)
        names = ", ".join(image.name for image in prompt.images)
        why = "is not known to see images" if vision is None else "gets no images (vision: off)"
        self._notice(
            f"{model} {why}, so only the path of {names} was sent. `vision: on` in the settings sends images.",
            "warning",
        )
        return without_images(prompt.text, prompt.images)


def _read(path: Path, most: int) -> bytes:
    """The first bytes of a file of this machine."""
    path = path.expanduser()
    try:
        if not path.is_file():  # a pipe or a device would block
            raise PygentError(f"{str(path)!r} is no file.")
        with path.open("rb") as file:
            return file.read(most)
    except OSError as error:
        raise PygentError(f"{str(path)!r} cannot be read: {error.strerror or error}") from error
