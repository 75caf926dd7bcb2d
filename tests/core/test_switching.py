"""A session goes from one model server to another, with other quirks, and takes its history along."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.errors import SettingsError
from pygent.events import Event, Notice, RunFinished, ToolFinished
from pygent.openai_compat import Usage
from pygent.persona import Persona
from pygent.session import Session
from pygent.settings import Settings
from pygent.settings.provider import ModelEntry, Provider
from tests.fakes.invariants import check_events, check_history
from tests.fakes.openai_server import FakeOpenAI, Step, reply, status
from tests.fakes.refusals import no_reasoning, no_stream_options, no_tools, paired_ids, refusing, strict_roles

TEXT_CALL = '<tool_call>\n{"name": "write_file", "arguments": {"path": "two.txt", "content": "2"}}\n</tool_call>'


class Going:
    """A session on real servers; its events are kept."""

    def __init__(self, folder: Path, model: str, providers: dict[str, Provider], **settings: Any) -> None:
        self.session = Session(
            Settings(
                model=model,
                providers=providers,
                workspace=folder / "work",
                use_docker=False,
                permission_mode="yolo",
                **settings,
            )
        )
        self.events: list[Event] = []
        self._ended = threading.Semaphore(0)
        self.session.subscribe(self._take)
        self.session.open()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, RunFinished):
            self._ended.release()

    def say(self, prompt: str) -> RunFinished:
        self.session.submit(prompt)
        return self.end()

    def end(self) -> RunFinished:
        assert self._ended.acquire(timeout=20)
        while self.session.running:  # its end is told a moment before its thread is free
            time.sleep(0.001)
        return next(event for event in reversed(self.events) if isinstance(event, RunFinished))

    def notices(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Notice)]

    def tools(self) -> list[tuple[str, str]]:
        return [(event.status, event.output) for event in self.events if isinstance(event, ToolFinished)]


@pytest.fixture
def opened() -> Iterator[list[Going]]:
    sessions: list[Going] = []
    yield sessions
    for one in sessions:
        one.session.close()
        check_events(one.events)
        assert one.session.agent is not None
        check_history(one.session.agent.history)


def write(name: str, **options: Any) -> Step:
    return reply(tool_calls=[("write_file", {"path": name, "content": name})], **options)


def test_a_session_goes_on_at_servers_with_other_quirks(tmp_path: Path, opened: list[Going]) -> None:
    one = FakeOpenAI(
        [
            reply(
                reasoning="I write it.",
                tool_calls=[
                    ("write_file", {"path": "one.txt", "content": "1"}, ""),  # no ids, or the same for all
                    ("read_file", {"path": "one.txt"}, ""),
                ],
            ),
            reply("One is written.", reasoning="That was it."),
        ]
    )
    no_tools_here = FakeOpenAI(
        refusing(no_tools, strict_roles, no_stream_options, answers=[reply(TEXT_CALL), reply("Two is written.")])
    )
    strict = FakeOpenAI(
        refusing(paired_ids, no_reasoning, answers=[write("three.txt", reasoning="So."), reply("Three is written.")])
    )
    with one, no_tools_here, strict:
        providers = {
            "one": Provider(base_url=one.url),
            "text": Provider(base_url=no_tools_here.url),
            "strict": Provider(base_url=strict.url),
        }
        opened.append(going := Going(tmp_path, "one/first", providers))
        assert going.say("write one").text == "One is written."
        going.session.set_model("text/second")
        assert going.session.status().model == "text/second"
        assert going.say("write two").text == "Two is written."
        going.session.set_model("strict/third")
        assert going.say("write three").text == "Three is written."
        assert [how for how, _ in going.tools()] == ["ok"] * 4
        assert sorted(path.name for path in (tmp_path / "work").glob("*.txt")) == ["one.txt", "three.txt", "two.txt"]

        assert {request["model"] for request in one.requests} == {"first"}
        assert len(one.requests) == 2, "the first server is not asked again"
        history = str(no_tools_here.requests[-1]["messages"])
        assert "write one" in history
        assert "One is written." in history
        assert "<tool_response>" in history
        assert "one.txt" in history
        sent = strict.requests[-1]["messages"]
        assert sum(len(message.get("tool_calls") or ()) for message in sent) == 4
        assert sum(message["role"] == "tool" for message in sent) == 4
        told = going.notices()
        assert [text for text in told if text.startswith(("The model is text/second", "The model is strict/third"))]
        assert any("does not support tools" in text for text in told)
        assert any("stream_options" in text for text in told)
        saying = [text for text in told if "compat: {text/second: {tools: text}}" in text]
        assert saying, "what can be said beforehand has the provider's name in it"


def test_back_at_a_server_its_quirks_are_still_known(tmp_path: Path, opened: list[Going]) -> None:
    odd = FakeOpenAI(refusing(no_tools, answers=[reply("a"), reply("c")]))
    with odd, FakeOpenAI([reply("b")]) as plain:
        providers = {"odd": Provider(base_url=odd.url), "plain": Provider(base_url=plain.url)}
        opened.append(going := Going(tmp_path, "odd/m", providers))
        for model, answer in (("odd/m", "a"), ("plain/m", "b"), ("odd/m", "c")):
            going.session.set_model(model)
            assert going.say("go").text == answer
        assert ["tools" in request for request in odd.requests] == [True, False, False]


def test_a_switch_in_the_middle_of_a_run_counts_from_the_next_step(tmp_path: Path, opened: list[Going]) -> None:
    going: Going

    def first(request: dict[str, Any]) -> Step:
        going.session.set_model("two/b")  # while the first answer is still being made
        return write("a.txt", usage={"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000})

    usage = {"prompt_tokens": 2_000_000, "completion_tokens": 0, "total_tokens": 2_000_000}
    with FakeOpenAI(first) as one, FakeOpenAI([reply("done", usage=usage)]) as two:
        priced = {name: ModelEntry(prices={"input": price}, context_window=window) for name, price, window in (
            ("a", 1.0, 1000), ("b", 10.0, 2000),
        )}  # fmt: skip
        providers = {
            "one": Provider(base_url=one.url, models=priced),
            "two": Provider(base_url=two.url, models=priced),
        }
        opened.append(going := Going(tmp_path, "one/a", providers))
        assert going.session.status().context_window == 1000
        end = going.say("go")
        assert (len(one.requests), len(two.requests)) == (1, 1)
        assert end.text == "done"
        assert end.cost == 1.0 + 20.0, "each step costs what its own model does"
        assert going.session.status().context_window == 2000
        assert (tmp_path / "work" / "a.txt").exists()


def test_the_key_and_the_headers_are_those_of_the_server(
    tmp_path: Path, opened: list[Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    monkeypatch.setenv("TWO_KEY", "key-of-two")
    with FakeOpenAI([reply("1")]) as bare, FakeOpenAI([reply("2")]) as one, FakeOpenAI([reply("3")]) as two:
        providers = {
            "one": Provider(base_url=one.url),
            "two": Provider(base_url=two.url, key_variable="TWO_KEY"),
            "three": Provider(base_url=two.url, key_variable="THREE_KEY"),
        }
        opened.append(going := Going(tmp_path, "m", providers, base_url=bare.url, api_key="key-of-openai"))
        for model in ("m", "one/m", "two/m"):
            going.session.set_model(model)
            going.say("go")
        keys = [server.headers[0]["authorization"] for server in (bare, one, two)]
        assert keys == ["Bearer key-of-openai", "Bearer none", "Bearer key-of-two"]
        with pytest.raises(SettingsError, match="THREE_KEY is empty"):
            going.session.set_model("three/m")
        assert going.session.status().model == "two/m", "what cannot be asked is not chosen"
        assert "key-of" not in str(going.events)


def test_a_session_begins_without_the_key_and_another_model_can_be_chosen(
    tmp_path: Path, opened: list[Going]
) -> None:
    with FakeOpenAI([reply("here")]) as server:
        providers = {
            "locked": Provider(base_url=server.url, key_variable="NO_SUCH_KEY"),
            "open": Provider(base_url=server.url),
        }
        opened.append(going := Going(tmp_path, "locked/m", providers))
        end = going.say("go")
        assert end.reason == "failed"
        assert "the key of locked is not set: the variable NO_SUCH_KEY is empty" in (end.error or "")
        assert server.requests == []
        going.session.set_model("open/m")
        assert going.say("go").text == "here"


def test_a_name_without_a_prefix_stays_on_the_server_of_the_base_url(tmp_path: Path, opened: list[Going]) -> None:
    with FakeOpenAI([reply("a"), reply("b")]) as server:
        opened.append(going := Going(tmp_path, "m", {}, base_url=server.url))
        going.say("go")
        going.session.set_model("vendor/other")
        going.say("go")
        assert [request["model"] for request in server.requests] == ["m", "vendor/other"]
        assert going.session.status().model == "vendor/other"


def test_a_personas_model_can_be_another_providers(tmp_path: Path, opened: list[Going]) -> None:
    def main(request: dict[str, Any]) -> Step:
        if len(server.requests) == 1:
            return reply(tool_calls=[("delegate_persona_task", {"prompt": "look", "persona": "reader"})])
        if len(server.requests) == 2:
            return reply(tool_calls=[("wait_for_tasks", {})])
        return reply("done")

    cost = Usage(1_000_000, 0, 1_000_000).to_dict()
    with FakeOpenAI(main) as server, FakeOpenAI([reply(tool_calls=[("stop", {})], usage=cost)]) as other:
        providers = {
            "main": Provider(base_url=server.url),
            "other": Provider(base_url=other.url, prices={"small": {"input": 7.0, "output": 0.0}}),
        }
        reader = Persona("reader", "reads", model="other/small")
        opened.append(going := Going(tmp_path, "main/big", providers, personas=(reader,)))
        assert going.say("go").reason in {"completed", "stopped"}
        assert [request["model"] for request in other.requests] == ["small"]
        assert going.session.costs().used.money == 7.0


def test_what_can_be_chosen_is_asked_of_each_server(tmp_path: Path, opened: list[Going]) -> None:
    with FakeOpenAI(models=["a", "b"]) as one, FakeOpenAI(models=["vendor/c"]) as two:
        providers = {
            "two": Provider(base_url=two.url, models={"known": ModelEntry()}),
            "gone": Provider(base_url="http://127.0.0.1:9/v1"),
            "locked": Provider(base_url=two.url, key_variable="NO_SUCH_KEY"),
        }
        opened.append(going := Going(tmp_path, "two/vendor/c", providers, base_url=one.url))
        servers = {server.provider: server for server in going.session.servers()}
        assert list(servers) == ["", "two", "gone", "locked"]
        assert servers["two"].models == ("two/known",)
        assert servers[""].address == one.url
        assert going.session.models_of("") == ["a", "b"]
        assert going.session.models_of("two") == ["two/vendor/c"]
        with pytest.raises(Exception, match=r"127\.0\.0\.1:9"):
            going.session.models_of("gone")
        with pytest.raises(SettingsError, match="NO_SUCH_KEY"):
            going.session.models_of("locked")


def test_one_model_of_a_provider_can_be_said_to_be_small(tmp_path: Path, opened: list[Going]) -> None:
    with FakeOpenAI(lambda _: reply("Done.")) as server:
        models = {"tiny": ModelEntry(profile="small")}
        providers = {"one": Provider(base_url=server.url, models=models)}
        opened.append(going := Going(tmp_path, "one/tiny", providers))
        going.say("go")
        going.session.set_model("one/large")
        going.say("go")
        assert "tools" not in server.requests[0], "a small model writes its calls"
        assert "tools" in server.requests[-1]


def test_a_refused_key_is_told_by_where_it_stands(
    tmp_path: Path, opened: list[Going], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWO_KEY", "key-of-two")
    with FakeOpenAI(lambda _: status(401, "no")) as server:
        providers = {"two": Provider(base_url=server.url, key_variable="TWO_KEY")}
        opened.append(going := Going(tmp_path, "two/m", providers))
        assert "Check TWO_KEY, and that it belongs to this server" in (going.say("go").error or "")
