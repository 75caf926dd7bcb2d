"""An image registry over real HTTP on the loopback: enough of its protocol for an engine to pull from."""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from tests.fakes.docker_engine import PATH, sh_archive

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class FakeRegistry:
    """Serves the images that were added; engines trust the loopback without a certificate."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._manifests: dict[str, bytes] = {}
        self._stalled: set[str] = set()
        self._over = threading.Event()
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                registry._answer(self)

            do_HEAD = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, name: str, tag: str, *, stall: bool = False) -> str:
        """Serve the busybox image under this name; with ``stall`` its layer stops coming in the middle."""
        # Padding, so that an engine which has seen the same file system does not take it from there.
        layer = sh_archive() + bytes(512 * (1 + len(self._blobs) + secrets.randbelow(10_000)))
        config = {
            "architecture": MACHINES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Env": [f"PATH={PATH}"], "Cmd": ["sh"], "Labels": {"name": name}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
        packed = self._keep(gzip.compress(layer, 1, mtime=0))
        described = self._keep(json.dumps(config).encode())
        if stall:
            self._stalled.add(packed)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(self._blobs[described]),
                "digest": described,
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": len(self._blobs[packed]),
                    "digest": packed,
                }
            ],
        }
        data = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self._manifests[f"/v2/{name}/manifests/{tag}"] = data
        self._manifests[f"/v2/{name}/manifests/{digest}"] = data
        return f"{self.address}/{name}:{tag}"

    def _keep(self, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self._blobs[digest] = data
        return digest

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        digest = request.path.rpartition("/")[2]
        if request.path == "/v2/":
            self._send(request, b"{}", "application/json")
        elif request.path in self._manifests:
            self._send(request, self._manifests[request.path], MANIFEST)
        elif "/blobs/" in request.path and digest in self._blobs:
            self._send(request, self._blobs[digest], "application/octet-stream", stall=digest in self._stalled)
        else:
            request.send_error(404)

    def _send(self, request: BaseHTTPRequestHandler, data: bytes, kind: str, *, stall: bool = False) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(data)))
        request.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(data).hexdigest()}")
        request.end_headers()
        if request.command == "HEAD":
            return
        if stall:
            request.wfile.write(data[: len(data) // 2])
            request.wfile.flush()
            self._over.wait(30)
            request.close_connection = True
        else:
            request.wfile.write(data)
