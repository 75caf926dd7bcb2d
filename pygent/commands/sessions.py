"""``pygent sessions``: list, show, export, search, take back and delete what is stored."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from pygent.errors import PygentError
from pygent.export import FORMATS, export, format_of, write_new
from pygent.plain_text import clean, escaped, one_line
from pygent.settings import data_dir, load
from pygent.settings.secrets import secrets_of
from pygent.store import FoundSession, Store, StoredSession, StoreError

DATABASE = "sessions.db"

HELP = """\
usage: pygent sessions [list] [--workspace DIR] [--limit N]   the stored sessions, newest first
       pygent sessions show ID                               one session as text
       pygent sessions export ID [--format FORMAT] [--output FILE]
                                                             one session, whole
       pygent sessions search WORD… | '"SOME WORDS"'         the sessions that have all of it in one message or output
       pygent sessions undo [ID] [--steps N] [--yes]         take back what the last steps changed in files
       pygent sessions redo [ID] [--yes]                     take the last undo back
       pygent sessions delete ID…                            remove sessions, and what their tasks left

The first characters of an ID will do. `pygent --resume ID` goes on with one, `pygent replay ID` plays it.

export   writes to standard output, or to a new file with --output. FORMAT is markdown (as it is read), jsonl (every
         stored event as one line, as --output-format stream-json prints them) or html (one page that stands alone);
         without --format the file's ending says which, and markdown where there is none. Keys of the settings are
         hidden in it.
list     and search print lines for people; --format json prints one JSON object a line, for programs.
undo     and redo show a diff and ask first, --yes answers it; without ID it is the last session of this folder. What
         somebody else has changed since is left alone and named, and the exit code is 1.
search   A word finds all that begins with it, whatever its case; words in double quotes find just these, in this
         order."""

_USAGE = 2


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
        store.listen(lambda text: sys.stderr.write(f"pygent: {clean(text)}\n"))
        try:
            return _dispatch(store, command, rest)
        finally:
            store.close()
    except PygentError as error:
        sys.stderr.write(f"pygent: {clean(str(error))}\n")
        return 1


def _dispatch(store: Store, command: str, rest: Sequence[str]) -> int:
    parser = _PARSERS.get(command)
    if parser is None:
        return _not_understood(f"`sessions {command}`")
    try:
        found = parser().parse_args(list(rest))
    except _NotUnderstoodError as error:
        return _not_understood(f"`sessions {command}`: {error}")
    match command:
        case "list":
            folder = None if found.workspace is None else os.path.realpath(Path(found.workspace).expanduser())
            listed = store.sessions(workspace=folder, limit=found.limit)
            _print(map(_object, listed) if found.format == "json" else _rows(listed))
        case "search":
            _search(store, " ".join(found.words), found.format)
        case "show":
            one = store.find(found.id)
            sys.stdout.write(export(store.events(one.id), "markdown", title=one.title))
        case "export":
            _export(store, store.find(found.id), found)
        case "undo" | "redo":
            from pygent.commands import taking_back  # noqa: PLC0415 - brings the session's parts

            one = store.find(found.id) if found.id else last_session(store, os.path.realpath(Path.cwd()))
            return taking_back.run(open_store, one, command, steps=found.steps, yes=found.yes)
        case "delete":
            _delete(store, [store.find(prefix) for prefix in found.ids])
    return 0


class _NotUnderstoodError(Exception):
    """What stands behind the command cannot be understood."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _NotUnderstoodError(message)

    def format_help(self) -> str:
        return f"{HELP}\n"


def _list_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("--workspace")
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser


def _search_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("words", nargs="+")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    return parser


def _show_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("id")
    return parser


def _export_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("id")
    parser.add_argument("form", nargs="?", choices=FORMATS)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--output", "-o", type=Path)
    return parser


def _delete_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("ids", nargs="+")
    return parser


def _undo_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("id", nargs="?")
    parser.add_argument("--steps", type=_count, default=1)
    parser.add_argument("--yes", "-y", action="store_true")
    return parser


def _redo_parser() -> _Parser:
    parser = _Parser()
    parser.add_argument("id", nargs="?")
    parser.add_argument("--yes", "-y", action="store_true")
    parser.set_defaults(steps=1)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps; use 1 or more")
    return int(text)


_PARSERS = {
    "list": _list_parser,
    "search": _search_parser,
    "show": _show_parser,
    "export": _export_parser,
    "undo": _undo_parser,
    "redo": _redo_parser,
    "delete": _delete_parser,
}


def _not_understood(what: str) -> int:
    sys.stderr.write(f"pygent: {what} is not understood\n{HELP}\n")
    return _USAGE


def _search(store: Store, text: str, form: str) -> None:
    found = store.search(text)
    _print(map(_object, found) if form == "json" else _found(found))
    if store.search_note:
        sys.stderr.write(f"pygent: every session was read: {store.search_note}\n")


def _export(store: Store, session: StoredSession, found: argparse.Namespace) -> None:
    file: Path | None = found.output
    form = found.format or found.form or (format_of(file.name) if file is not None else "markdown")
    secrets = secrets_of(load(workspace=Path.cwd(), forgiving=True))
    text = export(store.events(session.id), form, title=session.title, secrets=secrets)
    if file is None:
        sys.stdout.write(text)
        return
    try:
        write_new(file.expanduser(), text)
    except OSError as error:
        raise PygentError(f"{file} cannot be written: {error.strerror or error}") from error
    _print([f"written to {file}"])


def _object(session: StoredSession) -> str:
    names = ("id", "title", "workspace", "model", "started_at", "updated_at")
    return escaped(json.dumps({name: getattr(session, name) for name in names}, ensure_ascii=False))


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
