"""A session in a real Chromium that outlives its page: reloads, other tabs, lost connections, a hung application."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.browser import Page
from tests.fakes.openai_server import FakeOpenAI, reply
from tests.fakes.serving import gone, serving
from tests.fakes.tunnel import Tunnel

READY = "● ready"
WORDS = " ".join(f"word{number}" for number in range(60))
WRITES = reply("I write it.", tool_calls=[("write_file", {"path": "a.txt", "content": "hi\n"})])
SLEEPS = reply("I sleep.", tool_calls=[("bash", {"cmd": "sleep 4321", "timeout": 100})])


@pytest.mark.hostile(77)
def test_a_reload_in_the_middle_of_an_answer_goes_on_with_it(
    show: Callable[[str], Page], home: dict[str, str]
) -> None:
    gate = threading.Event()
    answers = [reply(WORDS, gate=gate), WRITES, reply("All done.")]
    with (
        FakeOpenAI(answers) as model,
        serving(home, "--permission-mode", "ask", OPENAI_BASE_URL=model.url) as server,
    ):
        page = show(server.url)
        page.wait_for(READY)
        before = server.apps()
        page.type("talk")
        page.press("Enter")
        page.wait_for("word5 ")
        page.reload()
        assert "word59" not in page.wait_for("talk", "word5 ")
        gate.set()
        page.wait_for("word59", "completed")
        assert page.evaluate("location.href") == f"{server.base}/"
        assert page.complaints == []

        page.type("write")
        page.press("Enter")
        page.wait_for("Pygent asks: write_file")
        page.reload()
        page.wait_for("Pygent asks: write_file", "+ hi")
        time.sleep(0.8)  # what is typed on before one has seen the question belongs to the prompt
        page.type("y")
        page.wait_for("All done.")
        assert Path(home["HOME"], "work", "a.txt").read_text() == "hi\n"
        assert server.apps() == before
        assert len(model.requests) == 3


@pytest.mark.hostile(77)
def test_a_second_tab_chooses_and_takes_over(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with FakeOpenAI([reply("Hello there.")]) as model, serving(home, OPENAI_BASE_URL=model.url) as server:
        first = show(server.url)
        first.wait_for(READY)
        first.type("greet")
        first.press("Enter")
        first.wait_for("Hello there.", "completed")
        before = server.apps()

        second = show(server.base)
        second.wait_said("Another tab or browser shows this session.")
        second.answer("Show session 1 (✓ done · work)")
        second.wait_for("greet", "Hello there.")
        first.wait_said("Another tab or browser shows this session now.")
        first.answer("Show it here")
        first.wait_for("greet", "Hello there.")
        second.wait_said("Another tab or browser shows this session now.")

        assert first.evaluate("document.title") == "✓ done · work · Pygent"
        first.close()
        second.close()
        third = show(server.base)
        third.wait_for("greet", "Hello there.", READY)  # nobody looked at it, so there is nothing to choose
        assert server.apps() == before
        fourth = show(server.base)
        fourth.answer("Start another")
        fourth.wait_for(READY)
        assert "greet" not in fourth.text
        assert len(server.apps()) == 2


@pytest.mark.hostile(77)
def test_a_lost_connection_comes_back_by_itself(show: Callable[[str], Page], home: dict[str, str]) -> None:
    gate = threading.Event()
    with (
        FakeOpenAI([reply(WORDS, gate=gate)]) as model,
        serving(home, OPENAI_BASE_URL=model.url) as server,
        Tunnel(server.port) as tunnel,
    ):
        page = show(server.url.replace(str(server.port), str(tunnel.port)))
        page.wait_for(READY)
        before = server.apps()
        page.type("talk")
        page.press("Enter")
        page.wait_for("word5 ")
        tunnel.break_down()
        page.wait_said("The connection is lost; the session goes on.")
        page.type("lost")
        gate.set()
        tunnel.repair()
        page.wait_for("word59", "completed")
        page.wait_until("!document.body.classList.contains('-said')")

        tunnel.go_silent()  # neither end is told; the browser is the first to know
        page.call("Network.enable")
        page.evaluate("window.dispatchEvent(new Event('offline'))")
        page.wait_said("The connection is lost; the session goes on.")
        tunnel.repair()
        page.evaluate("window.dispatchEvent(new Event('online'))")
        page.wait_until("!document.body.classList.contains('-said')")
        page.type("!echo back$((20+2))")
        page.press("Enter")
        page.wait_for("back22")
        assert "lost" not in page.text.replace("is lost", "")
        assert server.apps() == before
        assert page.complaints == []


@pytest.mark.hostile(77, 78)
def test_a_session_ends_when_its_time_without_a_tab_is_over(
    show: Callable[[str], Page], home: dict[str, str]
) -> None:
    with (
        FakeOpenAI([SLEEPS]) as model,
        serving(home, "--permission-mode", "yolo", OPENAI_BASE_URL=model.url, PYGENT_WEB_KEEP="2") as server,
    ):
        page = show(server.url)
        page.wait_for(READY)
        page.type("sleep")
        page.press("Enter")
        server.waits_for("sleep 4321")
        below = server.below
        page.close()
        time.sleep(1)
        assert server.below == below
        assert gone(below, 8)


@pytest.mark.hostile(78)
def test_an_application_that_hangs_can_be_ended_from_the_page(
    show: Callable[[str], Page], home: dict[str, str]
) -> None:
    with serving(home, "--demo") as server:
        page = show(server.url)
        page.wait_for("demo")
        stuck = server.apps()
        os.kill(stuck[0], signal.SIGSTOP)
        page.reload()
        page.wait_said("The session does not answer yet.")
        page.answer("End it")
        page.wait_said("The session has ended.")
        page.answer("Start another")
        page.wait_for("demo")
        assert gone({str(stuck[0])}, 8)


def test_there_are_no_more_sessions_than_the_setting_says(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with serving(home, "--demo", PYGENT_WEB_SESSIONS="2") as server:
        show(server.url).wait_for("demo")
        second = show(server.base)
        second.answer("Start another")
        second.wait_for("demo")
        third = show(server.base)
        third.wait_said("2 sessions run, and there can be no more (web_sessions).")
        third.answer("Show session 1")
        third.wait_for("demo")
        assert len(server.apps()) == 2


def test_a_server_that_was_started_again_says_so(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with serving(home, "--demo") as server:
        page = show(server.url)
        page.wait_for("demo")
        server.end(signal.SIGKILL)
        page.wait_said("The connection is lost")
    with serving(home, "--demo", "--port", str(server.port)):
        page.answer("Try now")
        page.wait_said("The server was started again, or does not know this browser.")
