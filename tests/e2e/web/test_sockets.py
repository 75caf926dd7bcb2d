"""Web sockets that no page of ours would open: too many, too large, never read, left alone with what they began."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from tests.fakes.openai_server import FakeOpenAI, reply
from tests.fakes.serving import UPGRADE, Serving, gone, serving

SLEEPS = reply("I sleep.", tool_calls=[("bash", {"cmd": "sleep 4321", "timeout": 100})])


class Client:
    """A browser that was let in, as far as web sockets go."""

    def __init__(self, server: Serving) -> None:
        self.cookie = server.let_in()
        self.key = server.key(self.cookie)
        self.headers = dict([self.cookie, ("Origin", server.base)])
        self.session = aiohttp.ClientSession(server.base, headers=self.headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    def connect(self, query: str = "", **options: Any) -> Any:
        return self.session.ws_connect(f"/ws?key={self.key}{query}", **options)


async def until_drawn(web_socket: aiohttp.ClientWebSocketResponse, text: str = "ready") -> str:
    """Wait until ``text`` was drawn; answers the key of the session."""
    key, drawn = "", ""
    async with asyncio.timeout(60):
        while text not in drawn:
            message = await web_socket.receive()
            if message.type == aiohttp.WSMsgType.TEXT and json.loads(message.data)[0] == "app":
                key = json.loads(message.data)[1]
            elif message.type == aiohttp.WSMsgType.BINARY:
                drawn += message.data.decode("utf-8", "replace")
            else:
                assert message.type not in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE}, drawn
    return key


def memory(pid: int, line: str = "VmHWM") -> int:
    """Mebibytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition(f"{line}:")[2].split()[0]) // 1024


@pytest.mark.hostile(78)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_of_a_session_that_nobody_looks_at(home: dict[str, str], number: int) -> None:
    async def leave_it_alone() -> None:
        async with Client(server) as client, client.connect() as page:
            await until_drawn(page)
            await page.send_json(["stdin", "sleep\r"])
            await asyncio.to_thread(server.waits_for, "sleep 4321", 60)

    with (
        FakeOpenAI([SLEEPS]) as model,
        serving(home, "--permission-mode", "yolo", OPENAI_BASE_URL=model.url) as server,
    ):
        asyncio.run(leave_it_alone())
        below = server.below
        seconds, code, _, _ = server.end(number)
        assert code == (-9 if number == signal.SIGKILL else 0)
        assert seconds < 5
        assert gone(below)


def test_a_server_under_nohup_outlives_its_terminal(home: dict[str, str]) -> None:
    words = ["nohup", sys.executable, "-m", "pygent", "serve", "--port", "0", "--demo"]
    with serving(home, command=words) as server:
        server.process.send_signal(signal.SIGHUP)
        server.let_in()
        _, code, _, _ = server.end(signal.SIGTERM)
        assert code == 0


@pytest.mark.hostile(78)
def test_a_hundred_sockets(home: dict[str, str]) -> None:
    async def open_them() -> None:
        async with Client(server) as client:

            async def one() -> Any:
                try:
                    web_socket = await client.connect("&app=new", timeout=aiohttp.ClientWSTimeout(ws_close=1))
                except aiohttp.WSServerHandshakeError as error:
                    return error.status
                async for message in web_socket:
                    if message.type == aiohttp.WSMsgType.TEXT:
                        return json.loads(message.data)[0]
                return web_socket.close_code

            answers = await asyncio.gather(*(one() for _ in range(100)))
            assert answers.count("app") == 3
            assert set(answers) <= {"app", "choose", 503}
            assert len(server.apps()) == 3
            async with client.session.get("/page/page.js") as answer:
                assert answer.status == 200

    with serving(home, "--demo", PYGENT_WEB_SESSIONS="3") as server:
        asyncio.run(open_them())
        below = server.below
        _, code, _, err = server.end()
        assert code == 0
        assert "Traceback" not in err
        assert gone(below)


@pytest.mark.hostile(78)
def test_a_frame_of_a_hundred_megabytes(home: dict[str, str]) -> None:
    size = 100 * 1024 * 1024

    def send_raw(client: Client) -> int:
        """How many megabytes of it were taken."""
        head = [*UPGRADE.items(), *client.headers.items(), ("Host", f"127.0.0.1:{server.port}")]
        lines = "".join(f"{name}: {value}\r\n" for name, value in head)
        with socket.create_connection(("127.0.0.1", server.port), 20) as raw:
            raw.sendall(f"GET /ws?key={client.key} HTTP/1.1\r\n{lines}\r\n".encode())
            assert b"101" in raw.recv(100)
            raw.sendall(struct.pack("!BBQ4s", 0x81, 0xFF, size, b"\0\0\0\0"))
            sent = 0
            with contextlib.suppress(OSError):
                while sent < 100:
                    raw.sendall(b"x" * 1024 * 1024)
                    sent += 1
        return sent

    async def send_both() -> None:
        async with Client(server) as client:
            before = memory(server.process.pid)
            assert await asyncio.to_thread(send_raw, client) < 100
            assert memory(server.process.pid) - before < 30
            async with client.connect(compress=15, max_msg_size=0) as web_socket:
                await web_socket.send_str(json.dumps(["stdin", "x" * size]))  # small on the way
                async for _ in web_socket:
                    pass
                assert web_socket.close_code == 1009
            assert memory(server.process.pid) - before < 60
            assert server.ask("/page/page.js", client.cookie).status == 200

    with serving(home, "--demo") as server:
        asyncio.run(send_both())


@pytest.mark.hostile(78)
def test_an_application_that_hangs_is_ended_with_its_tab(home: dict[str, str]) -> None:
    async def hang() -> None:
        async with Client(server) as client, client.connect() as page:
            await until_drawn(page, "demo")
            os.kill(server.apps()[0], signal.SIGSTOP)

    with serving(home, "--demo", PYGENT_WEB_KEEP="0") as server:
        asyncio.run(hang())
        assert gone({str(pid) for pid in server.apps()}, 8)
        assert server.process.poll() is None


@pytest.mark.hostile(78)
def test_messages_that_make_no_sense_change_nothing(home: dict[str, str]) -> None:
    nonsense = [
        "", "null", "[]", "{}", "[[]]", '["stdin"]', '["stdin", null]', '["resize", {}]', '["resize", [1]]',
        "[" * 9999,
        '["resize", {"width": 1e99, "height": -1}]', '["resize", {"width": 999999999, "height": "٣"}]', '["what", 1]',
        '["ping"]', '["ping", {"a": 1}]', '["blur", 1, 2]', "\ud800".encode("utf-8", "replace").decode(),
    ]  # fmt: skip

    async def talk() -> None:
        async with Client(server) as client, client.connect("&width=x&height=-9") as page:
            key = await until_drawn(page, "demo")
            for text in nonsense:
                await page.send_str(text)
            await page.send_bytes(b"\xff\xfe")
            await page.send_json(["ping", "1"])
            async with asyncio.timeout(20):
                while True:
                    message = await page.receive()
                    if message.type == aiohttp.WSMsgType.TEXT and message.data == '["pong", "1"]':
                        break
            async with client.connect(f"&app={key}") as again:
                await until_drawn(again, "demo")

    with serving(home, "--demo") as server:
        begun = time.monotonic()
        asyncio.run(talk())
        assert len(server.apps()) == 1
        assert time.monotonic() - begun < 60
