"""A task: what is asked, the files it starts with, and the verifier that says whether it is done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUITE = Path(__file__).with_name("suite")
KINDS = ("fix", "write", "refactor", "find_out", "operate", "several_files")
LEVELS = ("easy", "medium", "hard")
HALVES = ("dev", "held")

_REQUIRED = {"kind", "level", "half", "prompt", "show"}
_OPTIONAL = {"check", "answer"}


class TaskError(Exception):
    """A task's description is not valid, or there is no such task; the text names the file or the name."""


@dataclass(frozen=True)
class Task:
    """One task of the suite, as its ``task.yaml`` describes it."""

    folder: Path
    kind: str
    level: str
    half: str
    prompt: str
    show: tuple[str, ...]
    """The files that matter, relative to the workspace: a person who asks would have them open."""
    check: str | None = None
    """The command that a person would name as the test; None where there is no natural one."""
    answer: re.Pattern[str] | None = None
    """What the final text must contain, for ``find_out``."""

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def files(self) -> Path:
        """The files that the workspace starts with."""
        return self.folder / "files"

    @property
    def setup(self) -> Path | None:
        """A shell script that makes the workspace what it has to be after the files were copied."""
        script = self.folder / "setup.sh"
        return script if script.exists() else None


def load(folder: Path) -> Task:
    """Read one task.

    Raises ``TaskError``, naming the file and the key.
    """
    import yaml

    path = folder / "task.yaml"
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TaskError(f"{path}: {error}") from error
    if not isinstance(data, dict):
        raise TaskError(f"{path}: a mapping is expected")
    _check_keys(path, data)
    for key, accepted in (("kind", KINDS), ("level", LEVELS), ("half", HALVES)):
        if data[key] not in accepted:
            raise TaskError(f"{path}: {key} is {data[key]!r}; accepted are {', '.join(accepted)}")
    return Task(
        folder,
        data["kind"],
        data["level"],
        data["half"],
        _text(path, data, "prompt").strip(),
        tuple(_names(path, data["show"])),
        _text(path, data, "check") if "check" in data else None,
        _pattern(path, data) if "answer" in data else None,
    )


def select(
    names: Sequence[str] = (), kinds: Sequence[str] = (), half: str = "all", suite: Path = SUITE
) -> list[Task]:
    """The tasks of the suite that have one of these names and kinds (none: all), by name.

    Raises ``TaskError`` for a name that no task has, and where nothing is left.
    """
    tasks = [load(path.parent) for path in sorted(suite.glob("*/task.yaml"))]
    known = {task.name for task in tasks}
    if unknown := sorted(set(names) - known):
        raise TaskError(f"no such task: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    chosen = [
        task
        for task in tasks
        if (not names or task.name in names)
        and (not kinds or task.kind in kinds)
        and (half == "all" or task.half == half)
    ]
    if not chosen:
        raise TaskError("no task is in all of the given names, kinds and halves")
    return chosen


def _check_keys(path: Path, data: dict[str, Any]) -> None:
    if missing := _REQUIRED - data.keys():
        raise TaskError(f"{path}: {', '.join(sorted(missing))} is missing")
    if unknown := data.keys() - _REQUIRED - _OPTIONAL:
        accepted = ", ".join(sorted(_REQUIRED | _OPTIONAL))
        raise TaskError(f"{path}: unknown key {', '.join(sorted(map(str, unknown)))}; accepted are {accepted}")
    if ("answer" in data) != (data["kind"] == "find_out"):
        raise TaskError(f"{path}: answer belongs to the kind find_out, and to it alone")


def _text(path: Path, data: dict[str, Any], key: str) -> str:
    value = data[key]
    if not isinstance(value, str) or not value.strip():
        raise TaskError(f"{path}: {key} has to be a text that is not empty")
    return value


def _names(path: Path, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise TaskError(f"{path}: show has to be a list of file names")
    return [str(name) for name in value]


def _pattern(path: Path, data: dict[str, Any]) -> re.Pattern[str]:
    try:
        return re.compile(_text(path, data, "answer"), re.IGNORECASE)
    except re.error as error:
        raise TaskError(f"{path}: answer is no regular expression: {error}") from error
