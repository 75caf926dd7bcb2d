"""Calls of the user's own, and the files that have all of a long output."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pygent.errors import PygentError
from pygent.events import Event, ToolFinished, ToolOutput
from pygent.sandbox.live import SAMPLE, SAMPLED_NOTE, LiveOutput, Sampled
from pygent.session import Session
from pygent.settings import Settings
from tests.fakes.invariants import check_events
from tests.fakes.models import ScriptedModel, call, say

NUMBERS = "seq 1 60000"  # 348 kB


class Own:
    """An open session on a scripted model, and its events."""

    def __init__(self, folder: Path, *script: object, mode: str = "auto") -> None:
        settings = Settings(workspace=folder, use_docker=False, permission_mode=mode)
        self.session = Session(settings, model=ScriptedModel(list(script)))
        self.events: list[Event] = []
        self.session.subscribe(self.events.append)
        self.session.open()

    def finished(self, count: int = 1) -> ToolFinished:
        """The call that ended last, once ``count`` have."""
        return until(lambda: [event for event in self.events if isinstance(event, ToolFinished)], count)[-1]


def until(found: Callable[[], list[ToolFinished]], count: int) -> list[ToolFinished]:
    end = time.monotonic() + 20
    while len(found()) < count:
        assert time.monotonic() < end
        time.sleep(0.01)
    return found()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Own]]:
    made: list[Own] = []

    def make(*script: object, mode: str = "auto") -> Own:
        made.append(Own(tmp_path / "work", *script, mode=mode))
        return made[-1]

    yield make
    for one in made:
        one.session.close()
        check_events(one.events)


def test_a_command_tells_its_exit_status_and_where_all_its_output_is(own: Callable[..., Own]) -> None:
    session = own().session
    one = own()
    one.session.run_command(f"{NUMBERS}; exit 3")
    done = one.finished()
    assert (done.status, done.exit_status) == ("error", 3)
    assert done.output_file is not None
    with one.session.open_output(done.output_file) as file:
        assert file.read().splitlines()[59_999] == b"60000"
    with pytest.raises(PygentError, match="until the session"):
        session.open_output(done.output_file)


def test_the_file_is_known_while_the_command_runs(own: Callable[..., Own]) -> None:
    one = own()
    one.session.run_command(f"{NUMBERS}; sleep 0.3; echo over")
    done = one.finished()
    files = {event.output_file for event in one.events if isinstance(event, ToolOutput)}
    assert done.output_file in files


def test_a_long_result_that_is_cut_for_the_model_is_kept_for_the_person(own: Callable[..., Own]) -> None:
    one = own(call(("bash", {"cmd": "seq 1 10000"})), say("ok"))
    one.session.submit("go")
    done = one.finished()
    assert "left out" in done.output
    assert done.output_file is not None
    with one.session.open_output(done.output_file) as file:
        text = file.read().decode()
    assert text.startswith("$ seq 1 10000\n1\n2\n")
    assert text.endswith("10000\n[exit status: 0]")


def test_only_what_a_runtime_keeps_is_opened(own: Callable[..., Own], tmp_path: Path) -> None:
    one = own()
    one.session.run_command(NUMBERS)
    kept = Path(str(one.finished().output_file))
    secret = tmp_path / "secret"
    secret.write_text("s")
    link = kept.with_name("output-link.txt")
    link.symlink_to(secret)
    fifo = kept.with_name("output-fifo.txt")
    os.mkfifo(fifo)
    for path in (secret, link, fifo, kept.parent, kept.with_name("gone"), kept.parent / ".." / "output" / kept.name):
        with pytest.raises(PygentError):
            one.session.open_output(str(path))
    kept.unlink()
    with pytest.raises(PygentError, match="not there any more"):
        one.session.open_output(str(kept))


def test_a_call_is_made_again_in_the_users_name(own: Callable[..., Own], tmp_path: Path) -> None:
    one = own(mode="ask")
    one.session.run_again("write_file", {"path": "a.txt", "content": "x"})
    done = one.finished()
    assert done.status == "ok"
    assert (tmp_path / "work" / "a.txt").read_text() == "x"
    one.session.run_again("bash", {"cmd": "cat a.txt; exit 4"})
    done = one.finished(2)
    assert done.exit_status == 4
    assert "approval.requested" not in {event.type for event in one.events}


def test_bans_rules_and_confinement_hold_for_the_users_own_calls(own: Callable[..., Own], tmp_path: Path) -> None:
    one = own(mode="plan")
    one.session.run_again("write_file", {"path": "a.txt", "content": "x"})
    assert one.finished().status == "denied"
    one.session.set_permission_mode("yolo")
    one.session.run_again("write_file", {"path": "../a.txt", "content": "x"})
    assert one.finished(2).status == "error"
    one.session.ban("touch")
    one.session.run_again("bash", {"cmd": "touch b.txt"})
    assert one.finished(3).status == "denied"
    assert not list(tmp_path.rglob("*.txt"))


@pytest.mark.parametrize("tool", ["stop", "continue", "delegate_task", "no_such_tool"])
def test_what_cannot_be_made_again_says_why(own: Callable[..., Own], tool: str) -> None:
    one = own()
    assert one.session.why_not_again(tool).endswith(".")
    with pytest.raises(PygentError):
        one.session.run_again(tool, {})
    assert one.session.why_not_again("bash") == ""
    assert "task" in one.session.why_not_again("bash", "nobody")


def test_small_pieces_are_handed_on_together() -> None:
    calls: list[str] = []
    live = LiveOutput(calls.append)
    assert live.wait(5.0) == 5.0
    for number in range(10_000):
        live.add(f"{number}\n")
        live.deliver_due()
    live.deliver()
    assert "".join(calls) == "".join(f"{number}\n" for number in range(10_000))
    assert len(calls) < 50


def test_of_more_than_the_limit_only_the_newest_comes() -> None:
    calls: list[str] = []
    sampled = Sampled(calls.append, 100)
    for number in range(1000):
        sampled("x" * 40 + f"{number}\n" * 3000)
    assert SAMPLED_NOTE in calls[0]
    assert sum(len(text) for text in calls) < 200 + 10 * SAMPLE
    assert calls[1].endswith("1\n")
