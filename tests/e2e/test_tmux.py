"""The application in a real terminal: keys in, a screen out, a model server over HTTP, real commands."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from pygent.store import Store
from tests.fakes.docker_engine import BASH_IMAGE, DockerEngine
from tests.fakes.invariants import check_events, check_history
from tests.fakes.openai_server import FakeOpenAI, Script, reply
from tests.fakes.terminal import Processes, Terminal, until, with_argument

pytestmark = [
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]

Start = Callable[..., Terminal]
PYGENT = f"{sys.executable} -m pygent"
LOCAL = "LOCAL: commands run as you"
ENDED = "ended with"
GRACE = 0.5


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of a person who never started Pygent, with a folder to work in."""
    (tmp_path / "work").mkdir()
    return tmp_path


@pytest.fixture
def work(home: Path) -> Path:
    return home / "work"


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
def start(home: Path, work: Path, server: FakeOpenAI) -> Iterator[Start]:
    """Start Pygent with these options in a shell in a new terminal; its model answers by the script."""
    with contextlib.ExitStack() as terminals:

        def run(
            *options: str,
            script: Script = (),
            size: tuple[int, int] = (140, 42),
            ready: str = "● ready",
            env: dict[str, str] | None = None,
        ) -> Terminal:
            server.replies = script if callable(script) else list(script)
            variables = {"HOME": str(home), "PYTHONPATH": os.getcwd(), "DOCKER_HOST": os.environ["DOCKER_HOST"]}
            asked = {"OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": server.url} if env is None else env
            terminal = terminals.enter_context(Terminal(work, {**variables, **asked}, size))
            launch(terminal, *options, ready=ready)
            return terminal

        yield run


def launch(terminal: Terminal, *options: str, ready: str = "● ready") -> None:
    terminal.run(f"clear; {PYGENT} {' '.join(options)}; echo {ENDED[:3]}''{ENDED[3:]} $?")
    terminal.wait(ready)


def sleeper() -> str:
    """A command that takes long, can be told from all others, and leaves something behind that will not end."""
    seconds = f"1{uuid4().int % 10**8:08d}"
    return f"(trap '' TERM HUP; setsid sleep {seconds} &); sleep {seconds}"


def running(command: str) -> dict[int, str]:
    """The processes of a ``sleeper`` (not the shells that were told of it)."""
    seconds = command.rpartition(" ")[2]
    return {pid: line for pid, line in with_argument(seconds).items() if line == f"sleep {seconds}"}


def stored(home: Path) -> list[Any]:
    """The events of the one session that was kept, numbered without those that are not."""
    store = Store(home / ".local/share/pygent/sessions.db")
    try:
        (session,) = store.sessions()
        return [replace(event, seq=number) for number, event in enumerate(store.events(session.id))]
    finally:
        store.close()


def answered_denial(messages: Sequence[dict[str, Any]]) -> str:
    return str(next(message["content"] for message in reversed(messages) if message["role"] == "tool"))


def test_a_prompt_an_approval_a_file_an_answer(start: Start, work: Path, server: FakeOpenAI) -> None:
    call = reply("I write it.", tool_calls=[("write_file", {"path": "a.txt", "content": "hi\n"})])
    terminal = start("--no-docker", script=[call, reply("All **done** now.")])
    assert LOCAL in terminal.screen().splitlines()[-1]
    terminal.run("write a.txt with hi in it")
    terminal.wait("1 Allow once")
    terminal.press("1")  # too early to be meant for it
    time.sleep(GRACE / 5)
    terminal.press("y")
    assert "1 Allow once" in terminal.screen()
    assert not (work / "a.txt").exists()
    time.sleep(GRACE * 1.5)
    assert not (work / "a.txt").exists()
    terminal.press("1")
    screen = terminal.wait("● All done now.")
    assert (work / "a.txt").read_text() == "hi\n"
    assert "✓ write_file  a.txt" in screen
    assert "│ 1y " in screen, "what was typed too early stands in the prompt"
    terminal.wait("● ready")
    assert server.requests[0]["messages"][-1]["content"] == "write a.txt with hi in it"
    check_history(server.requests[-1]["messages"])


def test_a_denial_tells_the_model_what_to_do_instead(start: Start, work: Path, server: FakeOpenAI) -> None:
    call = reply(tool_calls=[("write_file", {"path": "a.txt", "content": "hi\n"})])
    terminal = start("--no-docker", script=[call, reply("As you like.")])
    terminal.run("write")
    terminal.wait("5 Deny and tell")
    time.sleep(GRACE * 1.5)
    terminal.press("5")
    terminal.wait("What should it do instead?")
    terminal.run("name it b.txt, please")
    terminal.wait("As you like.")
    assert not (work / "a.txt").exists()
    assert "name it b.txt, please" in answered_denial(server.requests[1]["messages"])
    check_history(server.requests[1]["messages"])


@pytest.mark.hostile(30)
def test_escape_interrupts_a_command(start: Start, server: FakeOpenAI, home: Path) -> None:
    command = sleeper()
    calls = [("bash", {"cmd": command, "timeout": 60}), ("bash", {"cmd": "echo never"})]
    script = [reply("I wait.", tool_calls=calls), reply("On.")]
    terminal = start("--no-docker", "--permission-mode", "yolo", script=script)
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    terminal.type("a draft")
    terminal.wait("a draft")
    terminal.press("Escape")
    assert until(lambda: not running(command)) < 2
    terminal.wait("cancelled")
    assert "│ a draft " in terminal.screen()
    terminal.run(" goes on")
    terminal.wait("● On.")
    messages = server.requests[-1]["messages"]
    check_history(messages)
    assert messages[-1] == {"role": "user", "content": "a draft goes on"}
    assert sum(message["role"] == "tool" for message in messages) == 2
    terminal.press("C-q")
    terminal.wait(ENDED)
    check_events(stored(home))


@pytest.mark.parametrize("keys", [["C-q"], ["C-c", "C-c"]], ids=["ctrl-q", "ctrl-c-twice"])
def test_leaving_gives_the_terminal_back(start: Start, keys: list[str]) -> None:
    command = sleeper()
    call = reply(tool_calls=[("bash", {"cmd": command, "timeout": 60})])
    terminal = start("--no-docker", "--permission-mode", "yolo", script=[call])
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    begun = time.monotonic()
    for key in keys:
        terminal.press(key)
    screen = terminal.wait(ENDED)
    assert time.monotonic() - begun < 3
    assert f"{ENDED} 0" in screen
    assert "╭" not in screen, "the screen of the shell is back"
    assert not running(command)
    terminal.run("clear; stty -a; echo over''over")
    modes = terminal.wait("overover").split()
    assert {"icanon", "echo", "isig", "icrnl", "ixon"} <= {mode.strip(";") for mode in modes}
    assert terminal.processes() == Processes()


def test_killed_in_the_middle_of_a_command(start: Start) -> None:
    command = sleeper()
    call = reply(tool_calls=[("bash", {"cmd": command, "timeout": 60})])
    terminal = start("--no-docker", "--permission-mode", "yolo", script=[call])
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    before = terminal.processes()
    os.kill(terminal.pygent(), signal.SIGKILL)
    until(lambda: not before.alive() and not running(command), 5)


@pytest.mark.docker
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked-to-end"])
def test_ended_in_the_middle_of_a_docker_command(
    start: Start, docker_engine: DockerEngine, how: signal.Signals
) -> None:
    command = sleeper()
    call = reply(tool_calls=[("bash", {"cmd": command, "timeout": 60})])
    image = docker_engine.image(BASH_IMAGE)
    terminal = start("--docker", "--image", image, "--permission-mode", "yolo", script=[call])
    assert "docker" in terminal.screen().splitlines()[-1]
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    assert len(docker_engine.containers()) == 1
    before = terminal.processes()
    os.kill(terminal.pygent(), how)
    until(lambda: not before.alive() and not running(command), 5 if how == signal.SIGKILL else 3)
    until(lambda: not docker_engine.containers(), 5)


@pytest.mark.hostile(32)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_closes_and_cleans_up(start: Start, how: signal.Signals, home: Path) -> None:
    command = sleeper()
    call = reply(tool_calls=[("bash", {"cmd": command, "timeout": 60})])
    terminal = start("--no-docker", "--permission-mode", "yolo", script=[call])
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    before = terminal.processes()
    os.kill(terminal.pygent(), how)
    until(lambda: not before.alive() and not running(command), 3)
    screen = terminal.wait(f"{ENDED} {128 + how}")
    assert "╭" not in screen
    check_events(stored(home))


@pytest.mark.hostile(32)
def test_the_terminal_goes_away(start: Start, home: Path) -> None:
    command = sleeper()
    call = reply(tool_calls=[("bash", {"cmd": command, "timeout": 60})])
    terminal = start("--no-docker", "--permission-mode", "yolo", script=[call])
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    before = terminal.processes()
    terminal.hang_up()
    until(lambda: not before.alive() and not running(command), 3)
    check_events(stored(home))


@pytest.mark.parametrize("how", ["closed", "stuck"])
def test_a_terminal_that_is_no_more(home: Path, work: Path, server: FakeOpenAI, how: str) -> None:
    """Closed, and no signal tells of it; or it takes nothing more, so that the screen hangs in a write."""
    command = sleeper()
    flood = f"{command} & while sleep 0.01; do seq 3; done"
    server.replies = [reply(tool_calls=[("bash", {"cmd": flood, "timeout": 60})])]
    ours, theirs = pty.openpty()
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm-256color", "DOCKER_HOST": "unix:///nowhere"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pygent", "--no-docker", "--permission-mode", "yolo", "wait for it"],
        cwd=work,
        env={**env, "OPENAI_API_KEY": "test-key", "OPENAI_BASE_URL": server.url},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.set_blocking(ours, False)

    def works() -> bool:
        with contextlib.suppress(BlockingIOError):
            while os.read(ours, 65536):
                pass
        return len(running(command)) == 2

    def hangs() -> bool:
        """Nothing has been drawn for a while: the main thread waits for the writer, and that for the terminal."""
        before = ticks(process.pid)
        time.sleep(0.5)
        return ticks(process.pid) == before

    try:
        until(works)
        before = Processes.below(process.pid)
        if how == "closed":
            os.close(ours)
        else:
            until(hangs)
            process.send_signal(signal.SIGTERM)
        assert process.wait(3.5) == (129 if how == "closed" else 143)
        until(lambda: not before.alive() and not running(command), 3)
    finally:
        process.kill()
        process.wait()
        if how == "stuck":
            os.close(ours)
    check_events(stored(home))


def ticks(pid: int) -> int:
    """How long the main thread of a process has computed, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_the_first_start_asks_and_the_demo_needs_nothing(start: Start) -> None:
    terminal = start("--no-docker", env={}, ready="Welcome to Pygent")
    screen = terminal.screen()
    assert "OpenAI" in screen
    assert "Demo (ctrl+d)" in screen
    terminal.press("C-d")
    screen = terminal.wait(lambda screen: "Welcome to Pygent" not in screen and "● ready" in screen)
    assert "demo (scripted)" in screen
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")


def test_the_window_changes_its_size_while_an_answer_streams(start: Start) -> None:
    words = " ".join(f"w{number}" for number in range(1, 1000))
    terminal = start("--no-docker", script=[reply(f"{words} over.", chunk_size=50, chunk_delay=0.03)])
    terminal.run("tell me a lot")
    panes = ("─ Conversation ─", "─ Tool calls ─", "─ Tasks ─", "─ Workspace ")
    screen = terminal.wait(" w9 ")
    assert all(pane in screen for pane in panes)
    terminal.resize(100, 30)
    screen = terminal.wait("F3 Tool")
    assert [pane in screen for pane in panes] == [True, True, False, False]
    terminal.resize(70, 24)
    screen = terminal.wait("F2 Conversation")
    assert [pane in screen for pane in panes] == [True, False, False, False]
    assert "step 1" in screen, "it still streams"
    terminal.press("F5")
    terminal.wait(lambda screen: "─ Workspace " in screen and "─ Conversation ─" not in screen)
    terminal.press("F2")
    terminal.wait("over.")
    terminal.resize(140, 42)
    screen = terminal.wait(lambda screen: "─ Tasks ─" in screen and "over." in screen)
    assert all(pane in screen for pane in panes)
    assert all(len(line) <= 140 for line in screen.splitlines())


def test_commands_and_a_session_that_goes_on(start: Start, server: FakeOpenAI) -> None:
    terminal = start("--no-docker", script=[reply("The first answer."), reply("The second.")])
    terminal.run("!echo hi from $((20+3))")
    terminal.wait("│ hi from 23")
    terminal.run("/model another")
    terminal.wait("The model is another from the next step on")
    terminal.run("/theme pygent-light")
    terminal.run("/help")
    terminal.wait("Type to search")
    terminal.press("End")
    terminal.wait("/undo")
    terminal.press("Escape")
    terminal.wait(lambda screen: "Type to search" not in screen)
    terminal.run("first question")
    terminal.wait("● The first answer.")
    assert server.requests[0]["model"] == "another"
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")
    launch(terminal, "--no-docker", "-c")
    screen = terminal.wait("The first answer.")
    assert screen.count("┃ first question") == 1
    assert "│ hi from 23" in screen
    terminal.run("second question")
    terminal.wait("● The second.")
    said = [message["content"] for message in server.requests[1]["messages"] if message["role"] != "system"]
    assert said == ["first question", "The first answer.", "second question"]


@pytest.mark.hostile(62, 63)
def test_a_killed_session_goes_on(start: Start, server: FakeOpenAI, home: Path) -> None:
    command = sleeper()
    call = reply("I begin.", tool_calls=[("bash", {"cmd": command, "timeout": 60})])
    script = [call, reply("Again.")]
    terminal = start("--no-docker", "--permission-mode", "yolo", script=script)
    terminal.run("wait for it")
    until(lambda: len(running(command)) == 2)
    os.kill(terminal.pygent(), signal.SIGKILL)
    until(lambda: not running(command), 5)
    terminal = start("--no-docker", "-c", script=script)
    screen = terminal.wait("I begin.")
    assert "● ready" in screen, "nothing of the earlier life counts as running"
    assert "waiting for you" not in screen
    terminal.run("go on")
    terminal.wait("● Again.")
    messages = server.requests[-1]["messages"]
    check_history(messages)
    assert any(message["role"] == "tool" and "interrupted" in message["content"] for message in messages)
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")
    check_events(stored(home))


def test_the_prompt_steers_and_survives_a_kill(start: Start, server: FakeOpenAI, home: Path, work: Path) -> None:
    (work / "shot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 99)
    call = reply("I begin.", tool_calls=[("bash", {"cmd": "until test -e go; do sleep 0.05; done", "timeout": 60})])
    script = [call, reply("Left."), reply("Seen.")]
    options = ("--no-docker", "--permission-mode", "yolo", "-m", "gpt-4o")
    terminal = start(*options, script=script)
    terminal.run("walk")
    terminal.wait("I begin.")
    terminal.run("turn left")
    terminal.wait("↳ next: turn left")
    terminal.press("Enter")
    terminal.wait("↳ at the next step: turn left")
    (work / "go").touch()
    terminal.wait("● Left.")
    assert server.requests[1]["messages"][-1] == {"role": "user", "content": "turn left"}
    terminal.type("look at ")
    terminal.paste(f"{work}/shot.png")
    terminal.wait("[Image shot.png 107 B]")
    terminal.press("M-Enter")
    long = "\n".join(f"line {number}" for number in range(42))
    terminal.paste(long)
    terminal.wait("[Pasted text #1 +42 lines]")
    time.sleep(1)
    os.kill(terminal.pygent(), signal.SIGKILL)
    terminal = start(*options, script=script)
    terminal.wait("[Pasted text #1 +42 lines]")
    terminal.press("Enter")
    terminal.wait("● Seen.")
    text, image = server.requests[-1]["messages"][-1]["content"]
    assert text["text"] == f"look at [Image shot.png] \n{long}"
    assert image["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    terminal.press("Up", "Up")
    terminal.wait(lambda screen: "turn left" in screen.splitlines()[-3])
    terminal.press("C-u", "C-q")
    terminal.wait(f"{ENDED} 0")


def test_the_demo_plays_by_itself(start: Start) -> None:
    terminal = start("--demo", env={}, ready="─ Conversation ─")
    screen = terminal.wait("That was the demo")
    workspace = screen.partition("─ Workspace ")[2]
    assert "roman.py" in workspace
    assert "test_roman.py" in workspace
    assert "tester" in screen.lower()
    assert LOCAL in screen.splitlines()[-1]
    terminal.wait("● ready")
    terminal.press("C-q")
    terminal.wait(f"{ENDED} 0")


def test_what_is_copied_is_in_the_buffer_of_tmux(start: Start) -> None:
    terminal = start("--no-docker", script=[reply("Copy **me**, please.")])
    assert terminal.copied() == ""
    terminal.run("say something")
    terminal.wait("1 step")
    terminal.press("F2")
    terminal.wait("copy · ")
    terminal.press("S-Up", "S-Up", "c")
    terminal.wait("Copied")
    until(lambda: terminal.copied() == "Copy **me**, please.")
    terminal.press("y")
    terminal.wait("no code")
