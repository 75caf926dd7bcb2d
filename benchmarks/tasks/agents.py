"""Who works on the tasks: the model alone, Pygent, or any other agent as a command line."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from benchmarks.tasks import alone
from benchmarks.tasks.place import end_group
from benchmarks.tasks.proxy import CountingProxy
from benchmarks.tasks.task import Task

FILE = Path(__file__).with_name("agents.yaml")
PLACEHOLDERS = (
    "prompt",
    "prompt_with_check",
    "workspace",
    "check",
    "base_url",
    "model",
    "files",
    "sources",
    "tests",
    "requests",
    "seconds",
)
POLL_SECONDS = 0.2


class AgentError(Exception):
    """An agent cannot be started as it was described; the text says why."""


@dataclass(frozen=True)
class Server:
    """The model's server, as it is given to every agent; ``base_url`` is the counting proxy's."""

    base_url: str
    key: str
    model: str


@dataclass(frozen=True)
class Limits:
    """What one attempt at a task may take."""

    seconds: float = 600.0
    requests: int = 30
    answer_tokens: int = 0


@dataclass(frozen=True)
class Work:
    """One attempt at a task."""

    task: Task
    folder: Path
    env: Mapping[str, str]
    server: Server
    proxy: CountingProxy
    limits: Limits
    keep: Path
    """Where the agent's output and sessions are kept."""


@dataclass(frozen=True)
class Outcome:
    """How an agent ended."""

    code: int
    answer: str
    """What it said last: the text that an answer is looked for in."""
    note: str = ""
    session: str | None = None


class Agent(Protocol):
    """Works on a task in its workspace."""

    @property
    def name(self) -> str: ...

    def work(self, work: Work) -> Outcome: ...


@dataclass(frozen=True)
class Alone:
    """One reply of the model, with the files that matter shown."""

    name: str = "alone"

    def work(self, work: Work) -> Outcome:
        talk = alone.messages(work.task, work.folder, work.env)
        try:
            reply = alone.ask(work.server.base_url, work.server.key, work.server.model, talk, work.limits.seconds)
        except OSError as error:
            return Outcome(1, "", str(error))
        (work.keep / "output.txt").write_text(reply, "utf-8")
        return Outcome(0, reply, alone.apply(work.task, work.folder, work.env, reply))


@dataclass(frozen=True)
class CommandLine:
    """Any agent that works without a person.

    Words between ``[[`` and ``]]`` are left out where the task has no check; a word with ``{files}`` becomes one word
    for each of the task's files that matter, with ``{sources}`` or ``{tests}`` for those that are no tests or are.
    """

    name: str
    command: str
    environment: Mapping[str, str] = field(default_factory=dict)
    question: str | None = None
    """The command line for a question, ``find_out``, where it is another one."""

    def work(self, work: Work) -> Outcome:
        values = _values(work)
        env = {
            **_with_server(work),
            **{name: _filled(self.name, text, values) for name, text in self.environment.items()},
        }
        code, note = _run(self.name, self._words(work, values), work, env)
        return Outcome(code, "\n".join(work.proxy.texts[-2:]), note)

    def _words(self, work: Work, values: Mapping[str, str]) -> list[str]:
        words: list[str] = []
        skipping = False
        asks = self.question is not None and work.task.kind == "find_out"
        for word in _split(self.name, (self.question if asks else None) or self.command):
            if word == "[[":
                skipping = work.task.check is None
            elif word == "]]":
                skipping = False
            elif not skipping:
                words += [_filled(self.name, one, values) for one in _for_each_file(word, work.task)]
        return words


@dataclass(frozen=True)
class Pygent:
    """Pygent without a screen, with nothing of the person's own settings; its sessions are kept for replay."""

    options: tuple[str, ...] = ()
    name: str = "pygent"

    def work(self, work: Work) -> Outcome:
        env = dict(_with_server(work))
        data = work.keep.parents[1] / "pygent-data"
        for kind in ("CONFIG", "STATE", "CACHE"):
            env[f"XDG_{kind}_HOME"] = f"{env['HOME']}/{kind.lower()}"
        env["XDG_DATA_HOME"] = str(data)
        words = [*program(), "-p", work.task.prompt, "--output-format", "stream-json"]
        words += ["--no-docker", "--permission-mode", "yolo", "--max-steps", str(work.limits.requests)]
        words += ["--base-url", work.server.base_url, "--model", work.server.model]
        if work.task.check is not None and knows_check():
            words += ["--check", work.task.check]
        code, note = _run(self.name, [*words, *self.options], work, env)
        answer, session = _last_words(work.keep / "output.txt")
        return Outcome(code, answer, note, session)


def program() -> list[str]:
    """Pygent, with the Python that runs this."""
    return [sys.executable, "-m", "pygent"]


@cache
def knows_check() -> bool:
    """Whether this Pygent has ``--check``."""
    done = subprocess.run([*program(), "--help"], capture_output=True, text=True, check=False)
    return "--check" in done.stdout


def chosen(wanted: Sequence[str], pygent_options: str = "", file: Path = FILE) -> list[Agent]:
    """The agents of these descriptions: ``alone``, ``pygent``, a name of agents.yaml, or ``NAME=COMMAND LINE``.

    Raises ``AgentError``.
    """
    listed = _listed(file)
    agents: list[Agent] = []
    for description in wanted:
        name, given, command = description.partition("=")
        if given:
            if not name or "/" in name or not command.strip():
                raise AgentError(f"--agent {description!r}: expected NAME=COMMAND LINE, NAME without a slash")
            agents.append(CommandLine(name, command))
        elif name == "alone":
            agents.append(Alone())
        elif name == "pygent":
            agents.append(Pygent(tuple(_split("--pygent-options", pygent_options))))
        elif name in listed:
            agents.append(listed[name])
        else:
            known = ", ".join(["alone", "pygent", *listed])
            raise AgentError(f"no agent is named {name!r}; there are {known}, and NAME=COMMAND LINE")
    names = [agent.name for agent in agents]
    if len(set(names)) < len(names):
        raise AgentError(f"two agents have the same name: {', '.join(names)}")
    for agent in agents:
        if isinstance(agent, CommandLine):
            _check(agent)
    return agents


def _listed(file: Path) -> dict[str, CommandLine]:
    import yaml

    try:
        data = yaml.safe_load(file.read_text("utf-8"))
        return {
            name: CommandLine(name, one["command"], one.get("environment") or {}, one.get("question"))
            for name, one in data.items()
        }
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise AgentError(
            f"{file}: expected NAME: {{command: …, question: …, environment: {{…}}}}: {error!r}"
        ) from error


def _check(agent: CommandLine) -> None:
    """Every placeholder of a command line is known."""
    values = dict.fromkeys(PLACEHOLDERS, "")
    for word in [*_split(agent.name, f"{agent.command} {agent.question or ''}"), *agent.environment.values()]:
        _filled(agent.name, word, values)


def _for_each_file(word: str, task: Task) -> list[str]:
    """A word, or the words that it becomes."""
    tests = [name for name in task.show if Path(name).name.startswith("test_")]
    sources = [name for name in task.show if name not in tests]
    for key, names in (("{files}", task.show), ("{sources}", sources), ("{tests}", tests)):
        if key in word:
            return [word.replace(key, name.replace("{", "{{").replace("}", "}}")) for name in names]
    return [word]


def _split(name: str, command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise AgentError(f"{name}: {error}: {command}") from error


def _filled(name: str, word: str, values: Mapping[str, str]) -> str:
    try:
        return word.format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        known = ", ".join("{" + key + "}" for key in PLACEHOLDERS)
        raise AgentError(f"{name}: {word!r}: {error}; known are {known}, and a brace is written twice") from error


def _values(work: Work) -> dict[str, str]:
    return {
        "prompt": work.task.prompt,
        "prompt_with_check": f"{work.task.prompt} Check it with `{work.task.check}`."
        if work.task.check
        else work.task.prompt,
        "workspace": str(work.folder),
        "check": work.task.check or "",
        "base_url": work.server.base_url,
        "model": work.server.model,
        "requests": str(work.limits.requests),
        "seconds": f"{work.limits.seconds:.0f}",
    }


def _with_server(work: Work) -> dict[str, str]:
    base = work.server.base_url
    return {**work.env, "OPENAI_API_KEY": work.server.key, "OPENAI_BASE_URL": base, "OPENAI_API_BASE": base}


def _run(name: str, words: Sequence[str], work: Work, env: Mapping[str, str]) -> tuple[int, str]:
    """Run an agent until it ends, its time is over, or it has asked too often; answers its exit code and why."""
    with (work.keep / "output.txt").open("wb") as out, (work.keep / "errors.txt").open("wb") as err:
        try:
            process = subprocess.Popen(
                list(words),
                cwd=work.folder,
                env={**env, "PWD": str(work.folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except OSError as error:
            raise AgentError(f"{name}: {words[0]}: {error}") from error
        try:
            return _wait(process, work)
        finally:
            end_group(process)


def _wait(process: subprocess.Popen[bytes], work: Work) -> tuple[int, str]:
    end = time.monotonic() + work.limits.seconds
    while time.monotonic() < end:
        try:
            return process.wait(POLL_SECONDS), ""
        except subprocess.TimeoutExpired:
            if work.proxy.over.is_set():
                return 124, "ended: too many requests"
    return 124, "ended: out of time"


def _last_words(output: Path) -> tuple[str, str | None]:
    """What Pygent's run ended with, and the session's id, from the events that it printed."""
    answer, session = "", None
    for line in output.read_text("utf-8", "replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        session = event.get("session_id") or session
        if event.get("type") == "run.finished" and event.get("agent_id", "main") == "main":
            answer = str(event.get("text") or "")
    return answer, session


def which(agent: Agent) -> str | None:
    """The program of an agent that is not there, or None."""
    if not isinstance(agent, CommandLine):
        return None
    word = _split(agent.name, agent.command)[0]
    return None if "{" in word or shutil.which(word) or Path(word).exists() else word
