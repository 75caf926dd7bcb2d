"""``read_image``: a picture of the workspace reaches a model that sees, behind all results of its turn."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from pygent import Agent, OpenAIModel, Runtime
from pygent.compat import Compat
from pygent.events import MessageFinished, ToolFinished
from pygent.history import History
from pygent.images import MAX_BYTES
from pygent.transcript import ToolItem, Transcript
from pygent.wiring import Wiring
from tests.core.test_session import Watched, made
from tests.fakes.models import call, say
from tests.fakes.openai_server import FakeOpenAI, reply

__all__ = ["made"]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def _outputs(events: list[Any]) -> list[tuple[str, str]]:
    return [(event.status, event.output) for event in events if isinstance(event, ToolFinished)]


def test_pictures_go_behind_all_results_of_the_turn(tmp_path: Path) -> None:
    """14."""
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.txt").write_text("text")
    calls = [("read_image", {"path": "a.png"}), ("read_file", {"path": "b.txt"}), ("read_image", {"path": "a.png"})]
    with FakeOpenAI([reply(tool_calls=calls), reply("I see.", tool_calls=[("stop", {})])]) as server:
        with Runtime(use_docker=False, workspace=tmp_path) as runtime:
            agent = Agent(runtime, OpenAIModel(server.url, "none"), "gpt-4o")
            assert agent.run_until_stop("look").reason == "stopped"
            assert "read_image" in {tool["function"]["name"] for tool in server.requests[0]["tools"]}
        sent = server.requests[1]["messages"]
    assert [message["role"] for message in sent[-5:]] == ["assistant", "tool", "tool", "tool", "user"]
    assert sent[-4]["content"] == "[Image a.png]: image/png, 48 bytes. It follows the results of this turn."
    parts = sent[-1]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "image_url"]
    assert parts[1]["image_url"]["url"] == URL


def test_a_session_shows_the_call_and_remembers_the_picture(tmp_path: Path, made: list[Watched]) -> None:
    script = [call(("read_image", {"path": "a.png"})), say("I see.")]
    made.append(watched := Watched(tmp_path, script, settings={"vision": True}))
    watched.session.open()
    (tmp_path / "work" / "a.png").write_bytes(PNG)
    watched.say("look")
    transcript, history = Transcript(), History()
    for event in watched.events:
        transcript.apply(event)
    kinds = [type(item).__name__ for item in transcript.main.items]
    assert kinds.count("UserItem") == 1
    assert isinstance(transcript.main.items[2], ToolItem)
    assert [event.origin for event in watched.events if isinstance(event, MessageFinished)][2] == "tool"
    history.replay(watched.events)
    assert history[3]["content"][1]["image_url"]["url"] == URL
    agent = watched.session.agent
    assert agent is not None
    assert history == agent.history[1:]


def test_a_model_that_cannot_see_is_told_so(tmp_path: Path, made: list[Watched]) -> None:
    def blinded(_: object) -> Any:
        agent = watched.session.agent
        assert agent is not None
        agent.model_name = "blind"
        return call(("read_image", {"path": "a.png"}))

    made.append(watched := Watched(tmp_path, [blinded, say("ok")], settings={"model": "gpt-4o"}))
    watched.session.open()
    watched.say("look")
    ((status, output),) = _outputs(watched.events)
    assert status == "error"
    assert "this model gets no images (the user can change that: vision)" in output


def test_it_is_offered_to_models_that_see(tmp_path: Path) -> None:
    class Learnt:
        def __init__(self, images: bool) -> None:
            self._compat = Compat(images=images)

        def compat(self, model: str) -> Compat:
            return self._compat

    with Runtime(use_docker=False, workspace=tmp_path) as runtime:

        def offered(name: str, vision: bool | None = None, *, images: bool = True) -> bool:
            agent = Agent(runtime, Learnt(images), name, wiring=Wiring(vision=vision))
            return "read_image" in agent.tool_names()

        assert offered("gpt-4o")
        assert not offered("qwen2.5-coder")
        assert offered("qwen2.5-coder", True)
        assert not offered("gpt-4o", False)
        assert not offered("gpt-4o", images=False)


def test_what_is_no_picture_or_too_large_or_outside_is_refused(tmp_path: Path, made: list[Watched]) -> None:
    paths = ["a.txt", "large.png", "/etc/passwd", "none.png"]
    script = [call(*(("read_image", {"path": path}) for path in paths)), say("ok")]
    made.append(watched := Watched(tmp_path, script, settings={"vision": True}))
    watched.session.open()
    work = tmp_path / "work"
    (work / "a.txt").write_text("text")
    (work / "large.png").write_bytes(PNG + bytes(MAX_BYTES))
    watched.say("look")
    found = _outputs(watched.events)
    assert [status for status, _ in found] == ["error"] * 4
    for (_, output), words in zip(
        found, ("is no image that can be sent", "5.0 MB", "outside", "none.png"), strict=True
    ):
        assert words in output
    assert [message["role"] for message in watched.session.agent.history][-2:] == ["tool", "assistant"]  # type: ignore[union-attr]
