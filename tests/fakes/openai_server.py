"""A model server for tests: the OpenAI chat protocol over real HTTP on the loopback interface, with scripted replies.

::

    with FakeOpenAI([reply("I look.", tool_calls=[("bash", {"cmd": "ls"})]), reply("Done.")]) as server:
        model = OpenAIModel(server.url, "any key")
        ...
        assert server.requests[0]["messages"][0]["role"] == "system"

A script is a list of steps, used one after the other; after the last one there must be no more requests (the answer
is a 400 that says so) unless ``repeat=True``. Or it is a function ``(request: dict) -> step``, called in a thread of
the server.

==============================  ==================================================================================
``reply(text, tool_calls=…)``   an answer; streamed where the request asks for it. Options: ``reasoning``, ``usage``
                                (a dict, None for none), ``finish_reason``, ``delay`` (seconds before the headers),
                                ``chunk_delay`` (seconds between chunks), ``chunk_size`` (characters a chunk),
                                ``stall`` (seconds of silence after the headers)
``status(429, "slow down")``    an error; ``headers={"Retry-After": "1"}``; the body is the protocol's error object,
                                or ``body=b"<html>"`` as it is
``broken("half an answ")``      streams that much, then the connection is cut
``silent()``                    takes the request and never answers (until the client goes or the server closes)
``raw(b"data: …")``             these bytes as the body, or a list of them with ``chunk_delay`` between;
                                ``end="close"`` cuts the connection after them, ``end="stay"`` never ends the body
==============================  ==================================================================================

``server.url`` is the base URL (ends with ``/v1``), ``.requests`` the recorded bodies, ``.headers`` their headers,
``.stamps`` when they came, ``.asked`` the headers of all requests, ``.connections`` how often a client connected,
``.gone`` is set once a client went away during an answer. ``GET /v1/models`` lists ``models``. With ``tls`` (a
server's context) it speaks HTTPS.

By hand: ``python -m tests.fakes.openai_server --script FILE [--port N] [--repeat]``,
where FILE holds a JSON list of objects with the arguments above (``{"text": …, "tool_calls": [["bash", {…}]]}``,
``{"status": 429}``, ``{"broken": "half"}``, ``{"silent": true}``); it prints its base URL on the first line.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
_NAMES = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Step:
    """One scripted answer; made by the functions below."""

    kind: str = "reply"
    text: str | None = None
    tool_calls: Sequence[Any] = ()
    reasoning: str | None = None
    usage: dict[str, int] | None = field(default_factory=lambda: dict(USAGE))
    finish_reason: str | None = None
    delay: float = 0.0
    chunk_delay: float = 0.0
    chunk_size: int = 20
    stall: float = 0.0
    gate: threading.Event | None = None
    """The second half of the answer waits for it."""
    code: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Sequence[bytes] = ()
    content_type: str = "text/event-stream"
    end: str = "end"


Script = Sequence[Step] | Callable[[dict[str, Any]], Step]


def reply(text: str | None = None, *, tool_calls: Sequence[Any] = (), **options: Any) -> Step:
    """An answer; a call is ``(name, arguments)`` or ``(name, arguments, id)``, arguments an object or a raw text."""
    return Step(text=text, tool_calls=tool_calls, **options)


def status(code: int, message: str = "scripted failure", *, body: bytes | None = None, **options: Any) -> Step:
    """An error answer."""
    content_type = "application/json" if body is None else "text/html"
    data = json.dumps({"error": {"message": message, "type": "scripted"}}).encode() if body is None else body
    return Step(kind="raw", code=code, chunks=[data], content_type=content_type, **options)


def broken(text: str, **options: Any) -> Step:
    """The beginning of an answer, then a cut connection."""
    return Step(text=text, end="close", **options)


def silent() -> Step:
    """No answer at all."""
    return Step(kind="silent")


def raw(chunks: bytes | Sequence[bytes], **options: Any) -> Step:
    """A body as it is."""
    return Step(kind="raw", chunks=[chunks] if isinstance(chunks, bytes) else chunks, **options)


def sse(*events: object, done: bool = True) -> bytes:
    """Events as the bytes of a stream, for ``raw``."""
    out = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return out + b"data: [DONE]\n\n" if done else out


def delta(finish_reason: str | None = None, **fields: Any) -> dict[str, Any]:
    """One chunk of a stream with these fields in its delta, for ``sse``."""
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


class FakeOpenAI:
    """The server; a context manager."""

    def __init__(
        self,
        replies: Script = (),
        *,
        models: Sequence[str] = ("fake",),
        repeat: bool = False,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ):
        self.replies: Any = replies if callable(replies) else list(replies)
        self.models = list(models)
        self.repeat = repeat
        self.connections = 0
        self.headers: list[dict[str, str]] = []
        self.asked: list[dict[str, str]] = []
        self.stamps: list[float] = []
        self.gone = threading.Event()
        self._bodies: list[bytes] = []
        self._position = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}/v1"
        self._tls = tls
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The bodies of the chat requests so far, decoded when asked for: decoding takes longer than answering."""
        return [json.loads(body) for body in list(self._bodies)]

    @property
    def bodies(self) -> list[bytes]:
        """The same as they came."""
        return list(self._bodies)

    def close(self) -> None:
        """Cut all connections and wait for the threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for connection in self._sockets:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join(5)
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            with self._lock:
                self._sockets.add(connection)
            if self._closing.is_set():
                connection.close()
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        plain = connection
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as incoming:
                while self._answer_one(connection, incoming):
                    pass
        except OSError:
            self.gone.set()
        finally:
            with self._lock:
                self._sockets.discard(plain)

    def _answer_one(self, connection: socket.socket, incoming: Any) -> bool:
        line = incoming.readline()
        if not line.endswith(b"\n"):  # the client went away, perhaps in the middle of it
            return False
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := incoming.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = incoming.read(length)
        if len(body) < length:
            return False
        self.asked.append(headers)
        if method == "GET":
            listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]}
            found = path == "/v1/models"
            step = raw(json.dumps(listed).encode(), content_type="application/json") if found else status(404)
        else:
            with self._lock:
                self._bodies.append(body)
                self.headers.append(headers)
                self.stamps.append(time.monotonic())
            step = self._next(body) if path == "/v1/chat/completions" else status(404, f"no such path: {path}")
        return self._send(connection, step, streaming=b'"stream":true' in body or b'"stream": true' in body)

    def _next(self, body: bytes) -> Step:
        if callable(self.replies):
            return self.replies(json.loads(body))
        with self._lock:
            position = self._position
            self._position += 1
            if self.repeat and self.replies:
                position %= len(self.replies)
            if position >= len(self.replies):
                return status(400, f"the script has {len(self.replies)} replies; this is request {position + 1}")
            return self.replies[position]

    def _send(self, connection: socket.socket, step: Step, *, streaming: bool) -> bool:
        if step.kind == "silent":
            self._pause(connection, None)
            return False
        if step.delay:
            self._pause(connection, step.delay)
        if step.kind == "raw":
            chunks, content_type = [chunk for chunk in step.chunks if chunk], step.content_type
        elif streaming:
            chunks, content_type = list(_chunks(step)), "text/event-stream"
        else:
            chunks, content_type = [json.dumps(_completion(step)).encode()], "application/json"
            if step.end == "close":
                chunks[0] = chunks[0][: len(chunks[0]) // 2]
        head = [f"HTTP/1.1 {step.code} {_NAMES.get(step.code, 'Scripted')}", f"Content-Type: {content_type}"]
        head += [f"{name}: {value}" for name, value in step.headers.items()]
        head += ["Transfer-Encoding: chunked", "", ""]
        out = "\r\n".join(head).encode("latin-1")
        if step.stall:
            connection.sendall(out)
            out = b""
            self._pause(connection, step.stall)
        for position, chunk in enumerate(chunks):
            out = self._at_gate(connection, step.gate if position == len(chunks) // 2 else None, out)
            framed = b"%x\r\n%s\r\n" % (len(chunk), chunk)
            if step.chunk_delay:
                connection.sendall(out + framed)
                out = b""
                self._pause(connection, step.chunk_delay)
            else:
                out += framed
        if step.end == "end":
            connection.sendall(out + b"0\r\n\r\n")
            return True
        if out:
            connection.sendall(out)
        if step.end == "stay":
            self._pause(connection, None)
        return False

    def _at_gate(self, connection: socket.socket, gate: threading.Event | None, out: bytes) -> bytes:
        """Send ``out`` and wait at the gate, if there is one; answers what is still to be sent."""
        if gate is None:
            return out
        connection.sendall(out)
        while not gate.is_set() and not self._closing.is_set():
            self._pause(connection, 0.05)
        return b""

    def _pause(self, connection: socket.socket, seconds: float | None) -> None:
        """Wait, and notice a client that goes meanwhile."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._closing.is_set():
            left = 0.1 if until is None else min(0.1, until - time.monotonic())
            if left <= 0:
                return
            readable, _, _ = select.select([connection], [], [], left)
            if readable and (self._tls is not None or not connection.recv(1, socket.MSG_PEEK)):
                raise ConnectionResetError("the client went away")


def _calls(step: Step) -> list[dict[str, Any]]:
    out = []
    for position, call in enumerate(step.tool_calls):
        name, arguments, *rest = call
        out.append(
            {
                "index": position,
                "id": rest[0] if rest else f"call_{time.monotonic_ns():x}_{position}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
                },
            }
        )
    return out


def _finish_reason(step: Step) -> str:
    return step.finish_reason or ("tool_calls" if step.tool_calls else "stop")


def _completion(step: Step) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": step.text}
    if step.tool_calls:
        message["tool_calls"] = _calls(step)
    if step.reasoning is not None:
        message["reasoning_content"] = step.reasoning
    out: dict[str, Any] = {
        "id": "chatcmpl-fake",
        "object": "chat.completion",
        "created": 0,
        "model": "fake",
        "choices": [{"index": 0, "message": message, "finish_reason": _finish_reason(step)}],
    }
    if step.usage is not None:
        out["usage"] = step.usage
    return out


def _chunks(step: Step) -> Iterator[bytes]:
    def event(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
        return _event({"choices": choices})

    def pieces(text: str) -> Iterator[str]:
        for start in range(0, len(text), step.chunk_size):
            yield text[start : start + step.chunk_size]

    yield event({"role": "assistant", "content": None if step.text is None else ""})
    for piece in pieces(step.reasoning or ""):
        yield event({"reasoning_content": piece})
    for piece in pieces(step.text or ""):
        yield event({"content": piece})
    if step.end == "close":
        return
    for call in _calls(step):
        arguments = call["function"]["arguments"]
        first = {**call, "function": {"name": call["function"]["name"], "arguments": ""}}
        yield event({"tool_calls": [first]})
        for piece in pieces(arguments):
            yield event({"tool_calls": [{"index": call["index"], "function": {"arguments": piece}}]})
    yield event({}, _finish_reason(step))
    if step.usage is not None:
        yield _event({"choices": [], "usage": step.usage})
    yield b"data: [DONE]\n\n"


def _event(fields: dict[str, Any]) -> bytes:
    chunk = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 0, "model": "fake", **fields}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _read_script(file: Path) -> list[Step]:
    def read(entry: dict[str, Any]) -> Step:
        options = dict(entry)
        if options.pop("silent", False):
            return silent()
        if "broken" in options:
            return broken(options.pop("broken"), **options)
        if "status" in options:
            return status(options.pop("status"), options.pop("message", "scripted failure"), **options)
        unknown = set(options) - {known.name for known in dataclasses.fields(Step)}
        if unknown:
            raise SystemExit(f"{file}: unknown keys {sorted(unknown)} in {entry}")
        return reply(options.pop("text", None), **options)

    return [read(entry) for entry in json.loads(file.read_text(encoding="utf-8"))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a script until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.openai_server")
    parser.add_argument("--script", type=Path, required=True, help="a JSON list of replies")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--repeat", action="store_true", help="begin again after the last reply")
    options = parser.parse_args(arguments)
    with FakeOpenAI(_read_script(options.script), repeat=options.repeat, port=options.port) as server:
        print(server.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
