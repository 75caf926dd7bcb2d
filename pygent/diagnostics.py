"""The file of diagnostics: what happened and when, for whoever looks for a fault.

It has no prompts, answers, arguments or outputs, and no keys. Nothing of it goes to the screen.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pygent.bus import EventBus
from pygent.events import Event, MessageFinished, Notice
from pygent.plain_text import clean
from pygent.redaction import HIDDEN, Redactor
from pygent.settings import Settings
from pygent.settings.secrets import secrets_of

log = logging.getLogger(__name__)

_OWN = logging.getLogger("pygent")
_OTHERS = tuple(logging.getLogger(name) for name in ("openai", "httpx", "docker"))
_KEY = re.compile(r"(?i)\b(?:sk|pk|gh[opsu]|xox[abp])[-_][\w-]{12,}|(?<=bearer )\S+")

_TOLD: dict[str, tuple[str, ...]] = {
    "session.started": ("version", "model", "persona", "sandbox", "workspace"),
    "run.started": (),
    "run.finished": ("reason", "steps", "usage", "denied", "error"),
    "step.started": ("step",),
    "step.finished": ("step", "usage"),
    "tool.started": ("call_id", "tool"),
    "tool.finished": ("call_id", "status", "seconds"),
    "approval.requested": ("request_id", "call_id", "tool"),
    "approval.resolved": ("request_id", "decision", "by"),
    "task.started": ("task_id", "persona"),
    "task.finished": ("task_id", "status"),
    "context.compacted": ("by", "before_tokens", "after_tokens", "left_out", "outputs", "images"),
    "notice": ("level", "text"),
}


def start_log(settings: Settings, bus: EventBus) -> Callable[[], None]:
    """Keep diagnostics in the settings' ``log_file``, where there is one; the answer ends that.

    A file that cannot be written is a notice.
    """
    if not any(isinstance(handler, logging.NullHandler) for handler in _OWN.handlers):
        _OWN.addHandler(logging.NullHandler())  # without a handler, Python writes warnings over the screen
    file = settings.log_file
    if file is None:
        return _nothing
    try:
        handler = _handler(file, secrets_of(settings), bus.redactor)
    except OSError as error:
        text = f"Diagnostics are not kept: {settings.source('log_file')}={str(file)!r}: {error.strerror}"
        bus.publish(Notice(level="warning", text=text))
        return _nothing
    for logger in (_OWN, *_OTHERS):
        logger.addHandler(handler)
    if _OWN.getEffectiveLevel() > logging.INFO:
        _OWN.setLevel(logging.INFO)
    unsubscribe = bus.subscribe(_write)

    def stop() -> None:
        unsubscribe()
        for logger in (_OWN, *_OTHERS):
            logger.removeHandler(handler)
        handler.close()

    return stop


def _nothing() -> None:
    """Where nothing was begun there is nothing to end."""


def _handler(file: Path, secrets: tuple[str, ...], redactor: Redactor) -> logging.Handler:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    handler = logging.FileHandler(file, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(_Formatter(secrets, redactor))
    return handler


class _Formatter(logging.Formatter):
    """Lines without keys, and without what would act on the terminal that shows the file."""

    def __init__(self, secrets: tuple[str, ...], redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
        self._secrets, self._redactor = secrets, redactor

    def format(self, record: logging.LogRecord) -> str:
        text = self._redactor.text(super().format(record))
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return clean(_KEY.sub(HIDDEN, text))


def _write(event: Event) -> None:
    if isinstance(event, MessageFinished) and event.discarded:
        log.info("%s an answer was discarded", event.agent_id)
    names = _TOLD.get(event.type)
    if names is not None:
        log.info("%s %s%s", event.agent_id, event.type, "".join(_field(name, getattr(event, name)) for name in names))


def _field(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f" {name}={value:.3f}" if isinstance(value, float) else f" {name}={value}"
