"""Errors that end a piece of the screen instead of the application."""

from __future__ import annotations

import logging
from typing import Any

from textual.app import App

log = logging.getLogger(__name__)


def contained(app: App[Any], what: str, error: Exception) -> None:
    """Keep a report of ``error`` and say so, once for each ``what``, such as "a block of the conversation".

    May be called while something is being drawn.
    """
    from pygent.tui.crash import where  # noqa: PLC0415 - only where something failed

    log.error("%s: %s", what, where(error))
    told: set[str] | None = getattr(app, "contained", None)
    if told is None or what in told:
        return
    told.add(what)
    app.call_later(_tell, app, what, error)


def _tell(app: Any, what: str, error: Exception) -> None:
    from pygent.tui.crash import where, write_report  # noqa: PLC0415 - only where something failed

    path = write_report(error)
    kept = f"\nA report, without prompts and keys, is in {path}" if path is not None else ""
    text = f"{where(error)}. The fault is Pygent's; everything else goes on.{kept}"
    app.main.note(f"Not shown: {what}", text, level="error")
