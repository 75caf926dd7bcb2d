"""The model behind a chat-completions endpoint, against a server that misbehaves over real HTTP as real ones do."""

import json
import socket
import subprocess
import sys
import threading
import time

import pytest

from pygent.cancellation import CancelToken
from pygent.errors import APIError, APITemporaryError, Cancelled, DeadlineExceeded
from pygent.models import OpenAIModel, ReasoningDelta, StreamingModel
from tests.core.asking import ASK, BASH, KEY, ask, calls, text
from tests.fakes.openai_server import FakeOpenAI, delta, raw, reply, silent, sse, status

both = pytest.mark.parametrize("how", ["chat", "stream"])


@both
def test_an_answer(serve, how):
    server, model = serve(reply("Hello there.", tool_calls=[("bash", {"cmd": "ls"}, "id1")], reasoning="hm"))
    items, message = ask(model, how, tools=[BASH])
    assert (message.content, message.reasoning_content, message.finish_reason) == ("Hello there.", "hm", "tool_calls")
    assert calls(message) == [("bash", {"cmd": "ls"})]
    assert message.tool_calls[0].id == "id1"
    assert message.usage.total_tokens == 110
    if how == "stream":
        assert text(items) == "Hello there."
        assert "".join(item.text for item in items if isinstance(item, ReasoningDelta)) == "hm"
    (request,) = server.requests
    assert (request["model"], request["messages"], request["tools"]) == ("m", ASK, [BASH])
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_it_is_a_streaming_model_and_keeps_its_key_to_itself():
    model = OpenAIModel("http://user:password@localhost:1/v1", KEY)
    assert isinstance(model, StreamingModel)
    assert repr(model) == "OpenAIModel('http://localhost:1/v1')"


def test_address_and_key_come_from_the_settings(monkeypatch):
    with FakeOpenAI([reply("Yes.")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
        monkeypatch.setenv("PYGENT_MODEL", "small")
        model = OpenAIModel()
        assert model.chat(ASK, None, None).content == "Yes."
        model.close()
        assert server.headers[0]["authorization"] == "Bearer from the environment"
        assert server.requests[0]["model"] == "small"


def test_the_history_goes_out_whole_however_it_changes(serve):
    server, model = serve(lambda request: reply("ok"))
    history = list(ASK)
    expected = []

    def send():
        model.chat(history, "m", None)
        expected.append(list(history))

    send()
    history += [{"role": "assistant", "content": "ok"}, {"role": "user", "content": "é 😀 \ud800"}]
    send()
    send()
    history[-1] = {"role": "user", "content": "another"}
    send()
    history[0] = {"role": "system", "content": "Changed."}
    send()
    del history[1:3]
    send()
    other = [{"role": "user", "content": "another conversation"}]
    model.chat(other, "m", None)
    expected.append(other)
    send()
    sent = [request["messages"] for request in server.requests]
    assert json.dumps(sent) == json.dumps(expected).replace("\\ud800", "?")


def test_arguments_that_are_no_object_do_not_go_back_to_the_server(serve):
    server, model = serve(reply("ok"))
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": '{"cmd": "l'}}
    model.chat([*ASK, {"role": "assistant", "content": None, "tool_calls": [call]}], "m", None)
    sent = server.requests[0]["messages"][-1]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"malformed": '{"cmd": "l'}
    assert call["function"]["arguments"] == '{"cmd": "l'


@both
def test_connections_are_used_again(serve, how):
    server, model = serve(lambda request: reply("ok"))
    for _ in range(5):
        ask(model, how, cancel=CancelToken())
    assert server.connections == 1


def test_conversations_at_the_same_time(serve):
    _server, model = serve(lambda request: reply(request["messages"][-1]["content"], delay=0.1))
    answers = {}

    def converse(name):
        answers[name] = ask(model, "stream", [{"role": "user", "content": name}])[1].content

    threads = [threading.Thread(target=converse, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {name: name for name in "abcd"}


# Failures that stay, in words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:8080/v1", "must begin with http"),
        ("https://api.openai.com/v1", "No API key is set.*OPENAI_API_KEY"),
    ],
)
def test_a_setting_that_cannot_work(monkeypatch, url, words):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(APIError, match=words):
        OpenAIModel(url, "").chat(ASK, "m", None)


@pytest.mark.hostile(70)
def test_a_silent_server_is_given_up_in_the_end(serve):
    _server, model = serve(silent(), timeout=0.2, max_retries=0)
    with pytest.raises(APITemporaryError, match=r"did not answer in 0.2 s"):
        ask(model, "chat")


# Cancelling


SLOW = {
    "no answer": silent(),
    "no body": reply("x", stall=30),
    "slow body": reply("x" * 1000, chunk_delay=0.3),
    "retry": status(429, headers={"Retry-After": "30"}),
    "body after the end": raw(sse(delta(content="x"), done=False), end="stay"),
}


@pytest.mark.hostile(30)
@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW)
def test_cancelling_takes_effect_at_once(serve, step):
    server, model = serve(step, reply("Next."))
    cancel = CancelToken()
    stamps = []

    def end():
        stamps.append(time.monotonic())
        cancel.cancel("by the test")

    threading.Timer(0.4, end).start()
    with pytest.raises(Cancelled, match="by the test"):
        list(model.stream(ASK, "m", None, cancel=cancel))
    assert time.monotonic() - stamps[0] < 0.2
    assert step.kind == "raw" or server.gone.wait(2)  # the server is told, so that it stops working
    assert ask(model, "stream", cancel=CancelToken())[1].content == "Next."


@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW)
def test_a_deadline_takes_effect_at_once(serve, step):
    _server, model = serve(step)
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        list(model.stream(ASK, "m", None, cancel=CancelToken(0.4)))
    assert 0.4 <= time.monotonic() - started < 0.6


@pytest.mark.hostile(30)
def test_cancelling_while_connecting():
    # A listener whose backlog is full takes no more connections; the next client waits.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
        model = OpenAIModel(f"http://127.0.0.1:{port}/v1", KEY)
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            list(model.stream(ASK, "m", None, cancel=CancelToken(0.4)))
        assert time.monotonic() - started < 0.6
        for client in waiting:
            client.close()


def test_a_cancelled_token_asks_for_nothing(serve):
    server, model = serve(reply("Hi"))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(model.stream(ASK, "m", None, cancel=cancel))
    assert server.requests == []


def test_a_stream_that_is_left_early_is_closed(serve):
    server, model = serve(reply("x" * 1000, chunk_delay=0.05), reply("Next."))
    items = model.stream(ASK, "m", None, cancel=CancelToken())
    next(items)
    items.close()
    assert server.gone.wait(2)
    assert ask(model, "stream")[1].content == "Next."


# Cost


def test_a_long_history_is_encoded_once(serve):
    _server, model = serve(lambda request: reply("ok"))

    class Counting(dict):
        """A message that counts how often it is read for encoding."""

        reads = 0

        def get(self, *args):
            Counting.reads += 1
            return super().get(*args)

    history = [Counting(role=("user", "assistant")[number % 2], content=str(number)) for number in range(51)]
    reads = []
    for role in ("assistant", "user", "assistant"):
        model.chat(history, "m", None)
        reads.append(Counting.reads)
        history.append(Counting(role=role, content="more"))
    assert reads[0] >= 51
    assert reads[2] - reads[0] < 20


def test_importing_and_making_a_model_does_not_import_the_package():
    code = (
        "import sys; from pygent.models import OpenAIModel; OpenAIModel('http://localhost/v1', 'k');"
        "print([name for name in ('openai', 'ssl', 'pydantic', 'yaml') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
