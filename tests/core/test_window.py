"""Servers are asked how much a model sees at once, each in its own way; one that does not tell holds nothing up."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.models.window import Window, find_window
from pygent.session import Session
from pygent.settings import Settings
from tests.fakes.openai_server import FakeOpenAI

LLAMA_CPP = {
    "/v1/models": {
        "object": "list",
        "data": [
            {
                "id": "qwen.gguf",
                "aliases": ["qwen"],
                "owned_by": "llamacpp",
                "meta": {"n_ctx": 16384, "n_ctx_train": 32768, "n_params": 1777088000},
            }
        ],
    }
}
OLDER_LLAMA_CPP = {
    "/v1/models": {"data": [{"id": "q", "owned_by": "llamacpp", "meta": {"n_ctx_train": 32768, "n_params": 5}}]},
    "/props": {"default_generation_settings": {"n_ctx": 4096}, "total_slots": 1},
}
OLLAMA = {
    "/v1/models": {"object": "list", "data": [{"id": "qwen3:4b", "object": "model", "owned_by": "library"}]},
    "/api/show": {
        "parameters": 'stop "<|im_end|>"\nnum_ctx                        8192',
        "model_info": {"general.parameter_count": 4022468096, "qwen3.context_length": 40960},
    },
}
OLLAMA_LOADED = {
    **OLLAMA,
    "/api/show": {"model_info": {"qwen3.context_length": 40960}},
    "/api/ps": {"models": [{"name": "other", "context_length": 1}, {"name": "qwen3:4b", "context_length": 4096}]},
}
VLLM = {"/v1/models": {"data": [{"id": "a", "max_model_len": 1000}, {"id": "b", "max_model_len": 32000}]}}
LM_STUDIO = {
    "/v1/models": {"data": [{"id": "b", "object": "model", "owned_by": "organization_owner"}]},
    "/api/v0/models": {"data": [{"id": "b", "max_context_length": 131072, "loaded_context_length": 8000}]},
}
OPENROUTER = {"/v1/models": {"data": [{"id": "v/b", "context_length": 200000}]}}


class Tells(http.server.BaseHTTPRequestHandler):
    """Answers each path with what `pages` has for it."""

    pages: dict[str, Any]
    asked: list[tuple[str, str, Any, str]]

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.command, self.path, body, self.headers.get("Authorization", "")))
        page = self.pages.get(self.path)
        data = page if isinstance(page, bytes) else json.dumps(page).encode()
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tells() -> Iterator[type[Tells]]:
    class Mine(Tells):
        pages: dict[str, Any] = {}  # noqa: RUF012
        asked: list[tuple[str, str, Any, str]] = []  # noqa: RUF012
        url = ""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mine) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        Mine.url = f"http://127.0.0.1:{server.server_port}/v1"
        yield Mine
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("pages", "model", "window"),
    [
        (LLAMA_CPP, "qwen.gguf", Window(16384, 1777088000, 32768)),
        (LLAMA_CPP, "qwen", Window(16384, 1777088000, 32768)),
        (LLAMA_CPP, "whatever", Window(16384, 1777088000, 32768)),
        (OLDER_LLAMA_CPP, "q", Window(4096, 5, 32768)),
        (OLLAMA, "qwen3:4b", Window(8192, 4022468096, 40960)),
        (OLLAMA_LOADED, "qwen3:4b", Window(4096, None, 40960)),
        (VLLM, "b", Window(32000)),
        (VLLM, "c", None),
        (LM_STUDIO, "b", Window(8000)),
        (OPENROUTER, "v/b", Window(200000)),
        ({}, "m", None),
        ({"/v1/models": [1]}, "m", None),
        ({"/v1/models": {"data": [{"id": "m", "context_length": "many", "meta": 5}, 7]}}, "m", None),
        ({"/v1/models": {"data": [{"id": "m", "context_length": -1}]}}, "m", None),
        ({"/v1/models": b"<html>"}, "m", None),
    ],
)
def test_each_server_tells_it_in_its_own_way(
    tells: Any, pages: dict[str, Any], model: str, window: Window | None
) -> None:
    tells.pages = pages
    assert find_window(tells.url, model, "a-key", 5) == window
    assert {key for _, _, _, key in tells.asked} == {"Bearer a-key"}
    assert len(tells.asked) <= 3


def test_no_server_is_no_window() -> None:
    for url in ("http://127.0.0.1:9/v1", "nonsense", "ftp://x", "http://127.0.0.1:port/v1"):
        assert find_window(url, "m", None, 1) is None
    assert find_window("https://127.0.0.1:9/v1", "m", None, 1, certificates=Path("/no/such/file")) is None


def test_a_session_asks_once_and_beside_its_work(tells: Any, tmp_path: Path) -> None:
    tells.pages = LLAMA_CPP
    settings = Settings(model="qwen", base_url=tells.url, workspace=tmp_path, use_docker=False)
    session = Session(settings)
    session.open()
    try:
        until = time.monotonic() + 10
        while session.status().context_window is None and time.monotonic() < until:
            time.sleep(0.005)
        assert session.status().context_window == 16384
        assert session.window == Window(16384, 1777088000, 32768)
        session.set_model("qwen.gguf")
        session.set_model("qwen")
        assert session.status().context_window == 16384
        session.prefer(context_window=2000)
        assert session.status().context_window == 2000, "what a person says counts"
    finally:
        session.close()


def test_a_server_that_is_silent_does_not_hold_up_the_start(tmp_path: Path) -> None:
    with FakeOpenAI() as server:
        server.close()
        settings = Settings(model="m", base_url=server.url, workspace=tmp_path, use_docker=False)
        session = Session(settings)
        session.open()
        assert session.status().context_window is None
        session.close()
