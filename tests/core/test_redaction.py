"""Keys that Pygent knows: in no event, no answer of a tool, no kept file, no log and no export (hostile.md, 68)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pygent import Agent, Runtime
from pygent.errors import WorkspaceError
from pygent.events import to_dict
from pygent.models import OpenAIModel
from pygent.redaction import HIDDEN, Redactor, looks_like_key
from pygent.sandbox.output import OutputBuffer
from pygent.settings.secrets import keys_around
from tests.fakes.openai_server import FakeOpenAI, reply

KEY = "sk-canary-0123456789abcdef"
OTHER = "ghp_canary9876543210zyxwv"

pytestmark = pytest.mark.hostile(68)


@given(st.lists(st.integers(1, 60), max_size=6), st.booleans())
def test_a_key_is_found_wherever_the_pieces_are_cut(cuts: list[int], twice: bool) -> None:
    data = f"before {KEY} {KEY[:-1]} sk-can {OTHER}{KEY} after {KEY[:9]}".encode() * (2 if twice else 1)
    redactor = Redactor([KEY, OTHER])
    stream = redactor.stream()
    out, at = b"", 0
    for size in cuts:
        out += stream.feed(data[at : at + size])
        at += size
    out += stream.feed(data[at:]) + stream.finish()
    assert out.decode() == redactor.text(data.decode())
    assert KEY.encode() not in out
    assert f"before {HIDDEN} {KEY[:-1]} sk-can {HIDDEN}{HIDDEN} after {KEY[:9]}".encode() in out


@pytest.mark.parametrize(
    ("text", "key"),
    [
        *[(word, False) for word in ("ollama", "lm-studio", "EMPTY", "none", "not-needed", "sk-no-key-required")],
        *[(word, False) for word in ("sk-test", "sk-xxxxxxxxxxxx", "x" * 20, "your-api-key", "a b c d e f g h i")],
        *[(word, True) for word in (KEY, OTHER, "hunter22x", "AKIAIOSFODNN7EXAMPLE", "correcthorsebatterystaple")],
    ],
)  # fmt: skip
def test_words_that_stand_for_no_key_are_left_alone(text: str, key: bool) -> None:
    assert looks_like_key(text) is key


def test_keys_of_the_environment_are_told_by_name() -> None:
    found = {
        "OPENAI_API_KEY": KEY,
        "GITHUB_TOKEN": OTHER,
        "AWS_SECRET_ACCESS_KEY": "w" * 20 + "1",
        "KEYMAP": "qwerty-dvorak-and-so-on",
    }
    paths = {
        "SSH_AUTH_SOCK": "/tmp/ssh-000000000/agent.1",
        "TLS_KEY": "/etc/ssl/private/one.key",
        "TOKEN_URL": "https://a.example/x/y/z",
    }
    assert keys_around({**found, **paths}) == {KEY, OTHER, "w" * 20 + "1"}


def test_an_output_is_kept_without_them(tmp_path: Path) -> None:
    buffer = OutputBuffer(100, 100, spill_dir=tmp_path, redactor=Redactor([KEY]))
    shown = "".join(buffer.feed(piece) for piece in (b"x" * 50 + KEY[:12].encode(), KEY[12:].encode(), b"y" * 500))
    shown += buffer.finish()
    assert buffer.file is not None
    for text in (shown, buffer.text(), Path(buffer.file).read_text("utf-8")):
        assert HIDDEN in text
        assert KEY[:12] not in text
        assert KEY[12:] not in text


def test_a_file_that_was_shown_without_its_key_is_not_written_back_without_it(tmp_path: Path) -> None:
    with Runtime(use_docker=False, workspace=tmp_path, redactor=Redactor([KEY])) as runtime:
        (tmp_path / ".env").write_text(f"KEY={KEY}\nDEBUG=0\n")
        with pytest.raises(WorkspaceError, match="would be lost"):
            runtime.write_file(".env", f"KEY={HIDDEN}\nDEBUG=1\n")
        assert KEY in (tmp_path / ".env").read_text()
        runtime.write_file("notes", f"passwords show as {HIDDEN}")
        runtime.write_file("notes", f"they show as {HIDDEN}")


def test_an_agent_on_its_own_hides_the_key_of_its_model_and_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", OTHER)
    seen = []

    def answer(request):
        seen.append(json.dumps(request["messages"]))
        return reply("Done.") if len(seen) > 1 else reply("", tool_calls=[("bash", {"cmd": "cat keys"})])

    (tmp_path / "keys").write_text(f"{KEY} {OTHER}")
    with FakeOpenAI(answer) as server:
        agent = Agent(Runtime(use_docker=False, workspace=tmp_path), OpenAIModel(server.url, KEY), "m")
        agent.wiring.bus.subscribe(lambda event: seen.append(json.dumps(to_dict(event))))
        agent.converse(f"what is {KEY}?")
        agent.close()
    whole = "\n".join((*seen, json.dumps(list(agent.history))))
    assert HIDDEN in json.loads(json.dumps(agent.history[-2]["content"]))
    assert KEY not in whole
    assert OTHER not in whole
