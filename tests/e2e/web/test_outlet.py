"""What goes to a browser that does not read, over a real web socket."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import pytest
from aiohttp import web

from pygent.web.outlet import MOST_BYTES, Outlet


@pytest.mark.hostile(77, 78)
@pytest.mark.parametrize("reads_again", [True, False])
async def test_what_a_browser_does_not_read_is_dropped_and_drawn_anew(*, reads_again: bool) -> None:
    outlets: list[Outlet] = []
    repaints: list[int] = []
    over = asyncio.Event()

    async def handler(request: web.Request) -> web.WebSocketResponse:
        web_socket = web.WebSocketResponse(compress=False)
        await web_socket.prepare(request)
        assert request.transport is not None
        outlet = Outlet(web_socket, request.transport.abort)
        outlet.repaint = lambda: (repaints.append(1), outlet.put("drawn anew"))
        outlets.append(outlet)
        await outlet.run()
        over.set()
        return web_socket

    app = web.Application()
    app.router.add_get("/", handler)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{runner.addresses[0][1]}", compress=0) as browser,
        ):
            assert browser._response.connection is not None
            transport = browser._response.connection.transport
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()
            piece = b"x" * 65536
            most = 0
            for _ in range(64 * 1024 * 1024 // len(piece)):
                outlets[0].put(piece)  # never waits, whatever the browser does
                most = max(most, outlets[0].waiting)
                await asyncio.sleep(0)
            assert most <= MOST_BYTES
            assert repaints == []
            if reads_again:
                transport.resume_reading()
                async with asyncio.timeout(20):
                    while (message := await browser.receive()).data != "drawn anew":
                        assert message.type == aiohttp.WSMsgType.BINARY
                assert repaints == [1]
                outlets[0].finish(4000, "bye")
                await browser.receive()
                assert browser.close_code == 4000
            else:
                outlets[0].finish(4000, "bye")  # the last words are not waited for either
            async with asyncio.timeout(8):
                await over.wait()
            with contextlib.suppress(Exception):
                transport.abort()
    finally:
        await runner.cleanup()
