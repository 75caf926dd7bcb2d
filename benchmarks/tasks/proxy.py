"""A proxy between an agent and a model's server that counts requests and tokens, the same way for every agent.

It speaks the OpenAI protocol, passes streams on as they come, asks for usage where the agent did not (and keeps the
chunk that answers it from an agent that did not ask), and writes each request with its answer as a line of JSON.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from benchmarks.tasks.answers import Answer, StreamReader, read_whole

HOP_BY_HOP = {"connection", "content-length", "host", "keep-alive", "transfer-encoding", "accept-encoding", "te"}
UNAVAILABLE = 503
"""How a server answers that is there and not ready, while it loads the model for example."""
FINISH_SECONDS = 10.0
COUNTED = ("/chat/completions", "/completions", "/responses")


@dataclass
class Counts:
    """What one run of an agent has asked for."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: int = 0
    """Answers without usage, cut off for example: four characters are counted as a token."""


class CountingProxy:
    """Listens on a loopback port while it is open; a context manager.

    ``limit`` is how many requests are passed on (0: all); the next one is refused. ``over`` is set when the agent
    gets no more answers.
    ``answer_tokens`` caps how long an answer may be (0: as the agent asks).
    """

    def __init__(self, base_url: str, log: Path, *, limit: int = 0, answer_tokens: int = 0) -> None:
        self.counts = Counts()
        self.over = threading.Event()
        self.lost: str | None = None
        """Why the server gave no answer to the last request, where it was not there to give one."""
        self.texts: list[str] = []
        """What the model said, answer by answer."""
        self.limit, self.answer_tokens = limit, answer_tokens
        self.upstream = urlsplit(base_url.rstrip("/"))
        self._log = log
        self._closing = False
        self._lock = threading.Lock()
        self._answering = 0
        self._answered = threading.Condition(self._lock)
        self._open: set[socket.socket] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close, cutting off what the server still answers; what has been answered is counted."""
        self._server.shutdown()
        self.abort()
        with self._answered:
            self._answered.wait_for(lambda: not self._answering, FINISH_SECONDS)
        self._server.server_close()

    def abort(self) -> None:
        """Cut off what the server still answers, and answer nothing more."""
        self._closing = True
        self.over.set()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def begin(self) -> bool:
        """Count a request; False where there may be no more."""
        with self._lock:
            if self._closing or (self.limit and self.counts.requests >= self.limit):
                self.over.set()
                return False
            self.counts.requests += 1
            self._answering += 1
            return True

    def connect(self) -> http.client.HTTPConnection:
        """A connection to the server; raises ``OSError``."""
        kind = http.client.HTTPSConnection if self.upstream.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.upstream.netloc, timeout=3600)
        try:
            connection.connect()
        except OSError as error:
            self.lose(str(error))
            raise
        with self._lock:
            self._open.add(connection.sock)
        return connection

    def lose(self, why: str) -> None:
        """The server is not there; where the proxy itself is closing, that says nothing."""
        if not self._closing:
            self.lost = f"{self.upstream.geturl()}: {why}"

    def forget(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._open.discard(connection.sock)
        connection.close()

    def finish(self, request: dict[str, Any], status: int, answer: Answer, seconds: float) -> None:
        """Add an answer, whole or cut off, to the counts and the log."""
        prompt, completion = answer.usage or (0, 0)
        line = {
            "at": time.time(),
            "seconds": round(seconds, 2),
            "status": status,
            "usage": answer.usage,
            "request": request,
            "answer": asdict(answer),
        }
        with self._lock:
            if answer.usage is None and status == 200:
                self.counts.estimated += 1
                prompt = len(json.dumps(request.get("messages", request.get("prompt", "")))) // 4
                completion = answer.length // 4
            self.counts.prompt_tokens += prompt
            self.counts.completion_tokens += completion
            if status == 200:
                self.texts.append(answer.text)
                self.lost = None
            with self._log.open("a", encoding="utf-8") as log:
                log.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._answering -= 1
            self._answered.notify_all()


class _Handler(BaseHTTPRequestHandler):
    """One connection of an agent."""

    proxy: CountingProxy
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing: the log has all of it."""

    def do_GET(self) -> None:  # the base class wants these names
        self._pass_on(b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.partition("?")[0].endswith(COUNTED):
            self._pass_on(body)
            return
        if not self.proxy.begin():
            self._refuse(400, f"the limit of {self.proxy.limit} requests for this task is reached")
            return
        try:
            request = json.loads(body)
        except ValueError:
            request = {}
        self._count(request if isinstance(request, dict) else {}, body)

    def _count(self, request: dict[str, Any], body: bytes) -> None:
        sent, asked = self._adapted(request)
        started = time.monotonic()
        status, answer = 502, Answer()
        try:
            connection = self.proxy.connect()
        except OSError as error:
            self._refuse(502, str(error))
            self.proxy.finish(request, status, answer, 0.0)
            return
        try:
            response = self._exchange(connection, json.dumps(sent).encode() if sent else body)
            if response is None:
                status = 499
                return
            status = response.status
            if status == UNAVAILABLE:
                self.proxy.lose(f"{status} {response.reason}")
            if "event-stream" in response.headers.get("Content-Type", ""):
                self._stream(response, answer, hide_usage=not asked)
            else:
                self._whole(response, answer)
        except (OSError, http.client.HTTPException) as error:
            self.close_connection = True
            answer.cut = f"{type(error).__name__}: {error}"
        finally:
            self.proxy.forget(connection)
            self.proxy.finish(request, status, answer, time.monotonic() - started)

    def _adapted(self, request: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The request as it is sent on, and whether the agent asked for usage itself."""
        sent = dict(request)
        asked = bool((request.get("stream_options") or {}).get("include_usage"))
        if request.get("stream") and not asked and not self.path.endswith("/responses"):
            sent["stream_options"] = {**(request.get("stream_options") or {}), "include_usage": True}
        if cap := self.proxy.answer_tokens:
            given = [
                name for name in ("max_completion_tokens", "max_output_tokens", "max_tokens") if request.get(name)
            ]
            for name in given or ["max_tokens"]:
                sent[name] = min(cap, request.get(name) or cap)
        return sent, asked

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> http.client.HTTPResponse | None:
        """Send the request on and wait for the answer's head; None where the agent has gone meanwhile."""
        with self._from_server():
            self._send(connection, body)
        while True:
            ready, _, _ = select.select([connection.sock, self.connection], [], [], 60)
            if connection.sock in ready:
                with self._from_server():
                    return connection.getresponse()
            if self.connection in ready and not self.connection.recv(1, socket.MSG_PEEK):
                self.close_connection = True
                return None

    @contextlib.contextmanager
    def _from_server(self) -> Iterator[None]:
        """What breaks in here, the server broke."""
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            self.proxy.lose(f"{type(error).__name__}: {error}")
            raise

    def _send(self, connection: http.client.HTTPConnection, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        path = self.proxy.upstream.path + self.path.removeprefix("/v1")
        connection.request(self.command, path, body or None, headers)

    def _stream(self, response: http.client.HTTPResponse, answer: Answer, *, hide_usage: bool) -> None:
        reader = StreamReader(answer, hide_usage=hide_usage)
        self._head(response, {"Transfer-Encoding": "chunked"})
        while data := response.read1(65536):
            if passed := reader.feed(data):
                self._chunk(passed)
        if passed := reader.rest():
            self._chunk(passed)
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _whole(self, response: http.client.HTTPResponse, answer: Answer) -> None:
        data = response.read()
        read_whole(answer, data)
        self._head(response, {"Content-Length": str(len(data))})
        self.wfile.write(data)

    def _head(self, response: http.client.HTTPResponse, more: dict[str, str]) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name.lower() not in HOP_BY_HOP | {"date", "server"}:
                self.send_header(name, value)
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()

    def _pass_on(self, body: bytes) -> None:
        """A request that asks for no answer of a model: the list of models, for example."""
        try:
            connection = self.proxy.connect()
        except OSError as error:
            self._refuse(502, str(error))
            return
        try:
            self._send(connection, body)
            self._whole(connection.getresponse(), Answer())
        except (OSError, http.client.HTTPException):
            self.close_connection = True
        finally:
            self.proxy.forget(connection)

    def _refuse(self, code: int, why: str) -> None:
        data = json.dumps({"error": {"message": why, "type": "task_runner"}}).encode()
        with contextlib.suppress(OSError):
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
