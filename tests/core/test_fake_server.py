"""The fake model server speaks the protocol well enough for the ``openai`` package itself."""

import json
import subprocess
import sys
import time
import urllib.request

import openai
import pytest

from tests.fakes.openai_server import FakeOpenAI, broken, delta, raw, reply, silent, sse, status

ASK = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def ask():
    """A function that asks a server by the openai package."""
    clients = []

    def run(server, **options):
        client = openai.OpenAI(base_url=server.url, api_key="k", max_retries=0)
        clients.append(client)
        return client.chat.completions.create(**ASK, **options)

    yield run
    for client in clients:
        client.close()


def test_a_plain_reply(ask):
    with FakeOpenAI([reply("Hello.", tool_calls=[("bash", {"cmd": "ls"})], reasoning="hm")]) as server:
        answer = ask(server)
        assert server.requests == [ASK]
    message = answer.choices[0].message
    assert message.content == "Hello."
    assert json.loads(message.tool_calls[0].function.arguments) == {"cmd": "ls"}
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage.total_tokens == 110


def test_a_streamed_reply(ask):
    with FakeOpenAI([reply("x" * 50, chunk_size=10)]) as server:
        chunks = list(ask(server, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "x" * 50
    assert chunks[-1].usage.total_tokens == 110


def test_an_error_with_headers(ask):
    slow_down = status(429, "slow down", headers={"Retry-After": "3"})
    with FakeOpenAI([slow_down]) as server, pytest.raises(openai.RateLimitError) as caught:
        ask(server)
    assert caught.value.response.headers["retry-after"] == "3"
    assert "slow down" in str(caught.value)


def test_a_broken_stream(ask):
    with FakeOpenAI([broken("half of it")]) as server:
        stream = ask(server, stream=True)
        with pytest.raises(openai.APIConnectionError):
            list(stream)


def test_raw_bytes(ask):
    with FakeOpenAI([raw(sse(delta(content="a"), delta("stop")))]) as server:
        assert [c.choices[0].delta.content for c in ask(server, stream=True)] == ["a", None]


def test_a_function_as_script_and_one_connection_for_all():
    with FakeOpenAI(lambda request: reply(request["messages"][-1]["content"].upper())) as server:
        with openai.OpenAI(base_url=server.url, api_key="k") as client:
            for _ in range(3):
                answer = client.chat.completions.create(**ASK)
        assert answer.choices[0].message.content == "HI"
        assert server.connections == 1


def test_the_end_of_the_script_is_said(ask):
    with FakeOpenAI([]) as server, pytest.raises(openai.BadRequestError, match="the script has 0 replies"):
        ask(server)


def test_models_are_listed_and_other_paths_are_not_found():
    with FakeOpenAI(models=["a", "b"]) as server, urllib.request.urlopen(f"{server.url}/models") as answer:
        assert [model["id"] for model in json.load(answer)["data"]] == ["a", "b"]


def test_a_client_that_goes_is_noticed_and_closing_does_not_wait():
    with FakeOpenAI([silent()]) as server:
        client = openai.OpenAI(base_url=server.url, api_key="k", max_retries=0, timeout=0.1)
        with client, pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(**ASK)
        assert server.gone.wait(2)
        started = time.monotonic()
    assert time.monotonic() - started < 2


def test_by_hand(tmp_path, ask):
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "Hello.", "tool_calls": [["bash", {"cmd": "ls"}]]}, {"status": 500}]))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.openai_server", "--script", script], stdout=subprocess.PIPE, text=True
    )
    try:
        with process.stdout:
            url = process.stdout.readline().strip()
            with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client:
                assert client.chat.completions.create(**ASK).choices[0].message.content == "Hello."
                with pytest.raises(openai.InternalServerError):
                    client.chat.completions.create(**ASK)
    finally:
        process.terminate()
        process.wait(5)
