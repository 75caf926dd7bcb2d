"""``pygent sessions undo`` and ``redo``: what the steps of a session changed, taken back without a screen."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pygent.errors import PygentError
from pygent.plain_text import clean, one_line
from pygent.session import Session
from pygent.settings import Settings, load
from pygent.store import Store, StoredSession
from pygent.undo_words import left_alone, names

if TYPE_CHECKING:
    from pygent.checkpoints.offered import Offered

Action = Literal["undo", "redo"]

NEEDS_A_PERSON = 3
_LETTERS = {"added": "A", "changed": "M", "deleted": "D"}
_MOST = 1024 * 1024
"""Bytes of a file whose lines are shown."""


def run(store: Callable[[], Store], found: StoredSession, action: Action, *, steps: int, yes: bool) -> int:
    """Show what would be done, ask, and do it; answers the exit code.

    1 where a file was left alone, since somebody changed it meanwhile; 3 where nobody can answer, and nothing is
    done. Raises ``PygentError`` where nothing can be taken back.
    """
    session = Session(_settings(found), model=_NoModel(), interactive=False, store=store, resume=found.id)
    with contextlib.closing(session):
        session.open()
        offered = session.offer_undo(steps) if action == "undo" else session.offer_redo()
        for line in _shown(session, offered):
            sys.stdout.write(clean(line) + "\n")
        if not yes and not _agreed(action):
            return NEEDS_A_PERSON if not sys.stdin.isatty() else 0
        outcome = session.restore(offered)
    said = "Undone" if action == "undo" else "Done again"
    sys.stdout.write(f"{said}: {clean(names(outcome.paths))}.\n" if outcome.paths else "No file had to be changed.\n")
    for line in left_alone(outcome.left):
        sys.stderr.write(f"pygent: {one_line(line, 300)}\n")
    return 1 if outcome.left else 0


def _settings(found: StoredSession) -> Settings:
    """Those of the session's folder. Nothing is to run there, so no container is wanted."""
    folder = Path(found.workspace)
    if not folder.is_dir():
        raise PygentError(f"the workspace {found.workspace!r} of session {found.id[:8]} is not there any more")
    return load(workspace=folder, options={"workspace": found.workspace, "use_docker": False}, forgiving=True)


def _shown(session: Session, offered: Offered) -> Iterator[str]:
    for title in offered.titles:
        yield f"# {one_line(title, 200)}"
    for path, kind in offered.paths.items():
        note = offered.notes.get(path, "")
        yield f"{_LETTERS[kind]} {path}{f' ({note})' if note else ''}"
        yield from _lines(path, *session.offered_contents(offered, path))
    yield from left_alone(offered.left)


def _lines(path: str, now: bytes | None, then: bytes | None) -> Iterator[str]:
    sides = [side or b"" for side in (now, then)]
    if any(len(side) > _MOST or b"\0" in side for side in sides):
        yield "  (no lines are shown of it)"
        return
    before, after = (side.decode("utf-8", "replace").splitlines() for side in sides)
    for line in difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm=""):
        yield f"  {line}"


def _agreed(action: Action) -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write(f"pygent: nothing was done; --yes does it: pygent sessions {action} ID --yes\n")
        return False
    sys.stderr.write(f"{action.capitalize()} this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


class _NoModel:
    """Nothing is asked of a model here."""

    def chat(self, messages: Any, model: Any, tools: Any) -> Any:
        raise AssertionError("no model is asked to take something back")
