"""What a failed command's output leaves to be guessed: which programs, modules and files there are instead.

Only what is certain is said: a program that is not found, with the programs of this sandbox; a module or a file that
is not found, where the workspace has one by that name elsewhere.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import Any

from pygent.errors import PygentError, WorkspaceError
from pygent.nearest import nearest

_LAST = 8000
"""Characters at the end of an output that are looked at."""

_NO_PROGRAM = re.compile(
    r"(?:^|: )(?P<a>[\w.+-]{1,60}): (?:command )?not found$|^\w*sh: command not found: (?P<b>[\w.+-]{1,60})$"
    r"|^(?:/usr/bin/)?env: [‘'\"]?(?P<c>[\w.+-]{1,60})[’'\"]?: No such file or directory$",
    re.MULTILINE,
)
_NO_MODULE = re.compile(r"^(?:E\s+)?ModuleNotFoundError: No module named '(?P<name>[\w.]+)'", re.MULTILINE)
_NO_FILE = re.compile(
    r"can't open file '(?P<a>[^'\n]+)'|\[Errno 2\] No such file or directory: '(?P<b>[^'\n]+)'"
    r"|^(?:[\w/][\w./-]*(?: \d+)?: )+(?:cannot (?:access|open|stat) )?[‘']?(?P<c>[^\s'’:‘][^\n'’:‘]*)[’']?"
    r": No such file or directory$|^ERROR: file or directory not found: (?P<d>\S+)",
    re.MULTILINE,
)
_INSTEAD = {
    "python": ("python3",),
    "pip": ("pip3",),
    "pytest": ("py.test",),
    "node": ("nodejs", "bun", "deno"),
    "npm": ("pnpm", "yarn"),
    "rg": ("grep",),
    "ag": ("grep",),
    "fd": ("find",),
    "vim": ("sed",),
    "nano": ("sed",),
    "vi": ("sed",),
    "ll": ("ls",),
    "wget": ("curl",),
    "curl": ("wget",),
    "gcc": ("cc", "clang"),
    "cc": ("gcc", "clang"),
    "g++": ("c++", "clang++"),
    "ifconfig": ("ip",),
    "docker": ("podman",),
    "bat": ("cat",),
    "tree": ("find",),
}
_NOTABLE = (
    *("python3", "node", "npm", "gcc", "make", "git", "go", "cargo", "java", "ruby", "perl", "php"),
    *("grep", "sed", "awk", "find", "curl"),
)
_PROGRAMS = (
    'IFS=:; for d in $PATH; do ls "$d" 2>/dev/null; done; echo //; '
    "python3 -c 'import importlib.util as u, sys; print(u.find_spec(sys.argv[1]) is not None)' {name} 2>/dev/null"
)
_SECONDS = 5


def hint(rt: Any, cmd: str, output: str, exit_status: int | None) -> str:
    """One line about what a failed command lacked, ``""`` where that is not certain. ``rt`` is the call's runtime."""
    workspace = getattr(rt, "workspace", None)
    end = output.removeprefix(f"$ {cmd}\n")[-_LAST:]
    try:
        program = _NO_PROGRAM.search(end)
        if program and (exit_status == 127 or "command not found" in program[0]):
            return _program(rt, next(name for name in program.groups() if name))
        if workspace is None:
            return ""
        if module := _NO_MODULE.search(end):
            return _module(workspace, module["name"])
        if file := _NO_FILE.search(end):
            return _file(workspace, next(name for name in file.groups() if name))
    except (PygentError, ValueError):  # a hint is never worth an error
        return ""
    return ""


def _program(rt: Any, name: str) -> str:
    """What there is in place of a program, by what the sandbox has on its path."""
    import difflib  # noqa: PLC0415 - only where a program is missing

    runtime = getattr(rt, "runtime", None)
    if runtime is None or not hasattr(runtime, "run"):
        return ""
    result = runtime.run(_PROGRAMS.format(name=shlex.quote(name)), timeout=_SECONDS, cancel=rt.scope.cancel)
    listed, _, module = result.output.partition("//")
    programs = set(listed.split())
    if not programs:
        return ""
    said = f"There is no program {name!r} here"
    if "True" in module:
        return f"{said}, but a module: python3 -m {name}."
    there = [other for other in _INSTEAD.get(name, ()) if other in programs]
    there = there or sorted(other for other in programs if re.fullmatch(rf"{re.escape(name)}-?[\d.]+", other))[:3]
    there = there or difflib.get_close_matches(name, sorted(programs), n=3, cutoff=0.75)
    if there:
        return f"{said}; there is {' or '.join(there)}."
    notable = [other for other in _NOTABLE if other in programs]
    return f"{said}. Among what there is: {', '.join(notable)}." if notable else f"{said}."


def _module(workspace: Any, name: str) -> str:
    """Where in the workspace a module is that was not found."""
    base = name.split(".", maxsplit=1)[0]
    found = [*_below(workspace, f"{base}.py"), *_below(workspace, base)]
    folders = sorted({posixpath.dirname(path) or "." for path in found})
    if len(folders) != 1:
        return ""
    where = "the workspace's root" if folders[0] == "." else f"{folders[0]}/"
    return f"The module {base!r} is in {where}: run with PYTHONPATH={folders[0]} before the command."


def _below(workspace: Any, base: str) -> list[str]:
    """The file or package of that name, at the root or one or two folders below it."""
    out = [base] if _is_module(workspace, base) else []
    for folder in _folders(workspace, "."):
        paths = (folder, *(f"{folder}/{inner}" for inner in _folders(workspace, folder)))
        out.extend(f"{path}/{base}" for path in paths if _is_module(workspace, f"{path}/{base}"))
    return out


def _is_module(workspace: Any, path: str) -> bool:
    return bool(workspace.is_file(path) if path.endswith(".py") else workspace.is_file(f"{path}/__init__.py"))


def _folders(workspace: Any, folder: str) -> list[str]:
    try:
        entries = workspace.list_dir(folder)[:200]
    except WorkspaceError:  # gone meanwhile, or not readable
        return []
    return [entry.name for entry in entries if entry.is_dir and not entry.is_link and entry.name[0] not in "._"][:30]


def _file(workspace: Any, name: str) -> str:
    """Where the file is that a command did not find, if one by its name is elsewhere in the workspace."""
    path = workspace.relative(name.strip())
    if path == "." or workspace.exists(path):
        return ""
    near = nearest(workspace, path, alike=False)
    return f"There is no {path!r}; there is {' or '.join(map(repr, near))}." if near else ""
