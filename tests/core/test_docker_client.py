"""The client of a container engine that stops: a server on a Unix socket that answers as one."""

from __future__ import annotations

import gc
import json
import socketserver
import tempfile
import threading
import warnings
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from pygent.errors import SandboxUnavailable
from pygent.sandbox.docker_engine import Endpoint, connect


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"ApiVersion": "1.44"}).encode() if self.path.endswith("/version") else b"OK"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "the client"

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def path() -> Iterator[Path]:
    """A place for a socket, whose name must be short."""
    with tempfile.TemporaryDirectory(prefix="pgc-") as folder:
        yield Path(folder) / "docker.sock"


@pytest.mark.hostile(51)
def test_a_client_leaves_no_socket_open_when_its_engine_stops(path: Path) -> None:
    endpoint = Endpoint(f"unix://{path}", socket=path)
    with Server(str(path), Answers) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            api = connect(endpoint)
            assert api.ping() is True
        finally:
            server.shutdown()
            serving.join()
    gc.collect()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for gone in ("nobody listens", "not there"):
            if gone == "not there":
                path.unlink()
            with pytest.raises(requests.ConnectionError):
                api.ping()
            with pytest.raises(SandboxUnavailable, match="No container engine answers"):
                connect(endpoint)
        api.close()
        gc.collect()
    assert [str(one.message) for one in told if one.category is ResourceWarning] == []
