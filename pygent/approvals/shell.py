"""Reads a shell command far enough to judge it: which simple commands it has, with which words and redirections.

It does not run or expand anything, and it does not know all of the shell: what it does not know is ``Unparsable``,
never skipped. Commands inside ``$(…)``, backticks, subshells and process substitutions are found like all others.

That is why it is no library's parser: those read more, but guess where they do not know (tree-sitter's grammar finds
no command in nested backticks, and takes gigabytes for a megabyte of pipes). ``tests/fuzz/test_fuzz_judge.py``
compares it with what bash runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pygent.approvals.shell_words import BLANKS, ENDS_WORD, Limits, Unparsable, Word, WordReader

__all__ = ["Part", "Redirect", "Script", "Unparsable", "Word", "parse", "rough_words"]

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^\]]*\])?\+?=")
_LEADING = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{"})
_EMPTY_PARENTHESES = re.compile(r"\([ \t]*\)")
_CLOSING = frozenset({"}", "fi", "done"})
_ROUGH = re.compile(r"[\s;|&()<>`'\"${}=/\\]+")


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirection of ``op`` (without the descriptor's number) to or from ``target``."""

    op: str
    target: Word


@dataclass(slots=True)
class Part:
    """One simple command. ``piped`` where it reads another one's output, ``stdin`` the text of a here-document.

    ``values`` are the name of a loop's variable and what the loop goes through.
    """

    words: list[Word] = field(default_factory=list)
    values: list[Word] = field(default_factory=list)
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
    reader = _Reader(text, [], Limits(), nested=False)
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
    def __init__(self, text: str, parts: list[Part], limits: Limits, *, nested: bool) -> None:
        super().__init__(text, limits)
        self.parts = parts
        self.nested = int(nested)
        self.part = self._new()
        self.here: list[_HereDocument] = []

    def block(self, end: str, *, piped: bool = False) -> None:
        """Read commands up to ``end``, or to the end of the text where that is empty."""
        self.limits.down()
        outer, self.part = self.part, self._new()
        self.part.piped = piped
        while True:
            self.limits.step()
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
        self.limits.up()

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
            empty = _EMPTY_PARENTHESES.match(self.text, self.at)
            if len(self.part.words) == 1 and empty:
                self.at = empty.end()  # name(): what follows is judged as if it ran
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
            written = self.text[start : self.at]
            if any(char in "$`" for char in written):
                raise Unparsable("a here-document whose end is hard to tell")
            quoted = any(char in "'\"\\" for char in written)
            self.here.append(_HereDocument(self.part, target, quoted, op == "<<-"))
        elif op in {">&", "<&"} and (target.text.isdigit() or target.text == "-"):
            return
        else:
            if op == "<<<" and not target.dynamic:
                self.part.stdin = target.text
            self.part.redirects.append(Redirect(op, target))

    def _here_documents(self) -> None:
        waiting, self.here = self.here, []
        for document in waiting:
            if document.quoted:
                document.part.stdin = self._verbatim(document)
            else:
                body: list[str] = []
                while self.at < len(self.text):
                    self.limits.step()
                    line = self._line(document)
                    if line == document.delimiter.text:
                        break
                    body.append(line)
                document.part.stdin = "\n".join(body)
                inner = _Reader(document.part.stdin, self.parts, self.limits, nested=True)
                document.part.stdin, expanded = inner.expansions("")
                document.part.substitution |= expanded

    def _verbatim(self, document: _HereDocument) -> str:
        tabs = "\t*" if document.strip else ""
        end = re.compile(rf"^{tabs}{re.escape(document.delimiter.text)}(?:\n|\Z)", re.MULTILINE)
        found = end.search(self.text, self.at)
        body = self.text[self.at : found.start() if found else len(self.text)]
        self.at = found.end() if found else len(self.text)
        return re.sub(r"^\t+", "", body, flags=re.MULTILINE) if document.strip else body

    def _line(self, document: _HereDocument) -> str:
        """The next line of a here-document that is expanded, without its line end."""
        pieces: list[str] = []
        while True:
            self.limits.step()
            line_end = self.text.find("\n", self.at)
            line_end = len(self.text) if line_end < 0 else line_end
            line = self.text[self.at : line_end]
            self.at = min(line_end + 1, len(self.text))
            if document.strip:
                line = line.lstrip("\t")
            if (len(line) - len(line.rstrip("\\"))) % 2 == 0 or line_end == len(self.text):
                return "".join((*pieces, line))
            pieces.append(line[:-1])  # the shell joins the lines before it looks for the end

    def substitution(self, end: str) -> None:
        self.nested += 1
        waiting = len(self.here)
        self.block(end)
        if len(self.here) != waiting:  # shells do not agree where such a here-document is
            raise Unparsable("a here-document that goes on after its substitution")
        self.nested -= 1
        self.part.substitution = True

    def substituted(self, text: str) -> None:
        _Reader(text, self.parts, self.limits, nested=True).block("")
        self.part.substitution = True

    def _new(self) -> Part:
        return Part(nested=self.nested > 0)

    def _finish(self) -> None:
        """End the simple command at hand: its keywords and assignments are told from its words."""
        part, self.part = self.part, self._new()
        start = _keywords(part)
        while start < len(part.words) and _ASSIGNMENT.match(part.words[start].text):
            part.assignments.append(part.words[start])
            start += 1
        part.words = part.words[start:]
        if part.words or part.assignments or part.redirects or part.values or part.stdin is not None:
            self.parts.append(part)


def _keywords(part: Part) -> int:
    """How many words of a command are keywords before it; what a loop goes through is put aside."""
    words, at = part.words, 0
    while at < len(words) and not words[at].dynamic:
        text = words[at].text
        if text in _LEADING or (text in _CLOSING and at + 1 == len(words)):
            at += 1
        elif text == "time":
            at += 1
            while at < len(words) and words[at].text in {"-p", "--"}:
                at += 1
        elif text == "function" and at + 1 < len(words):
            at += 2
        elif text in {"for", "select"}:
            if at + 2 < len(words) and words[at + 2].text == "do":  # for name do …, which goes through "$@"
                at += 3
                continue
            part.values = [word for word in words[at + 1 :] if word.text != "in" or word.dynamic]
            return len(words)
        elif text in {"case", "coproc"}:
            raise Unparsable(f"a {text} statement")
        else:
            break
    return at
