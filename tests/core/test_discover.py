"""Finding servers on this machine and the models they offer."""

import socket
import threading
import time

import pytest

from pygent.errors import APIError, APITemporaryError
from pygent.models.discover import FoundServer, find_servers, list_models
from tests.fakes.openai_server import FakeOpenAI


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_servers_that_answer_are_found_in_order(closed_port):
    with (
        FakeOpenAI(models=["small", "big"]) as first,
        FakeOpenAI(models=[]) as second,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        candidates = (
            ("nobody", closed_port),
            ("first", first.port),
            ("silent", silent.getsockname()[1]),
            ("second", second.port),
        )
        started = time.monotonic()
        found = find_servers(candidates, timeout=0.5)
        assert time.monotonic() - started < 1.0
    assert found == [FoundServer("first", first.url, ("small", "big")), FoundServer("second", second.url, ())]


def test_the_models_of_a_server():
    with FakeOpenAI(models=["small", "big"]) as server:
        assert list_models(server.url + "/", "any key") == ["small", "big"]


def test_another_address_of_the_server():
    with FakeOpenAI() as server, pytest.raises(APIError, match=r"does not list models.*usually ends with /v1"):
        list_models(server.url + "/other")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n<html>A router", "does not list models.*A router"),
        (b"HTTP/1.1 401 No\r\nContent-Length: 12\r\n\r\nkey: any-key", "refused the API key"),
        (b"SSH-2.0-OpenSSH\r\n", "broke"),
    ],
)
def test_something_else_listens(answer, words):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(APIError, match=words) as caught:
            list_models(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", "any-key")
        thread.join()
    assert "any-key" not in str(caught.value)


def test_nothing_listens(closed_port):
    with pytest.raises(APITemporaryError, match="Nothing listens"):
        list_models(f"http://127.0.0.1:{closed_port}/v1")


@pytest.mark.parametrize("url", ["localhost:8080/v1", "ftp://localhost/v1", "http://localhost:nine/v1", ""])
def test_an_address_that_is_none(url):
    with pytest.raises(APIError, match="cannot be used"):
        list_models(url)
