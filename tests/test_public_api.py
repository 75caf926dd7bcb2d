"""One test for each sentence of docs/api-reference.md, in its order."""

from __future__ import annotations

import base64
import fcntl
import inspect
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pygent
from pygent import (
    Agent,
    Message,
    OpenAIModel,
    Persona,
    Runtime,
    TaskManager,
    ToolCall,
    ToolCallFunction,
    register_tool,
)
from pygent.tools import REGISTRY
from tests.fakes.docker_engine import BASH_IMAGE, DockerEngine
from tests.fakes.openai_server import FakeOpenAI, reply

HISTORY = list[dict[str, Any]]


def call(tool: str, /, **arguments: object) -> Message:
    """A reply that calls one tool."""
    function = ToolCallFunction(tool, json.dumps(arguments))
    return Message("assistant", None, [ToolCall(f"call_{tool}_{time.monotonic_ns()}", function)])


class Scripted:
    """A model that gives its replies one after the other; a reply may be made from what the model is sent."""

    def __init__(self, *replies: Message | Callable[[HISTORY], Message]) -> None:
        self.replies = list(replies)
        self.requests: list[HISTORY] = []
        self.offered: list[str] = []

    def chat(self, messages: HISTORY, model: str | None, tools: list[dict[str, Any]] | None) -> Message:
        self.requests.append(list(messages))
        self.offered = [tool["function"]["name"] for tool in tools or ()]
        step = self.replies.pop(0)
        return step if isinstance(step, Message) else step(messages)


def last_result(agent: Agent) -> str:
    return str([message for message in agent.history if message["role"] == "tool"][-1]["content"])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("PYGENT_", "OPENAI_")) and name != "PYGENT_REQUIRE_DOCKER":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PYGENT_USE_DOCKER", "0")


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(use_docker=False, workspace=tmp_path / "work")
    yield made
    made.cleanup()


@pytest.fixture
def run_tool(runtime: Runtime) -> Callable[..., str]:
    """Have a model call one tool in an agent of the same runtime; answers what the model reads."""
    agents: list[Agent] = []

    def run(name: str, /, **arguments: object) -> str:
        if not agents:
            agents.append(Agent(runtime, Scripted()))
        agents[0].model.replies[:] = [call(name, **arguments)]
        agents[0].step("go on")
        return last_result(agents[0])

    return run


# This page describes the public classes and helpers provided by Pygent.
def test_the_page_describes_the_public_names() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "api-reference.md").read_text("utf-8")
    assert [name for name in pygent.__all__ if name.strip("_") not in page] == []


# Import everything from the package root unless noted otherwise.
def test_everything_is_imported_from_the_root() -> None:
    for name in pygent.__all__:
        assert getattr(pygent, name) is not None
    assert set(pygent.__all__) <= set(dir(pygent))
    with pytest.raises(AttributeError):
        _ = pygent.no_such_name  # type: ignore[attr-defined]


# --- Agent ---


# Agent orchestrates the conversation with the selected model.
def test_an_agent_talks_with_the_selected_model(runtime: Runtime) -> None:
    model = Scripted(Message("assistant", "hello"))
    agent = Agent(runtime, model)
    assert agent.model is model
    assert agent.step("hi").content == "hello"
    assert [message["role"] for message in agent.history] == ["system", "user", "assistant"]


# Each instance owns a Runtime available as agent.runtime.
def test_each_agent_owns_a_runtime() -> None:
    first, second = Agent(model=Scripted()), Agent(model=Scripted())
    assert isinstance(first.runtime, Runtime)
    assert first.runtime is not second.runtime
    assert first.runtime.base_dir != second.runtime.base_dir
    first.runtime.cleanup()
    second.runtime.cleanup()


# step(user_msg: str) -> pygent.openai_compat.Message – add a message and run any tools returned by the model.
def test_step_adds_a_message_and_runs_the_tools(runtime: Runtime) -> None:
    agent = Agent(runtime, Scripted(call("write_file", path="a.txt", content="made by a tool")))
    message = agent.step("write a file")
    assert isinstance(message, pygent.openai_compat.Message)
    assert agent.history[1] == {"role": "user", "content": "write a file"}
    assert runtime.read_file("a.txt") == "made by a tool"


# run_interactive(use_docker: bool | None = None) -> None – start a terminal session.
def test_run_interactive_starts_a_terminal_session(tmp_path: Path) -> None:
    code = (
        "from pygent import Agent, Runtime\n"
        "class Model:\n"
        "    def chat(self, messages, model, tools): return {'role': 'assistant', 'content': 'indeed'}\n"
        f"Agent(Runtime(use_docker=False, workspace={str(tmp_path)!r}), Model()).run_interactive()\n"
        "print('the program goes on')\n"
    )
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    env = {**os.environ, "HOME": str(tmp_path), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=env,
        start_new_session=True,
    )
    os.close(terminal)
    try:
        assert wait_for_output(screen, b"LOCAL")  # the status line tells where commands run
        os.write(screen, b"\x11")  # Ctrl+Q
        assert wait_for_output(screen, b"the program goes on")
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def wait_for_output(screen: int, words: bytes, seconds: float = 30.0) -> bool:
    seen, deadline = b"", time.monotonic() + seconds
    while words not in seen and time.monotonic() < deadline:
        if select.select([screen], [], [], 0.1)[0]:
            try:
                seen += os.read(screen, 65536)
            except OSError:  # the program has ended
                break
    return words in seen


# run_gui(use_docker: bool | None = None) -> None – launch the simple web interface.
def test_run_gui_serves_a_page(tmp_path: Path) -> None:
    code = (
        "from pygent import Agent, Runtime\n"
        f"Agent(Runtime(use_docker=False, workspace={str(tmp_path)!r}), model=object()).run_gui()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        url = next(line for line in process.stdout if "http://" in line)
        url = url[url.index("http://") :].split()[0]
        assert b"<html" in page_at(url).lower()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def page_at(url: str, seconds: float = 20.0) -> bytes:
    """What a server answers, once it listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(url, timeout=seconds) as page:
                return bytes(page.read())
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


# run_until_stop(user_msg: str, max_steps=20, ...) -> None – keep executing steps until the stop tool is called …
def test_run_until_stop_goes_on_until_stop_is_called(runtime: Runtime) -> None:
    model = Scripted(call("bash", cmd="echo 1"), call("bash", cmd="echo 2"), call("stop"), call("bash", cmd="echo 3"))
    result = Agent(runtime, model).run_until_stop("count")
    assert (result.reason, result.steps) == ("stopped", 3)
    assert len(model.replies) == 1


# … or a limit is reached.
def test_run_until_stop_ends_at_a_limit(runtime: Runtime) -> None:
    assert inspect.signature(Agent.run_until_stop).parameters["max_steps"].default == 20
    agent = Agent(runtime, Scripted(*(call("bash", cmd=f"echo {n}") for n in range(9))))
    assert agent.run_until_stop("count", max_steps=3).reason == "max_steps"
    agent = Agent(runtime, Scripted(call("bash", cmd="sleep 30")))
    assert agent.run_until_stop("sleep", max_time=0.5).reason == "timeout"


# --- Runtime ---


# Runtime executes commands either locally …
def test_a_runtime_executes_commands_locally(runtime: Runtime) -> None:
    assert runtime.use_docker is False
    runtime.bash("echo here > made.txt")
    assert (runtime.base_dir / "made.txt").read_text() == "here\n"


# … or in a Docker container.
@pytest.mark.docker
def test_a_runtime_executes_commands_in_a_container(docker_engine: DockerEngine, tmp_path: Path) -> None:
    runtime = Runtime(image=docker_engine.image(BASH_IMAGE), use_docker=True, workspace=tmp_path)
    try:
        assert runtime.use_docker is True
        assert "/workspace" in runtime.bash("pwd; echo here > made.txt")
        assert (tmp_path / "made.txt").read_text() == "here\n"
    finally:
        runtime.cleanup()


# bash(cmd: str, timeout: int = 30) -> str – run a shell command and return its output.
def test_bash_returns_the_output(runtime: Runtime) -> None:
    assert inspect.signature(Runtime.bash).parameters["timeout"].default == 30
    text = runtime.bash("echo out; echo err >&2; exit 3")
    assert text.startswith("$ echo out; echo err >&2; exit 3\n")
    assert "out\nerr\n" in text
    assert "3" in text.splitlines()[-1]
    started = time.monotonic()
    assert "timeout" in runtime.bash("sleep 20", timeout=1).lower()
    assert time.monotonic() - started < 5


# write_file(path: str, content: str) -> str – create or overwrite a UTF-8 file.
def test_write_file_creates_or_overwrites(runtime: Runtime) -> None:
    assert isinstance(runtime.write_file("new/note.txt", "naïve"), str)
    runtime.write_file("new/note.txt", "naïve – again")
    assert (runtime.base_dir / "new" / "note.txt").read_bytes() == "naïve – again".encode()


# read_file(path: str, binary: bool = False) -> str – read a file from the workspace.
def test_read_file_reads_text_and_bytes(runtime: Runtime) -> None:
    (runtime.base_dir / "data.bin").write_bytes(b"\xff\x00")
    runtime.write_file("note.txt", "text")
    assert runtime.read_file("note.txt") == "text"
    assert base64.b64decode(runtime.read_file("data.bin", binary=True)) == b"\xff\x00"


# cleanup() -> None – destroy the temporary workspace and stop the container if one was used.
def test_cleanup_destroys_the_temporary_workspace() -> None:
    runtime = Runtime(use_docker=False)
    runtime.write_file("a.txt", "a")
    folder = runtime.base_dir
    runtime.cleanup()
    runtime.cleanup()
    assert not folder.exists()


@pytest.mark.docker
def test_cleanup_stops_the_container(docker_engine: DockerEngine, tmp_path: Path) -> None:
    runtime = Runtime(image=docker_engine.image(BASH_IMAGE), use_docker=True, workspace=tmp_path)
    runtime.bash("true")
    assert len(docker_engine.containers()) == 1
    runtime.cleanup()
    deadline = time.monotonic() + 5
    while docker_engine.containers():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert tmp_path.is_dir()  # a folder of the user's is not ours to destroy


# --- Built-in tools ---


# These tools are registered automatically:
def test_the_tools_are_registered_automatically(runtime: Runtime) -> None:
    model = Scripted(Message("assistant", "hello"))
    Agent(runtime, model).step("hi")
    documented = ["bash", "write_file", "delegate_task", "delegate_persona_task", "list_personas", "task_status"]
    documented += ["collect_file", "download_file", "continue", "stop"]
    assert set(documented) <= set(model.offered)


# bash – run a command through Runtime.bash.
def test_tool_bash(run_tool: Callable[..., str]) -> None:
    assert run_tool("bash", cmd="echo $((6 * 7))").startswith("$ echo $((6 * 7))\n42\n")


# write_file – create files via Runtime.write_file.
def test_tool_write_file(run_tool: Callable[..., str], runtime: Runtime) -> None:
    run_tool("write_file", path="a.txt", content="by a tool")
    assert runtime.read_file("a.txt") == "by a tool"


class Delegating:
    """A parent whose child, with the same model, does what `child` says."""

    def __init__(self, runtime: Runtime, *child: Message) -> None:
        self.child = list(child)
        self.prompts: list[HISTORY] = []
        self.agent = Agent(runtime, self)
        self.next: Message | None = None

    def chat(self, messages: HISTORY, model: str | None, tools: list[dict[str, Any]] | None) -> Message:
        if self.next is not None:
            reply, self.next = self.next, None
            return reply
        self.prompts.append(list(messages))
        return self.child.pop(0) if self.child else call("stop")

    def run(self, name: str, /, **arguments: object) -> str:
        self.next = call(name, **arguments)
        self.agent.step("go on")
        return last_result(self.agent)

    def wait(self, task_id: str) -> None:
        self.agent.tasks.wait(task_id, 30)


# delegate_task – start a background agent.
def test_tool_delegate_task(runtime: Runtime) -> None:
    parent = Delegating(runtime)
    answer = parent.run("delegate_task", prompt="Sort it out.")
    assert answer.startswith("started ")
    parent.wait(answer.split()[-1])
    assert parent.prompts[0][-1] == {"role": "user", "content": "Sort it out."}


# delegate_persona_task – like delegate_task but lets you pick the persona.
def test_tool_delegate_persona_task(runtime: Runtime) -> None:
    parent = Delegating(runtime)
    name = parent.agent.tasks.personas[-1].name
    task_id = parent.run("delegate_persona_task", prompt="Sort it out.", persona=name).split()[-1]
    parent.wait(task_id)
    assert parent.agent.tasks.tasks[task_id].persona.name == name
    assert name in parent.prompts[0][0]["content"]


# list_personas – return the available personas for delegation.
def test_tool_list_personas(runtime: Runtime) -> None:
    parent = Delegating(runtime)
    listed = json.loads(parent.run("list_personas"))
    assert [entry["name"] for entry in listed] == [persona.name for persona in parent.agent.tasks.personas]
    assert all(list(entry)[:2] == ["name", "description"] for entry in listed)


# task_status – check the status of a delegated task.
def test_tool_task_status(runtime: Runtime) -> None:
    parent = Delegating(runtime)
    task_id = parent.run("delegate_task", prompt="Sort it out.").split()[-1]
    parent.wait(task_id)
    assert "finished" in parent.run("task_status", task_id=task_id)
    assert "Task nobody not found" in parent.run("task_status", task_id="nobody")


# collect_file – copy a file from a delegated task into the current workspace.
def test_tool_collect_file(runtime: Runtime) -> None:
    parent = Delegating(runtime, call("write_file", path="out.txt", content="by the child"))
    task_id = parent.run("delegate_task", prompt="Write it.").split()[-1]
    parent.wait(task_id)
    assert parent.run("collect_file", task_id=task_id, path="out.txt").startswith("Retrieved ")
    assert runtime.read_file("out.txt") == "by the child"


# download_file – read a file using Runtime.read_file.
def test_tool_download_file(run_tool: Callable[..., str], runtime: Runtime) -> None:
    runtime.write_file("a.txt", "contents")
    assert "contents" in run_tool("download_file", path="a.txt")
    assert base64.b64encode(b"contents").decode() in run_tool("download_file", path="a.txt", binary=True)


# continue – request user input when running autonomously.
def test_tool_continue(runtime: Runtime) -> None:
    agent = Agent(runtime, Scripted(call("continue"), call("stop")))
    assert agent.run_until_stop("go").reason == "input_required"


# stop – stop the autonomous loop.
def test_tool_stop(runtime: Runtime) -> None:
    agent = Agent(runtime, Scripted(call("stop"), call("bash", cmd="echo on")))
    assert agent.run_until_stop("go").reason == "stopped"


# Custom tools can be registered programmatically:
def test_custom_tools_can_be_registered(runtime: Runtime) -> None:
    def hello(rt: Runtime, name: str) -> str:
        return f"Hello {name}!"

    register_tool(
        "hello",
        "Greet the user",
        {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        hello,
    )
    try:
        agent = Agent(runtime, Scripted(call("hello", name="Ada")))
        agent.step("greet")
        assert last_result(agent) == "Hello Ada!"
        with pytest.raises(ValueError, match="hello"):
            register_tool("hello", "again", {"type": "object"}, hello)
    finally:
        REGISTRY.remove("hello")


# --- TaskManager ---


def child_of(tmp_path: Path, *replies: Message | Callable[[HISTORY], Message]) -> Callable[[Persona], Agent]:
    def make(persona: Persona) -> Agent:
        return Agent(Runtime(use_docker=False, workspace=tmp_path / "child"), Scripted(*replies), persona=persona)

    return make


# TaskManager launches separate agents asynchronously and tracks them.
def test_a_task_manager_launches_and_tracks_agents(runtime: Runtime, tmp_path: Path) -> None:
    def slow(messages: HISTORY) -> Message:
        time.sleep(0.5)
        return call("stop")

    manager = TaskManager(child_of(tmp_path, slow))
    started = time.monotonic()
    task_id = manager.start_task("work", runtime)
    assert time.monotonic() - started < 0.4
    assert manager.status(task_id) == "running"
    task = manager.tasks[task_id]
    assert task.thread is not None
    task.thread.join(20)
    assert manager.status(task_id) == "finished"
    assert task.agent is not None
    manager.close()


# Pass a Runtime instance when starting a task so files can be copied into the sub-agent's workspace.
def test_files_are_copied_into_the_sub_agents_workspace(runtime: Runtime, tmp_path: Path) -> None:
    runtime.write_file("data/in.txt", "from the parent")
    manager = TaskManager(child_of(tmp_path, call("stop")))
    task_id = manager.start_task("work", runtime, files=["data/in.txt"])
    manager.wait(task_id, 20)
    assert manager.tasks[task_id].agent.runtime.read_file("data/in.txt") == "from the parent"
    manager.close()


# --- Personas ---


# Agents can adopt different personas.
def test_agents_can_adopt_different_personas(runtime: Runtime) -> None:
    prompts = []
    for name in ("Ada", "Grace"):
        agent = Agent(runtime, Scripted(Message("assistant", "hello")), persona=Persona(name, "who helps"))
        agent.step("hi")
        prompts.append(agent.history[0]["content"])
    assert "Ada" in prompts[0]
    assert "Grace" in prompts[1]


# The defaults come from the PYGENT_PERSONA_NAME and PYGENT_PERSONA environment variables.
def test_the_default_persona_comes_from_the_environment(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_PERSONA_NAME", "Ada")
    monkeypatch.setenv("PYGENT_PERSONA", "a careful engineer")
    agent = Agent(runtime, Scripted(Message("assistant", "hello")))
    agent.step("hi")
    assert agent.persona.name == "Ada"
    assert "Ada" in agent.history[0]["content"]
    assert "a careful engineer" in agent.history[0]["content"]


# Delegated agent personas can be configured via PYGENT_TASK_PERSONAS_JSON.
def test_personas_of_tasks_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    personas = [
        {"name": "tester", "description": "who writes tests"},
        {"name": "writer", "description": "who writes"},
    ]
    monkeypatch.setenv("PYGENT_TASK_PERSONAS_JSON", json.dumps(personas))
    manager = TaskManager()
    assert [(persona.name, persona.description) for persona in manager.personas] == [
        ("tester", "who writes tests"),
        ("writer", "who writes"),
    ]


# The list_personas tool returns all available options.
def test_list_personas_returns_all_of_them(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYGENT_TASK_PERSONAS_JSON", '[{"name": "tester", "description": "who writes tests"}]')
    listed = json.loads(Delegating(runtime).run("list_personas"))
    assert [(entry["name"], entry["description"]) for entry in listed] == [("tester", "who writes tests")]


# --- Custom prompts ---


# Provide a Persona object to the Agent constructor to override the system prompt:
def test_a_persona_overrides_the_system_prompt() -> None:
    model = Scripted(Message("assistant", "hello"))
    agent = Agent(model=model, persona=Persona("Helper", "a friendly bot"))
    agent.step("hi")
    system = model.requests[0][0]
    assert system["role"] == "system"
    assert "Helper" in system["content"]
    assert "a friendly bot" in system["content"]
    agent.runtime.cleanup()


# --- Custom models ---


# Agent relies on an object implementing the Model protocol.
def test_an_agent_relies_on_the_model_protocol(runtime: Runtime) -> None:
    seen: list[tuple[object, ...]] = []

    class Plain:
        def chat(self, *args: object) -> dict[str, object]:
            seen.append(args)
            return {"role": "assistant", "content": "from a dict"}

    assert isinstance(Plain(), pygent.Model)
    assert Agent(runtime, Plain(), model_name="small").step("hi").content == "from a dict"
    messages, name, tools = seen[0]
    assert isinstance(messages, list)
    assert isinstance(tools, list)
    assert name == "small"


# The default OpenAIModel calls an OpenAI-compatible API, …
def test_the_default_model_calls_an_openai_compatible_api(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeOpenAI([reply("from the server")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "a key")
        agent = Agent(runtime)
        assert isinstance(agent.model, OpenAIModel)
        assert agent.step("hi").content == "from the server"
        assert server.requests[0]["messages"][-1] == {"role": "user", "content": "hi"}
        assert server.headers[0]["authorization"] == "Bearer a key"


# … but any backend can be plugged in.
def test_any_backend_can_be_plugged_in(runtime: Runtime) -> None:
    model = Scripted(Message("assistant", "from a backend of ours"))
    pygent.set_custom_model(model)
    try:
        agent = Agent(runtime)
        assert agent.model is model
        assert agent.step("hi").content == "from a backend of ours"
    finally:
        pygent.set_custom_model(None)
    assert isinstance(Agent(runtime).model, OpenAIModel)


# Custom models may return tool calls by filling the tool_calls attribute of the returned message.
def test_custom_models_may_return_tool_calls(runtime: Runtime) -> None:
    message = Message("assistant", "I write it.")
    message.tool_calls = [ToolCall("call_1", ToolCallFunction("write_file", '{"path": "a.txt", "content": "done"}'))]
    Agent(runtime, Scripted(message)).step("write")
    assert runtime.read_file("a.txt") == "done"
