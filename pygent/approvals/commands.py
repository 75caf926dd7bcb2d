"""Judges shell commands: what in them reaches outside the workspace, and which rule a person could save for them.

A judgement is about mistakes, not about attacks: a program that is run can do what the sandbox lets it do. What
cannot be judged is a finding, so that somebody is asked.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pygent.approvals import programs
from pygent.approvals.git_commands import git_findings
from pygent.approvals.inner import Command, commands_of
from pygent.approvals.places import Place, Places
from pygent.approvals.rules import COMMAND_TOOL, exact
from pygent.approvals.shell import Part, Word

__all__ = ["Command", "Finding", "commands_of", "examine", "propose_rule"]

_PLAIN_WORD = re.compile(r"[a-z][a-z0-9:_-]*")
_READING = frozenset({"<", "<<<"})
_STDIN = frozenset({"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"})
_EVALUATED = frozenset(
    "test [ [[ unset printf read declare typeset local export readonly let mapfile readarray getopts wait".split()
)
"""Builtins that look into the subscript of a name, in which a command can stand."""

_SUBSCRIPT = re.compile(r"[A-Za-z_]\w*\[[^\]]*(?:\$\(|`)")
_SETTING = frozenset({"export", "declare", "typeset", "readonly", "local", "env"})
_SOURCING = frozenset({"source", "."})
_TOLD = re.compile(r"-[a-zA-Z]*[cemprnVh]|--(version|help|eval|print|check)")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a command that a person should see. ``strict`` where no rule may wave it through."""

    reason: str
    strict: bool = False


def examine(
    commands: Sequence[Command], roots: Collection[str], confined: bool, protected: Callable[[str], bool]
) -> list[Finding]:
    """What a person should see of these commands, in their order.

    ``roots`` are the absolute paths of the workspace; ``confined`` says whether the sandbox keeps commands from
    reading the rest of the machine; ``protected`` tells the workspace's own paths that are not to be written.
    """
    places = Places(roots, protected)
    for command in commands:
        places.learn(command.part)
        if command.name in {"export", "declare", "local", "readonly", "typeset"}:
            places.assign(command.arguments)
    findings: dict[Finding, None] = {}
    seen: set[int] = set()
    for command in commands:
        if id(command.part) not in seen:
            seen.add(id(command.part))
            findings.update(dict.fromkeys(_examine_part(command.part, places)))
        findings.update(dict.fromkeys(_examine(command, places, confined)))
        if command.name in {"cd", "pushd"}:
            folder = programs.plain_words(command.arguments)
            places.enter(folder[0] if folder else Word("-" if command.arguments else "~"))
    if _runs_downloads(commands):
        findings[Finding("it runs what it downloads", strict=True)] = None
    return list(findings)


def propose_rule(commands: Sequence[Command]) -> str | None:
    """The narrowest useful rule for a command, None where it has several parts or runs code of its own."""
    if any(command.inner for command in commands):
        return None
    alone = [command for command in commands if not command.harmless] or list(commands[:1])
    if len(alone) != 1 or not alone[0].plain or not alone[0].words:
        return None
    command = alone[0]
    if any(word.glob for word in command.words) or programs.runs_code(command.name) or "/" in command.first:
        return None
    words = command.texts
    if programs.escaping_options(command.name, words[1:]):
        return None
    if len(words) > 2 and words[1] == "run" and _PLAIN_WORD.fullmatch(words[2]):
        return f"{COMMAND_TOOL}({shlex.join(words[:3])} *)"
    if len(words) > 1 and words[1] in programs.SUBCOMMANDS.get(command.name, ()) and _PLAIN_WORD.fullmatch(words[1]):
        return f"{COMMAND_TOOL}({words[0]} {words[1]} *)"
    return exact(COMMAND_TOOL, words)


def _examine_part(part: Part, places: Places) -> Iterator[Finding]:
    """What a simple command does whatever its program: redirections, variables that are set for it."""
    for redirect in part.redirects:
        if redirect.op in _READING:
            continue
        place = places.of(redirect.target)
        target = _short(redirect.target.text)
        if place is Place.DEVICE:
            yield Finding(f"it writes to the device {target}", strict=True)
        elif place is not Place.INSIDE:
            yield Finding(f"it writes to {target}, {place.value}", strict=place is Place.PROTECTED)
    yield from _loads(part.assignments)
    if any(_holds_command(word) for word in (*part.assignments, *part.values)):
        yield Finding("a variable holds a command", strict=True)


def _examine(command: Command, places: Places, confined: bool) -> Iterator[Finding]:
    if not command.words:
        return
    name = command.name
    if command.words[0].dynamic or (command.words[0].glob and name not in {"[", "[["}):
        yield Finding("the program's name is put together while it runs", strict=True)
    yield from _by_name(command, places, confined)
    yield from _written(command, places)
    if not confined:
        yield from _read(command, places)


def _by_name(command: Command, places: Places, confined: bool) -> Iterator[Finding]:
    name = command.name
    if name in _EVALUATED and any(_holds_command(word) for word in command.arguments):
        yield Finding(f"{name} may run a command that stands in its words", strict=True)
    if name in _SETTING:
        yield from _loads(command.arguments)
    if name in programs.PRIVILEGED:
        yield Finding(f"{name} runs a command with another user's rights", strict=True)
    elif name in programs.TEXT_RUNNERS:
        yield Finding(f"{name} runs a text as a command", strict=True)
    elif name in programs.SHELLS or programs.INTERPRETER.fullmatch(name) or name in _SOURCING:
        yield from _code(command)
    elif name in programs.MACHINE or name.startswith("mkfs"):
        yield Finding(f"{name} changes the machine", strict=True)
    elif name == "git":
        for reason, strict in git_findings(command.arguments, places):
            yield Finding(reason, strict)
    elif reason := programs.reaches_out(name, command.texts[1:], confined):
        yield Finding(reason)


def _loads(words: Iterable[Word]) -> Iterator[Finding]:
    for word in words:
        if programs.LOADING.match(word.text):
            yield Finding(f"{word.text.partition('=')[0]} makes programs run other code", strict=True)


def _holds_command(word: Word) -> bool:
    """True for a subscript with a command in it: arithmetic, and builtins that take names, run that."""
    return not word.dynamic and _SUBSCRIPT.search(word.text) is not None


def _code(command: Command) -> Iterator[Finding]:
    """What a shell or an interpreter runs that cannot be seen in the command."""
    name, part = command.name, command.part
    sourcing = name in _SOURCING
    shell = sourcing or name in programs.SHELLS
    fed = [word for word in command.arguments if not word.text.startswith("-") or word.text in _STDIN]
    options = [word.text for word in command.arguments if word.text.startswith("-") and word.text not in _STDIN]
    told = not sourcing and any(_TOLD.match(option) for option in options)
    reads = fed[0].text in _STDIN if fed else not told
    if shell and any(word.dynamic for word in fed):
        yield Finding(f"{name} runs a text that is put together while it runs", strict=True)
    elif any(word.dynamic and programs.DOWNLOADER.search(word.text) for word in command.arguments):
        yield Finding(f"{name} runs what it downloads", strict=True)
    elif (shell and command.more) or (fed and fed[0].text.startswith(("<(", "/dev/fd/", "/proc/"))):
        yield Finding(f"{name} runs what it is given while it runs", strict=True)
    elif reads and (sourcing or part.piped or part.stdin is None):
        yield Finding(f"{name} runs what another command writes", strict=True)


def _written(command: Command, places: Places) -> Iterator[Finding]:
    name, texts = command.name, command.texts[1:]
    deletes, destroys = programs.deletes(name, texts), programs.destroys(name, texts)
    if command.more and destroys:
        yield Finding(f"{name} gets names that are known only when it runs", strict=True)
    filtered = name == "find" and any(text.startswith(("-name", "-path", "-type", "-iname", "-regex", "-m", "-newer",
                                                       "-empty", "-size")) for text in texts)  # fmt: skip
    for word in programs.targets(name, command.arguments):
        place = places.of(word, destroys=destroys)
        if destroys and place is Place.INSIDE and not filtered and deletes and places.is_whole(word):
            yield Finding("it deletes the whole workspace", strict=True)
        if place is Place.INSIDE or (place is Place.UNKNOWN and not destroys):
            continue
        verb = "deletes" if deletes else "changes"
        strict = destroys or place in {Place.DEVICE, Place.PROTECTED}
        yield Finding(f"it {verb} {_short(word.text) or 'a file'}, {place.value}", strict=strict)


def _read(command: Command, places: Places) -> Iterator[Finding]:
    for word in command.arguments:
        text = word.text.split("=", 1)[-1] if word.text.startswith("-") else word.text
        if text and places.is_private(Word(text, word.dynamic, word.glob)):
            yield Finding(f"it reaches {_short(text)}, {Place.OUTSIDE.value}")


def _runs_downloads(commands: Sequence[Command]) -> bool:
    """True where a file is run that the same command has downloaded."""
    got: set[str] = set()
    flows = False
    for command in commands:
        downloads = programs.DOWNLOADER.fullmatch(command.name) is not None
        flows = downloads or (flows and command.part.piped)
        names = {word.text.rpartition("/")[2] for word in command.words}
        if got & names and (programs.runs_code(command.name) or "/" in command.first):
            return True
        if flows:
            written = programs.targets(command.name, command.arguments)
            got.update(word.text.rpartition("/")[2] for word in written)
            got.update(redirect.target.text.rpartition("/")[2] for redirect in command.part.redirects)
            got.update(names if downloads else ())
    return False


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:60] + "…" + text[-59:]
