"""The web server: one page, one web socket for each browser, and nothing left behind when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from textual.app import App
from textual_serve.server import Server

from pygent.errors import PygentError
from pygent.settings import Settings
from pygent.web.app_service import InProcessService, ProcessService, Service
from pygent.web.guard import TOKEN, Guard
from pygent.web.hosts import Hosts, is_loopback
from pygent.web.keys import Keys
from pygent.web.outlet import Outlet
from pygent.web.shown import CHOOSE, GONE, AllShown, Shown

FOLDER = Path(__file__).parent
FILES = {"page.js": "text/javascript", "page.css": "text/css"}
USUAL_PORT = 8000
LONGEST_MESSAGE = 1024 * 1024
"""Bytes that a browser may send at once. The page sends what a person pastes in pieces."""
MOST_SOCKETS = 64
"""Connections at once, those that wait for a person's choice included."""
LARGEST = 1000
"""Columns and rows of the largest terminal."""
LAST_WORDS = 2.0
"""Seconds that the connections have for their end; aiohttp cuts them then."""

Source = Sequence[str] | Callable[[], App[Any]]
"""What is shown: the words of a command that each session gets a process of, or what makes an application."""


class PygentServer(Server):
    """textual-serve's server behind a door, with a page of its own, which loads nothing from elsewhere.

    It says only its URL, on standard output. ``serve`` returns after SIGINT, SIGTERM or SIGHUP. ``port`` None is the
    usual one, or any where that is taken.
    """

    def __init__(
        self, source: Source, *, host: str, port: int | None, settings: Settings, password: str | None = None
    ) -> None:
        super().__init__("pygent", host=host, port=USUAL_PORT if port is None else port, title="Pygent")
        self._source = source
        self._or_any_port = port is None
        self._settings = settings
        self._keys = Keys(password)
        self._sockets = 0
        self._all = AllShown(
            self._service, keep=settings.web_keep, most=1 if callable(source) else settings.web_sessions
        )

    def serve(self, debug: bool = False) -> None:
        """Serve until a signal comes. Raises ``PygentError`` where the address cannot be used."""
        for name in ("textual-serve", "aiohttp.server", "aiohttp.web"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what goes wrong is told by us, without addresses
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._serve())

    async def _serve(self) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup means it
                    loop.add_signal_handler(number, ended.set)
        runner = web.AppRunner(await self._make_app(), access_log=None, shutdown_timeout=LAST_WORDS)
        await runner.setup()
        try:
            try:
                await self._listen(runner)
            except (OSError, OverflowError) as error:
                code = getattr(error, "errno", None) or 0
                why = os.strerror(code) if code > 0 else error
                raise PygentError(
                    f"cannot listen on {self.host}:{self.port}: {why}; choose another with --host and --port"
                ) from error
            self.port = runner.addresses[0][1]
            self._tell()
            await ended.wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not self._or_any_port:
                raise
            await web.TCPSite(runner, self.host, 0).start()

    def _tell(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.public_url = f"http://{host}:{self.port}"
        sys.stdout.write(f"{self._address()}\n")
        sys.stdout.flush()
        keep = self._settings.web_keep
        who = (
            "only programs of this machine reach it"
            if is_loopback(self.host)
            else "other machines reach it, and need the password; nothing is encrypted on the way"
        )
        kept = f"goes on for {_duration(keep)} without its tab" if keep else "ends with its tab"
        sys.stderr.write(
            f"Listening on {host}:{self.port}: {who}.\n"
            "Open this address in a browser: it lets one in, once. Who is in runs commands with your rights.\n"
            f"A session {kept}. Ctrl+C ends the server and all its sessions.\n"
        )
        sys.stderr.flush()

    def _address(self) -> str:
        return f"{self.public_url}/?{TOKEN}={self._keys.token}"

    def _token_used(self) -> None:
        """The next address goes to a terminal only: what is written elsewhere may be kept."""
        sys.stderr.write("A browser was let in with the address, which is used up now.\n")
        if sys.stderr.isatty():
            sys.stderr.write(f"For another browser: {self._address()}\n")
        sys.stderr.flush()

    async def _make_app(self) -> web.Application:
        app = web.Application(client_max_size=4096)
        Guard(self._keys, Hosts(self.host, self._settings.web_hosts), self._token_used).join(app)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/page/{name}", self._file),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text=(FOLDER / "page.html").read_text("utf-8"), content_type="text/html")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in FILES:
            raise web.HTTPNotFound
        return web.Response(text=(FOLDER / name).read_text("utf-8"), content_type=FILES[name])

    async def handle_websocket(self, request: web.Request) -> Any:
        """Show an application to one browser until either of them goes."""
        if self._sockets >= MOST_SOCKETS:
            return web.Response(status=503, text=f"{MOST_SOCKETS} tabs are open; close one.\n")
        self._sockets += 1
        try:
            websocket = web.WebSocketResponse(heartbeat=15, timeout=1, max_msg_size=LONGEST_MESSAGE)
            await websocket.prepare(request)
            transport = request.transport
            outlet = Outlet(websocket, transport.abort if transport is not None else lambda: None)
            sending = asyncio.create_task(outlet.run())
            try:
                await self._show(request, websocket, outlet)
            finally:
                outlet.finish(1000)
                await asyncio.wait({sending})
            return websocket
        finally:
            self._sockets -= 1

    async def _show(self, request: web.Request, websocket: web.WebSocketResponse, outlet: Outlet) -> None:
        width, height = _size(request.query.get("width"), 80), _size(request.query.get("height"), 24)
        shown = await self._chosen(request.query.get("app", ""), "back" in request.query, outlet, width, height)
        if shown is not None:
            await shown.attach(outlet, width, height)
        try:
            async for message in websocket:
                if message.type == WSMsgType.TEXT and shown is not None and shown.outlet is outlet:
                    with contextlib.suppress(ValueError, TypeError, LookupError, RecursionError):  # not from our page
                        kind, *values = json.loads(message.data)
                        await _pass_on(kind, values, outlet, shown)
        finally:
            if shown is not None:
                await shown.detach(outlet)

    async def _chosen(self, key: str, back: bool, outlet: Outlet, width: int, height: int) -> Shown | None:
        """What this browser is to be shown. Where there is none it is told why."""
        if (found := self._all.find(key)) is not None:
            return found
        if back:
            outlet.finish(GONE)
            return None
        choices = self._all.choices()
        if key != "new":
            if (found := self._all.alone()) is not None:
                return found
            if choices:
                self._ask(outlet, choices)
                return None
        try:
            shown = await self._all.new(width, height)
        except OSError as error:
            sys.stderr.write(f"A session could not be started: {error}\n")
            outlet.put(json.dumps(["failed", f"A session could not be started: {error}"]))
            outlet.finish(CHOOSE)
            return None
        if shown is None:
            self._ask(outlet, self._all.choices())
        return shown

    def _ask(self, outlet: Outlet, choices: list[dict[str, Any]]) -> None:
        most = self._all.most
        outlet.put(json.dumps(["choose", {"sessions": choices, "most": most, "full": len(choices) >= most}]))
        outlet.finish(CHOOSE)

    def _service(self, shown: Shown) -> Service:
        kind: Any = InProcessService if callable(self._source) else ProcessService
        service: Service = kind(
            self._source,
            write_bytes=shown.write_bytes,
            write_str=shown.write_str,
            close=shown.close,
            show_title=shown.show_title,
            download_manager=self.download_manager,
        )
        return service

    async def on_shutdown(self, app: web.Application) -> None:
        """End every application, soon."""
        await self._all.end_all()


async def _pass_on(kind: str, values: list[Any], outlet: Outlet, shown: Shown) -> None:
    if kind == "stdin":
        await shown.service.send_bytes(str(values[0]).encode("utf-8", "replace"))
    elif kind == "resize":
        await shown.resize(_size(values[0]["width"], 80), _size(values[0]["height"], 24))
    elif kind == "ping":
        outlet.put(json.dumps(["pong", str(values[0])[:40]]))
    elif kind == "blur":
        await shown.service.blur()
    elif kind == "focus":
        await shown.service.focus()
    elif kind == "end":
        shown.end()


def _size(value: Any, default: int) -> int:
    text = str(value)
    return min(int(text), LARGEST) if text.isascii() and text.isdigit() and len(text) < 7 and int(text) else default


def _duration(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
