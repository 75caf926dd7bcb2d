"""The full-screen application in a browser, through textual-serve.

``serve`` starts one ``pygent`` process for each browser that connects. ``serve_agent`` shows the agent of this very
process, to one browser at a time. Both listen on loopback unless told otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pygent.errors import PygentError

if TYPE_CHECKING:
    from pygent.agent import Agent
    from pygent.events import Event
    from pygent.tui.app import PygentApp

HOST = "127.0.0.1"
PORT = 8000
MISSING = "the browser mode needs textual-serve; install it with: pip install 'pygent[web]'"


def serve(options: Sequence[str] = (), *, host: str = HOST, port: int = PORT) -> None:
    """Serve ``pygent`` with these command line options until interrupted; the URL is printed to standard output.

    ``port`` 0 stands for any free one. Raises ``PygentError`` where textual-serve is missing or the address cannot be
    used.
    """
    _server()([sys.executable, "-m", "pygent", *options], host=host, port=port).serve()


def serve_agent(agent: Agent, *, host: str = HOST, port: int | None = None) -> None:
    """Serve the application on ``agent`` until interrupted; the URL is printed to standard output.

    ``port`` None stands for 8000, or any free one where that is taken.

    A browser that comes after another sees what was said before. To be called in the main thread, which gets the
    signals. Raises what ``serve`` raises.
    """
    server = _server()  # where it is missing that is told before anything starts
    from pygent.tui.app import agent_app  # noqa: PLC0415 - the screen, only when it is shown

    past: list[Event] = []

    def keep(event: Event) -> None:
        if event.durable:
            past.append(event)

    def make_app() -> PygentApp:
        app = agent_app(agent)
        if past:
            app.session.past = [*past]
            app.session.bus.go_on_after(past[-1].seq)
        app.session.subscribe(keep)
        return app

    server(make_app, host=host, port=PORT if port is None else port, or_any_port=port is None).serve()


def _server() -> Any:
    try:
        import textual_serve  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise PygentError(MISSING) from error
    from pygent.web_server import PygentServer  # noqa: PLC0415 - needs the extra, and is slow to import

    return PygentServer
