"""The web server: one page, one web socket for each browser, and nothing left behind when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
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
from pygent.web_app_service import GRACE, InProcessService, ProcessService, Service

PAGE = Path(__file__).parent / "web_page.html"
LONGEST_MESSAGE = 64 * 1024 * 1024
"""Bytes that a browser may send at once: what a person pastes comes as one message."""
TAKEN = "\r\n  Another browser shows this agent. Close it there, then load this page again.\r\n"
LAST_WORDS = 2.0
"""Seconds that the connections have for their end; aiohttp cuts them then."""

Source = Sequence[str] | Callable[[], App[Any]]
"""What is shown: the words of a command that each browser gets a process of, or what makes an application."""


class PygentServer(Server):
    """textual-serve's server with a page of its own, which loads nothing from elsewhere.

    It says only its URL, on standard output. ``serve`` returns after SIGINT, SIGTERM or SIGHUP.
    """

    def __init__(self, source: Source, *, host: str, port: int, or_any_port: bool = False) -> None:
        super().__init__("pygent", host=host, port=port, title="Pygent")
        self._source = source
        self._or_any_port = or_any_port
        self._services: dict[Service, web.WebSocketResponse] = {}
        self._shown = asyncio.Lock()

    def serve(self, debug: bool = False) -> None:
        """Serve until a signal comes. Raises ``PygentError`` where the address cannot be used."""
        logging.getLogger("textual-serve").setLevel(logging.CRITICAL)  # what goes wrong is told by us
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
            self._tell_url()
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

    def _tell_url(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.public_url = f"http://{host}:{self.port}"
        sys.stdout.write(f"{self.public_url}\n")
        sys.stdout.flush()
        if not _is_loopback(self.host):
            sys.stderr.write("Warning: whoever reaches this address can use the agent and its commands.\n")
        sys.stderr.write("Open this address in a browser. Ctrl+C ends it.\n")
        sys.stderr.flush()

    async def _make_app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/ws", self.handle_websocket),
                web.get("/download/{key}", self.handle_download),
                web.static("/static", self.statics_path),
            ]
        )
        app.on_shutdown.append(self.on_shutdown)
        return app

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text=PAGE.read_text("utf-8"), content_type="text/html")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Show the application to one browser until either of them ends."""
        websocket = web.WebSocketResponse(heartbeat=15, timeout=1, max_msg_size=LONGEST_MESSAGE)
        await websocket.prepare(request)
        if not callable(self._source):
            await self._show(request, websocket)
        elif await self._is_our_turn():
            try:
                await self._show(request, websocket)
            finally:
                self._shown.release()
        else:
            await websocket.send_bytes(TAKEN.encode())
            await websocket.receive()
        await websocket.close()
        return websocket

    async def _is_our_turn(self) -> bool:
        """Only one browser at a time; a page that is loaded again comes back before its old connection has ended."""
        try:
            async with asyncio.timeout(GRACE + 0.5):
                return await self._shown.acquire()
        except TimeoutError:
            return False

    async def _show(self, request: web.Request, websocket: web.WebSocketResponse) -> None:
        service = self._service(websocket)
        self._services[service] = websocket
        try:
            await service.start(_size(request, "width", 80), _size(request, "height", 24))
            await self._process_messages(websocket, service)
        finally:
            await service.stop()
            del self._services[service]

    def _service(self, websocket: web.WebSocketResponse) -> Service:
        async def close() -> None:
            await websocket.close()

        kind: Any = InProcessService if callable(self._source) else ProcessService
        service: Service = kind(
            self._source,
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=close,
            download_manager=self.download_manager,
        )
        return service

    async def _process_messages(self, websocket: web.WebSocketResponse, app_service: Any) -> None:
        async for message in websocket:
            if message.type != WSMsgType.TEXT:
                continue
            with contextlib.suppress(ValueError, TypeError, LookupError):  # not from our page
                kind, *values = json.loads(message.data)
                await _pass_on(kind, values, websocket, app_service)

    async def on_shutdown(self, app: web.Application) -> None:
        """End every application, soon."""
        shown = dict(self._services)
        for service in shown:
            service.hurry()
        await asyncio.gather(
            *(service.stop() for service in shown),
            *(websocket.close(code=1001) for websocket in shown.values()),
            return_exceptions=True,
        )


async def _pass_on(kind: str, values: list[Any], websocket: web.WebSocketResponse, service: Service) -> None:
    if kind == "stdin":
        await service.send_bytes(str(values[0]).encode("utf-8", "replace"))
    elif kind == "resize":
        await service.set_terminal_size(int(values[0]["width"]), int(values[0]["height"]))
    elif kind == "ping":
        await websocket.send_json(["pong", values[0]])
    elif kind == "blur":
        await service.blur()
    elif kind == "focus":
        await service.focus()


def _size(request: web.Request, name: str, default: int) -> int:
    value = request.query.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and 0 < int(value[:6]) < 2000 else default


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
