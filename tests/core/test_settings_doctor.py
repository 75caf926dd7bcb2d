"""``pygent doctor`` against real servers, real folders and a machine without Docker."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.__main__ import main
from pygent.commands.check import Check
from pygent.commands.server_check import model_server
from pygent.settings import Settings
from pygent.settings.provider import Provider
from tests.fakes.openai_server import FakeOpenAI

KEY = "sk-0123456789abcdefghij"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("PYGENT_", "OPENAI_", "DOCKER_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    (tmp_path / "ws").mkdir()
    monkeypatch.chdir(tmp_path / "ws")
    return tmp_path


def report(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, tuple[str, str]]]:
    code = main(["doctor", "--json", *argv])
    rows = json.loads(capsys.readouterr().out)
    return code, {row["check"]: (row["state"], row["text"]) for row in rows}


def test_a_machine_in_order(capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_MODEL", "fake")
    with FakeOpenAI(models=["fake"]) as server:
        code, found = report(capsys, "--base-url", server.url, "--no-docker")
    assert [(name, text) for name, (state, text) in found.items() if state == "fail"] == []
    assert code == 0
    assert found["model server"] == ("ok", f"{server.url} answers without a key; model fake")
    assert found["docker"] == ("ok", "not used (--no-docker)")
    assert found["local sandbox"][0] in {"ok", "warn"}
    assert "will be made" in found["data folder"][1]
    assert not (home / "data").exists()


def test_a_machine_without_anything(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = report(capsys)
    assert code == 1
    assert found["model server"][0] == "fail"
    assert "OPENAI_API_KEY" in found["model server"][1]
    assert found["docker"][0] == "warn"
    assert report(capsys, "--docker")[1]["docker"][0] == "fail"


def test_broken_settings_are_one_of_the_checks(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "config" / "pygent").mkdir(parents=True)
    (home / "config" / "pygent" / "config.yaml").write_text("modle: x\n")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "did you mean 'model'?" in out
    assert out.rstrip().splitlines()[-1].startswith("To mend: settings")


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    (home / "data").write_text("in the way")
    assert report(capsys)[1]["data folder"][0] == "fail"


def test_the_model_server_is_asked_with_the_key() -> None:
    with FakeOpenAI(models=["a", "b"]) as server:
        check = model_server(Settings(base_url=server.url, api_key=KEY, model="b", sources={"api_key": "--x"}))
        assert (check.state, check.text) == ("ok", f"{server.url} answers with a key (--x); model b")
        check = model_server(Settings(base_url=server.url, model="c"))
        assert check.state == "warn"
        assert "does not list the model 'c'. It lists: a, b" in check.text
        check = model_server(Settings(base_url=server.url.replace("/v1", "/v2")))
        assert (check.state, "status 404" in check.text) == ("warn", True)


def test_a_server_that_is_not_there() -> None:
    check = model_server(Settings(base_url="http://127.0.0.1:9/v1", api_key=KEY))
    assert check.state == "fail"
    assert "http://127.0.0.1:9/v1 does not answer" in check.text
    assert KEY not in check.text
    assert model_server(Settings(base_url="file:///etc/passwd")).state == "fail"


def test_the_server_of_a_providers_model_is_asked_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_KEY", KEY)
    with FakeOpenAI(models=["a"]) as server:
        local = Provider(base_url=server.url, key_variable="LOCAL_KEY")
        settings = Settings(model="local/a", providers={"local": local})
        assert model_server(settings) == Check(
            "model server", "ok", f"{server.url} answers with a key (LOCAL_KEY); model a"
        )
        monkeypatch.delenv("LOCAL_KEY")
        check = model_server(settings)
        assert (check.state, check.text) == ("fail", "the key of local is not set: the variable LOCAL_KEY is empty")


class _Odd(http.server.BaseHTTPRequestHandler):
    seen: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        name = self.path.split("/")[1]
        body = {"html": b"<html>", "list": b'{"data": []}'}.get(name, b"")
        self.send_response({"moved": 302, "locked": 401}.get(name, 200))
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/list/models")  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[str]:
    _Odd.seen.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Odd) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "state", "text"),
    [
        ("locked", "fail", "check the key"),
        ("html", "warn", "not with a list of models"),
        ("list", "ok", "answers"),
        ("moved", "warn", "status 302"),
    ],
)
def test_odd_servers(odd: str, path: str, state: str, text: str) -> None:
    check = model_server(Settings(base_url=f"{odd}/{path}", api_key=KEY))
    assert (check.state, text in check.text) == (state, True), check
    assert _Odd.seen == [f"Bearer {KEY}"]
