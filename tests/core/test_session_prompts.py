"""What a person says in a session: the queue, steering, images, and Esc."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent.errors import PygentError
from pygent.events import Event, MessageFinished, RunFinished
from pygent.export import export
from pygent.images import ACCEPTED, MAX_BYTES, can_see, content, read_image, text_of
from pygent.models import OpenAIModel
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from pygent.transcript import Transcript, UserItem
from tests.core.test_session import Watched
from tests.fakes.invariants import check_events, check_history
from tests.fakes.models import call, say
from tests.fakes.openai_server import FakeOpenAI, reply, status

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def made() -> Iterator[Callable[..., Watched]]:
    sessions: list[Watched] = []

    def make(folder: Path, script: list[Any], **options: Any) -> Watched:
        watched = Watched(folder, script, **options)
        watched.session.open()
        sessions.append(watched)
        return watched

    yield make
    for one in sessions:
        one.session.close()
        check_events(one.events)
        assert one.session.agent is not None
        check_history(one.session.agent.history)


def until(condition: Callable[[], object]) -> None:
    end_by = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end_by, "it did not happen in time"
        time.sleep(0.005)


def said(session: Session) -> list[Any]:
    """What people said, as the model sees it."""
    assert session.agent is not None
    return [message["content"] for message in session.agent.history if message["role"] == "user"]


def waiting(session: Session) -> list[tuple[str, str]]:
    return [(item.text, item.waiting) for item in session.queued()]


def ends(watched: Watched) -> list[str]:
    return [event.reason for event in watched.events if isinstance(event, RunFinished)]


class Gate:
    """A line of a model's script that waits until it is told to go on."""

    def __init__(self, answer: Any) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()
        self._answer = answer

    def __call__(self, messages: list[dict[str, Any]]) -> Any:
        self.reached.set()
        self.go.wait(20)
        return self._answer


def test_the_queue_can_be_seen_and_changed(tmp_path: Path, made: Callable[..., Watched]) -> None:
    gate = Gate(say("one"))
    session = made(tmp_path, [gate, say("two")]).session
    session.submit("a")
    assert session.queued() == []
    assert gate.reached.wait(10)
    second, third = session.submit("b"), session.submit("c")
    assert waiting(session) == [("b", "next"), ("c", "next")]
    taken = session.unqueue(second)
    assert taken is not None
    assert taken.text == "b"
    assert session.unqueue(second) is None
    assert session.edit_queued(third, "C")
    assert not session.edit_queued(second, "B")
    gate.go.set()
    until(lambda: not session.running)
    assert said(session) == ["a", "C"]


def test_after_an_interrupt_what_was_queued_waits_for_the_person(
    tmp_path: Path, made: Callable[..., Watched]
) -> None:
    watched = made(tmp_path, [gate := Gate(say("never")), say("x done"), say("b done"), say("c done")])
    session = watched.session
    session.submit("a")
    assert gate.reached.wait(10)
    second, third = session.submit("b"), session.submit("c")
    assert session.steer(second)
    assert session.interrupt()
    until(lambda: not session.running)
    assert ends(watched) == ["cancelled"]
    assert waiting(session) == [("b", "held"), ("c", "held")]
    session.submit("x")
    until(lambda: not session.running)
    assert waiting(session) == [("b", "held"), ("c", "held")]
    assert session.steer(third)
    until(lambda: not session.running)
    assert waiting(session) == [("b", "held")]
    assert said(session)[-1] == "c"
    assert ends(watched) == ["cancelled", "completed", "completed"]
    gate.go.set()


def test_an_interrupt_right_after_a_prompt_does_not_miss(tmp_path: Path, made: Callable[..., Watched]) -> None:
    gate = Gate(say("late"))
    watched = made(tmp_path, [gate] * 40)
    for number in range(40):
        watched.session.submit(str(number))
        assert watched.session.interrupt()
        until(lambda: not watched.session.running)
    gate.go.set()
    assert set(ends(watched)) == {"cancelled"}


def test_a_run_that_fails_holds_what_waits(tmp_path: Path, made: Callable[..., Watched]) -> None:
    def fail(messages: list[dict[str, Any]]) -> Any:
        watched.session.submit("b")
        return ValueError("broken")

    def failing(messages: list[dict[str, Any]]) -> Any:
        raise fail(messages)

    watched = made(tmp_path, [failing])
    watched.session.submit("a")
    until(lambda: ends(watched) == ["failed"] and not watched.session.running)
    assert waiting(watched.session) == [("b", "held")]


def test_a_held_prompt_begins_only_when_it_is_told_to(tmp_path: Path, made: Callable[..., Watched]) -> None:
    session = made(tmp_path, [say("one")]).session
    kept = session.submit("kept", held=True)
    assert waiting(session) == [("kept", "held")]
    assert not session.running
    assert session.steer(kept)
    assert not session.steer(kept)
    until(lambda: not session.running)
    assert said(session) == ["kept"]


def test_a_steering_message_goes_in_at_the_next_step(tmp_path: Path, made: Callable[..., Watched]) -> None:
    def first(messages: list[dict[str, Any]]) -> Any:
        watched.session.submit("later")
        assert watched.session.steer(watched.session.submit("turn left"))
        assert waiting(watched.session) == [("turn left", "steer"), ("later", "next")]
        return call(("bash", {"cmd": "true"}))

    def second(messages: list[dict[str, Any]]) -> Any:
        assert messages[-1] == {"role": "user", "content": "turn left"}
        assert messages[-2]["role"] == "tool"
        return say("left")

    watched = made(tmp_path, [first, second, say("done")], settings={"permission_mode": "yolo"})
    watched.session.submit("go")
    until(lambda: len(ends(watched)) == 2 and not watched.session.running)
    assert said(watched.session) == ["go", "turn left", "later"]
    assert ends(watched) == ["completed", "completed"]
    message = next(
        event
        for event in watched.events
        if isinstance(event, MessageFinished) and event.message["content"] == "turn left"
    )
    assert message.origin == "user"


@pytest.mark.parametrize("end", [say("All done."), call(("stop", {})), call(("continue", {}))])
def test_a_run_about_to_end_goes_on_with_a_steering_message(
    tmp_path: Path, made: Callable[..., Watched], end: Any
) -> None:
    def first(messages: list[dict[str, Any]]) -> Any:
        watched.session.steer(watched.session.submit("one more thing"))
        return end

    watched = made(tmp_path, [first, say("That too.")])
    watched.session.submit("go")
    until(lambda: ends(watched) and not watched.session.running)
    assert ends(watched) == ["completed"]
    assert said(watched.session) == ["go", "one more thing"]
    assert watched.session.queued() == []


def test_what_came_too_late_to_steer_is_the_next_prompt(tmp_path: Path, made: Callable[..., Watched]) -> None:
    def last(messages: list[dict[str, Any]]) -> Any:
        watched.session.steer(watched.session.submit("too late"))
        return call(("bash", {"cmd": "true"}))

    settings = {"permission_mode": "yolo", "max_steps": 1, "sources": {"max_steps": "--max-steps"}}
    watched = made(tmp_path, [last, say("as a prompt")], settings=settings)
    watched.session.submit("go")
    until(lambda: len(ends(watched)) == 2 and not watched.session.running)
    assert ends(watched) == ["max_steps", "completed"]
    assert said(watched.session)[-1] == "too late"


def test_a_steering_message_can_be_taken_back(tmp_path: Path, made: Callable[..., Watched]) -> None:
    def first(messages: list[dict[str, Any]]) -> Any:
        steering = watched.session.submit("no")
        watched.session.steer(steering)
        assert watched.session.unqueue(steering) is not None
        return say("one")

    watched = made(tmp_path, [first])
    watched.session.submit("go")
    until(lambda: ends(watched) and not watched.session.running)
    assert said(watched.session) == ["go"]


def test_many_threads_submit_steer_and_interrupt_and_nothing_is_lost(
    tmp_path: Path, made: Callable[..., Watched]
) -> None:
    watched = made(tmp_path, [lambda messages: say("ok")] * 200)
    session = watched.session

    def submit(name: str) -> None:
        for number in range(10):
            item = session.submit(f"{name}{number}")
            if number % 3 == 0:
                session.steer(item)
            if number % 7 == 5:
                session.interrupt()

    threads = [threading.Thread(target=submit, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: not session.running)
    while held := session.queued():
        session.steer(held[0].id)
        until(lambda: not session.running)
    text = "\n\n".join(said(session)).split("\n\n")  # one that was interrupted is joined with the next
    assert sorted(text) == sorted(f"{name}{number}" for name in "abc" for number in range(10))


def test_esc_ends_a_command_of_the_user_s_own(tmp_path: Path, made: Callable[..., Watched]) -> None:
    watched = made(tmp_path, [])
    assert not watched.session.interrupt()
    watched.session.run_command("echo on; sleep 60")
    until(lambda: any(event.type == "tool.output" for event in watched.events))
    began = time.monotonic()
    assert watched.session.interrupt()
    until(lambda: any(event.type == "tool.finished" for event in watched.events))
    assert time.monotonic() - began < 5
    until(lambda: not watched.session.interrupt())


# Images


def test_images_go_as_parts_and_come_back_with_a_stored_session(tmp_path: Path) -> None:
    def make(**options: Any) -> Watched:
        watched = Watched(
            tmp_path,
            [say("I see."), say("Still.")],
            store=lambda: Store(tmp_path / "s.db"),
            settings={"model": "gpt-4o"},
            **options,
        )
        watched.session.open()
        return watched

    first = make()
    (tmp_path / "work" / "shot.png").write_bytes(PNG)
    image = first.session.read_image("shot.png")
    first.session.submit(f"What is in {image.mark}?", [image])
    assert first.ended.acquire(timeout=20)
    first.session.close()
    check_events(first.events)
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    parts = [
        {"type": "text", "text": "What is in [Image shot.png]?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    assert said(first.session) == [parts]
    again = make(resume=first.session.id)
    assert said(again.session) == [parts]
    again.say("And now?")
    again.session.close()
    assert said(again.session) == [parts, "And now?"]
    events: list[Event] = [*again.session.past, *again.events]
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    texts = [item.text for item in transcript.main.items if isinstance(item, UserItem)]
    assert texts == ["What is in [Image shot.png]?", "And now?"]
    assert url not in export(events, "markdown")


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"model": "gpt-4o"}, True),
        ({"model": "codestral"}, False),
        ({"model": "codestral", "vision": True}, True),
        ({"model": "gpt-4o", "vision": False}, False),
    ],
)
def test_only_a_model_that_can_see_gets_images(
    tmp_path: Path, made: Callable[..., Watched], settings: dict[str, Any], sent: bool
) -> None:
    watched = made(tmp_path, [say("ok")], settings=settings)
    watched.session.submit("Look.", [read_image("/pics/shot.png", PNG)])
    until(lambda: ends(watched) and not watched.session.running)
    notices = [event.text for event in watched.events if event.type == "notice"]  # type: ignore[attr-defined]
    (message,) = said(watched.session)
    if sent:
        assert [part["type"] for part in message] == ["text", "image_url"]
        assert message[0]["text"] == "Look. [Image shot.png]"
        assert notices == []
    else:
        assert message == "Look. [Image shot.png: /pics/shot.png]"
        assert "shot.png" in notices[0]
        assert "vision: on" in notices[0]


def test_an_image_steers_too_and_joins_with_text(tmp_path: Path, made: Callable[..., Watched]) -> None:
    def first(messages: list[dict[str, Any]]) -> Any:
        session = watched.session
        session.steer(session.submit("see", [read_image("a.png", PNG)]))
        session.steer(session.submit("and this"))
        return say("one")

    watched = made(tmp_path, [first, say("two")], settings={"model": "gpt-4o"})
    watched.session.submit("go")
    until(lambda: ends(watched) and not watched.session.running)
    assert [part.get("text", "image") for part in said(watched.session)[1]] == [
        "see [Image a.png]",
        "image",
        "and this",
    ]


def test_what_is_no_image_is_refused_by_name(tmp_path: Path, made: Callable[..., Watched]) -> None:
    session = made(tmp_path, []).session
    folder = tmp_path / "work"
    (folder / "fake.png").write_text("not a picture")
    (folder / "big.png").write_bytes(PNG + b"\0" * MAX_BYTES)
    (tmp_path / "outside.png").write_bytes(PNG)
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    for path in ("fake.png", "big.png"):
        with pytest.raises(PygentError, match=path) as refused:
            session.read_image(path)
        assert ACCEPTED in str(refused.value)
    for path in ("missing.png", "../outside.png", "link.png", str(folder / "link.png"), "/dev/zero", "/nowhere.png"):
        with pytest.raises(PygentError):
            session.read_image(path)
    assert session.read_image(str(tmp_path / "outside.png")).media_type == "image/png"
    assert session.read_image(str(folder / ".." / "outside.png")).name == "outside.png"


def test_an_image_is_told_by_its_first_bytes() -> None:
    for data, kind in (
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a..", "gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
    ):
        assert read_image("x.bin", data).media_type == f"image/{kind}"
    assert read_image("a/[b]\n.png", PNG).mark == "[Image _b__.png]"
    assert text_of([{"type": "image_url"}]) == "[Image]"
    assert text_of(content("", [read_image("a.png", PNG)])) == "[Image a.png]"


def test_models_that_are_known_to_see() -> None:
    seeing = (
        "gpt-4o gpt-4.1-mini gpt-5 o3 o4-mini claude-sonnet-4-5 anthropic/claude-3.5-haiku gemini-2.5-flash "
        "qwen2.5vl:7b Qwen/Qwen2.5-VL-72B-Instruct qwen3-vl:8b llava:13b gemma3:12b llama3.2-vision:11b "
        "meta-llama/llama-4-scout pixtral-12b minicpm-v:8b grok-4 us.anthropic.claude-opus-4"
    )
    blind = (
        "gpt-3.5-turbo gpt-4 o1-mini o3x codestral qwen2.5-coder:14b qwen3:8b deepseek-r1:14b gemma2:9b gemma3:1b "
        "llama3.2:3b llama3.3 mistral-7b devstral phi4 kimi-k2 glm-4.6 starcoder2 my-model"
    )
    assert [name for name in seeing.split() if not can_see(name)] == []
    assert [name for name in blind.split() if can_see(name)] == []
    assert not can_see(None)


def test_a_server_that_takes_no_images_gets_the_text() -> None:
    def answer(request: dict[str, Any]) -> Any:
        if any(isinstance(message["content"], list) for message in request["messages"]):
            return status(400, "image_url is only supported by certain models")
        return reply("Hi")

    with FakeOpenAI(answer) as server:
        model = OpenAIModel(server.url, "key", first_pause=0.01)
        history = [{"role": "user", "content": content("Look.", [read_image("a.png", PNG)])}]
        for _ in range(2):
            assert model.chat(history, "m", None).content == "Hi"
        model.close()
        assert [isinstance(request["messages"][0]["content"], list) for request in server.requests] == [
            True,
            False,
            False,
        ]
        assert server.requests[1]["messages"][0]["content"].startswith("Look. [Image a.png]")


def test_reading_images_before_the_session_is_open(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    session = Session(Settings(workspace=tmp_path, use_docker=False))
    assert session.read_image("a.png").name == "a.png"
    assert session.read_image(str(tmp_path / "a.png")).name == "a.png"
    session.close()
