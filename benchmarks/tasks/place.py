"""Where a task is worked on, and what its verifier may ask about what was left there."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.tasks.task import Task, TaskError

SECONDS = 60.0
"""What a command of a set-up or a verifier may take."""

GIT_USER = {
    "GIT_AUTHOR_NAME": "Robin",
    "GIT_AUTHOR_EMAIL": "robin@example.org",
    "GIT_COMMITTER_NAME": "Robin",
    "GIT_COMMITTER_EMAIL": "robin@example.org",
    "GIT_CONFIG_NOSYSTEM": "1",
}


class NotDone(Exception):
    """What a verifier found missing; the text says what."""


@dataclass(frozen=True)
class Ran:
    """A command that has ended, or was ended after its time (code 124)."""

    code: int
    output: str


def environment(home: Path) -> dict[str, str]:
    """Variables for work on a task: nothing of the person's own settings, and ``python3`` is this Python.

    Bytecode is not written: a file changed twice in one second would run as it was before.
    """
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONPATH")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    programs = home / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    for name in ("python3", "python"):
        link = programs / name
        if not link.is_symlink():
            link.symlink_to(os.path.realpath(sys.executable))
    path = f"{programs}{os.pathsep}{own.get('PATH', os.defpath)}"
    more = {"HOME": str(home), "TERM": "dumb", "PYTHONDONTWRITEBYTECODE": "1", "GIT_PAGER": "cat", "PAGER": "cat"}
    return {**own, **GIT_USER, **more, "PATH": path}


def run(
    command: str | list[str], folder: Path, env: Mapping[str, str], seconds: float = SECONDS, text: str = ""
) -> Ran:
    """Run a command, a text with bash, in a folder; output and errors are one text. All it started ends with it."""
    words = ["bash", "-c", command] if isinstance(command, str) else command
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=given, stdout=out, stderr=out, start_new_session=True
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = 124
        end_group(process)
        out.seek(0)
        return Ran(code, out.read().decode("utf-8", "replace"))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group of its own, and all that is left of the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def workspace(task: Task) -> Iterator[tuple[Path, dict[str, str]]]:
    """A fresh copy of the task's files, in a folder of its own, and the environment for work in it.

    Raises ``TaskError`` where the task's set-up fails.
    """
    with tempfile.TemporaryDirectory(prefix="task-", ignore_cleanup_errors=True) as base:
        folder, env = Path(base).resolve() / task.name, environment(Path(base).resolve() / "home")
        if task.files.is_dir():
            shutil.copytree(task.files, folder)
        else:
            folder.mkdir()
        if task.setup is not None:
            run_script(task.setup, folder, env)
        yield folder, env


def run_script(script: Path, folder: Path, env: Mapping[str, str]) -> None:
    """Run one of the task's own scripts in a folder.

    Raises ``TaskError`` with its output where it fails.
    """
    done = run(["bash", "-euo", "pipefail", str(script)], folder, env)
    if done.code:
        raise TaskError(f"{script} failed with code {done.code}:\n{done.output}")


@dataclass(frozen=True)
class Place:
    """What is left of a task's workspace, for its verifier; whatever runs here, runs on a copy."""

    task: Task
    folder: Path
    env: Mapping[str, str]
    answer: str = ""
    _restored: list[str] = field(default_factory=list)

    def expect(self, fact: object, why: str) -> None:
        """Raise ``NotDone`` with ``why`` where ``fact`` does not hold."""
        if not fact:
            raise NotDone(why)

    def restore(self, *names: str) -> None:
        """Put these files back as the task gave them: a test that was changed proves nothing."""
        for name in names:
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.task.files / name, target)

    def check(self) -> None:
        """The tests as they were given pass: every file named ``test_…`` is put back before the check runs."""
        self.restore(*(path.relative_to(self.task.files).as_posix() for path in self.task.files.rglob("test_*")))
        assert self.task.check is not None
        self.passes(self.task.check)

    def passes(self, command: str) -> str:
        """A shell command ends with 0 here; answers its output."""
        done = run(command, self.folder, self.env)
        self.expect(done.code == 0, f"`{command}` ended with {done.code}:\n{done.output[-2000:]}")
        return done.output

    def python(self, code: str) -> None:
        """A Python program, with the workspace on its path, ends without an error; it asserts what is asked."""
        done = run([sys.executable, "-c", code], self.folder, self.env)
        self.expect(done.code == 0, f"{done.output[-2000:]}")

    def exists(self, name: str) -> bool:
        return (self.folder / name).exists()

    def read(self, name: str) -> str:
        """A file's text; raises ``NotDone`` where there is none."""
        try:
            return (self.folder / name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotDone(f"{name}: {error}") from error

    def original(self, name: str) -> str:
        """The text of a file as the task gave it."""
        return (self.task.files / name).read_text("utf-8")

    def git(self, *arguments: str) -> str:
        """What git answers here, without the last line's end; raises ``NotDone`` where it fails."""
        done = run(["git", *arguments], self.folder, self.env)
        self.expect(done.code == 0, f"git {' '.join(arguments)}: {done.output}")
        return done.output.rstrip("\n")


def verify(task: Task, folder: Path, env: Mapping[str, str], answer: str = "") -> str | None:
    """None where the task is done in ``folder``, else what is missing."""
    with tempfile.TemporaryDirectory(prefix="verify-", ignore_cleanup_errors=True) as base:
        copy = Path(base).resolve() / folder.name
        shutil.copytree(folder, copy, symlinks=True, ignore_dangling_symlinks=True)
        place = Place(task, copy, env, answer)
        try:
            if task.answer is not None:
                place.expect(task.answer.search(answer), f"the answer does not say it: {answer[-300:]!r}")
            elif (verifier := _verifier(task)) is not None:
                verifier(place)
            else:
                place.check()
        except NotDone as error:
            return str(error)
    return None


def _verifier(task: Task) -> Callable[[Place], None] | None:
    path = task.folder / "verify.py"
    if not path.exists():
        if task.check is None:
            raise TaskError(f"{task.folder}: without verify.py a check or an answer is needed")
        return None
    spec = importlib.util.spec_from_file_location(f"verify_{task.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verify  # type: ignore[no-any-return]
