"""What ``pygent doctor`` checks on this machine."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pygent import settings as config
from pygent._version import __version__
from pygent.commands.check import Check
from pygent.errors import PygentError, SandboxError
from pygent.settings import Settings

COLUMNS, ROWS = 70, 20
"""The least screen on which all of the TUI can be used."""


def programs() -> Iterator[Check]:
    """This Pygent, its Python and the programs that it likes to have."""
    yield Check("pygent", "ok", f"{__version__}, Python {platform.python_version()} ({sys.executable})")
    posix = os.name == "posix"
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Check(
        "system", "ok" if posix else "warn", system if posix else f"{system}: commands need POSIX; use Docker"
    )
    git = shutil.which("git")
    yield Check("git", "ok" if git else "warn", git or "not found: changes cannot be shown or taken back with it")


def files(settings: Settings) -> Iterator[Check]:
    """The settings files that were found, and what they have to say."""
    found = [path for path in config.config_files(settings).values() if path.is_file()]
    names = ", ".join(str(path) for path in found)
    yield Check("settings", "ok", names or "no files; defaults, variables and options")
    for notice in settings.notices:
        yield Check("settings", "warn", notice)


def folders() -> Iterator[Check]:
    """Whether Pygent's own folders can be written."""
    for name, folder in (("config folder", config.config_dir()), ("data folder", config.data_dir())):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        usable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
        new = "" if folder.exists() else " (will be made)"
        text = f"{folder}{new}" if usable else f"{folder} cannot be written: look at {existing}"
        yield Check(name, "ok" if usable else "fail", text)


def sandboxes(settings: Settings) -> Iterator[Check]:
    """Docker and its image, and what holds commands that run on this machine."""
    wanted = settings.use_docker
    engine = docker(settings)
    if wanted is False and engine.state != "ok":
        engine = Check(engine.name, "ok", f"not used ({settings.source('use_docker')})")
    elif wanted is None and engine.state == "fail":
        engine = Check(engine.name, "warn", engine.text)
    yield engine
    yield on_this_machine(settings)


def docker(settings: Settings) -> Check:
    """Whether the engine answers and has the image; ``fail`` where no container could start."""
    from pygent.sandbox import docker_engine  # noqa: PLC0415

    endpoint = docker_engine.find_endpoint()
    try:
        docker_engine.ping(endpoint, 3.0)
    except SandboxError as error:
        return Check("docker", "fail", str(error))
    if endpoint is None:
        return Check("docker", "fail", "no engine was found")
    try:
        api = docker_engine.connect(endpoint)
        try:
            images = api.images(name=settings.image)
        finally:
            api.close()
    except Exception as error:  # the engine's package has errors of its own and of three libraries; all mean the same
        return Check("docker", "fail", docker_engine.explain(error, endpoint))
    where = f"{endpoint.url} answers"
    if images:
        return Check("docker", "ok", f"{where} and has the image {settings.image}")
    return Check("docker", "warn", f"{where}; the image {settings.image} will be pulled at the first start")


def on_this_machine(settings: Settings) -> Check:
    """Runs one command without a container, in a folder of its own, and says what confines it."""
    from pygent.sandbox import open_sandbox  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="pygent-doctor-") as name:
        root = Path(name) / "workspace"
        root.mkdir()
        try:
            sandbox = open_sandbox(
                root,
                use_docker=False,
                image=settings.image,
                network=False,
                env=config.command_environment(settings),
                spill_dir=Path(name) / "output",
                session_id="doctor",
                on_progress=lambda _text: None,
                local=settings.local_sandbox,
            )
            try:
                result = sandbox.run("echo ready", timeout=10)
                summary, confined = sandbox.summary, sandbox.confined
            finally:
                sandbox.close()
        except (PygentError, OSError) as error:
            return Check("local sandbox", "fail", f"commands cannot run on this machine: {error}")
    if result.status != "ok" or result.exit_status != 0:
        text = f"a trial command failed ({result.status}, status {result.exit_status}): {result.output}"
        return Check("local sandbox", "fail", text)
    if not confined and settings.local_sandbox != "off":
        from pygent.sandbox.bubblewrap import why_not  # noqa: PLC0415

        workspace = (settings.workspace or Path.cwd()).resolve()
        summary = f"{summary}; not sandboxed: {why_not(workspace, config.command_environment(settings))}"
    return Check("local sandbox", "ok" if confined else "warn", summary)


def screen() -> Check:
    """What the terminal can show."""
    terminal = config.terminal()
    columns, rows = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or locale.getpreferredencoding(False)).upper()
    facts = [f"{name}={value}" for name, value in terminal.items() if name != "SSH_CONNECTION"]
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Check("terminal", "ok", f"none here; pygent -p works without one ({encoding})")
    text = f"{columns}x{rows}, {encoding}, {' '.join(facts)}"
    faults = []
    if terminal.get("TERM", "dumb") == "dumb":
        faults.append("TERM is dumb or unset: the TUI needs a real one")
    if "UTF" not in encoding:
        faults.append("the encoding is not UTF-8: set LANG=C.UTF-8")
    if columns < COLUMNS or rows < ROWS:
        faults.append(f"smaller than {COLUMNS}x{ROWS}")
    return Check("terminal", "warn" if faults else "ok", "; ".join([text, *faults]))
