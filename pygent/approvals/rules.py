"""Rules: ``tool`` or ``tool(pattern)``, as they stand in settings and as "always allow" saves them.

A pattern of ``bash`` is a command, compared word by word: ``bash(git commit *)`` means these two words and whatever
follows, also nothing; a ``*`` anywhere else stands for part of one word. For other tools the pattern is a path below
the workspace, and ``*`` in it stands for anything: ``write_file(src/*)``; of a URL it is the host:
``web_fetch(*.example.org)``. With ``by NAME`` behind it a rule is about one agent's calls:
``bash(pytest *) by tester``.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

COMMAND_TOOL = "bash"

_RULE = re.compile(r"\s*([A-Za-z0-9_*?-]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_WILD = re.compile(r"[*?\[\]]")
_BY = re.compile(r"(.*\)|\s*[A-Za-z0-9_*?-]+)\s+by\s+(\S(?:.*\S)?)\s*", re.DOTALL)
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``pattern`` is None where it is about every call of the tool, ``agent`` where of every agent."""

    text: str
    tool: str
    pattern: str | None
    words: tuple[str, ...] = ()
    agent: str | None = None

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule. Raises ``ValueError`` in words where it is none."""
        by = _BY.fullmatch(text) if isinstance(text, str) else None
        agent = by.group(2) if by is not None and not by.group(2).endswith(")") else None
        found = _RULE.fullmatch(by.group(1) if by and agent else text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(
                f"{text!r} is not a rule; write tool, tool(pattern) or tool(pattern) by agent, "
                "such as bash(git commit *)"
            )
        if agent is None and by is not None and "(" in by.group(2):
            raise ValueError(f"{text!r}: the name of an agent has no parentheses here; write * for them")
        tool, pattern = found.group(1), found.group(2)
        words: tuple[str, ...] = ()
        if pattern is not None:
            pattern = pattern.strip()
            if not pattern:
                raise ValueError(f"{text!r}: the pattern is empty; leave the parentheses out to mean every call")
            if tool == COMMAND_TOOL:
                try:
                    words = tuple(shlex.split(pattern))
                except ValueError as error:
                    raise ValueError(f"{text!r}: the command cannot be read: {error}") from None
            else:
                pattern = posixpath.normpath(pattern)
        return cls(text.strip(), tool, pattern, words, agent)

    def is_for(self, agents: Collection[str]) -> bool:
        """True where the rule is about an agent that has these names; capital letters do not matter."""
        if self.agent is None:
            return True
        return any(fnmatchcase(name.casefold(), self.agent.casefold()) for name in agents)

    def names(self, tool: str) -> bool:
        """True where the rule is about this tool."""
        return fnmatchcase(tool, self.tool)

    def fits_words(self, words: Sequence[str]) -> bool:
        """True where the rule is about a simple command of these words."""
        if self.pattern is None:
            return True
        open_end = self.words[-1] == "*"
        fixed = self.words[:-1] if open_end else self.words
        if len(words) < len(fixed) or (len(words) > len(fixed) and not open_end):
            return False
        return all(fnmatchcase(word, pattern) for word, pattern in zip(words, fixed, strict=False))

    def fits_words_from(self, word: str) -> bool:
        """True where a command that begins with ``word`` may be one that the rule is about; quick."""
        return not self.words or _WILD.search(self.words[0]) is not None or self.words[0] == word

    def fits_arguments(self, arguments: Mapping[str, Any]) -> bool:
        """True where the rule is about a call with these arguments, of a tool that is not ``bash``."""
        if self.pattern is None:
            return True
        subject = subject_of(arguments)
        url = arguments.get("url")
        if isinstance(url, str) and subject is not url and "/" in self.pattern:
            subject = url  # a pattern for a part of a host
        return subject is not None and fnmatchcase(normal_path(subject), self.pattern)


def subject_of(arguments: Mapping[str, Any]) -> str | None:
    """What a pattern is compared with: the path of a file tool, the persona of a delegation, the host of a URL."""
    for name in ("path", "persona", "url"):
        value = arguments.get(name)
        if isinstance(value, str):
            return host_of(value) if name == "url" else value
    return None


def host_of(url: str) -> str:
    """The host of a URL in small letters, with an unusual port; the text itself where it names no host."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    host = (parts.hostname or "").rstrip(".")
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return url if not host else host if port in {None, usual} else f"{host}:{port}"


def normal_path(path: str) -> str:
    """The path without ``.``, ``..`` and doubled slashes, as far as that can be told without looking."""
    return posixpath.normpath(path) if path else path


def exact(tool: str, subject: str | Sequence[str]) -> str | None:
    """The rule for just this path or command, None where no rule can say it."""
    if isinstance(subject, str):
        text, parts = normal_path(subject), [subject]
    else:
        text, parts = shlex.join(subject), list(subject)
    if not text or any(_WILD.search(part) or not part.isprintable() for part in parts):
        return None
    rule = f"{tool}({text})"
    return rule if len(rule) <= _LONGEST else None
