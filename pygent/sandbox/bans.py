"""Finds banned commands and programs in a command line: a hint to the model, no protection.

The line is split as well as a few rules can. A shell has a hundred ways to spell a program that are not seen here;
where commands run is what protects.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator

_SEPARATORS = ";&|()\n"
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
_NUMBER = re.compile(r"\d+(\.\d+)?[smhd]?")
_SUBSTITUTION = re.compile(r"\$\(|`|[<>]\(")
_KEYWORDS = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "coproc"})
_WRAPPERS = frozenset(
    {
        "builtin",
        "busybox",
        "chronic",
        "command",
        "doas",
        "env",
        "exec",
        "ionice",
        "nice",
        "nohup",
        "parallel",
        "setsid",
        "stdbuf",
        "sudo",
        "timeout",
        "unbuffer",
        "watch",
        "xargs",
    }
)
_SHELLS = frozenset({"ash", "bash", "dash", "eval", "ksh", "sh", "su", "zsh"})
_FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_DEEPEST = 5
_LONG = 50_000
"""Characters from which a command is split at everything: reading its quotes takes seconds for a megabyte."""
_ROUGH = re.compile(r"[;&|()\n]+|[^\s;&|()'\"]+")


def find_banned(cmd: str, commands: Collection[str], apps: Collection[str]) -> str:
    """The first of ``commands`` that begins a command in ``cmd``, or of ``apps`` that stands anywhere in one.

    ``""`` where there is none. A ban may have several words, such as ``git push``.
    """
    if not commands and not apps:
        return ""
    bans = [(ban, ban.split()) for ban in tuple(commands) if ban.strip()]
    longest = max((len(parts) for _, parts in bans), default=0)
    for words in simple_commands(cmd):
        for start in _starts(words) if bans else ():
            written = words[start : start + longest]
            named = [_name(written[0]), *written[1:]]
            for ban, parts in bans:
                if named[: len(parts)] == parts or written[: len(parts)] == parts:
                    return ban
        for word in words:
            if word in apps or _name(word) in apps:
                return word if word in apps else _name(word)
    return ""


def simple_commands(cmd: str, depth: int = 0) -> Iterator[list[str]]:
    """The words of each simple command, also of those inside substitutions and what is handed to a shell."""
    words: list[str] = []
    for word in [*_tokens(cmd), ";"]:
        if word.strip(_SEPARATORS):
            words.append(word)
            continue
        if words:
            yield words
            if depth < _DEEPEST:
                yield from _inner(words, depth + 1)
        words = []


def _inner(words: list[str], depth: int) -> Iterator[list[str]]:
    to_shell = any(_name(word) in _SHELLS for word in words)
    for word in words:
        if _SUBSTITUTION.search(word):
            for part in _SUBSTITUTION.split(word)[1:]:
                yield from simple_commands(part, depth)
        elif to_shell and any(mark in word for mark in " \t\n;&|"):
            yield from simple_commands(word, depth)


def _tokens(cmd: str) -> list[str]:
    """Words without their quotes, and separators; comments are left out."""
    if len(cmd) > _LONG:
        return _ROUGH.findall(_SUBSTITUTION.sub(";", cmd))
    lexer = shlex.shlex(cmd, posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:  # a quote that is not closed: split at everything
        return _ROUGH.findall(cmd)
    out: list[str] = []
    comment = False
    for token in tokens:
        comment = (comment or token.startswith("#")) and "\n" not in token
        if not comment:
            out.append(token)
    return out


def _starts(words: list[str]) -> Iterator[int]:
    """Where a program's name stands: the first word, and the one behind keywords and programs that run others."""
    if _name(words[0]) == "find":
        yield from (index + 1 for index, word in enumerate(words[:-1]) if word in _FIND_RUNS)
    wrapped = False
    for index, word in enumerate(words):
        if _ASSIGNMENT.fullmatch(word) or word in _KEYWORDS:
            continue
        if wrapped and (word.startswith("-") or _NUMBER.fullmatch(word)):
            continue
        yield index
        if _name(word) in _WRAPPERS:
            wrapped = True
        elif not wrapped or not words[index - 1].startswith("-"):  # it may be an option's value
            return


def _name(word: str) -> str:
    return word.rsplit("/", 1)[-1]
