"""Reads a shell command far enough to judge it: which simple commands it has, with which words and redirections.

It does not run or expand anything, and it does not know all of the shell: what it does not know is ``Unparsable``,
never skipped. Commands inside ``$(…)``, backticks, subshells and process substitutions are found like all others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pygent.approvals.shell_words import BLANKS, ENDS_WORD, Unparsable, Word, WordReader

__all__ = ["Part", "Redirect", "Script", "Unparsable", "Word", "parse", "rough_words"]

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^\]]*\])?\+?=")
_LEADING = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc"})
_DEEPEST = 40
_CLOSING = frozenset({"}", "fi", "done"})
_ROUGH = re.compile(r"[\s;|&()<>`'\"${}=/\\]+")


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


class _Reader(WordReader):
    def __init__(self, text: str, parts: list[Part], depth: int) -> None:
        if depth > _DEEPEST:
            raise Unparsable("it is nested too deeply")
        super().__init__(text)
        self.parts = parts
        self.depth = depth
        self.part = Part(nested=depth > 0)
        self.here: list[_HereDocument] = []

    def block(self, end: str, *, piped: bool = False) -> None:
        """Read commands up to ``end``, or to the end of the text where that is empty."""
        outer, self.part = self.part, self._new()
        self.part.piped = piped
        while True:
            char = self.peek()
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
        if char in BLANKS:
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
            word = self.word()
            if word.text.isdigit() and not word.dynamic and self.peek() and self.peek() in "<>":
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
            if len(self.part.words) == 1 and self.text[self.at :].lstrip("(").lstrip(BLANKS).startswith(")"):
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
            self.substitution(")")
            self.part.words.append(Word(op + "…)", dynamic=True))
            return
        while self.peek() and self.peek() in BLANKS:
            self.at += 1
        start = self.at
        if not self.peek() or self.peek() in ENDS_WORD:
            if op in {"<", ">"} and self.text.startswith("(", self.at):
                raise Unparsable("a redirection to a process")
            raise Unparsable("a redirection without a target")
        target = self.word()
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

    def substitution(self, end: str) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Unparsable("it is nested too deeply")
        self.block(end)
        self.depth -= 1
        self.part.substitution = True

    def substituted(self, text: str) -> None:
        _Reader(text, self.parts, self.depth + 1).block("")
        self.part.substitution = True

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
