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

    given = terminal_prompt(args)
    prompt = _demo_prompt() if given is None else headless.read_prompt(given)
    form: Any = args.output_format
    with _session(settings, args, interactive=False) as session:
        return headless.run_headless(session, prompt, output_format=form)


def _tui(settings: Settings, args: Arguments) -> int:
    from pygent.tui.app import run_tui  # noqa: PLC0415

    with _session(settings, args, interactive=True) as session:
        return run_tui(session, args.prompt or (_demo_prompt() if args.demo else None))


def _demo_prompt() -> str:
    from pygent.models.demo import PROMPT  # noqa: PLC0415 - the demo only

    return PROMPT


@contextmanager
def _session(settings: Settings, args: Arguments, *, interactive: bool) -> Iterator[Session]:
    """A session that is stored, unless it is the demo's or the store cannot be used, which is told."""
    from pygent.session import Session  # noqa: PLC0415

    if args.demo:
        yield Session(settings, demo=True, interactive=interactive)
        return
    from pygent.commands.sessions import open_store  # noqa: PLC0415
    from pygent.store import StoreError  # noqa: PLC0415

    try:
        store = open_store()
    except StoreError as error:
        if args.resume is not None or args.continue_last:
            raise
        told = (*settings.notices, f"This session is not stored: {error}")
        yield Session(replace(settings, notices=told), interactive=interactive)
        return
    try:
        resume = _resumed(store, settings, args)
        yield Session(settings, interactive=interactive, store=store, resume=resume)
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
