"""Pygent in a real Chromium: what a person sees and does there, and what is left when they or the server go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import descendants
from tests.fakes.browser import Page
from tests.fakes.openai_server import FakeOpenAI, reply
from tests.fakes.serving import gone, serving

READY = "● ready"
WRITES = reply("I write it.", tool_calls=[("write_file", {"path": "a.txt", "content": "hi\n"})])
SLEEPS = reply("I sleep.", tool_calls=[("bash", {"cmd": "sleep 4321", "timeout": 100})])

GUI = """
from tests.fakes.models import ScriptedModel, call, say
from pygent import Agent, Runtime

def second(messages):
    said = [message["content"] for message in messages if message["role"] == "user"]
    return say(f"You said {len(said)} things, first {said[0]!r}.")

model = ScriptedModel([say("Hello from the script."), second])
agent = Agent(Runtime(use_docker=False), model=model)
agent.run_gui()
print("back", len(agent.history), flush=True)
agent.close()
"""


def test_a_prompt_is_typed_answered_and_approved(show: Callable[[str], Page], home: dict[str, str]) -> None:
    slow = reply("Word after word after word. ", chunk_delay=0.2, chunk_size=9, tool_calls=WRITES.tool_calls)
    with (
        FakeOpenAI([slow, reply("All done.")]) as model,
        serving(home, "--permission-mode", "ask", OPENAI_BASE_URL=model.url) as server,
    ):
        page = show(server.url)
        page.wait_for(READY)
        page.type("write a.txt")
        page.wait_for("write a.txt")
        page.press("Enter")
        partial = page.wait_for("Word after")
        assert "after word." not in partial, "the answer came at once"
        page.wait_for("Pygent asks: write_file", "+ hi")
        file = Path(home["HOME"], "work", "a.txt")
        assert not file.exists()
        time.sleep(0.8)  # what is typed on before one has seen the question belongs to the prompt
        page.type("y")
        page.wait_for("All done.", "completed")
        assert file.read_text() == "hi\n"
        assert model.requests[0]["messages"][-1]["content"] == "write a.txt"

        assert page.complaints == []
        assert {urlsplit(url).hostname for url in page.requests} == {"127.0.0.1"}
        assert page.evaluate("document.fonts.check('16px \"Roboto Mono\"')")
        assert page.evaluate("document.activeElement.className") == "xterm-helper-textarea"

        below = server.below
        seconds, code, out, err = server.end(signal.SIGINT)
        assert (code, out) == (0, "")
        assert "Ctrl+C" in err
        assert seconds < 2
        assert gone(below, 0.5)
        page.wait_until("document.body.classList.contains('-closed')")


def test_what_is_pasted_arrives_whole(show: Callable[[str], Page], home: dict[str, str]) -> None:
    paste = """
    (() => {
      const data = new DataTransfer();
      data.setData("text/plain", "start " + "0123456789 𝄞é\\n".repeat(150000) + "end");
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
    })()
    """
    with FakeOpenAI([reply("Got it.")]) as model, serving(home, OPENAI_BASE_URL=model.url) as server:
        page = show(server.url)
        page.wait_for(READY)
        page.evaluate(paste)
        page.wait_for("150001 lines", seconds=40)
        page.press("Enter")
        page.wait_for("Got it.", seconds=40)
        said = model.requests[0]["messages"][-1]["content"]
        assert said == "start " + "0123456789 𝄞é\n" * 150000 + "end"


@pytest.mark.hostile(78)
def test_a_closed_tab_ends_its_process_and_what_that_runs(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with (
        FakeOpenAI([SLEEPS]) as model,
        serving(home, "--permission-mode", "yolo", OPENAI_BASE_URL=model.url, PYGENT_WEB_KEEP="0") as server,
    ):
        other = show(server.url)
        other.wait_for(READY)
        stays = server.below
        page = show(server.base)
        page.answer("Start another")
        page.wait_for(READY)
        page.type("sleep")
        page.press("Enter")
        server.waits_for("sleep 4321")
        ends = server.below - stays
        page.close()
        assert gone(ends)
        assert server.below >= stays

        stuck = server.apps()[0]  # an application that hangs cannot be asked; it must go all the same
        os.kill(stuck, signal.SIGSTOP)
        other.close()
        assert gone({str(stuck)}, 8)


@pytest.mark.hostile(78)
def test_nothing_runs_on_when_the_server_is_killed(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with (
        FakeOpenAI([SLEEPS]) as model,
        serving(home, "--permission-mode", "yolo", OPENAI_BASE_URL=model.url) as server,
    ):
        page = show(server.url)
        page.wait_for(READY)
        page.type("sleep")
        page.press("Enter")
        server.waits_for("sleep 4321")
        below = server.below
        server.end(signal.SIGKILL)
        assert gone(below)


def test_sigterm_ends_it_while_an_application_hangs(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with serving(home, "--demo") as server:
        page = show(server.url)
        page.wait_for("demo")
        below = server.below
        os.kill(server.apps()[0], signal.SIGSTOP)
        seconds, code, _, _ = server.end(signal.SIGTERM)
        assert code == 0
        assert seconds < 2
        assert gone(below, 3)


def test_leaving_is_told_and_can_be_begun_again(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with serving(home) as server:
        page = show(server.url)
        page.wait_for(READY)
        page.type("/exit")
        page.press("Enter")
        page.wait_said("The session has ended.")
        assert gone(server.below)
        page.press("Enter")  # the button has the focus
        page.wait_until("!document.body.classList.contains('-said')")
        page.wait_for(READY)


def test_an_application_that_cannot_start_says_why_in_the_browser(
    show: Callable[[str], Page], home: dict[str, str]
) -> None:
    with serving(home) as server:
        Path(home["HOME"], "work").rmdir()
        page = show(server.url)
        page.wait_said("the current folder is gone")
        _, _, out, err = server.end()
        assert out == ""
        assert "the current folder is gone" in err


def test_the_agent_of_a_program_is_shown_and_shown_again(show: Callable[[str], Page], home: dict[str, str]) -> None:
    top = str(Path(__file__).parents[3])
    with serving(home, command=[sys.executable, "-c", GUI], PYTHONPATH=top) as server:
        page = show(server.url)
        page.wait_for(READY)
        page.type("first words")
        page.press("Enter")
        page.wait_for("Hello from the script.", "completed")

        other = show(server.base)
        other.wait_said("Another tab or browser shows this session")
        other.close()

        page.reload()
        page.wait_for("first words", "Hello from the script.", READY)
        page.close()
        page = show(server.base)
        page.wait_for("first words", "Hello from the script.", READY)
        page.type("and more")
        page.press("Enter")
        shown = page.wait_for("You said 2 things, first 'first words'.")
        said = ["first words", "Hello from the script.", "and more", "You said 2 things"]
        assert sorted(said, key=shown.index) == said

        seconds, code, out, _ = server.end()
        assert code == 0
        assert out.startswith("back ")
        assert seconds < 3


def test_textual_serve(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    bin_folder = str(Path(sys.executable).parent)
    words = [str(Path(bin_folder, "textual")), "serve", "pygent --demo", "--host", "127.0.0.1", "--port", str(port)]
    path = f"{bin_folder}{os.pathsep}{home['PATH']}"
    process = subprocess.Popen(
        words, cwd=home["HOME"], env={**home, "PATH": path}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        page = show(f"http://127.0.0.1:{port}")
        page.wait_for("demo", "Nothing guards this page")
        below = descendants(process.pid)
        process.kill()
        assert gone(below, 6)
    finally:
        process.kill()
        process.wait()


def test_an_address_in_use_is_told(home: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "pygent", "serve", "--port", port],
            env=home,
            cwd=home["HOME"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "action",
    [
        "import pygent.cli; sys.exit(pygent.cli.main(['serve', '--port', '0']))",
        "import pygent; pygent.Agent(pygent.Runtime(use_docker=False)).run_gui()",
    ],
    ids=["serve", "run_gui"],
)
def test_without_the_extra_it_says_how_to_install_it(home: dict[str, str], action: str) -> None:
    block = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("textual_serve", "aiohttp", "jinja2", "aiohttp_jinja2"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""
    done = subprocess.run(
        [sys.executable, "-c", block + action],
        env=home,
        cwd=home["HOME"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pip install 'pygent[web]'" in done.stderr
