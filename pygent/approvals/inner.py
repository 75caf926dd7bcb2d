"""Simple commands, and those that they run because they were told to in their words or their here-document."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pygent.approvals import programs
from pygent.approvals.braces import expanded
from pygent.approvals.rules import Rule
from pygent.approvals.shell import Part, Script, Unparsable, Word, parse
from pygent.approvals.wrappers import STARTERS, WRAPPERS, command_start, replaced, split_strings, starts_behind

HARMLESS = frozenset({"cd", "pwd", "true", "false", ":", "echo", "printf", "exit", "set", "test", "["})
_DEEPEST = 10
_MOST, _MOST_WORDS = 4000, 100_000
_SHELL_C = re.compile(r"[-+][A-Za-z]*c[A-Za-z]*")


@dataclass(frozen=True)
class Command:
    """One simple command. ``inner`` where another one runs it: ``env``, ``timeout``, ``bash -c``, ``find -exec``.

    ``more`` where it gets words that cannot be seen here, from ``xargs`` or ``find``.
    """

    words: tuple[Word, ...]
    part: Part
    inner: bool = False
    more: bool = False

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
        return self.plain and self.first in HARMLESS

    def escapes(self, rule: Rule) -> bool:
        """True where an option makes the program do what the words of ``rule`` do not tell."""
        return any(option not in rule.text for option in programs.escaping_options(self.name, self.texts[1:]))


def commands_of(script: Script) -> list[Command]:
    """All simple commands, those that others run among them. Raises ``Unparsable``."""
    found = _Found()
    for part in script.parts:
        found.add(Command(tuple(expanded(part.words)), part, inner=part.nested), 0)
    return found.commands


class _Found:
    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.words = 0

    def add(self, command: Command, depth: int) -> None:
        if depth > _DEEPEST:
            raise Unparsable("it is nested too deeply")
        self.words += len(command.words)
        if len(self.commands) >= _MOST or self.words > _MOST_WORDS:
            raise Unparsable("it is too long")
        self.commands.append(command)
        for inner in _run_by(command):
            self.add(inner, depth + 1)


def _run_by(command: Command) -> Iterator[Command]:
    """The commands that a command runs."""
    name, words = command.name, command.words
    for text in _texts(command):
        if text.dynamic:
            raise Unparsable(f"{name} runs a text that is put together while it runs")
        for part in parse(text.text).parts:
            yield Command(tuple(expanded(part.words)), part, inner=True)
    if name in WRAPPERS:
        yield from _wrapped(command)
    elif name in STARTERS:
        for start in starts_behind(name, command.texts):
            yield Command(words[start:], command.part, inner=True)
    elif name in programs.FINDERS:
        for at, word in enumerate(words):
            if word.text in programs.FINDERS[name]:
                end = next((end for end in range(at + 1, len(words)) if words[end].text == ";"), len(words))
                yield Command(words[at + 1 : end], command.part, inner=True, more=command.more or name != "find")
                if end == len(words) and name != "find":
                    break


def _wrapped(command: Command) -> Iterator[Command]:
    name, words = command.name, command.words
    if name == "env" and (texts := split_strings(words[: command_start(name, words)])):
        for text in texts:
            if text.dynamic or any(char in text.text for char in "\\$"):
                raise Unparsable("env -S with a text that is hard to read")
            try:
                split = [Word(piece) for piece in shlex.split(text.text)]
            except ValueError:
                raise Unparsable("env -S with a text that is hard to read") from None
            inside = (words[0], *split, *words[command_start(name, words) :])
            yield Command(inside[command_start(name, inside) :], command.part, inner=True, more=command.more)
        return
    start = command_start(name, words)
    more = command.more or name == "xargs"
    if name == "xargs" and (mark := replaced(words[:start])):
        words = tuple(Word(word.text, word.dynamic or mark in word.text, word.glob) for word in words)
    if start < len(words):
        yield Command(words[start:], command.part, inner=True, more=more)
    elif command.more:
        raise Unparsable(f"{name} runs a command that it reads")
    if name in {"watch", "flock"} and start < len(words):
        joined = " ".join(word.text for word in words[start:] if not re.fullmatch(r"-c|--command", word.text))
        for part in parse(joined).parts:
            yield Command(tuple(expanded(part.words)), part, inner=True)


def _texts(command: Command) -> Iterator[Word]:
    """The texts that a command runs as a shell would."""
    name, arguments = command.name, command.arguments
    if name in programs.SHELLS:
        text = _shell_text(command)
        if text is not None:
            yield text
    elif name == "script":
        for at, word in enumerate(arguments):
            if re.fullmatch(r"-[a-z]*c", word.text):
                yield from arguments[at + 1 : at + 2]
            elif found := re.match(r"-[a-z]*c|--command=", word.text):
                yield Word(word.text[found.end() :], word.dynamic)
    elif name == "git":
        yield from _git_texts(arguments)


def _git_texts(arguments: tuple[Word, ...]) -> Iterator[Word]:
    texts = [word.text for word in arguments]
    if "foreach" in texts:
        begin = texts.index("foreach") + 1
        yield from (word for word in arguments[begin:] if not word.text.startswith("-"))
    if texts[:2] == ["bisect", "run"]:
        yield Word(" ".join(texts[2:]), any(word.dynamic for word in arguments))
    for at, text in enumerate(texts):
        if text in {"-x", "--exec"} and "rebase" in texts[:at]:
            yield from arguments[at + 1 : at + 2]
        elif text.startswith("--exec=") and "rebase" in texts[:at]:
            yield Word(text[7:], arguments[at].dynamic)
        elif re.fullmatch(r"--[a-z]+-filter", text):
            yield from arguments[at + 1 : at + 2]


def _shell_text(command: Command) -> Word | None:
    """The text that a shell is told to run, None where it runs a file; ``Unparsable`` where it cannot be seen."""
    reads = False
    skip = 0
    for at, word in enumerate(command.arguments):
        if skip:
            skip -= 1
        elif _SHELL_C.fullmatch(word.text):
            rest = [word for word in command.arguments[at + 1 :] if word.text[:1] not in {"-", "+"}]
            if not rest:
                raise Unparsable(f"{command.name} -c runs a text that cannot be seen")
            return rest[0]
        elif re.fullmatch(r"[-+][A-Za-z]*[oO]|--(rcfile|init-file)", word.text):
            skip = 1
        elif re.fullmatch(r"-[A-Za-z]*s[A-Za-z]*|-|/dev/stdin|/dev/fd/0|/proc/self/fd/0", word.text):
            reads = True
        elif not word.text.startswith(("-", "+")) and not reads:
            return None
    return None if command.part.stdin is None else Word(command.part.stdin)
