"""Reads a shell command far enough to judge it: which simple commands it has, with which words and redirections.

It does not run or expand anything, and it does not know all of the shell: what it does not know is ``Unparsable``,
never skipped. Commands inside ``$(…)``, backticks, subshells and process substitutions are found like all others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BLANKS = " \t"
_ENDS_WORD = " \t\n;&|()<>"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^\]]*\])?\+?=")
_LEADING = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc"})
_CLOSING = frozenset({"}", "fi", "done"})
_DEEPEST = 40
_PARAMETER = re.compile(r"\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])")
_C_QUOTED = re.compile(r"\$'(?:[^'\\]|\\.)*'", re.DOTALL)
_BACKTICKS = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL)
_ROUGH = re.compile(r"[\s;|&()<>`'\"${}=/\\]+")


class Unparsable(Exception):
    """The command has something in it that this reader does not know; the text says what."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word without its quotes. ``dynamic`` where the shell changes it, ``glob`` where it may stand for names."""

    text: str
    dynamic: bool = False
    glob: bool = False


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection of ``op`` (without the descriptor's number) to or from ``target``."""

    op: str
    target: Word


@dataclass(slots=True)
class Part:
    """One simple command. ``piped`` where it reads another one's output, ``stdin`` the text of a here-document."""

    words: list[Word] = field(default_factory=list)
    assignments: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    piped: bool = False
    stdin: str | None = None
    substitution: bool = False
    nested: bool = False


@dataclass(slots=True)
class Script:
    """All simple commands of a command, in the order they stand; nested ones before the one they stand in."""

    parts: list[Part]


def parse(text: str) -> Script:
    """Read a command. Raises ``Unparsable``."""
    if "\0" in text:
        raise Unparsable("it contains a NUL character")
    reader = _Reader(text, [], 0)
    reader.block("")
    return Script(reader.parts)


def rough_words(text: str) -> list[str]:
    """All words of a command whatever its syntax, for rules that must also hold where it cannot be read."""
    return [word for word in _ROUGH.split(text) if word]


@dataclass(slots=True)
class _HereDocument:
    part: Part
    delimiter: Word
    quoted: bool
    strip: bool


class _Reader:
    def __init__(self, text: str, parts: list[Part], depth: int) -> None:
        if depth > _DEEPEST:
            raise Unparsable("it is nested too deeply")
        self.text = text
        self.at = 0
        self.parts = parts
        self.depth = depth
        self.part = Part(nested=depth > 0)
        self.here: list[_HereDocument] = []

    def block(self, end: str, *, piped: bool = False) -> None:
        """Read commands up to ``end``, or to the end of the text where that is empty."""
        outer, self.part = self.part, self._new()
        self.part.piped = piped
        while True:
            char = self._peek()
            if not char:
                if end:
                    raise Unparsable(f"a {end!r} is missing")
                break
            if char == end:
                self.at += 1
                break
            self._one(char)
        self._finish()
        if self.here and not end:
            self._here_documents()
        self.part = outer

    def _one(self, char: str) -> None:
        if char in _BLANKS:
            self.at += 1
        elif self.text.startswith("\\\n", self.at):
            self.at += 2
        elif char == "#":
            line_end = self.text.find("\n", self.at)
            self.at = len(self.text) if line_end < 0 else line_end
        elif char == "\n":
            self.at += 1
            self._finish()
            self._here_documents()
        elif char in ";&|" and not self.text.startswith("&>", self.at):
            self._separator()
        elif char == "(":
            self._parenthesis()
        elif char == ")":
            raise Unparsable("a ')' without a '(', or a case statement")
        elif char in "<>&":
            self._redirect()
        else:
            word = self._word()
            if word.text.isdigit() and not word.dynamic and self._peek() and self._peek() in "<>":
                return  # the number of a descriptor
            self.part.words.append(word)

    def _separator(self) -> None:
        for op in (";;", "&&", "||", "|&", ";", "&", "|"):
            if self.text.startswith(op, self.at):
                break
        if op == ";;":
            raise Unparsable("a case statement")
        self.at += len(op)
        self._finish()
        self.part.piped = op in {"|", "|&"}

    def _parenthesis(self) -> None:
        if self.part.words:
            if len(self.part.words) == 1 and self.text[self.at :].lstrip("(").lstrip(_BLANKS).startswith(")"):
                self.at = self.text.index(")", self.at) + 1  # name(): what follows is judged as if it ran
                self.part.words.clear()
                return
            raise Unparsable("a '(' in the middle of a command")
        if self.text.startswith("((", self.at):
            raise Unparsable("an arithmetic command")
        self.at += 1
        self.block(")", piped=self.part.piped)

    def _redirect(self) -> None:
        for op in ("&>>", "<<<", "<<-", "&>", "<<", "<>", "<&", "<(", ">>", ">&", ">|", ">(", "<", ">"):
            if self.text.startswith(op, self.at):
                break
        self.at += len(op)
        if op in {"<(", ">("}:
            self._nested(")")
            self.part.substitution = True
            self.part.words.append(Word(op + "…)", dynamic=True))
            return
        while self._peek() and self._peek() in _BLANKS:
            self.at += 1
        start = self.at
        if not self._peek() or self._peek() in _ENDS_WORD:
            if op in {"<", ">"} and self.text.startswith("(", self.at):
                raise Unparsable("a redirection to a process")
            raise Unparsable("a redirection without a target")
        target = self._word()
        if op in {"<<", "<<-"}:
            quoted = any(char in "'\"\\" for char in self.text[start : self.at])
            self.here.append(_HereDocument(self.part, target, quoted, op == "<<-"))
        elif op in {">&", "<&"} and (target.text.isdigit() or target.text == "-"):
            return
        else:
            self.part.redirects.append(Redirect(op, target))

    def _here_documents(self) -> None:
        waiting, self.here = self.here, []
        for document in waiting:
            body: list[str] = []
            while self.at < len(self.text):
                line_end = self.text.find("\n", self.at)
                line_end = len(self.text) if line_end < 0 else line_end
                line = self.text[self.at : line_end]
                self.at = min(line_end + 1, len(self.text))
                if document.strip:
                    line = line.lstrip("\t")
                if line == document.delimiter.text:
                    break
                body.append(line)
            document.part.stdin = "\n".join(body)
            if not document.quoted:
                inner = _Reader(document.part.stdin, self.parts, self.depth + 1)
                document.part.substitution |= inner.expansions("")[1]

    def _word(self) -> Word:
        text: list[str] = []
        dynamic = glob = False
        while char := self._peek():
            if char in _ENDS_WORD:
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
            char = self._peek()
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
            self._nested(")")
            self.part.substitution = True
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
        while char := self._peek():
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
        inner = _Reader(re.sub(r"\\([`\\$])", r"\1", found.group(1)), self.parts, self.depth + 1)
        inner.block("")
        self.part.substitution = True

    def _nested(self, end: str) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Unparsable("it is nested too deeply")
        self.block(end)
        self.depth -= 1

    def _new(self) -> Part:
        return Part(nested=self.depth > 0)

    def _finish(self) -> None:
        """End the simple command at hand: its keywords and assignments are told from its words."""
        part, self.part = self.part, self._new()
        words = part.words
        while words and not words[0].dynamic:
            text = words[0].text
            if text in _LEADING or (text in _CLOSING and len(words) == 1):
                words.pop(0)
            elif text == "function" and len(words) > 1:
                del words[:2]
            elif text in {"for", "select"}:
                words.clear()
            elif text == "case":
                raise Unparsable("a case statement")
            else:
                break
        while words and _ASSIGNMENT.match(words[0].text):
            part.assignments.append(words.pop(0))
        if words or part.assignments or part.redirects:
            self.parts.append(part)

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]
