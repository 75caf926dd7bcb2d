"""Pygent in a real Chromium: what a person sees and does there, and what is left when they or the server go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import descendants
from tests.fakes.browser import Browser, NoBrowser, Page
from tests.fakes.openai_server import FakeOpenAI, reply

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        browser = Browser()
    except NoBrowser as error:
        if os.environ.get("PYGENT_REQUIRE_BROWSER") == "1":
            pytest.fail(f"PYGENT_REQUIRE_BROWSER=1, but {error}")
        pytest.skip(str(error))
    with browser:
        yield browser


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[[str], Page]]:
    """Opens tabs; the ones that a test leaves open are closed."""
    pages: list[Page] = []

    def show(url: str) -> Page:
        pages.append(browser.open(url))
        return pages[-1]

    yield show
    for page in pages:
        page.close()


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "work").mkdir()
    keep = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "DOCKER_HOST")}
    return {**keep, "HOME": str(tmp_path), "PYGENT_USE_DOCKER": "0", "OPENAI_API_KEY": "test-key", "TERM": "dumb"}


class Serving:
    """A server under test; its first line is its address."""

    def __init__(self, command: list[str], home: dict[str, str], **env: str) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=Path(home["HOME"], "work"),
            env={**home, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://127.0.0.1:"), self.end()

    @property
    def below(self) -> set[str]:
        return descendants(self.process.pid)

    def waits_for(self, command: str, seconds: float = 20.0) -> None:
        """Wait until a command runs below the server: what is shown of a call comes before it is begun."""
        until = time.monotonic() + seconds
        while not any(line.endswith(f": {command}") for line in self.below):
            assert time.monotonic() < until, self.below
            time.sleep(0.05)

    def end(self, number: int = signal.SIGINT) -> tuple[float, int, str, str]:
        """Send a signal. Answers the seconds it took, the exit code, and what else was written."""
        begun = time.monotonic()
        self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return time.monotonic() - begun, self.process.returncode, out, err


@contextmanager
def serving(home: dict[str, str], *options: str, command: list[str] | None = None, **env: str) -> Iterator[Serving]:
    words = command or [sys.executable, "-m", "pygent", "serve", "--port", "0", *options]
    server = Serving(words, home, **env)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGTERM)
        for stream in (server.process.stdout, server.process.stderr):
            if stream is not None:
                stream.close()


def gone(pids: set[str], seconds: float = 5.0) -> bool:
    """Whether all of these processes ended in time."""
    until = time.monotonic() + seconds
    while left := {pid for line in pids if (pid := line.partition(":")[0]) and running(pid)}:
        if time.monotonic() > until:
            print("left:", left, pids)
            return False
        time.sleep(0.05)
    return True


def running(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def pid_of(lines: set[str]) -> int:
    return int(next(line for line in lines if "-m pygent" in line).partition(":")[0])


def test_a_prompt_is_typed_answered_and_approved(show: Callable[[str], Page], home: dict[str, str]) -> None:
    slow = reply("Word after word after word. ", chunk_delay=0.2, chunk_size=9, tool_calls=WRITES.tool_calls)
    with FakeOpenAI([slow, reply("All done.")]) as model, serving(home, OPENAI_BASE_URL=model.url) as server:
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


def test_a_closed_tab_ends_its_process_and_what_that_runs(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with (
        FakeOpenAI([SLEEPS]) as model,
        serving(home, "--permission-mode", "yolo", OPENAI_BASE_URL=model.url) as server,
    ):
        other = show(server.url)
        other.wait_for(READY)
        stays = server.below
        page = show(server.url)
        page.wait_for(READY)
        page.type("sleep")
        page.press("Enter")
        server.waits_for("sleep 4321")
        ends = server.below - stays
        page.close()
        assert gone(ends)
        assert server.below >= stays

        stuck = pid_of(server.below)  # an application that hangs cannot be asked; it must go all the same
        os.kill(stuck, signal.SIGSTOP)
        other.close()
        assert gone({str(stuck)}, 8)


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
        os.kill(pid_of(below), signal.SIGSTOP)
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
        page.wait_until("document.body.classList.contains('-closed')")
        assert gone(server.below)
        page.evaluate("delete window.caughtTerminal")
        page.press("Enter")  # the button has the focus
        page.wait_for(READY)


def test_an_application_that_cannot_start_says_why_in_the_browser(
    show: Callable[[str], Page], home: dict[str, str]
) -> None:
    with serving(home) as server:
        Path(home["HOME"], "work").rmdir()
        page = show(server.url)
        page.wait_for("the current folder is gone")
        _, _, out, err = server.end()
        assert out == ""
        assert "the current folder is gone" in err


def test_the_agent_of_a_program_is_shown_and_shown_again(show: Callable[[str], Page], home: dict[str, str]) -> None:
    top = str(Path(__file__).parents[2])
    with serving(home, command=[sys.executable, "-c", GUI], PYTHONPATH=top) as server:
        page = show(server.url)
        page.wait_for(READY)
        page.type("first words")
        page.press("Enter")
        page.wait_for("Hello from the script.", "completed")

        other = show(server.url)
        other.wait_for("Another browser shows this agent")
        other.close()

        page.reload()
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
        page.wait_for("demo")
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
