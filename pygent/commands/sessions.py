"""``pygent sessions``: list, show, export, search and delete what is stored."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import cast

from pygent.errors import PygentError
from pygent.export import FORMATS, ExportFormat, export
from pygent.plain_text import one_line
from pygent.settings import data_dir
from pygent.store import FoundSession, Store, StoredSession, StoreError

DATABASE = "sessions.db"

HELP = """\
usage: pygent sessions [list]                         the stored sessions, newest first
       pygent sessions show ID                        one session as text
       pygent sessions export ID [markdown|jsonl]     one session on standard output
       pygent sessions search WORD… | '"SOME WORDS"'  the sessions that have all of it in one message or output
       pygent sessions delete ID…                     remove sessions, and what their tasks left

The first characters of an ID will do. `pygent --resume ID` goes on with one.
A word finds all that begins with it, whatever its case; words in double quotes find just these, in this order."""


def open_store() -> Store:
    """The user's database of sessions. Raises ``StoreError``."""
    return Store(data_dir() / DATABASE)


def main(words: Sequence[str]) -> int:
    """Carry out ``pygent sessions WORDS``; answers the exit code."""
    command, *rest = words or ("list",)
    if command in ("-h", "--help", "help"):
        _print([HELP])
        return 0
    try:
        store = open_store()
        store.listen(lambda text: sys.stderr.write(f"pygent: {text}\n"))
        try:
            return _dispatch(store, command, rest)
        finally:
            store.close()
    except PygentError as error:
        sys.stderr.write(f"pygent: {error}\n")
        return 1


def _dispatch(store: Store, command: str, rest: Sequence[str]) -> int:
    match command, *rest:
        case ("list",):
            _print(_rows(store.sessions()))
        case ("search", *words) if words:
            _print(_found(store.search(" ".join(words))))
            if store.search_note:
                sys.stderr.write(f"pygent: every session was read: {store.search_note}\n")
        case ("show", prefix):
            sys.stdout.write(export(store.events(store.find(prefix).id), "markdown"))
        case ("export", prefix, *form) if len(form) <= 1 and set(form) <= set(FORMATS):
            chosen = cast("ExportFormat", form[0] if form else "markdown")
            sys.stdout.write(export(store.events(store.find(prefix).id), chosen))
        case ("delete", *prefixes) if prefixes:
            _delete(store, [store.find(prefix) for prefix in prefixes])
        case _:
            sys.stderr.write(f"pygent: `sessions {' '.join((command, *rest))}` is not understood\n{HELP}\n")
            return 2
    return 0


def _delete(store: Store, chosen: Sequence[StoredSession]) -> None:
    from pygent.claims import claim  # noqa: PLC0415 - only where something is deleted
    from pygent.session_log import claims_beside  # noqa: PLC0415
    from pygent.tasks.left import forget  # noqa: PLC0415

    for session in chosen:
        with claim(claims_beside(store), session.id):
            store.delete(session.id)
        forget(data_dir() / "tasks", [session.id])
        _print([f"deleted {session.id[:8]}  {one_line(session.title, 60)}"])


def last_session(store: Store, workspace: str) -> StoredSession:
    """The newest session of a workspace. Raises ``StoreError`` where there is none."""
    found = store.sessions(workspace=workspace, limit=1)
    if not found:
        raise StoreError(f"no session is stored for {workspace}; `pygent sessions list` shows all")
    return found[0]


def _rows(sessions: Sequence[StoredSession]) -> list[str]:
    if not sessions:
        return ["No sessions."]
    return [
        f"{one.id[:8]}  {one.age:>10}  {one_line(one.title, 60):<60}  {one_line(one.workspace, 40)}"
        for one in sessions
    ]


def _found(sessions: Sequence[FoundSession]) -> list[str]:
    """Two lines a session: what it is, and where it has what was looked for."""
    lines = _rows(sessions)
    for number, one in reversed(list(enumerate(sessions, start=1))):
        more = f" ({one.hits} places)" if one.hits > 1 else ""
        if one.seq:
            lines.insert(number, f"{'':>20}  {one.who}: {one_line(one.excerpt.text, 130)}{more}")
    return lines


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line.rstrip() + "\n")
