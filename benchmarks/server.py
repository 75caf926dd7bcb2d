"""A model's server that answers at once: prepared bytes, one tool call a reply.

`python -m benchmarks.server STEPS [history]` prints its port, then serves connections until its standard input is
closed. Where the last reply is due it answers with a call of `stop`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

USAGE = {"prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020}


def call(number: int, name: str) -> dict[str, object]:
    """The tool call of reply `number`; its arguments differ, as a real model's do."""
    arguments = json.dumps({"text": f"part {number}"}) if name != "stop" else "{}"
    return {"id": f"call_{number:06}", "type": "function", "function": {"name": name, "arguments": arguments}}


def reply(number: int, name: str, *, stream: bool) -> bytes:
    """The bytes of one HTTP answer."""
    message = {"role": "assistant", "content": f"Step {number}.", "tool_calls": [call(number, name)]}
    common = {"id": "bench", "created": 0, "model": "bench"}
    if not stream:
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        body = json.dumps({**common, "object": "chat.completion", "choices": [choice], "usage": USAGE}).encode()
        return _http("application/json", body)
    delta = {**message, "tool_calls": [{"index": 0, **call(number, name)}]}
    chunks: list[dict[str, object]] = [
        {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
        {"choices": [], "usage": USAGE},
    ]
    lines = [json.dumps({**common, "object": "chat.completion.chunk", **chunk}) for chunk in chunks]
    body = "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()
    return _http("text/event-stream", body)


def _http(content_type: str, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        content_type.encode(),
        len(body),
        body,
    )


def read_request(incoming: BinaryIO) -> bytes | None:
    """The body of the next request; None at the end."""
    if not incoming.readline():
        return None
    length = 0
    while (line := incoming.readline().lower()) not in {b"\r\n", b""}:
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return incoming.read(length)


def serve_all(listener: socket.socket, steps: int, **how: Any) -> None:
    """`serve` each client on a thread of its own, until the listener is shut down."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection, steps), kwargs=how, daemon=True).start()


def serve(
    connection: socket.socket,
    steps: int,
    *,
    by_history: bool = False,
    on_request: Callable[[bytes], object] | None = None,
) -> None:
    """Answer one client: `steps` calls of `note`, then `stop`. What has no body asks for models, and learns of none.

    Steps are the connection's requests, or `by_history` the results of calls in a request, where loops share it.
    """
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    number = 0
    with connection, connection.makefile("rb") as incoming:
        while (body := read_request(incoming)) is not None:
            if not body:
                connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            if on_request is not None:
                on_request(body)
            number = body.count(b'"tool_call_id"') + 1 if by_history else number + 1
            name = "note" if number < steps else "stop"
            stream = b'"stream":true' in body or b'"stream": true' in body
            connection.sendall(reply(number, name, stream=stream))


def main() -> None:
    steps, by_history = int(sys.argv[1]), sys.argv[2:] == ["history"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        how = {"by_history": by_history}
        threading.Thread(target=serve_all, args=(listener, steps), kwargs=how, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
