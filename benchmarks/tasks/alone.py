"""The model alone: one request with the files shown, one reply, and no second look.

This is the floor that an agent has to beat, so its prompt is as good as one prompt can be: it shows the files that
matter, the failing output of the check where there is one, and says exactly how the reply is read.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tasks.merging import merged
from benchmarks.tasks.place import run
from benchmarks.tasks.task import Task

TEMPERATURE = 0.2
OUTPUT_SHOWN = 3000
"""Characters of a check's output that are shown, its end: there the failure is."""
SCRIPT_SECONDS = 60.0

SYSTEM = (
    "You are an expert programmer. You do exactly what is asked, carefully, and reply in the format that is asked."
)

_FILE = "Explain briefly what is wrong, and give the corrected code: all of {names}, complete, in one fenced block."
_FILES = """Explain briefly what has to change, and give the changed code: every file that changes ({names}), \
complete, in a fenced block of its own with the file's path on the line before it. Tests stay as they are."""
_NEW_FILE = "Give all of {names} in one fenced block."
_SCRIPT = """Reply with one shell script, in one fenced block that begins with ```bash. It is run with bash in the \
folder of these files, once, with nobody there to answer questions."""
_ANSWER = "Reply with the answer, in one or two sentences."

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""The server is on loopback, whatever proxies are set."""
_FENCE = re.compile(r"^(`{3,})[ \t]*([^\n`]*)\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)
_UNCLOSED = re.compile(r"^(`{3,})[ \t]*([^\n`]*)\n(.*)\Z", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"[\w./-]*[\w-]\.\w+")
_SURVEY = """ls -lR
if [ -d .git ]; then git status --short --branch; git log --oneline --name-status -n 20; git branch -a; fi"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a reply: what stands beside its fence and on the line before it, and its text."""

    info: str
    before: str
    text: str


def messages(task: Task, folder: Path, env: Mapping[str, str]) -> list[dict[str, str]]:
    """The one request for a task."""
    parts = [task.prompt]
    parts += [f"{name}\n{fenced(text)}" for name, text in shown(task, folder)]
    if task.kind == "operate":
        parts.append(f"What the folder holds:\n{fenced(run(_SURVEY, folder, env).output)}")
    if task.check is not None:
        output = run(task.check, folder, env).output[-OUTPUT_SHOWN:]
        parts.append(f"The output of `{task.check}`:\n{fenced(output)}")
    parts.append({"operate": _SCRIPT, "find_out": _ANSWER}.get(task.kind) or _format(task))
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "\n\n".join(parts)}]


def _format(task: Task) -> str:
    """How files are asked for: a small model copies a file as it is where it has not said first what is wrong."""
    names = changeable(task)
    text = _FILES if len(names) > 1 else _NEW_FILE if task.kind == "write" else _FILE
    return text.format(names=", ".join(names))


def changeable(task: Task) -> list[str]:
    """The files that a task is about: those that are shown and no tests, then those that its prompt names."""
    names = [*task.show, *_PATH.findall(task.prompt)]
    return [name for name in dict.fromkeys(names) if not Path(name).name.startswith("test_")]


def shown(task: Task, folder: Path) -> Iterator[tuple[str, str]]:
    """The task's files that matter, by name, with their texts."""
    for name in task.show:
        yield name, (folder / name).read_text("utf-8", "replace")


def fenced(text: str) -> str:
    marks = "````" if "```" in text else "```"
    return f"{marks}\n{text.rstrip()}\n{marks}"


def ask(base_url: str, key: str, model: str, talk: list[dict[str, str]], seconds: float) -> str:
    """The model's reply to one request.

    Raises ``OSError`` where there is none within the time.
    """
    body = json.dumps({"model": model, "messages": talk, "temperature": TEMPERATURE}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{base_url}/chat/completions", body, headers)
    try:
        with _DIRECT.open(request, timeout=seconds) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        raise OSError(f"{error}: {error.read().decode('utf-8', 'replace')[:500]}") from error
    except ValueError as error:
        raise OSError(f"the answer is no JSON: {error}") from error
    return str(answer["choices"][0]["message"].get("content") or "")


def apply(task: Task, folder: Path, env: Mapping[str, str], reply: str) -> str:
    """Do to the workspace what the reply says; answers what was done, for the record."""
    if task.kind == "find_out":
        return ""
    found = blocks(reply)
    if task.kind == "operate":
        if not found:
            return "no block in the reply"
        scripts = [one for one in found if one.info.lower() in ("bash", "sh", "shell")] or found
        done = run("\n".join(one.text for one in scripts), folder, env, SCRIPT_SECONDS)
        return f"the script ended with {done.code}:\n{done.output[-2000:]}"
    written = files(task, folder, found)
    for name, text in written.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(merged(path.read_text("utf-8"), text) if path.exists() else text, "utf-8")
    return f"wrote {', '.join(written) or 'nothing'}"


def blocks(reply: str) -> list[Block]:
    """The fenced blocks of a reply; a last one that is not closed counts as well."""
    found = []
    end = 0
    for match in _FENCE.finditer(reply):
        found.append(_block(reply, match))
        end = match.end()
    if (last := _UNCLOSED.search(reply, end)) is not None:
        found.append(_block(reply, last))
    return found


def _block(reply: str, match: re.Match[str]) -> Block:
    lines = reply[: match.start()].rstrip().splitlines()
    return Block(match[2].strip(), lines[-1] if lines else "", match[3])


def files(task: Task, folder: Path, found: list[Block]) -> dict[str, str]:
    """The files that a reply's blocks are, by name.

    A block without a path is taken for the one file that can be meant, where there is one.
    """
    result: dict[str, str] = {}
    nameless = []
    names = [*task.show, *changeable(task)]
    for block in (part for one in found for part in _parts(one, names)):
        name = _named(block, folder)
        if name is not None:
            result[name] = block.text
        else:
            nameless.append(block)
    left = [name for name in changeable(task) if name not in result]
    if len(nameless) == 1 and len(left) == 1:
        result[left[0]] = nameless[0].text
    return result


def _parts(block: Block, names: list[str]) -> list[Block]:
    """A block that holds several files, each headed by a comment with its path, as a block for each."""
    starts = [
        match.start()
        for match in re.finditer(r"^(?:#|//)[ \t]*(\S+)[ \t]*$", block.text, re.MULTILINE)
        if match[1].strip("`*:") in names
    ]
    if len(starts) < 2:
        return [block]
    ends = [*starts[1:], len(block.text)]
    return [Block("", "", block.text[start:end].rstrip() + "\n") for start, end in zip(starts, ends, strict=True)]


def _named(block: Block, folder: Path) -> str | None:
    """The path that heads a block: on the line before it, beside its fence, or in a comment on its first line."""
    first = block.text.lstrip().partition("\n")[0]
    places = [block.before, block.info, first if first.startswith(("#", "//", "<!--")) else ""]
    for place in places:
        if len(place) > 120:
            continue
        for name in _PATH.findall(place):
            path = (folder / str(name)).resolve()
            if path.is_relative_to(folder) and path != folder and not path.is_dir():
                return path.relative_to(folder).as_posix()
    return None
