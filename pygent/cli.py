"""The command line: reads it, merges the settings, and hands over to a front end or a subcommand.

Front ends are imported when they are chosen, so that none pays for another.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygent import settings as config
from pygent.commands.command_line import Arguments, options, parse, terminal_prompt
from pygent.errors import PygentError, SettingsError
from pygent.settings import Settings

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.store import Store, StoredSession

__all__ = ["Arguments", "main", "options", "parse", "settings_for"]

OPENING = 3.0
"""Seconds from the first frame in which hardly anything is made but what stays: modules, a resumed conversation."""

LONGEST_COLLECTION = 0.01
"""Seconds that a look through all objects for garbage may take, more or less."""

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


def settings_for(args: Arguments, *, forgiving: bool = False) -> Settings:
    """The merged settings of a command line; the workspace is the current folder unless another is named.

    Variables given with ``-e`` are set in this process. Raises ``SettingsError``, save where it is ``forgiving`` and
    the mistakes are in files.
    """
    merged = config.load(
        workspace=_current_folder(), config_file=args.config, options=options(args), forgiving=forgiving
    )
    names = [item.partition("=")[0].strip() for item in args.values.get("env", ())]
    config.set_variables({name: merged.env[name] for name in names})
    return merged


def _dispatch(args: Arguments) -> int:
    command = args.command
    if command in {"config", "personas", "doctor"}:
        return _own_command(args)
    if command == "sessions":
        from pygent.commands import sessions  # noqa: PLC0415

        return sessions.main(args.words)
    if command == "replay":
        from pygent.commands import replay  # noqa: PLC0415

        return replay.main(args.words, settings_for(args, forgiving=True), _open_store)
    if command == "tasks":
        from pygent.commands import tasks  # noqa: PLC0415

        return tasks.main(args.words)
    settings = settings_for(args, forgiving=not args.headless)  # a screen can tell what is wrong
    if command is None and not args.headless:
        return _tui(settings, args)
    _collect_from_now_on()
    if command == "serve":
        from pygent import web  # noqa: PLC0415

        password = config.web_password(args.password_file)
        web.serve(args.forwarded(), host=args.host, port=args.port, settings=settings, password=password)
        return 0
    return _headless(settings, args)


def _own_command(args: Arguments) -> int:
    out = sys.stdout
    if args.command == "doctor":
        if args.values.get("model") is not None:
            from pygent.commands import model_check  # noqa: PLC0415

            return model_check.run(settings_for(args), out, as_json=args.as_json, save=args.save)
        if args.save:
            raise SettingsError("--save goes with --model NAME", key="save")
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
    return headless.run_headless(_session(settings, args, interactive=False), prompt, output_format=form)


def _tui(settings: Settings, args: Arguments) -> int:
    if why := config.no_screen():
        raise SettingsError(
            f"no full-screen application can be shown here: {why}; pygent -p PROMPT needs none", key="term"
        )
    from pygent.tui.app import run_tui  # noqa: PLC0415

    prompt = args.prompt or (_demo_prompt() if args.demo else None)
    choose = args.resume == "" and not args.demo
    session = _session(settings, replace(args, resume=None) if choose else args, interactive=True)
    return run_tui(session, prompt, on_first_frame=_collect_in_short, choose_session=choose, fork=args.fork)


def _collect_from_now_on() -> None:
    """Ends what the launcher began: no collection while nothing but what stays is made."""
    gc.freeze()
    gc.enable()


def _collect_in_short() -> None:
    """The same for a screen, which nothing may stop for longer than a key takes; begun once the session is open."""
    timer = threading.Timer(OPENING, _collect_and_freeze)
    timer.daemon = True
    timer.start()


def _collect_and_freeze() -> None:
    _collect_from_now_on()
    began = 0.0

    def collected(phase: str, info: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = time.perf_counter()
        elif info["generation"] == 2 and time.perf_counter() - began > LONGEST_COLLECTION:
            gc.freeze()  # what has stayed until now stays: modules, the transcript; the next collection is short

    gc.callbacks.append(collected)


def _demo_prompt() -> str:
    from pygent.models.demo import PROMPT  # noqa: PLC0415 - the demo only

    return PROMPT


def _session(settings: Settings, args: Arguments, *, interactive: bool) -> Session:
    from pygent.session import Session  # noqa: PLC0415

    if args.demo:
        return Session(settings, demo=True, interactive=interactive)
    return Session(settings, interactive=interactive, store=_open_store, resume=_resumed(settings, args))


def _open_store() -> Store:
    from pygent.commands.sessions import open_store  # noqa: PLC0415 - the store opens once a screen is drawn

    return open_store()


def _resumed(settings: Settings, args: Arguments) -> str | None:
    """The id of the session to go on with. Raises ``SettingsError`` where it cannot be told which."""
    if args.resume is None and not args.continue_last:
        return None
    if settings.source("snapshot").startswith("--"):
        text = "--load begins a session, --resume and --continue go on with one: give one of them"
        raise SettingsError(text, key="snapshot")
    store = _open_store()
    try:
        chosen = _chosen(store, settings, args)
        if not args.fork:
            return chosen.id
        from pygent.forks import fork  # noqa: PLC0415 - where it is asked for

        return fork(store, chosen).id
    finally:
        store.close()


def _chosen(store: Store, settings: Settings, args: Arguments) -> StoredSession:
    from pygent.commands.sessions import last_session  # noqa: PLC0415
    from pygent.plain_text import one_line  # noqa: PLC0415
    from pygent.store import StoreError  # noqa: PLC0415

    folder = str(settings.workspace or Path.cwd())
    try:
        if args.resume is None:
            return last_session(store, folder)
        if args.resume:
            return store.find(args.resume)
    except StoreError as error:
        raise SettingsError(str(error), key="resume") from error
    found = store.sessions(workspace=folder, limit=10)
    rows = [f"\n  {item.id[:8]}  {item.age:>10}  {one_line(item.title, 60)}" for item in found]
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
