"""Asks git about a work tree without running anything that the repository names.

A repository's own configuration can name programs for a harmless ``git status``: a file system monitor, filters,
hooks, a remote's helper. So git never reads it. Each question gets a repository folder of its own for as long as it
takes, with links to the objects, references and the index of the real one, and a configuration of a few harmless
values copied over. Filters that are not configured are not run, whatever ``.gitattributes`` says.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pygent.errors import PygentError
from pygent.scratch import own_folder
from pygent.settings import git_environment

SECONDS = 10.0
"""How long one question may take where nothing else is said."""

_SHARED = ("objects", "refs", "packed-refs", "reftable", "info", "shallow")
_WORD = re.compile(r"[A-Za-z0-9]{1,20}")
_CORE = frozenset(
    {
        "core.filemode",
        "core.ignorecase",
        "core.symlinks",
        "core.precomposeunicode",
        "core.trustctime",
        "core.checkstat",
        "core.autocrlf",
        "core.eol",
        "core.sparsecheckout",
        "core.sparsecheckoutcone",
        "core.untrackedcache",
    }
)
_BRANCH = re.compile(r"(branch\..*\.(remote|merge)|remote\..*\.fetch)", re.DOTALL)
_EXTENSIONS = frozenset({"extensions.objectformat", "extensions.refstorage"})
_FIXED = {
    "core.fsmonitor": "false",
    "core.hookspath": "/dev/null",
    "core.attributesfile": "/dev/null",
    "core.untrackedcache": "false",
    "core.quotepath": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
}


class GitError(PygentError):
    """git could not answer."""


class GitTimeout(GitError):
    """git took too long to answer."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that ``folder`` lies in. ``top`` is its work tree, ``own`` and ``common`` hold its data.

    ``common`` is another folder than ``own`` in a linked work tree. Thread-safe: it holds no state.
    """

    folder: Path
    top: Path
    own: Path
    common: Path

    @classmethod
    def find(cls, folder: Path) -> Repository | None:
        """The repository around ``folder``, None where there is none, or no git."""
        folder = folder.resolve()
        for top in (folder, *folder.parents):
            own = _git_folder(top / ".git")
            if own is not None:
                found = cls(folder, top, own, _common(own))
                return found if git_program() is not None else None
        return None

    @property
    def prefix(self) -> str:
        """The path of ``folder`` below ``top``, with a slash at its end; empty where they are the same."""
        below = self.folder.relative_to(self.top).as_posix()
        return "" if below == "." else f"{below}/"

    def records(self, *arguments: str, seconds: float = SECONDS) -> Generator[bytes, None, None]:
        """The parts of what ``git ARGUMENTS`` writes, as they come, split at NUL.

        Raises ``GitTimeout`` and ``GitError``. Closing the iterator ends git.
        """
        rest = b""
        for piece in self.pieces(*arguments, seconds=seconds):
            *whole, rest = (rest + piece).split(b"\0")
            yield from whole
        if rest:
            yield rest

    def pieces(
        self, *arguments: str, seconds: float = SECONDS, given: bytes = b"", fine: Collection[int] = (0,)
    ) -> Generator[bytes, None, None]:
        """What ``git ARGUMENTS`` writes, in pieces; ``given`` is what it reads. As ``records``.

        ``fine`` are the exit statuses that are no failure.
        """
        git = git_program()
        if git is None:
            raise GitError("git is not installed")
        with self._view() as (view, environment), _input(view, given) as reads, ExitStack() as ended:
            if arguments[0] == "check-ignore":  # which takes paths literally, and refuses to be told so
                del environment["GIT_LITERAL_PATHSPECS"]
            process = ended.enter_context(_process([git, *arguments], self.folder, environment, reads))
            late = threading.Event()

            def end() -> None:
                late.set()
                _kill(process)

            timer = threading.Timer(seconds, end)
            timer.daemon = True
            timer.start()
            try:
                assert process.stdout is not None
                while piece := os.read(process.stdout.fileno(), 1 << 16):
                    yield piece
                code = process.wait()
            finally:
                timer.cancel()
            if late.is_set():
                raise GitTimeout(f"git {arguments[0]} took more than {seconds:g} s")
            if code not in fine:
                raise GitError(f"git {arguments[0]} failed with exit status {code} ({view.name})")

    def committed(self, path: str, commit: str = "HEAD", *, most: int) -> bytes | None:
        """A file's content in a commit, by its path in ``folder``. None where it is not there or above ``most``."""
        data = b""
        try:
            for piece in self.pieces("cat-file", "blob", f"{commit}:{self.prefix}{path}"):
                data += piece
                if len(data) > most:
                    return None
        except GitError:
            return None
        return data

    @contextmanager
    def _view(self) -> Iterator[tuple[Path, dict[str, str]]]:
        """A repository folder for one question, and the variables that lead git to it."""
        with tempfile.TemporaryDirectory(prefix="git-", dir=own_folder(), ignore_cleanup_errors=True) as name:
            view = Path(name)
            extensions, values = _harmless(self.common / "config")
            (view / "config").write_text(extensions, encoding="utf-8")
            try:
                with (self.own / "HEAD").open("rb") as file:
                    (view / "HEAD").write_bytes(file.read(4096))
            except OSError as error:
                raise GitError(f"the repository cannot be read: {error.strerror}") from error
            for part in _SHARED:
                _link(self.common / part, view / part)
            for index in self.own.glob("sharedindex.*"):
                _link(index, view / index.name)
            (view / "refs").mkdir(exist_ok=True)
            yield view, {**_environment(view, self.top, self.own / "index"), **_as_variables(values)}


def _git_folder(path: Path) -> Path | None:
    """What ``.git`` is or leads to, None where it is no repository."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                text = os.fsdecode(file.read(4096)).strip()
            if not text.startswith("gitdir:"):
                return None
            path = path.parent / text.removeprefix("gitdir:").strip()
        if (path / "HEAD").is_file() and (_common(path) / "objects").is_dir():
            return path.resolve()
    except OSError:
        pass
    return None


def _common(own: Path) -> Path:
    try:
        with (own / "commondir").open("rb") as file:
            return (own / os.fsdecode(file.read(4096)).strip()).resolve()
    except OSError:
        return own


def _link(target: Path, link: Path) -> None:
    if target.exists():
        link.symlink_to(target)


@functools.cache
def git_program() -> str | None:
    """Where git is, None where it is not installed."""
    return shutil.which("git", path=git_environment()["PATH"])


def _environment(view: Path, top: Path, index: Path) -> dict[str, str]:
    return {
        **git_environment(),
        "GIT_DIR": str(view),
        "GIT_WORK_TREE": str(top),
        "GIT_INDEX_FILE": str(index),
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_PAGER": "cat",
        "LC_ALL": "C",
    }


def _as_variables(values: Mapping[str, list[str]]) -> dict[str, str]:
    pairs = [(name, value) for name, some in values.items() for value in some]
    out = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (name, value) in enumerate(pairs):
        out[f"GIT_CONFIG_KEY_{number}"], out[f"GIT_CONFIG_VALUE_{number}"] = name, value
    return out


def _harmless(config: Path) -> tuple[str, dict[str, list[str]]]:
    """Of a repository's configuration what says how its data is to be read, as a file and as values."""
    extensions, found = harmless_values(config)
    values = {name: list(some) for name, some in _of_the_person().items()} | found
    values.update({name: [value] for name, value in _FIXED.items()})
    text = f"[core]\nrepositoryformatversion = {1 if extensions else 0}\nbare = false\n"
    if extensions:
        text += "[extensions]\n" + "".join(f"{name} = {value}\n" for name, value in extensions.items())
    return text, values


def harmless_values(config: Path) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What a repository's configuration says of how its data is to be read: extensions by name, and other values."""
    extensions: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for name, value in _entries("--file", str(config), "--no-includes"):
        if name in _EXTENSIONS and _WORD.fullmatch(value):
            extensions[name.partition(".")[2]] = value
        elif name in _CORE:
            values[name] = [value]
        elif _BRANCH.fullmatch(name):
            values.setdefault(name, []).append(value)
    return extensions, values


@functools.cache
def _of_the_person() -> dict[str, list[str]]:
    """From the person's own configuration: what is never tracked, and line ends."""
    wanted = {"core.excludesfile", "core.autocrlf", "core.eol"}
    found = {name: value for name, value in _entries("--global", "--includes") if name in wanted}
    if excludes := found.get("core.excludesfile"):
        with suppress(RuntimeError):
            found["core.excludesfile"] = str(Path(excludes).expanduser())
    return {name: [value] for name, value in found.items()}


def _entries(*where: str) -> Iterator[tuple[str, str]]:
    """Names, section and key in lower case, and values of a configuration; none where it cannot be read."""
    git = git_program()
    if git is None:
        return
    try:
        done = subprocess.run(
            [git, "config", *where, "--list", "-z"],
            cwd="/",
            env={**git_environment(), "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": "/dev/null", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return
    for record in done.stdout.split(b"\0"):
        name, _, value = record.partition(b"\n")
        if name:
            yield os.fsdecode(name), os.fsdecode(value)


@contextmanager
def _input(view: Path, given: bytes) -> Iterator[BinaryIO | int]:
    """What git reads: a file, since writing to it while its answer is read could block."""
    if not given:
        yield subprocess.DEVNULL
        return
    file = view / "pygent-input"
    file.write_bytes(given)
    with file.open("rb") as opened:
        yield opened


@contextmanager
def _process(
    command: list[str], folder: Path, environment: dict[str, str], reads: BinaryIO | int
) -> Iterator[subprocess.Popen[bytes]]:
    """A program whose output is read, ended at the end of the block whatever happens."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=reads,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise GitError(f"git could not be started: {error.strerror}") from error
    try:
        yield process
    finally:
        if process.poll() is None:
            _kill(process)
        assert process.stdout is not None
        process.stdout.close()
        process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
