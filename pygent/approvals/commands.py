"""Judges shell commands: what in them reaches outside the workspace, and which rule a person could save for them.

A judgement is about mistakes, not about attacks: a program that is run can do what the sandbox lets it do. What
cannot be judged is a finding, so that somebody is asked.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from pygent.approvals import programs
from pygent.approvals.places import Place, Places
from pygent.approvals.rules import COMMAND_TOOL, Rule, exact
from pygent.approvals.shell import Part, Script, Unparsable, Word, parse

_PLAIN_WORD = re.compile(r"[a-z][a-z0-9:_-]*")
_HARMLESS = frozenset({"cd", "pwd", "true", "false", ":", "echo", "printf", "exit", "set", "test", "["})
_READING = frozenset({"<", "<<<"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a command that a person should see. ``strict`` where no rule may wave it through."""

    reason: str
    strict: bool = False


@dataclass(frozen=True)
class Command:
    """One simple command. ``inner`` where another one runs it: ``env``, ``timeout``, ``bash -c``, ``find -exec``."""

    words: tuple[Word, ...]
    part: Part
    inner: bool = False

    @cached_property
    def texts(self) -> list[str]:
        """The words as rules are compared with them."""
        return [word.text for word in self.words]

    @cached_property
    def bare(self) -> list[str]:
        """The words with the program's name freed from its folder."""
        return [self.name, *self.texts[1:]] if self.words else []

    @property
    def first(self) -> str:
        """The first word as it is written."""
        return self.words[0].text if self.words else ""

    @cached_property
    def name(self) -> str:
        """The program's name without its folder."""
        return self.first.rsplit("/", 1)[-1]

    @property
    def arguments(self) -> tuple[Word, ...]:
        """All words but the first."""
        return self.words[1:]

    @cached_property
    def plain(self) -> bool:
        """True where the words are all there is: nothing expanded, redirected, substituted or set for it."""
        part = self.part
        harmless = all(redirect.target.text == "/dev/null" for redirect in part.redirects)
        static = not any(word.dynamic for word in self.words)
        return static and harmless and not part.assignments and part.stdin is None and not part.substitution

    @property
    def harmless(self) -> bool:
        """True for what may stand beside an allowed command without a rule of its own."""
        return self.plain and self.first in _HARMLESS

    def escapes(self, rule: Rule) -> bool:
        """True where an option makes the program do what the words of ``rule`` do not tell."""
        return any(option not in rule.text for option in programs.escaping_options(self.name, self.texts[1:]))


def commands_of(script: Script) -> list[Command]:
    """All simple commands, those that others run among them. Raises ``Unparsable``."""
    out: list[Command] = []
    for part in script.parts:
        _expand(Command(tuple(part.words), part, inner=part.nested), out, 0)
    return out


def examine(
    commands: Sequence[Command], roots: Collection[str], confined: bool, protected: Callable[[str], bool]
) -> list[Finding]:
    """What a person should see of these commands, in their order.

    ``roots`` are the absolute paths of the workspace; ``confined`` says whether the sandbox keeps commands from
    reading the rest of the machine; ``protected`` tells the workspace's own paths that are not to be written.
    """
    places = Places(roots, protected)
    findings: list[Finding] = []
    for command in commands:
        findings.extend(_examine(command, places, confined))
        if command.name in {"cd", "pushd"} and command.words:
            places.enter(command.arguments[0] if command.arguments else Word("~"))
    return list(dict.fromkeys(findings))


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


def _expand(command: Command, out: list[Command], depth: int) -> None:
    if depth > 10:
        raise Unparsable("it is nested too deeply")
    out.append(command)
    for inner in _run_by(command):
        _expand(inner, out, depth + 1)


def _run_by(command: Command) -> Iterator[Command]:
    """The commands that a command runs because it was told to in its words or its here-document."""
    name, words = command.name, command.words
    if name in programs.SHELLS:
        text = _shell_text(command)
        if text is not None:
            for part in parse(text).parts:
                yield Command(tuple(part.words), part, inner=True)
    elif name in programs.WRAPPERS:
        start = programs.skip_wrapper(name, [word.text for word in words])
        if start < len(words):
            yield Command(words[start:], command.part, inner=True)
    elif name == "find":
        for at, word in enumerate(words):
            if word.text in programs.FIND_RUNS:
                yield Command(words[at + 1 :], command.part, inner=True)


def _shell_text(command: Command) -> str | None:
    """The text that a shell is told to run, None where it runs a file; ``Unparsable`` where it cannot be seen."""
    for at, word in enumerate(command.arguments):
        if re.fullmatch(r"-[a-z]*c[a-z]*", word.text):
            rest = [word for word in command.arguments[at + 1 :] if not word.text.startswith("-")]
            if not rest or rest[0].dynamic:
                raise Unparsable(f"{command.name} -c runs a text that is put together while it runs")
            return rest[0].text
    if any(not word.text.startswith("-") for word in command.arguments):
        return None
    return command.part.stdin


def _examine(command: Command, places: Places, confined: bool) -> Iterator[Finding]:
    if not command.inner or command.part.nested:
        yield from _redirects(command.part, places)
    if not command.words:
        return
    name = command.name
    if command.words[0].dynamic or (command.words[0].glob and name not in {"[", "[["}):
        yield Finding("the program's name is put together while it runs", strict=True)
    if name in programs.PRIVILEGED:
        yield Finding(f"{name} runs a command with another user's rights", strict=True)
    elif name in {"eval", "trap"}:
        yield Finding(f"{name} runs a text as a command", strict=True)
    elif name in programs.SHELLS:
        yield from _shell(command)
    elif name in programs.MACHINE or name.startswith("mkfs"):
        yield Finding(f"{name} changes the machine", strict=True)
    elif name == "git":
        yield from _git(command.texts[1:])
    elif reason := programs.reaches_out(name, command.texts[1:], confined):
        yield Finding(reason)
    yield from _written(command, places)
    if not confined:
        yield from _read(command, places)


def _redirects(part: Part, places: Places) -> Iterator[Finding]:
    for redirect in part.redirects:
        if redirect.op in _READING:
            continue
        place = places.of(redirect.target)
        if place is Place.DEVICE:
            yield Finding(f"it writes to the device {redirect.target.text}", strict=True)
        elif place is not Place.INSIDE:
            yield Finding(f"it writes to {redirect.target.text}, {place.value}", strict=place is Place.PROTECTED)


def _shell(command: Command) -> Iterator[Finding]:
    fed = [word for word in command.arguments if not word.text.startswith("-") or word.text == "-"]
    if any(word.dynamic for word in fed):
        yield Finding(f"{command.name} runs a text that is put together while it runs", strict=True)
    elif command.part.piped and command.part.stdin is None and (not fed or fed[0].text in {"-", "/dev/stdin"}):
        yield Finding(f"{command.name} runs what another command writes", strict=True)


def _git(arguments: list[str]) -> Iterator[Finding]:
    rest = arguments
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in {"-C", "-c", "--git-dir", "--work-tree"} else rest[1:]
    if not rest or rest[0] != "push":
        return
    forced = any(
        word.startswith(("--force", "--mirror", "--delete", "--prune", "+", ":"))
        or re.fullmatch(r"-[a-zA-Z]*[fd][a-zA-Z]*", word)
        for word in rest[1:]
    )
    if forced:
        yield Finding("git push can overwrite or delete what others have", strict=True)
    else:
        yield Finding("git push publishes commits")


def _written(command: Command, places: Places) -> Iterator[Finding]:
    deletes = programs.deletes(command.name, command.texts[1:])
    for word in programs.targets(command.name, command.arguments):
        place = places.of(word)
        if place is Place.INSIDE or (place is Place.UNKNOWN and not deletes):
            continue
        verb = "deletes" if deletes else "changes"
        strict = deletes or place in {Place.DEVICE, Place.PROTECTED}
        yield Finding(f"it {verb} {word.text or 'a file'}, {place.value}", strict=strict)


def _read(command: Command, places: Places) -> Iterator[Finding]:
    for word in command.arguments:
        text = word.text.split("=", 1)[-1] if word.text.startswith("-") else word.text
        if text and places.is_private(Word(text, word.dynamic, word.glob)):
            yield Finding(f"it reaches {text}, {Place.OUTSIDE.value}")
