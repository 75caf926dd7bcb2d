"""Reads the words of a shell command: quotes, expansions, and the substitutions inside them.

It expands nothing. What it does not know is ``Unparsable``.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

BLANKS = " \t"
ENDS_WORD = " \t\n;&|()<>"
_PARAMETER = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])")
_C_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_C_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|c(.)|(.))", re.DOTALL
)
_C_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
              "\\": "\\", "'": "'", '"': '"', "?": "?"}  # fmt: skip
_PLAIN = re.compile(r"[^ \t\n;&|()<>'\"\\$`*?\[{]+")
_TEXT = re.compile(r"[^\\$`\"]+")
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)


class Unparsable(Exception):
    """The command has something in it that this reader does not know; the text says what."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its quotes. ``dynamic`` where the shell changes it, ``glob`` where it may stand for names."""

    text: str
    dynamic: bool = False
    glob: bool = False


DEEPEST = 40


@dataclass(slots=True)
class Limits:
    """What one command may cost to read. What costs more is ``Unparsable``: no person would read it either."""

    steps: int = 60_000
    level: int = field(default=0)

    def step(self) -> None:
        """Count one step."""
        self.steps -= 1
        if self.steps < 0:
            raise Unparsable("it is too long")

    def down(self) -> None:
        """Go one level deeper."""
        self.level += 1
        if self.level > DEEPEST:
            raise Unparsable("it is nested too deeply")

    def up(self) -> None:
        """Come back from there."""
        self.level -= 1


class WordReader(ABC):
    """Reads words from ``text``, beginning at ``at``; what runs inside of them is read by whoever knows commands."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.at = 0
        self.limits = limits

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
            self.limits.step()
            if char in ENDS_WORD:
                break
            if plain := _PLAIN.match(self.text, self.at):
                text.append(plain.group())
                self.at = plain.end()
            elif char == "'":
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
            self.limits.step()
            char = self.peek()
            if not char:
                if end:
                    raise Unparsable("a quote is missing")
                break
            if char == end:
                self.at += 1
                break
            if plain := _TEXT.match(self.text, self.at):
                text.append(plain.group())
                self.at = plain.end()
            elif char == "\\":
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
        self.limits.down()
        level = 0
        while char := self.peek():
            self.limits.step()
            if level == 0 and self.text.startswith(end, self.at):
                self.at += len(end)
                self.limits.up()
                return
            if char in "$`":
                self._dollar()
            elif char == "\\":
                self.at += 2
            elif char == '"':
                self.at += 1
                self.expansions('"')
            elif end == "}" and self.text.startswith(("<(", ">(", "@"), self.at):
                raise Unparsable("an expansion that may run its text")  # ${x@P} does
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
        return _C_ESCAPE.sub(_c_character, end.group(1)).partition("\0")[0]

    def _backticks(self) -> None:
        found = _BACKTICKS.match(self.text, self.at)
        if found is None:
            raise Unparsable("a '`' is missing")
        self.at = found.end()
        if '\\"' in found.group(1):  # means one thing inside double quotes and another outside
            raise Unparsable("a quote with a backslash between backticks")
        self.substituted(re.sub(r"\\([`\\$])", r"\1", found.group(1)))

    def peek(self) -> str:
        """The next character, ``""`` at the end."""
        return self.text[self.at : self.at + 1]


def _c_character(escape: re.Match[str]) -> str:
    octal, x, u, long, control, letter = escape.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if x or u or long:
        code = int(x or u or long, 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise Unparsable("a character that does not exist")
        return chr(code)
    if control:
        raise Unparsable("a control character")
    return _C_LETTERS.get(letter, "\\" + letter)
