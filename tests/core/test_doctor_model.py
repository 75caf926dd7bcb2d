"""``pygent doctor --model``: six calls to a server over HTTP, whose quirks it names by their numbers."""

from __future__ import annotations

import io
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pygent.__main__ import main
from pygent.commands import model_check
from pygent.commands.model_quirks import NOT_SEEN
from pygent.settings import Settings
from tests.fakes.openai_server import FakeOpenAI, Script, Step, broken, delta, raw, reply, sse, status
from tests.fakes.refusals import Refusal, no_stream_options, no_temperature, no_tools, refusing, strict_roles

CALLS = ["plain", "stream", "tool call", "parallel calls", "tool result", "long prompt"]
OSLO, ROME = {"city": "Oslo", "days": [1]}, {"city": "Rome", "days": [1]}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("PYGENT_", "OPENAI_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def which(request: dict[str, Any]) -> str:
    """Which of the six calls a request is."""
    texts = [str(message.get("content") or "") for message in request["messages"]]
    if any("Remember the word" in text for text in texts):
        return "long"
    if any(message["role"] == "tool" or "<tool_response>" in text for message, text in zip(
        request["messages"], texts, strict=True
    )):  # fmt: skip
        return "result"
    if any("Oslo" in text for text in texts):
        return "parallel" if any("Rome" in text for text in texts) else "call"
    return "stream" if any("Count" in text for text in texts) else "plain"


def usage_of(request: dict[str, Any]) -> dict[str, int]:
    counted = sum(len(str(message.get("content") or "").split()) for message in request["messages"])
    return {"prompt_tokens": counted, "completion_tokens": 1, "total_tokens": counted + 1}


def good(request: dict[str, Any], **options: Any) -> Step:
    """What a server without quirks answers."""
    options.setdefault("usage", usage_of(request))
    match which(request):
        case "long":
            return reply("Marzipan.", **options)
        case "call":
            return reply("", tool_calls=[("weather", OSLO)], **options)
        case "parallel":
            return reply("", tool_calls=[("weather", OSLO), ("weather", ROME)], **options)
        case _:
            return reply("Ready.", **options)


def on(call: str, step: Callable[[dict[str, Any]], Step]) -> Script:
    """A server that answers one of the calls in its own way, and the others well."""
    return lambda request: step(request) if which(request) == call else good(request)


def calling(*calls: tuple[Any, ...], **options: Any) -> Script:
    return on("call", lambda request: reply("", tool_calls=calls, usage=usage_of(request), **options))


def once(call: str, step: Step) -> Script:
    """The first answer to one of the calls is this, all else is good."""
    steps = [step]
    return lambda request: steps.pop() if steps and which(request) == call else good(request)


def pieces(*fields: dict[str, Any], done: bool = True, reason: str = "tool_calls", **more: Any) -> Step:
    events = [*(delta(**one) for one in fields), delta(reason), {"choices": [], "usage": {"prompt_tokens": 9}}]
    return raw(sse(*events, done=done), **more)


def call_piece(**fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"type": "function", **fields}]}


def weather(arguments: object) -> dict[str, Any]:
    return {"name": "weather", "arguments": arguments}


def refused(message: str, *words: str) -> Refusal:
    return lambda request: status(400, message) if any(word in json.dumps(request) for word in words) else None


def wants_reasoning(request: dict[str, Any]) -> Step | None:
    given = any("reasoning_content" in message for message in request["messages"])
    missing = which(request) == "result" and not given
    return status(400, "reasoning_content must be provided in assistant messages") if missing else None


def no_odd_roles(request: dict[str, Any]) -> Step | None:
    odd = which(request) == "result" and request["messages"][-1]["role"] == "user"
    return strict_roles(request) if odd else None


def user_after_tool(request: dict[str, Any]) -> Step | None:
    roles = [message["role"] for message in request["messages"]]
    wrong = any(pair in {("tool", "user"), ("tool", "system")} for pair in itertools.pairwise(roles))
    return status(400, "Unexpected role 'user' after role 'tool'") if wrong else None


TEXT_CALL = '```json\n{"name": "weather", "arguments": {"city": "Oslo", "days": [1]}}\n```'
WHOLE = {"index": 0, "id": "a", "function": weather(json.dumps(OSLO))}

QUIRKS: list[tuple[int, str, Script]] = [
    (1, "no id", calling(("weather", OSLO, ""))),
    (1, "same id", on("parallel", lambda _: reply("", tool_calls=[("weather", OSLO, "a"), ("weather", ROME, "a")]))),
    (2, "no index", on("call", lambda _: pieces(call_piece(id="a", function=weather(json.dumps(OSLO)))))),
    (3, "an object", on("call", lambda _: pieces(call_piece(index=0, id="a", function=weather(OSLO))))),
    (3, "are null", on("call", lambda _: pieces(call_piece(index=0, id="a", function=weather(None))))),
    (3, "are empty", calling(("weather", ""))),
    (3, "not quite JSON", calling(("weather", '{"city": "Oslo", "days": [1],}'))),
    (3, "encoded twice", calling(("weather", json.dumps(json.dumps(OSLO))))),
    (3, "array is sent as a text", calling(("weather", '{"city": "Oslo", "days": "[1]"}'))),
    (3, "cut off", calling(("weather", '{"city": "Os'), finish_reason="length")),
    (4, "a tool that there is not: forecast", calling(("forecast", OSLO))),
    (4, "no tool's name", calling(("", OSLO))),
    (5, "written as text", on("call", lambda _: reply(TEXT_CALL))),
    (6, "neither text nor calls", on("stream", lambda _: reply(""))),
    (6, "content is null", on("call", lambda _: reply(None, tool_calls=[("weather", OSLO)]))),
    (7, "finish_reason is stop", calling(("weather", OSLO), finish_reason="stop")),
    (8, "reasoning_content", on("stream", lambda _: reply("Five.", reasoning="I count."))),
    (8, "<think> tags", on("stream", lambda _: reply("<think>I count.</think>Five."))),
    (8, "earlier reasoning", refusing(wants_reasoning, answers=good)),
    (9, "two messages of one role", refusing(no_odd_roles, answers=good)),
    (9, "no prompt after a tool", refusing(user_after_tool, answers=good)),
    (10, "does not support tools", refusing(no_tools, answers=lambda request: (
        reply(TEXT_CALL) if which(request) in {"call", "parallel"} else good(request)
    ))),
    (11, "stream_options", refusing(no_stream_options, answers=good)),
    (11, "not counted", lambda request: good(request, usage=None)),
    (12, "comments", on("stream", lambda _: raw(b": ping\n\n" + sse(delta(content="Five."), delta("stop"))))),
    (12, "no [DONE]", on("stream", lambda _: pieces({"content": "Five."}, done=False, reason="stop"))),
    (12, "no space", on("stream", lambda _: raw(
        sse(delta(content="Five."), delta("stop")).replace(b"data: ", b"data:")))),
    (12, "breaks off", once("stream", broken("One, tw"))),
    (13, "developer", refusing(refused("unknown role 'developer'", '"role": "developer"'), answers=good)),
    (13, "parallel_tool_calls", refusing(
        refused("parallel_tool_calls is not supported", "parallel_tool_calls"), answers=good)),
    (13, "as max_completion_tokens", refusing(
        refused("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", '"max_tokens"'),
        answers=good)),
    (15, "HTTP 429", once("plain", status(429, "slow down", headers={"Retry-After": "0"}))),
    (15, "HTTP 401", lambda _: status(401, "bad key")),
    (15, "HTTP 404", lambda _: status(404, "no such model")),
    (16, "refused with HTTP 400", on("long", lambda _: status(400, "the maximum context length is 4096 tokens"))),
    (16, "cuts silently", on("long", lambda _: reply("Rain.", usage={"prompt_tokens": 4096}))),
]  # fmt: skip


def look(capsys: pytest.CaptureFixture[str], url: str, *argv: str) -> tuple[int, dict[str, Any]]:
    code = main(["doctor", "--model", "m", "--base-url", url, "--json", *argv])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("number", "words", "script"), QUIRKS, ids=[f"{number} {words}".replace(" ", "-") for number, words, _ in QUIRKS]
)
def test_each_quirk_is_named_by_its_number(
    capsys: pytest.CaptureFixture[str], number: int, words: str, script: Script
) -> None:
    with FakeOpenAI(script) as server:
        code, found = look(capsys, server.url)
    named = [(quirk["number"], quirk["text"]) for quirk in found["quirks"]]
    assert [text for at, text in named if at == number and words in text], named
    assert [call["call"] for call in found["calls"]] == CALLS
    assert code == (1 if words in {"HTTP 401", "HTTP 404"} else 0)


def test_every_number_of_the_list_is_seen_or_cannot_be() -> None:
    assert sorted({number for number, _, _ in QUIRKS} | set(NOT_SEEN)) == list(range(1, 18))
    assert not {number for number, _, _ in QUIRKS} & set(NOT_SEEN)


def test_a_server_without_quirks_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(good) as server:
        code, found = look(capsys, server.url)
        assert len(server.requests) == 6
    assert (code, found["quirks"], found["compat"]) == (0, [], {})
    assert {call["outcome"] for call in found["calls"]} == {"ok"}


def test_what_a_server_needs_is_kept_on_demand(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    file = home / "config" / "pygent" / "config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\ncompat: {other: {images: false}}\ntheme: pygent-light\n")
    with FakeOpenAI(refusing(no_tools, no_stream_options, no_temperature, answers=good)) as server:
        _, found = look(capsys, server.url)
        needs = {"stream_options": False, "temperature": False, "tools": "text"}
        assert (found["compat"], found["saved"]) == (needs, None)
        _, found = look(capsys, server.url, "--save")
        assert found["saved"] == str(file)
        kept = yaml.safe_load(file.read_text())
        assert kept == {"compat": {"other": {"images": False}, "m": needs}, "theme": "pygent-light"}
        assert file.read_text().startswith("# mine\n")
        before = len(server.requests)
        _, found = look(capsys, server.url)
        assert (found["compat"], len(server.requests) - before) == ({}, 6), "what is known is not tried again"


def test_a_providers_model_is_kept_under_its_whole_name(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    file = home / "config" / "pygent" / "config.yaml"
    file.parent.mkdir(parents=True)
    with FakeOpenAI(refusing(no_stream_options, answers=good)) as server:
        file.write_text(f"providers:\n  local:\n    base_url: {server.url}\n    key_variable: LOCAL_KEY\n")
        os.environ["LOCAL_KEY"] = "sk-local-0123456789abcdef"
        try:
            assert main(["doctor", "--model", "local/m", "--save"]) == 0
        finally:
            del os.environ["LOCAL_KEY"]
        out = capsys.readouterr().out
        assert server.headers[0]["authorization"] == "Bearer sk-local-0123456789abcdef"
        assert {request["model"] for request in server.requests} == {"m"}
    assert "sk-local" not in out
    assert yaml.safe_load(file.read_text())["compat"] == {"local/m": {"stream_options": False}}


def test_the_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOpenAI(refusing(no_stream_options, answers=good)) as server:
        assert main(["doctor", "--model", "m", "--base-url", server.url]) == 0
    out = capsys.readouterr().out
    assert f"m at {server.url}" in out
    rows = [line for line in out.splitlines() if line.startswith(tuple(CALLS))]
    assert [row.split("  ")[0].strip() for row in rows] == CALLS
    assert "  11  The server does not know stream_options" in out
    assert "compat: {m: {stream_options: false}}" in out
    assert "--save keeps it in your settings" in out


def test_a_server_that_is_not_there_is_asked_nothing_more(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = look(capsys, "http://127.0.0.1:9/v1")
    assert code == 1
    assert [call["outcome"] for call in found["calls"]] == ["failed", *["not asked"] * 5]
    assert "127.0.0.1:9" in found["calls"][0]["noticed"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "kept"), [("y\n", True), ("\n", False), ("", False)])
def test_on_a_terminal_it_asks_and_shows_what_it_waits_for(
    home: Path, monkeypatch: pytest.MonkeyPatch, answer: str, kept: bool
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    out = Terminal()
    with FakeOpenAI(refusing(no_stream_options, answers=good)) as server:
        model_check.run(Settings(model="m", base_url=server.url), out)
    assert "long prompt     asking …" in out.getvalue()
    assert "Keep it in your settings? [y/N]" in out.getvalue()
    assert (home / "config" / "pygent" / "config.yaml").exists() is kept


def test_save_without_a_model_is_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--save"]) == 2
    assert "--save goes with --model" in capsys.readouterr().err
