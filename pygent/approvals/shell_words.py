"""Reads the words of a shell command: quotes, expansions, and the substitutions inside them.

It expands nothing. What it does not know is ``Unparsable``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

BLANKS = " \t"
ENDS_WORD = " \t\n;&|()<>"
_PARAMETER = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])")
_C_QUOTED = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)


class Unparsable(Exception):
    """The command has something in it that this reader does not know; the text says what."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its quotes. ``dynamic`` where the shell changes it, ``glob`` where it may stand for names."""

    text: str
    dynamic: bool = False
    glob: bool = False


class WordReader(ABC):
    """Reads words from ``text``, beginning at ``at``; what runs inside of them is read by whoever knows commands."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @abstractmethod
    def substitution(self, end: str) -> None:
        """Read the commands of a substitution that begins at ``at``, up to ``end`` and past it."""

    @abstractmethod
    def substituted(self, text: str) -> None:
        """Read the commands of a substitution whose text stands by itself."""

    def word(self) -> Word:
        """Read one word."""
        text: list[str] = []
        dynamic = glob = False
        while char := self.peek():
            if char in ENDS_WORD:
                break
            if char == "'":
                end = self.text.find("'", self.at + 1)
                if end < 0:
                    raise Unparsable("a quote is missing")
                text.append(self.text[self.at + 1 : end])
                self.at = end + 1
            elif char == '"':
                self.at += 1
                inner, changes = self.expansions('"')
                text.append(inner)
                dynamic |= changes
            elif char == "\\":
                pair = self.text[self.at : self.at + 2]
                self.at += 2
                text.append("" if pair == "\\\n" else pair[1:])
            elif self.text.startswith("$'", self.at):
                text.append(self._c_quotes())
                dynamic = True
            elif char in "$`":
                inner, changes = self._dollar()
                text.append(inner)
                dynamic |= changes
            else:
                glob |= char in "*?[{"
                text.append(char)
                self.at += 1
        return Word("".join(text), dynamic, glob)

    def expansions(self, end: str) -> tuple[str, bool]:
        """Read text in which only ``$``, backticks and backslashes mean something, up to ``end``."""
        text: list[str] = []
        dynamic = False
        while True:
            char = self.peek()
            if not char:
                if end:
                    raise Unparsable("a quote is missing")
                break
            if char == end:
                self.at += 1
                break
            if char == "\\":
                pair = self.text[self.at : self.at + 2]
                text.append(pair[1:] if pair[1:] in {"$", "`", '"', "\\"} else "" if pair == "\\\n" else pair)
                self.at += 2
            elif char in "$`":
                inner, changes = self._dollar()
                text.append(inner)
                dynamic |= changes
            else:
                text.append(char)
                self.at += 1
        return "".join(text), dynamic

    def _dollar(self) -> tuple[str, bool]:
        """Read an expansion; answers how it is written and whether it changes the word."""
        start = self.at
        rest = self.text[self.at : self.at + 3]
        if rest.startswith("`"):
            self._backticks()
        elif rest == "$((":
            self.at += 3
            self._until("))")
        elif rest.startswith("$("):
            self.at += 2
            self.substitution(")")
        elif rest.startswith("${"):
            self.at += 2
            self._until("}")
        elif name := _PARAMETER.match(self.text, self.at):
            self.at = name.end()
        else:
            self.at += 1
            return ("", False) if rest.startswith('$"') else ("$", False)
        return self.text[start : self.at], True

    def _until(self, end: str) -> None:
        """Skip an expansion in braces or an arithmetic one, reading the commands that stand in it."""
        level = 0
        while char := self.peek():
            if level == 0 and self.text.startswith(end, self.at):
                self.at += len(end)
                return
            if char in "$`":
                self._dollar()
            elif char == "\\":
                self.at += 2
            elif char == '"':
                self.at += 1
                self.expansions('"')
            elif char == "'":  # means one thing inside double quotes and another outside
                raise Unparsable("a single quote inside an expansion")
            else:
                if end == "))":
                    level += (char == "(") - (char == ")")
                if level < 0:
                    raise Unparsable("a subshell that looks like arithmetic")
                self.at += 1
        raise Unparsable(f"a {end!r} is missing")

    def _c_quotes(self) -> str:
        end = _C_QUOTED.match(self.text, self.at)
        if end is None:
            raise Unparsable("a quote is missing")
        self.at = end.end()
        return end.group()

    def _backticks(self) -> None:
        found = _BACKTICKS.match(self.text, self.at)
        if found is None:
            raise Unparsable("a '`' is missing")
        self.at = found.end()
        self.substituted(re.sub(r"\\([`\\$])", r"\1", found.group(1)))

    def peek(self) -> str:
        """The next character, ``""`` at the end."""
        return self.text[self.at : self.at + 1]
