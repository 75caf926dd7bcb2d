"""What servers that call themselves OpenAI-compatible do, by the numbers of docs/providers.md, over real HTTP."""

import itertools
import json
import re
import socket
import time

import pytest

from pygent import Agent
from pygent.bus import EventBus
from pygent.errors import APIError, APITemporaryError
from pygent.events import ContextCompacted, Event, Notice, ToolFinished, ToolStarted
from pygent.history import History
from pygent.models import Completed, Discarded, ModelNotice, OpenAIModel, TextDelta
from pygent.models.api_errors import is_context_overflow
from pygent.models.shape import BRIDGE
from pygent.wiring import Wiring
from tests.core.asking import ASK, BASH, KEY, ask, calls, notices, text
from tests.fakes.invariants import check_events, check_history
from tests.fakes.openai_server import FakeOpenAI, broken, delta, raw, reply, sse, status

both = pytest.mark.parametrize("how", ["chat", "stream"])


class Runtime:
    """The least that an agent works with."""

    def __init__(self):
        self.commands = []
        self.before = None

    def bash(self, cmd):
        self.commands.append(cmd)
        if self.before is not None:
            self.before()
        return f"ran {cmd}"

    def write_file(self, path, content):
        return f"Wrote {path}"


def strict(request):
    """What a server finds wrong with a conversation, "" for nothing."""
    messages = request["messages"]
    before, open_calls, seen = None, [], set()
    for position, message in enumerate(messages):
        role = message["role"]
        if open_calls and role != "tool":
            return "An assistant message with 'tool_calls' must be followed by tool messages"
        if role == "system" and position:
            return "System message must be at the beginning"
        if role == before and role != "tool":
            return "Conversation roles must be in turns"
        if role == "assistant":
            if not message.get("content") and not message.get("tool_calls"):
                return "Assistant message must have either content or tool_calls"
            open_calls = [call["id"] for call in message.get("tool_calls") or ()]
            if "" in open_calls or len(set(open_calls)) < len(open_calls) or seen & set(open_calls):
                return "ids of calls must be unique"
            seen |= set(open_calls)
        if role == "tool":
            if message["tool_call_id"] not in open_calls:
                return "tool message without its call"
            open_calls.remove(message["tool_call_id"])
        before = role
    return "calls without an answer" if open_calls else ""


class Case:
    """An agent on a server that looks at each request before it gives the next reply."""

    def __init__(self, *replies, **options):
        self.script = list(replies)
        self.server = FakeOpenAI(self._next)
        self.model = OpenAIModel(self.server.url, KEY, **{"first_pause": 0.01, **options})
        self.runtime = Runtime()
        self.events: list[Event] = []
        bus = EventBus()
        bus.subscribe(self.events.append)
        self.agent = Agent(self.runtime, self.model, "m", wiring=Wiring(bus=bus))

    def _next(self, request):
        wrong = strict(request)
        if wrong:
            return status(400, wrong)
        step = self.script.pop(0)
        return step(request) if callable(step) else step

    def run(self, prompt="go", **limits):
        result = self.agent.run_until_stop(prompt, **limits)
        check_history(self.agent.history)
        check_events(self.events)
        return result

    def sent(self, position=-1):
        return self.server.requests[position]["messages"]

    def told(self):
        return [event.text for event in self.events if isinstance(event, Notice)]

    def close(self):
        self.model.close()
        self.server.close()


@pytest.fixture
def case():
    made = []

    def make(*replies, **options):
        made.append(Case(*replies, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


STOP = reply("Done.", tool_calls=[("stop", {})])


# 1. Ids of calls


@pytest.mark.hostile(64)
@pytest.mark.parametrize("ids", [("", ""), ("call_0", "call_0"), ("a", "b")])
def test_01_ids_that_are_empty_or_repeated_become_unique_and_are_echoed(case, ids):
    step = reply(tool_calls=[("bash", {"cmd": "a"}, ids[0]), ("bash", {"cmd": "b"}, ids[1])])
    one = case(step, step, STOP)  # the same ids again in the second step
    assert one.run().reason == "stopped"
    assert one.runtime.commands == ["a", "b", "a", "b"]


@pytest.mark.hostile(64)
def test_01_ids_that_are_absent(case):
    pieces = [
        delta(tool_calls=[{"index": n, "function": {"name": "bash", "arguments": '{"cmd": "a"}'}}]) for n in (0, 1)
    ]
    one = case(raw(sse(*pieces, delta("tool_calls"))), STOP)
    assert one.run().reason == "stopped"
    assert one.runtime.commands == ["a", "a"]


def test_01_ids_that_a_server_takes_only_short(serve):
    def answer(request):
        ids = [message["tool_call_id"] for message in request["messages"] if message["role"] == "tool"]
        ids += [call["id"] for message in request["messages"] for call in message.get("tool_calls") or ()]
        for one in ids:
            if not re.fullmatch(r"[a-zA-Z0-9]{9}", one):
                return status(400, f"Tool call id was {one} but must be a-z, A-Z, 0-9, with a length of 9.")
        assert len(ids) == 4
        assert len(set(ids)) == 2
        return reply("Hi")

    _server, model = serve(answer)
    history = [*ASK, _calling("call_1", "abcdefgh1"), _result("call_1"), _result("abcdefgh1")]
    items, message = ask(model, "stream", history)
    assert message.content == "Hi"
    assert notices(items) == [
        (
            "The server wants ids of tool calls with nine letters and digits. "
            "To say so beforehand: compat: {m: {call_ids: short}}"
        )
    ]
    assert model.learnt("m") == {"call_ids": "short"}
    assert history[2]["tool_calls"][0]["id"] == "call_1"


def _calling(*ids, content=None):
    made = [
        {"id": one, "type": "function", "function": {"name": "bash", "arguments": '{"cmd": "ls"}'}} for one in ids
    ]
    return {"role": "assistant", "content": content, "tool_calls": made}


def _result(call_id, content="a.txt"):
    return {"role": "tool", "tool_call_id": call_id, "content": content}


# 2. Pieces of calls


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
def test_02_tool_calls_in_pieces_of_many_kinds(serve, pieces):
    _server, model = serve(raw(sse(*pieces, delta("stop"))))
    _, message = ask(model, "stream", tools=[BASH])
    assert calls(message) == [("bash", {"cmd": "a"}), ("bash", {"cmd": "b"})]
    assert len({call.id for call in message.tool_calls} - {""}) == 2


# 3. Arguments


LISTING = {
    "type": "function",
    "function": {
        "name": "show",
        "description": "",
        "parameters": {
            "type": "object",
            "properties": {"paths": {"type": "array", "items": {"type": "string"}}, "text": {"type": "string"}},
        },
    },
}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"text": "a"}, {"text": "a"}),
        ('{"text": "a",}', {"text": "a"}),
        ('{"text": "a\nb\tc"}', {"text": "a\nb\tc"}),
        (json.dumps('{"text": "a"}'), {"text": "a"}),
        ('{"paths": "[\\"a\\", \\"b\\"]"}', {"paths": ["a", "b"]}),
        ('{"text": "[\\"a\\"]"}', {"text": '["a"]'}),  # a text is wanted, so a text it stays
    ],
)
def test_03_arguments_that_can_be_mended(serve, sent, meant):
    piece = {"index": 0, "id": "x", "function": {"name": "show", "arguments": sent}}
    _server, model = serve(raw(sse(delta(tool_calls=[piece]), delta("tool_calls"))))
    assert calls(ask(model, "stream", tools=[LISTING])[1]) == [("show", meant)]


def test_03_arguments_that_cannot_be_mended_are_answered_and_do_not_go_back(case):
    one = case(reply(tool_calls=[("bash", '{"cmd": ls')]), STOP)
    assert one.run().reason == "stopped"
    (finished, _) = [event for event in one.events if isinstance(event, ToolFinished)]
    assert finished.status == "error"
    assert one.runtime.commands == []
    assert isinstance(json.loads(one.sent()[-2]["tool_calls"][0]["function"]["arguments"]), dict)


def test_03_a_call_that_was_cut_off_does_not_run(case):
    one = case(reply(tool_calls=[("bash", '{"cmd": "rm -r')], finish_reason="length"), STOP)
    assert one.run().reason == "stopped"
    assert one.runtime.commands == []
    assert "cut off at the length limit" in one.sent()[-1]["content"]


@both
@pytest.mark.parametrize("arguments", ["", "null", "{}"])
def test_03_no_arguments(serve, how, arguments):
    _server, model = serve(reply(tool_calls=[("stop", arguments)]))
    _, message = ask(model, how)
    assert calls(message) == [("stop", {})]


@both
def test_03_a_call_that_was_cut_off_is_told_by_the_finish_reason(serve, how):
    _server, model = serve(reply(tool_calls=[("bash", '{"cmd": "l')], finish_reason="length"))
    _, message = ask(model, how, tools=[BASH])
    assert message.finish_reason == "length"
    assert message.tool_calls[0].function.arguments == '{"cmd": "l'


# 4. Names of tools


def test_04_an_unknown_name_is_answered_with_the_tools_there_are(case):
    one = case(reply(tool_calls=[("run_everything", {})]), STOP)
    assert one.run().reason == "stopped"
    assert "run_everything" in one.sent()[-1]["content"]
    assert "bash" in one.sent()[-1]["content"]


def test_04_a_call_of_nothing_leaves_the_history(case):
    one = case(reply("Hm.", tool_calls=[("", ""), ("bash", {"cmd": "a"})]), STOP)
    assert one.run().reason == "stopped"
    assert [call["function"]["name"] for call in one.sent()[-2]["tool_calls"]] == ["bash"]


# 5. Calls written as text


@pytest.mark.parametrize(
    "written",
    [
        '```json\n{"name": "bash", "arguments": {"cmd": "a"}}\n```',
        '<tool_call>{"name": "bash", "arguments": {"cmd": "a"}}</tool_call>',
        "<function=bash><parameter=cmd>a</parameter></function>",
        '{"name": "bash", "arguments": {"cmd": "a"}}',
    ],
)
def test_05_a_written_call_runs_and_is_shown_as_one(case, written):
    one = case(reply(written), STOP)
    assert one.run().reason == "stopped"
    assert one.runtime.commands == ["a"]
    assert next((event.tool, event.arguments) for event in one.events if isinstance(event, ToolStarted)) == (
        "bash",
        {"cmd": "a"},
    )
    assert one.sent()[-2]["tool_calls"][0]["function"]["name"] == "bash"


@pytest.mark.parametrize(
    "written",
    [
        '```json\n{"name": "bash", "arguments": {"cmd": "a"',
        '```json\n{"name": "launch", "arguments": {"cmd": "a"}}\n```',
        '{"name": "bash", "arguments": {"cmd": ["a"]}}',
    ],
)
def test_05_what_is_no_whole_call_of_a_known_tool_stays_text(serve, written):
    _server, model = serve(reply(written))
    _, message = ask(model, "stream", tools=[BASH])
    assert (message.tool_calls, message.content) == ([], written)


@both
def test_05_calls_written_as_text(serve, how):
    written = 'I look.\n```json\n{"name": "bash", "arguments": {"cmd": "ls"}}\n```'
    _server, model = serve(reply(written, chunk_size=4))
    items, message = ask(model, how, tools=[BASH])
    assert calls(message) == [("bash", {"cmd": "ls"})]
    assert message.content == "I look."
    assert "bash" not in text(items)


@both
def test_05_calls_written_as_text_can_be_left_alone(serve, how):
    written = '{"name": "bash", "arguments": {"cmd": "ls"}}'
    _server, model = serve(reply(written), text_tool_calls=False)
    _, message = ask(model, how, tools=[BASH])
    assert (message.tool_calls, message.content) == ([], written)


# 6. Messages without content


def test_06_a_reply_with_neither_text_nor_calls_is_dropped(case):
    one = case(reply(""), reply("Hello."), STOP)
    one.run()
    for request in one.server.requests:
        assert all(message.get("content") or message.get("tool_calls") for message in request["messages"])


def test_06_a_server_that_takes_no_null_beside_calls(serve):
    def answer(request):
        if any(message["content"] is None for message in request["messages"]):
            return status(400, "Invalid 'content': 'content' field must be a string or an array of objects.")
        return reply("Hi")

    server, model = serve(answer)
    items, message = ask(model, "stream", [*ASK, _calling("a"), _result("a")])
    assert message.content == "Hi"
    assert server.requests[-1]["messages"][2]["content"] == ""
    assert "The server wants a text beside calls" in notices(items)[0]
    assert model.learnt("m") == {"null_content": False}


# 7. A finish reason that does not fit


@pytest.mark.parametrize("reason", ["stop", "function_call", "length", "whatever"])
def test_07_calls_run_whatever_the_finish_reason(case, reason):
    one = case(reply(tool_calls=[("bash", {"cmd": "a"})], finish_reason=reason), STOP)
    assert one.run().reason == "stopped"
    assert one.runtime.commands == ["a"]


# 8. Reasoning


@pytest.mark.parametrize("reasoning", ["hm", ""])
def test_08_reasoning_goes_back_as_it_came(case, reasoning):
    piece = delta(reasoning_content=reasoning)
    call = delta(tool_calls=[{"index": 0, "id": "x", "function": {"name": "bash", "arguments": '{"cmd": "a"}'}}])
    one = case(raw(sse(piece, call, delta("tool_calls"))), STOP)
    one.run()
    assert one.sent()[-2]["reasoning_content"] == reasoning


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_08_reasoning_beside_the_text(serve, field):
    _server, model = serve(raw(sse(delta(**{field: "h"}), delta(**{field: "m"}), delta(content="Hi"), delta("stop"))))
    _, message = ask(model, "stream")
    assert (message.content, message.reasoning_content) == ("Hi", "hm")


@both
def test_08_reasoning_in_tags(serve, how):
    _server, model = serve(reply("<think>hm</think>\n\nHi", chunk_size=3))
    items, message = ask(model, how)
    assert (message.content, message.reasoning_content) == ("Hi", "hm")
    assert how == "chat" or text(items) == "Hi"


def test_08_reasoning_that_a_server_does_not_want_back(serve):
    def answer(request):
        unwanted = any("reasoning_content" in message for message in request["messages"])
        return status(400, "property 'reasoning_content' is unsupported") if unwanted else reply("Hi")

    _server, model = serve(answer)
    history = [*ASK, {"role": "assistant", "content": "x", "reasoning_content": "hm"}, ASK[1]]
    assert model.chat(history, "m", None).content == "Hi"


def test_08_reasoning_that_a_server_misses(serve):
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": "{}"}}

    def answer(request):
        there = "reasoning_content" in request["messages"][2]
        return reply("Hi") if there else status(400, "reasoning_content is missing in assistant tool call message")

    _server, model = serve(answer)
    history = [*ASK, {"role": "assistant", "content": None, "tool_calls": [call]}]
    assert model.chat(history, "m", None).content == "Hi"


def test_08_reasoning_goes_back_in_the_field_in_which_it_came(serve):
    server, model = serve(raw(sse(delta(reasoning="hm"), delta(content="Hi"), delta("stop"))), reply("And"))
    _, message = ask(model, "stream")
    items, _ = ask(model, "stream", [*ASK, message.to_dict(), ASK[1]])
    assert server.requests[1]["messages"][2] == {"role": "assistant", "content": "Hi", "reasoning": "hm"}
    assert notices(items) == []
    assert model.learnt("m") == {"reasoning_field": "reasoning"}


# 9. Order and roles


def test_09_one_leading_system_message_and_roles_in_turns(serve):
    server, model = serve(lambda request: status(400, wrong) if (wrong := strict(request)) else reply("Hi"))
    model.chat(
        [
            {"role": "system", "content": "One."},
            {"role": "system", "content": "Two."},
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": "c"},
            {"role": "assistant", "content": None},
            {"role": "assistant", "content": "d"},
            {"role": "system", "content": "Remember."},
            {"role": "user", "content": "e"},
            _calling("x"),
            _result("x", "result"),
            {"role": "system", "content": "Hurry."},
        ],
        "m",
        None,
    )
    assert [(message["role"], message["content"]) for message in server.requests[0]["messages"]] == [
        ("system", "One.\n\nTwo."),
        ("user", "a\n\nb"),
        ("assistant", "c\n\nd"),
        ("user", "(system) Remember.\n\ne"),
        ("assistant", None),
        ("tool", "result\n\n(system) Hurry."),
    ]


def test_09_what_an_agent_adds_by_itself_keeps_the_order(case):
    one = case(reply("I will."), reply(tool_calls=[("bash", {"cmd": "a"})]), reply("Well."), STOP, STOP)
    one.run()
    one.run("more")
    assert len(one.server.requests) == 5


@pytest.mark.parametrize(
    "words", ["Unexpected role 'user' after role 'tool'", "Conversation roles must alternate user/assistant/…"]
)
def test_09_a_template_that_takes_no_user_after_a_tool(serve, words):
    def answer(request):
        roles = [message["role"] for message in request["messages"]]
        return status(400, words) if ("tool", "user") in itertools.pairwise(roles) else reply("Hi")

    server, model = serve(answer)
    items, message = ask(model, "stream", [*ASK, _calling("a"), _result("a"), {"role": "user", "content": "more"}])
    assert message.content == "Hi"
    assert server.requests[-1]["messages"][-2] == {"role": "assistant", "content": BRIDGE}
    assert "takes no prompt after a tool's result" in notices(items)[0]
    assert model.learnt("m") == {"user_after_tool": False}


@pytest.mark.parametrize("code", [400, 500])
def test_09_a_template_without_system_message(serve, code):
    def answer(request):
        system = any(message["role"] == "system" for message in request["messages"])
        return status(code, "System role not supported") if system else reply("Hi")

    server, model = serve(answer)
    items, message = ask(model, "stream")
    assert message.content == "Hi"
    assert server.requests[-1]["messages"] == [{"role": "user", "content": "Be brief.\n\nhi"}]
    assert "The model has no system message" in notices(items)[0]
    assert model.learnt("m") == {"system": "user"}


# 10. No tools


@pytest.mark.parametrize("code", [400, 404, 500])
def test_10_no_tools_is_told_and_the_work_goes_on(case, code):
    def no_tools(request):
        return status(code, "m does not support tools") if "tools" in request else step

    step = reply('<tool_call>\n{"name": "bash", "arguments": {"cmd": "a"}}\n</tool_call>')
    one = case(no_tools, no_tools, reply('<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'))
    assert one.run().reason == "stopped"
    assert one.runtime.commands == ["a"]
    (told,) = one.told()
    assert told.startswith(
        "The server does not support tools for this model; they are described in the prompt instead."
    )
    assert one.model.learnt("m") == {"tools": "text"}


def test_10_what_is_known_beforehand_is_not_asked_for(case):
    one = case(
        reply('<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>'), compat={"m*": {"tools": "text"}}
    )
    assert one.run().reason == "stopped"
    assert one.told() == []
    assert one.model.learnt("m") == {}


@both
def test_10_tools_refused(serve, how):
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


# 11. Token counts


@pytest.mark.parametrize("last", [{"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}, {}])
def test_11_counts_in_a_last_chunk_without_choices_or_nowhere(serve, last):
    _server, model = serve(raw(sse(delta(content="Hi"), delta("stop"), last)))
    _, message = ask(model, "stream")
    assert message.content == "Hi"
    assert (message.usage.total_tokens if message.usage else None) == (7 if last else None)


def test_11_a_refusal_is_told_once_with_the_line_for_the_settings(serve):
    def answer(request):
        return (
            status(422, "Extra inputs are not permitted: stream_options")
            if "stream_options" in request
            else reply("Hi")
        )

    _server, model = serve(answer)
    told = notices(ask(model, "stream")[0]) + notices(ask(model, "stream")[0])
    assert told == [
        (
            "The server does not know stream_options; token counts may be missing. "
            "To say so beforehand: compat: {m: {stream_options: false}}"
        )
    ]
    assert model.learnt("m") == {"stream_options": False}
    other = OpenAIModel(model.base_url, KEY)
    other.provider = "office"
    assert notices(ask(other, "stream")[0])[0].endswith("compat: {office/m: {stream_options: false}}")
    other.close()
    again = OpenAIModel(model.base_url, KEY, compat={"m": model.learnt("m")})
    assert notices(ask(again, "stream")[0]) == []
    again.close()


@both
@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 7, "completion_tokens": 1}])
def test_11_token_counts(serve, how, usage):
    _server, model = serve(reply("Hi", usage=usage))
    _, message = ask(model, how)
    assert (message.usage and message.usage.to_dict()) == (usage and {**usage, "total_tokens": 8})


def test_11_stream_options_refused(serve):
    def answer(request):
        return status(400, "Unrecognized: stream_options") if "stream_options" in request else reply("Hi")

    server, model = serve(answer)
    for _ in range(2):
        assert ask(model, "stream")[1].content == "Hi"
    assert ["stream_options" in request for request in server.requests] == [True, False, False]


# 12. Streams


@pytest.mark.parametrize("words", ["Cannot use tools with stream", "streaming is not supported for this model"])
def test_12_a_server_that_does_not_stream(serve, words):
    def answer(request):
        return status(500, words) if request.get("stream") else reply("Hi", tool_calls=[("bash", {"cmd": "a"})])

    _server, model = serve(answer)
    items, message = ask(model, "stream", tools=[BASH])
    assert (text(items), calls(message)) == ("Hi", [("bash", {"cmd": "a"})])
    assert "The server does not stream answers here" in notices(items)[0]
    assert model.learnt("m") == {"stream": False}


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
def test_12_streams_of_many_kinds(serve, body, size):
    _server, model = serve(raw([body[start : start + size] for start in range(0, len(body), size)]))
    items, message = ask(model, "stream")
    assert (text(items), message.content) == ("Hi", "Hi")


def test_12_a_stream_where_a_whole_answer_was_asked_for(serve):
    _server, model = serve(raw(sse(delta(content="Hi"), delta("stop"))))
    assert model.chat(ASK, "m", None).content == "Hi"


@pytest.mark.hostile(70)
@both
def test_12_a_broken_answer_is_asked_for_again(serve, how):
    _server, model = serve(broken("half of it"), reply("All of it."))
    items, message = ask(model, how)
    assert message.content == "All of it."
    if how == "stream":
        assert text(items) == "half of itAll of it."
        assert [type(item) for item in items if not isinstance(item, TextDelta)] == [Discarded, Completed]


@pytest.mark.hostile(70)
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
def test_12_an_answer_that_is_none_is_asked_for_again(serve, body):
    _server, model = serve(raw(body), reply("Hi"))
    assert ask(model, "stream")[1].content == "Hi"


def test_12_a_body_that_never_ends_after_the_answer(serve):
    _server, model = serve(raw(sse(delta(content="Hi"), delta("stop")), end="stay"), reply("again"))
    started = time.monotonic()
    assert ask(model, "stream")[1].content == "Hi"
    assert time.monotonic() - started < 10
    assert ask(model, "stream")[1].content == "again"


# 13. Roles and fields that are not known everywhere


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (400, "developer is not one of ['system', 'assistant', 'user', 'tool', 'function'] - 'messages.['0].role'"),
        (422, "Input should be 'system', 'user', 'assistant' or 'tool': messages.0.role"),
        (400, "chat template rejected the request: Unexpected message role."),
    ],
)
def test_13_the_role_developer_is_not_known(serve, code, words):
    def answer(request):
        return status(code, words) if request["messages"][0]["role"] == "developer" else reply("Hi")

    server, model = serve(answer, compat={"*": {"system": "developer"}})
    items, message = ask(model, "stream")
    assert message.content == "Hi"
    assert [request["messages"][0]["role"] for request in server.requests] == ["developer", "system"]
    assert "does not know the role developer" in notices(items)[0]
    assert model.learnt("m") == {"system": "system"}


def test_13_system_is_sent_unless_the_server_wants_developer(serve):
    def answer(request):
        role = request["messages"][0]["role"]
        words = "'system' is not supported with this model: unsupported role system, use 'developer' instead"
        return reply("Hi") if role == "developer" else status(400, words)

    server, model = serve(answer)
    assert ask(model, "stream")[1].content == "Hi"
    assert [request["messages"][0]["role"] for request in server.requests] == ["system", "developer"]
    assert model.learnt("m") == {"system": "developer"}


@pytest.mark.parametrize("asked", [True, False])
def test_13_parallel_tool_calls_is_sent_where_asked_for_and_left_out_where_refused(serve, asked):
    def answer(request):
        if request["messages"][-1]["content"] == "hi" and "parallel_tool_calls" in request:
            return status(400, "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.")
        return reply("Hi")

    server, model = serve(answer, compat={"m": {"parallel_tool_calls": asked}})
    items, message = ask(model, "stream", tools=[BASH])
    assert message.content == "Hi"
    assert [request.get("parallel_tool_calls") for request in server.requests] == [asked, None]
    assert "does not know parallel_tool_calls" in notices(items)[0]
    assert model.learnt("m") == {"parallel_tool_calls": "auto"}


def test_13_nothing_of_the_kind_is_sent_by_itself(serve):
    server, model = serve(reply("Hi"))
    ask(model, "stream", tools=[BASH])
    assert not {"parallel_tool_calls", "max_tokens", "max_completion_tokens"} & set(server.requests[0])


@pytest.mark.parametrize(
    ("known", "first", "learnt"),
    [
        ({"max_completion_tokens"}, None, {"max_tokens": "max_completion_tokens"}),
        ({"max_tokens"}, "max_completion_tokens", {"max_tokens": "max_tokens"}),
        (set(), None, {"max_tokens": "none"}),
    ],
)
def test_13_the_length_of_an_answer_has_two_names(serve, known, first, learnt):
    def answer(request):
        wrong = {"max_tokens", "max_completion_tokens"} & set(request) - known
        return (
            status(400, f"Unsupported parameter: '{wrong.pop()}' is not supported with this model.")
            if wrong
            else reply("Hi")
        )

    server, model = serve(answer, max_tokens=500, compat={"m": {"max_tokens": first}} if first else None)
    items, message = ask(model, "stream")
    assert message.content == "Hi"
    assert [server.requests[-1][name] for name in known] == [500] * len(known)
    assert len(notices(items)) == len(server.requests) - 1
    assert model.learnt("m") == learnt


def test_13_an_answer_that_may_not_be_so_long_is_told_as_it_is(serve):
    _server, model = serve(
        status(400, "max_tokens is too large: 100000. This model supports at most 16384"), max_tokens=100000
    )
    with pytest.raises(APIError, match="at most 16384"):
        ask(model, "stream")


# 14. Images


def test_14_images_come_after_all_results_of_a_turn(serve):
    server, model = serve(reply("I see."))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    history = [
        *ASK,
        _calling("a", "b"),
        _result("a", [{"type": "text", "text": "[Image a.png]"}, picture]),
        _result("b", "text"),
        {"role": "user", "content": "What is in it?"},
    ]
    model.chat(history, "m", [BASH])
    assert [(message["role"], message["content"]) for message in server.requests[0]["messages"][3:]] == [
        ("tool", "[Image a.png]"),
        ("tool", "text"),
        ("user", [picture, {"type": "text", "text": "What is in it?"}]),
    ]


def test_14_a_server_that_takes_no_images_gets_the_text(serve):
    def answer(request):
        images = any(isinstance(message["content"], list) for message in request["messages"])
        return (
            status(400, "image input is not supported - hint: you may need to provide the mmproj")
            if images
            else reply("Hi")
        )

    server, model = serve(answer)
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    items, message = ask(model, "stream", [{"role": "user", "content": [{"type": "text", "text": "Look."}, picture]}])
    assert message.content == "Hi"
    assert server.requests[-1]["messages"][0]["content"].startswith("Look.")
    assert "takes no images" in notices(items)[0]
    assert model.learnt("m") == {"images": False}


# 15. Trying again


@pytest.mark.hostile(70)
@both
@pytest.mark.parametrize("code", [408, 409, 429, 500, 502, 503, 529])
def test_15_a_passing_failure_does_not_end_a_session(serve, how, code):
    _server, model = serve(status(code, "not now"), status(code, "not now"), reply("Hi"))
    items, message = ask(model, how)
    assert message.content == "Hi"
    notices = [item for item in items if isinstance(item, ModelNotice)]
    assert (
        how == "chat" or [("not now" in notice.text, notice.level) for notice in notices] == [(True, "warning")] * 2
    )


def test_15_the_pause_that_the_server_asks_for_is_kept(serve):
    _server, model = serve(status(429, headers={"Retry-After": "0.4"}), reply("Hi"))
    started = time.monotonic()
    ask(model, "stream")
    assert 0.4 <= time.monotonic() - started < 10


def test_15_a_server_that_asks_for_a_very_long_pause_is_not_waited_for(serve):
    _server, model = serve(status(429, headers={"Retry-After": "86400"}), reply("Hi"))
    with pytest.raises(APITemporaryError, match="asks to wait 86400 s"):
        ask(model, "stream")


@both
def test_15_retries_come_to_an_end(serve, how):
    server, model = serve(lambda request: status(503, "overloaded"), max_retries=2)
    with pytest.raises(APITemporaryError, match=r"overloaded\. Gave up after 3 tries") as caught:
        ask(model, how)
    assert (caught.value.status, caught.value.url) == (503, server.url)
    assert len(server.requests) == 3


def test_15_a_server_that_is_restarted(serve):
    server, model = serve(lambda request: reply("Hi"))
    ask(model, "stream")
    server.close()
    with FakeOpenAI([reply("again")], port=server.port):
        assert ask(model, "stream")[1].content == "again"


@pytest.mark.hostile(68, 70)
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
def test_15_a_refusal_is_said_at_once_and_without_the_key(serve, how, step, words):
    server, model = serve(step)
    with pytest.raises(APIError) as caught:
        ask(model, how)
    assert not isinstance(caught.value, APITemporaryError)
    assert re.search(words, str(caught.value))
    assert server.url in str(caught.value)
    assert "very-secret" not in str(caught.value)
    assert "<" not in str(caught.value)
    assert len(server.requests) == 1


def test_15_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    model = OpenAIModel(f"http://127.0.0.1:{port}/v1", KEY, max_retries=1, first_pause=0.01)
    with pytest.raises(APITemporaryError, match=rf"Nothing listens at http://127.0.0.1:{port}/v1 .*server runs"):
        model.chat(ASK, "m", None)


def test_15_a_pause_is_seen_and_ended_in_a_run(case):
    one = case(lambda request: status(429, "slow down", headers={"Retry-After": "30"}))
    started = time.monotonic()
    one.model.preload()  # takes a second, which is not the pause
    result = one.run(max_time=1.5)
    assert result.reason == "timeout"
    assert time.monotonic() - started < 25
    assert any("slow down" in told and "Trying again in 3" in told for told in one.told())


# 16. Conversations that are too long


def _long(count=6, size=3000):
    history = list(ASK)
    for number in range(count):
        history += [_calling(f"c{number}"), _result(f"c{number}", f"begin{number} " + "x" * size + f" end{number}")]
    return history


def _window(characters, code=400, words="This model's maximum context length is {} tokens, but {} were asked for"):
    def answer(request):
        size = sum(len(message.get("content") or "") for message in request["messages"])
        if size > characters:
            return status(code, words.format(characters, size))
        return reply("Hi", usage={"prompt_tokens": size // 4, "completion_tokens": 1, "total_tokens": size // 4 + 1})

    return answer


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (400, "This model's maximum context length is {} tokens. However, your messages resulted in {} tokens."),
        (413, "Payload too large"),
        (422, "Input is too long: exceeds the maximum context size"),
        (500, "the request exceeds the available context size. try increasing the context size"),
    ],
)
def test_16_a_conversation_that_is_too_long_is_no_passing_failure(serve, code, words):
    server, model = serve(_window(12_000, code, words))
    with pytest.raises(APIError) as caught:
        ask(model, "stream", _long())
    assert is_context_overflow(caught.value)
    assert not isinstance(caught.value, APITemporaryError)
    assert len(server.requests) == 1


def test_16_a_run_goes_on_after_it(case):
    def refuse(request):
        return status(400, "the request exceeds the available context size")

    one = case(*[reply(tool_calls=[("bash", {"cmd": "x" * 900})]) for _ in range(4)], refuse, reply("Summed."), STOP)
    assert one.run().reason == "stopped"
    (event,) = [event for event in one.events if isinstance(event, ContextCompacted)]
    assert (event.by, event.summary) == ("overflow", "Summed.")


def test_16_a_server_that_cuts_silently_is_told_of_once(serve):
    def answer(request):
        size = len(json.dumps(request["messages"]))
        return reply("Hi", usage={"prompt_tokens": min(size // 4, 2048), "completion_tokens": 1, "total_tokens": 1})

    _server, model = serve(answer)
    assert notices(ask(model, "stream")[0]) == []
    told = [*notices(ask(model, "stream", _long(12))[0]), *notices(ask(model, "stream", _long(14))[0])]
    assert len(told) == 1
    assert re.search(
        r"counted 2048 tokens where about \d+ were sent.* without saying so.*OLLAMA_CONTEXT_LENGTH", told[0]
    )


@pytest.mark.parametrize("counting", ["all", "nothing", "only what is new"])
def test_16_a_server_that_counts_otherwise_is_not_suspected(serve, counting):
    before = [0]

    def answer(request):
        size = len(json.dumps(request))
        tokens = {"all": size // 5, "nothing": 0, "only what is new": (size - before[0]) // 4}[counting]
        before[0] = size
        return reply("Hi", usage={"prompt_tokens": tokens, "completion_tokens": 1, "total_tokens": tokens + 1})

    _server, model = serve(answer)
    history = _long(1)
    for number in range(6):
        assert notices(ask(model, "stream", history)[0]) == []
        history += [_calling(f"d{number}"), _result(f"d{number}", "word " * 400)]


# 17. Every call has one answer


@pytest.mark.hostile(30)
def test_17_after_an_interrupt(case):
    one = case(reply(tool_calls=[("bash", {"cmd": "a"}), ("bash", {"cmd": "b"})]), STOP)
    one.runtime.before = one.agent.cancel
    assert one.run().reason == "cancelled"
    assert one.runtime.commands == ["a"]
    one.runtime.before = None
    assert one.run("again").reason == "stopped"


def test_17_after_a_stream_that_broke_for_good(case):
    one = case(*[broken("half")] * 2, STOP, max_retries=1)
    with pytest.raises(APITemporaryError):
        one.agent.run_until_stop("go")
    assert one.run("again").reason == "stopped"


@pytest.mark.hostile(63)
def test_17_after_a_crash_and_a_resume(case):
    first = case(reply(tool_calls=[("bash", {"cmd": "a"}), ("bash", {"cmd": "b"})]), STOP)
    first.run()
    end = next(n for n, event in enumerate(first.events) if isinstance(event, ToolFinished))
    second = case(STOP)
    second.agent.history.replay(first.events[:end])  # what a killed session had written
    assert second.run("go on").reason == "stopped"
    assert "interrupted" in json.dumps(second.sent())


@pytest.mark.hostile(64)
def test_17_whatever_a_program_does(serve):
    history = History()
    history.add_user("a")
    server, model = serve(lambda request: status(400, wrong) if (wrong := strict(request)) else reply("Hi"))
    history.append(_calling("x", "y"))
    history.add_result("x", "done")
    history.add_user("b")
    model.chat(history, "m", None)
    assert [message["role"] for message in server.requests[0]["messages"]] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
    ]
