"""The full-screen application in a browser, through textual-serve.

``serve`` starts one ``pygent`` process for each browser that connects. ``serve_agent`` shows the agent of this very
process, to one browser at a time. Both listen on loopback unless told otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pygent.errors import PygentError

if TYPE_CHECKING:
    from aiohttp.web import Application
    from textual.app import App

    from pygent.agent import Agent

HOST = "127.0.0.1"
PORT = 8000
MISSING = "the browser mode needs textual-serve; install it with: pip install 'pygent[web]'"


def serve(options: Sequence[str] = (), *, host: str = HOST, port: int = PORT) -> None:
    """Serve ``pygent`` with these command line options until interrupted; the URL is printed to standard output.

    Raises ``PygentError`` where textual-serve is missing or the address cannot be used.
    """
    command = shlex.join([sys.executable, "-m", "pygent", *options])
    _run(_server_class()(command, host=host, port=_checked(host, port), title="Pygent"))


def serve_agent(agent: Agent, *, host: str = HOST, port: int = PORT) -> None:
    """Serve the application on ``agent`` until interrupted; the URL is printed to standard output.

    Raises what ``serve`` raises.
    """
    from textual import constants  # noqa: PLC0415 - the screen's library, only when there is a screen

    from pygent.tui.app import agent_app  # noqa: PLC0415

    vars(constants)["COLOR_SYSTEM"] = (
        "truecolor"  # a browser shows all colours, whatever terminal this was started from
    )
    server = _server_class()("pygent", host=host, port=_checked(host, port), title="Pygent")
    server.make_app = lambda: agent_app(agent)
    _run(server)


def _checked(host: str, port: int) -> int:
    """``port`` if it is free, a free one for 0."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise PygentError(
                f"cannot listen on {host}:{port}: {error}; choose another with --host and --port"
            ) from error
        return int(probe.getsockname()[1])


def _run(server: Any) -> None:
    try:
        server.serve()
    except KeyboardInterrupt:
        return


def _server_class() -> Any:
    try:
        from textual_serve.server import Server  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise PygentError(MISSING) from error

    class PygentServer(Server):
        """Says only its URL, and can show an application of this process."""

        make_app: Callable[[], App[Any]] | None = None
        _shown: asyncio.Lock

        def initialize_logging(self) -> None:
            logging.getLogger("textual-serve").setLevel(logging.ERROR)

        async def on_startup(self, app: Application) -> None:
            self._shown = asyncio.Lock()
            sys.stdout.write(f"{self.public_url}\n")
            sys.stdout.flush()
            sys.stderr.write("Open this address in a browser. Ctrl+C ends it.\n")

        def restore_signals(self) -> None:
            """Take the signals back from an application that has ended; it had them for itself."""
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.request_exit)

        async def handle_websocket(self, request: Any) -> Any:
            if self.make_app is None:
                return await super().handle_websocket(request)
            from aiohttp import web  # noqa: PLC0415 - comes with the extra

            from pygent.web_app_service import show_app  # noqa: PLC0415 - needs the extra

            if self._shown.locked():
                raise web.HTTPConflict(text="another browser shows this agent; close it first")
            async with self._shown:
                return await show_app(self, request, self.make_app())

    return PygentServer
