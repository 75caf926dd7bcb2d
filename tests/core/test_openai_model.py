"""The model behind a chat-completions endpoint, against a server that misbehaves over real HTTP as real ones do."""

import json
import re
import socket
import subprocess
import sys
import threading
import time

import pytest

from pygent.cancellation import CancelToken
from pygent.errors import APIError, APITemporaryError, Cancelled, DeadlineExceeded
from pygent.models import Completed, Discarded, ModelNotice, OpenAIModel, ReasoningDelta, StreamingModel, TextDelta
from pygent.models.api_errors import is_context_overflow
from tests.fakes.openai_server import FakeOpenAI, broken, delta, raw, reply, silent, sse, status

ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
BASH = {
    "type": "function",
    "function": {
        "name": "bash",
        "description": "",
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]},
    },
}
KEY = "sk-very-secret-key"


@pytest.fixture
def serve():
    """A function that starts a server and answers it with a model on it."""
    opened = []

    def start(*replies, **options):
        server = FakeOpenAI(replies[0] if callable(replies[0]) else replies)
        model = OpenAIModel(server.url, KEY, **{"first_pause": 0.01, **options})
        opened.extend([model, server])
        return server, model

    yield start
    for thing in opened:
        thing.close()


def ask(model, how, messages=ASK, tools=None, cancel=None):
    """The items of an answer, the last one's message, by either way."""
    if how == "chat":
        return [], model.chat(messages, "m", tools)
    items = list(model.stream(messages, "m", tools, cancel=cancel))
    assert [item for item in items if isinstance(item, Completed)] == items[-1:]
    return items, items[-1].message


def text(items):
    return "".join(item.text for item in items if isinstance(item, TextDelta))


def calls(message):
    return [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls]


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


# What real servers send


@pytest.mark.parametrize(
    "body",
    [
        b": a comment\n\n" + sse(delta(content="Hi"), delta("stop")),
        sse(delta(content="Hi"), delta("stop"), done=False),
        sse(delta(content="Hi"), delta("stop")).replace(b"data: ", b"data:"),
        sse(delta(content="Hi"), delta("stop")).replace(b"\n", b"\r\n"),
        sse(delta(content="Hi"), delta("stop")).replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + sse(delta(content="Hi"), delta("stop")),
        b"event: message\nid: 1\n" + sse(delta(content="Hi"), delta("stop")),
        sse(delta(content="Hi"), delta("stop")).replace(b"\n\n", b"\n"),
        sse(delta(content="Hi")),
        sse(delta(role="assistant", content=None), delta(content="Hi"), {"choices": []}, {}, "?", delta("stop")),
        sse({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}),
        sse(delta(content=[{"type": "text", "text": "Hi"}]), delta("stop")),
        json.dumps({"choices": [{"message": {"content": "Hi"}}]}).encode(),
        sse(delta(content="Hi"), delta("stop")).removesuffix(b"\n\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 1000])
def test_streams_of_many_kinds(serve, body, size):
    _server, model = serve(raw([body[start : start + size] for start in range(0, len(body), size)]))
    items, message = ask(model, "stream")
    assert (text(items), message.content) == ("Hi", "Hi")


@both
@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 7, "completion_tokens": 1}])
def test_token_counts(serve, how, usage):
    _server, model = serve(reply("Hi", usage=usage))
    _, message = ask(model, how)
    assert (message.usage and message.usage.to_dict()) == (usage and {**usage, "total_tokens": 8})


def test_a_stream_where_a_whole_answer_was_asked_for(serve):
    _server, model = serve(raw(sse(delta(content="Hi"), delta("stop"))))
    assert model.chat(ASK, "m", None).content == "Hi"


def piece(name=None, arguments=None, **fields):
    return delta(tool_calls=[{**fields, "function": {"name": name, "arguments": arguments}}])


A, B = '{"cmd": "a"}', '{"cmd": "b"}'


@pytest.mark.parametrize(
    "pieces",
    [
        [piece("bash", "", index=0, id="x"), piece(None, A, index=0), piece("bash", B, index=1, id="y")],
        [piece("bash", A), piece("bash", B)],
        [piece("bash", '{"cmd"', id="x"), piece(None, ': "a"}'), piece("bash", B, id="y")],
        [piece("bash", '{"cmd"', id="x"), piece(None, ': "a"}', id="x"), piece("bash", B, id="y")],
        [piece("bash", A, index=0), piece("bash", B, index=0)],
        [piece("bash", A, index=0, id="x"), piece("bash", B, index=0, id="y")],
        [piece("bash", A, index=0, id=""), piece("bash", B, index=1, id="")],
        [piece("bash", A, index=0, id="x"), piece("bash", B, index=1, id="x")],
        [piece("bash", {"cmd": "a"}, index=0), piece("bash", {"cmd": "b"}, index=1)],
        [
            piece("bash", '{"cmd"', index=0, id="x"),
            piece("bash", ': "a"}', index=0, id="x"),
            piece("bash", B, index=1),
        ],
        [piece("ba", None, index=0, id="x"), piece("sh", A, index=0), piece("bash", B, index=1)],
        [delta(tool_calls=[{"function": {"name": "bash", "arguments": x}} for x in (A, B)])],
        [piece("bash", A, index=0), piece("", "", index=1), piece("bash", B, index=2)],
        [piece("bash", '{"cmd": "a",}', index=0), piece("bash", json.dumps(B), index=1)],
    ],
)
def test_tool_calls_in_pieces_of_many_kinds(serve, pieces):
    _server, model = serve(raw(sse(*pieces, delta("stop"))))
    _, message = ask(model, "stream", tools=[BASH])
    assert calls(message) == [("bash", {"cmd": "a"}), ("bash", {"cmd": "b"})]
    assert len({call.id for call in message.tool_calls} - {""}) == 2


@both
@pytest.mark.parametrize("arguments", ["", "null", "{}"])
def test_no_arguments(serve, how, arguments):
    _server, model = serve(reply(tool_calls=[("stop", arguments)]))
    _, message = ask(model, how)
    assert calls(message) == [("stop", {})]


@both
def test_a_call_that_was_cut_off_is_told_by_the_finish_reason(serve, how):
    _server, model = serve(reply(tool_calls=[("bash", '{"cmd": "l')], finish_reason="length"))
    _, message = ask(model, how, tools=[BASH])
    assert message.finish_reason == "length"
    assert message.tool_calls[0].function.arguments == '{"cmd": "l'


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_beside_the_text(serve, field):
    _server, model = serve(raw(sse(delta(**{field: "h"}), delta(**{field: "m"}), delta(content="Hi"), delta("stop"))))
    _, message = ask(model, "stream")
    assert (message.content, message.reasoning_content) == ("Hi", "hm")


@both
def test_reasoning_in_tags(serve, how):
    _server, model = serve(reply("<think>hm</think>\n\nHi", chunk_size=3))
    items, message = ask(model, how)
    assert (message.content, message.reasoning_content) == ("Hi", "hm")
    assert how == "chat" or text(items) == "Hi"


@both
def test_calls_written_as_text(serve, how):
    written = 'I look.\n```json\n{"name": "bash", "arguments": {"cmd": "ls"}}\n```'
    _server, model = serve(reply(written, chunk_size=4))
    items, message = ask(model, how, tools=[BASH])
    assert calls(message) == [("bash", {"cmd": "ls"})]
    assert message.content == "I look."
    assert "bash" not in text(items)


@both
def test_calls_written_as_text_can_be_left_alone(serve, how):
    written = '{"name": "bash", "arguments": {"cmd": "ls"}}'
    _server, model = serve(reply(written), text_tool_calls=False)
    _, message = ask(model, how, tools=[BASH])
    assert (message.tool_calls, message.content) == ([], written)


# Refusals that are learnt from


def test_stream_options_refused(serve):
    def answer(request):
        return status(400, "Unrecognized: stream_options") if "stream_options" in request else reply("Hi")

    server, model = serve(answer)
    for _ in range(2):
        assert ask(model, "stream")[1].content == "Hi"
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


@both
def test_tools_refused(serve, how):
    def answer(request):
        if "tools" in request:
            return status(400, "registry/small does not support tools")
        return reply('<tool_call>\n{"name": "bash", "arguments": {"cmd": "ls"}}\n</tool_call>')

    server, model = serve(answer)
    _, message = ask(model, how, tools=[BASH])
    assert calls(message) == [("bash", {"cmd": "ls"})]
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "a.txt"}
    ask(model, how, [*ASK, message.to_dict(), result], tools=[BASH])
    first, second, third = server.requests
    assert "tools" in first
    assert '"name": "bash"' in second["messages"][0]["content"]
    assert [message["role"] for message in third["messages"]] == ["system", "user", "assistant", "user"]
    assert "a.txt" in third["messages"][3]["content"]


def test_reasoning_that_a_server_does_not_want_back(serve):
    def answer(request):
        unwanted = any("reasoning_content" in message for message in request["messages"])
        return status(400, "property 'reasoning_content' is unsupported") if unwanted else reply("Hi")

    _server, model = serve(answer)
    history = [*ASK, {"role": "assistant", "content": "x", "reasoning_content": "hm"}, ASK[1]]
    assert model.chat(history, "m", None).content == "Hi"


def test_reasoning_that_a_server_misses(serve):
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": "{}"}}

    def answer(request):
        there = "reasoning_content" in request["messages"][2]
        return reply("Hi") if there else status(400, "reasoning_content is missing in assistant tool call message")

    _server, model = serve(answer)
    history = [*ASK, {"role": "assistant", "content": None, "tool_calls": [call]}]
    assert model.chat(history, "m", None).content == "Hi"


# Trying again


@both
@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 529])
def test_a_passing_failure_does_not_end_a_session(serve, how, code):
    _server, model = serve(status(code, "not now"), status(code, "not now"), reply("Hi"))
    items, message = ask(model, how)
    assert message.content == "Hi"
    notices = [item for item in items if isinstance(item, ModelNotice)]
    assert (
        how == "chat" or [("not now" in notice.text, notice.level) for notice in notices] == [(True, "warning")] * 2
    )


def test_the_pause_that_the_server_asks_for_is_kept(serve):
    _server, model = serve(status(429, headers={"Retry-After": "0.4"}), reply("Hi"))
    started = time.monotonic()
    ask(model, "stream")
    assert 0.4 <= time.monotonic() - started < 1.0


def test_a_server_that_asks_for_a_very_long_pause_is_not_waited_for(serve):
    _server, model = serve(status(429, headers={"Retry-After": "86400"}), reply("Hi"))
    with pytest.raises(APITemporaryError, match="asks to wait 86400 s"):
        ask(model, "stream")


@both
def test_retries_come_to_an_end(serve, how):
    server, model = serve(lambda request: status(503, "overloaded"), max_retries=2)
    with pytest.raises(APITemporaryError, match=r"overloaded\. Gave up after 3 tries") as caught:
        ask(model, how)
    assert (caught.value.status, caught.value.url) == (503, server.url)
    assert len(server.requests) == 3


@both
def test_a_broken_answer_is_asked_for_again(serve, how):
    _server, model = serve(broken("half of it"), reply("All of it."))
    items, message = ask(model, how)
    assert message.content == "All of it."
    if how == "stream":
        assert text(items) == "half of itAll of it."
        assert [type(item) for item in items if not isinstance(item, TextDelta)] == [Discarded, Completed]


@pytest.mark.parametrize(
    "body",
    [
        sse(delta(content="half"), done=False),
        sse(delta(content="half"), done=False) + b"data: {oh no}\n\n",
        sse({"error": {"message": "the model crashed", "code": 500}}, done=False),
        b'error: {"error": {"code": 503, "message": "loading"}}\n\n',
        b"",
        b"data: [DONE]\n\n",
        b'{"choices": []',
        b'{"choices": []}',
    ],
)
def test_an_answer_that_is_none_is_asked_for_again(serve, body):
    _server, model = serve(raw(body), reply("Hi"))
    assert ask(model, "stream")[1].content == "Hi"


def test_a_body_that_never_ends_after_the_answer(serve):
    _server, model = serve(raw(sse(delta(content="Hi"), delta("stop")), end="stay"), reply("again"))
    started = time.monotonic()
    assert ask(model, "stream")[1].content == "Hi"
    assert time.monotonic() - started < 1.5
    assert ask(model, "stream")[1].content == "again"


def test_a_server_that_is_restarted(serve):
    server, model = serve(lambda request: reply("Hi"))
    ask(model, "stream")
    server.close()
    with FakeOpenAI([reply("again")], port=server.port):
        assert ask(model, "stream")[1].content == "again"


# Failures that stay, in words


@both
@pytest.mark.parametrize(
    ("step", "words"),
    [
        (status(401, f"Incorrect API key provided: {KEY}"), r"refused the API key.*OPENAI_API_KEY"),
        (status(403, "forbidden"), r"refused the API key.*forbidden"),
        (status(404, "no such model"), r"has no model 'm'.*/v1.*no such model"),
        (status(400, "bad thing"), r"HTTP 400.*bad thing"),
        (status(429, "You exceeded your current quota"), r"HTTP 429.*quota"),
        (status(404, body=b"<html><head><style>x{}</style></head><body><h1>Not  here</h1></body>"), r"Not here"),
        (raw(b"<!DOCTYPE html><title>Welcome</title>", content_type="text/html"), r"web page.*base URL.*Welcome"),
        (raw(b'{"error": {"message": "bad thing", "code": 400}}'), r"bad thing"),
    ],
)
def test_a_refusal_is_said_at_once_and_without_the_key(serve, how, step, words):
    server, model = serve(step)
    with pytest.raises(APIError) as caught:
        ask(model, how)
    assert not isinstance(caught.value, APITemporaryError)
    assert re.search(words, str(caught.value))
    assert server.url in str(caught.value)
    assert "very-secret" not in str(caught.value)
    assert "<" not in str(caught.value)
    assert len(server.requests) == 1


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    model = OpenAIModel(f"http://127.0.0.1:{port}/v1", KEY, max_retries=1, first_pause=0.01)
    with pytest.raises(APITemporaryError, match=rf"Nothing listens at http://127.0.0.1:{port}/v1 .*server runs"):
        model.chat(ASK, "m", None)


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


def test_a_silent_server_is_given_up_in_the_end(serve):
    _server, model = serve(silent(), timeout=0.2, max_retries=0)
    with pytest.raises(APITemporaryError, match=r"did not answer in 0.2 s"):
        ask(model, "chat")


@pytest.mark.parametrize(
    "step",
    [
        status(400, "This model's maximum context length is 8192 tokens"),
        status(500, "the request exceeds the available context size"),
        status(413, "too large"),
    ],
)
def test_a_conversation_that_is_too_long_is_told_apart(serve, step):
    _server, model = serve(step)
    with pytest.raises(APIError) as caught:
        ask(model, "stream")
    assert is_context_overflow(caught.value)
    assert not is_context_overflow(APIError("bad thing", status=400))


# Cancelling


SLOW = {
    "no answer": silent(),
    "no body": reply("x", stall=30),
    "slow body": reply("x" * 1000, chunk_delay=0.3),
    "retry": status(429, headers={"Retry-After": "30"}),
    "body after the end": raw(sse(delta(content="x"), done=False), end="stay"),
}


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
