"""The full-screen application in a browser, through textual-serve.

``serve`` starts a ``pygent`` process for each session that a browser begins. ``serve_agent`` shows the agent of this
very process, to one browser at a time. Both listen on loopback unless told otherwise, and let in who has the address
that is printed, which works once, or the password.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pygent.errors import PygentError, SettingsError

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.events import Event
    from pygent.settings import Settings
    from pygent.tui.app import PygentApp

HOST = "127.0.0.1"
PORT = 8000
MISSING = "the browser mode needs textual-serve; install it with: pip install 'pygent[web]'"


def serve(
    options: Sequence[str] = (),
    *,
    host: str = HOST,
    port: int = PORT,
    settings: Settings | None = None,
    password: str | None = None,
) -> None:
    """Serve ``pygent`` with these command line options until interrupted; the URL is printed to standard output.

    ``port`` 0 stands for any free one. ``settings`` say how long a session is kept while no browser shows it, and how
    many there can be; None: as the environment says. Who gives ``password`` gets in. Raises ``PygentError`` where
    textual-serve is missing or the address cannot be used, ``SettingsError`` where other machines would reach it and
    there is no password.
    """
    words = [sys.executable, "-m", "pygent", *options]
    _server(words, host, port, settings, password).serve()


def serve_agent(agent: Agent, *, host: str = HOST, port: int | None = None, password: str | None = None) -> None:
    """Serve the application on ``agent`` until interrupted; the URL is printed to standard output.

    ``port`` None stands for 8000, or any free one where that is taken. Who gives ``password`` gets in.

    A browser that comes after another sees what was said before. To be called in the main thread, which gets the
    signals. Raises what ``serve`` raises.
    """
    past: list[Event] = []

    def keep(event: Event) -> None:
        if event.durable:
            past.append(event)

    def make_app() -> PygentApp:
        from pygent.tui.app import agent_app  # noqa: PLC0415 - the screen, only when it is shown

        app = agent_app(agent)
        if past:
            app.session.past = [*past]
            app.session.bus.go_on_after(past[-1].seq)
        app.session.subscribe(keep)
        return app

    _server(make_app, host, port, None, password).serve()


def _server(source: Any, host: str, port: int | None, settings: Settings | None, password: str | None) -> Any:
    try:
        import textual_serve  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise PygentError(MISSING) from error
    from pygent.settings import from_environment  # noqa: PLC0415 - only here
    from pygent.web.hosts import is_loopback  # noqa: PLC0415 - only here
    from pygent.web.server import PygentServer  # noqa: PLC0415 - needs the extra, and is slow to import

    if password is None and not is_loopback(host):
        raise SettingsError(
            f"--host {host} lets other machines in, so it needs a password: put one into a file of yours and give "
            f"--password-file FILE, or set PYGENT_WEB_PASSWORD. Without one it listens on {HOST} only.",
            key="host",
        )
    settings = from_environment() if settings is None else settings
    return PygentServer(source, host=host, port=port, settings=settings, password=password)
