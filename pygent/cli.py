"""The command line: reads it, merges the settings, and hands over to a front end or a subcommand.

Front ends are imported when they are chosen, so that none pays for another.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent import settings as config
from pygent.commands.arguments import Arguments, options, parse, terminal_prompt
from pygent.errors import PygentError, SettingsError
from pygent.settings import Settings

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.store import Store

__all__ = ["Arguments", "main", "options", "parse", "settings_for"]

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``argv`` (without the program's name); answers the exit code. Complaints are told in words."""
    try:
        return _dispatch(parse(sys.argv[1:] if argv is None else argv))
    except SettingsError as error:
        return _complain(error, EXIT_USAGE)
    except PygentError as error:
        return _complain(error, EXIT_FAILED)
    except BrokenPipeError:  # whoever read our output has gone, as with `| head`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - what is left goes nowhere
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def settings_for(args: Arguments) -> Settings:
    """The merged settings of a command line; the workspace is the current folder unless another is named.

    Variables given with ``-e`` are set in this process. Raises ``SettingsError``.
    """
    merged = config.load(workspace=_current_folder(), config_file=args.config, options=options(args))
    names = [item.partition("=")[0].strip() for item in args.values.get("env", ())]
    config.set_variables({name: merged.env[name] for name in names})
    return merged


def _dispatch(args: Arguments) -> int:
    command = args.command
    if command in {"config", "personas", "doctor"}:
        return _own_command(args)
    if command in {"sessions", "replay"}:
        from pygent.commands import sessions  # noqa: PLC0415

        return sessions.main(args.words if command == "sessions" else ("show", *args.words))
    settings = settings_for(args)
    if command == "serve":
        from pygent import web  # noqa: PLC0415

        web.serve(args.forwarded(), host=args.host, port=args.port)
        return 0
    return _headless(settings, args) if args.headless else _tui(settings, args)


def _own_command(args: Arguments) -> int:
    out = sys.stdout
    if args.command == "doctor":
        from pygent.commands import doctor  # noqa: PLC0415

        return doctor.run(lambda: settings_for(args), out, as_json=args.as_json)
    if args.command == "personas":
        from pygent.commands import personas  # noqa: PLC0415

        return personas.run(settings_for(args), args.words, out, as_json=args.as_json)
    from pygent.commands import config as command  # noqa: PLC0415

    return command.run(lambda: settings_for(args), args.words, out, sys.stderr, as_json=args.as_json)


def _headless(settings: Settings, args: Arguments) -> int:
    from pygent import headless  # noqa: PLC0415
    from pygent.session import Session  # noqa: PLC0415

    prompt = terminal_prompt(args)
    if prompt is None:
        from pygent.models.demo import PROMPT  # noqa: PLC0415 - the demo only

        prompt = PROMPT
    prompt = headless.read_prompt(prompt)
    form: Any = args.output_format
    with _stored(settings, args) as (settings, store, resume):
        session = Session(settings, demo=args.demo, interactive=False, store=store, resume=resume)
        return headless.run_headless(session, prompt, output_format=form)


def _tui(settings: Settings, args: Arguments) -> int:
    from pygent.session import Session  # noqa: PLC0415
    from pygent.tui.app import run_tui  # noqa: PLC0415

    with _stored(settings, args) as (settings, store, resume):

        def changed(changes: Mapping[str, Any]) -> Session:
            """What the set-up screen asks for: the same session on other settings."""
            values = {key: value for key, value in changes.items() if key != "demo" and value is not None}
            demo = bool(changes.get("demo"))
            return Session(replace(settings, **values), demo=demo, store=None if demo else store)

        session = Session(settings, demo=args.demo, store=store, resume=resume)
        return run_tui(session, args.prompt, session_factory=changed)


@contextmanager
def _stored(settings: Settings, args: Arguments) -> Iterator[tuple[Settings, Store | None, str | None]]:
    """Where a session is kept and which one goes on; the demo is kept nowhere.

    A store that cannot be opened is a notice, unless it is needed. Raises ``SettingsError`` where it cannot be told
    which session is meant.
    """
    from pygent.commands.sessions import open_store  # noqa: PLC0415
    from pygent.store import StoreError  # noqa: PLC0415

    if args.demo:
        yield settings, None, None
        return
    try:
        store = open_store()
    except StoreError as error:
        if args.resume is not None or args.continue_last:
            raise
        yield replace(settings, notices=(*settings.notices, f"{error}. This session is not kept.")), None, None
        return
    try:
        yield settings, store, _resumed(store, settings, args)
    finally:
        store.close()


def _resumed(store: Store, settings: Settings, args: Arguments) -> str | None:
    """The id of the session to go on with. Raises ``SettingsError`` where it cannot be told which."""
    from pygent.commands.sessions import last_session  # noqa: PLC0415
    from pygent.plain_text import one_line  # noqa: PLC0415
    from pygent.store import StoreError, age  # noqa: PLC0415

    if args.resume is None and not args.continue_last:
        return None
    folder = str(settings.workspace or Path.cwd())
    try:
        if args.resume is None:
            return last_session(store, folder).id
        if args.resume:
            return store.find(args.resume).id
    except StoreError as error:
        raise SettingsError(str(error), key="resume") from error
    found = store.sessions(workspace=folder, limit=10)
    rows = [f"\n  {item.id[:8]}  {age(item.updated_at):>10}  {one_line(item.title, 60)}" for item in found]
    if not rows:
        raise SettingsError(f"no session is stored for {folder}", key="resume")
    raise SettingsError(f"which one? pygent --resume ID{''.join(rows)}", key="resume")


def _complain(error: PygentError, code: int) -> int:
    from pygent.plain_text import clean  # noqa: PLC0415

    sys.stderr.write("".join(f"pygent: {line}\n" for line in clean(str(error)).splitlines()))
    if isinstance(error, SettingsError) and error.file is None and error.key is None:
        sys.stderr.write("usage: pygent [OPTIONS] [PROMPT]; pygent --help tells all\n")
    return code


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise SettingsError("the current folder is gone; name another with --workspace", key="workspace") from None
