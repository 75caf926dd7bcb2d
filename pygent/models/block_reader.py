"""Finds the fenced blocks of a reply, and which file each is meant for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pygent.images import text_of
from pygent.models.base import Messages

SHELLS = frozenset({"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session"})

_FENCE = re.compile(r"^[ ]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*?)[ \t]*$")
PATH = re.compile(
    r"(?<![\w/.-])(?:\.{0,2}/)?(?:[\w.-]+/)*[\w-][\w.-]*\.[A-Za-z]\w{0,9}(?![\w/])|\b(?:Makefile|Dockerfile)\b"
)
_ONLY_PATH = re.compile(
    r"^\W*(?:(?:file|path|filename|in|update|create|new file|updated|corrected|modified)\b\W*)?"
    r"(?P<path>(?:\.{0,2}/)?(?:[\w.-]+/)*(?:[\w-][\w.-]*\.[A-Za-z]\w{0,9}|\.\w[\w.-]*|Makefile|Dockerfile))\W*$",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    r"^\s*(?:#|//|--|;|/\*|<!--)\s*(?:file(?:name)?|path)?\s*:?\s*(?P<path>\S+\.\w{1,9})\s*(?:\*/|-->)?\s*$"
)
_HOLE = re.compile(
    r"\s*[(\[<{]\s*(?:all|the|whole|complete|full|entire|contents?)\b[^\n]{0,80}[)\]>}]\s*", re.IGNORECASE
)
"""What stands for a content instead of being one, as in a form that is to be filled in."""
_PROMPT = re.compile(r"^\s*\$ ", re.MULTILINE)
_NAMES = re.compile(r"^\s*(?:async\s+)?(?:def|class|function|func|fn)\s+(\w+)", re.MULTILINE)
_ENDINGS = {
    "python": {"py"},
    "py": {"py"},
    "python3": {"py"},
    "javascript": {"js", "mjs", "cjs"},
    "js": {"js", "mjs"},
    "typescript": {"ts"},
    "json": {"json"},
    "yaml": {"yaml", "yml"},
    "toml": {"toml"},
    "csv": {"csv"},
    "html": {"html"},
    "css": {"css"},
    "c": {"c", "h"},
    "go": {"go"},
    "rust": {"rs"},
    "ini": {"ini", "cfg"},
    "sql": {"sql"},
}
_SENTENCE_END = re.compile(r"(?<=[.!?])[*_`\"']*\s+(?=\S)")
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; ``start`` and ``end`` include the line that names its file, where there is one.

    ``mentioned`` is a file that the sentence above it is about, which need not be the one that the block is.
    """

    info: str
    path: str
    content: str
    start: int
    end: int
    mentioned: str = ""

    @property
    def commands(self) -> str:
        """The content as commands, without a shell's prompts and what follows them as output."""
        if _PROMPT.search(self.content):
            lines = [line.strip()[2:] for line in self.content.splitlines() if line.strip().startswith("$ ")]
            return "\n".join(lines)
        return self.content.strip("\n")

    @property
    def is_hole(self) -> bool:
        """Whether it holds a form's words for a content, such as "(all of prices.py)", instead of one."""
        return _HOLE.fullmatch(self.content) is not None

    def may_end_with(self, ending: str) -> bool:
        """Whether it may be a file with that ending, by its language."""
        return self.info not in SHELLS and (not self.info or ending in _ENDINGS.get(self.info, {self.info}))


def blocks_in(text: str, *, cut: bool = False) -> Iterator[Block]:
    """The blocks in order. One that never ends goes to the end of the text, unless the text was ``cut``."""
    position = 0
    opened: re.Match[str] | None = None
    depth = 0
    begin = inside = 0
    before: tuple[str, int] = ("", 0)  # the last line with text outside of blocks, and where it begins
    for line in text.splitlines(keepends=True):
        start, position = position, position + len(line)
        fence = _FENCE.match(line.rstrip("\r\n"))
        if opened is None:
            if fence:
                opened, begin, inside, depth = fence, start, position, 1
            elif line.strip():
                before = (line.strip(), start)
            continue
        if not fence or fence["fence"][0] != opened["fence"][0] or len(fence["fence"]) < len(opened["fence"]):
            continue
        depth += 1 if fence["info"] else -1
        if depth == 0:
            yield _block(opened["info"], text[inside:start], before, begin, position)
            opened, before = None, ("", position)
    if opened is not None and not cut and text[inside:].strip():
        yield _block(opened["info"], text[inside:], before, begin, len(text))


def _block(info: str, content: str, before: tuple[str, int], begin: int, end: int) -> Block:
    language, _, rest = info.partition(" ")
    language, _, after_colon = language.partition(":")
    path = next((found for part in (after_colon, rest) if part and (found := _path_in_info(part))), "")
    if not path and "." in language and _ONLY_PATH.match(language):
        path, language = language, ""
    line, line_start = before
    mentioned = ""
    if not path and (alone := _ONLY_PATH.match(line)):
        path, begin = alone["path"], line_start
    elif not path and language.lower() not in SHELLS:  # above commands it says what they are about
        mentioned = _mentioned(line)
    first, newline, others = content.partition("\n")
    comment = _COMMENT.match(first)
    if comment and (not path or comment["path"].strip("./") == path.strip("./")) and language.lower() not in SHELLS:
        path, content = comment["path"], others if newline else content
    return Block(language.lower(), path.strip("`*\"'"), content, begin, end, "" if path else mentioned)


def _path_in_info(part: str) -> str:
    found = PATH.search(part.partition("=")[2] if "=" in part else part)
    return found.group() if found else ""


def _mentioned(line: str) -> str:
    """The one path in the sentence that leads to a block, or else in those before it; "" where there are more."""
    if not line.rstrip("*_ ").endswith(":"):
        return ""
    named: set[str] = set()
    for text in (_SENTENCE_END.split(line)[-1], line):
        named = named or {match.group() for match in PATH.finditer(text)}
    return named.pop() if len(named) == 1 else ""


class PathFinder:
    """Says which file a block stands for that has no path of its own: one of those that the conversation shows."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._files: dict[str, str] | None = None
        self._fresh: set[str] = set()

    def find(self, block: Block) -> str:
        """The path, "" where it is not certain.

        A file that was shown and has nothing in common with the block, where another one has, was only mentioned:
        "to make `test_prices.py` pass, change `total`:".
        """
        mentioned = block.mentioned.removeprefix("./")
        alike = self._alike(block)
        if mentioned and (mentioned in alike or mentioned not in self._known() or not alike):
            return block.mentioned
        return max(alike, key=lambda path: alike[path], default="")

    def quotes(self, block: Block, path: str) -> bool:
        """Whether the block is some lines of that file, less than half of it and without a definition."""
        if _NAMES.search(block.content):
            return False
        texts = (block.content, self._known().get(path.removeprefix("./"), ""))
        ours, theirs = ([line.strip() for line in text.splitlines() if line.strip()] for text in texts)
        most = len(theirs) - len(ours)
        return 0 < len(ours) < most and any(theirs[at : at + len(ours)] == ours for at in range(most + 1))

    def _alike(self, block: Block) -> dict[str, float]:
        endings = _ENDINGS.get(block.info)
        if block.info and endings is None:
            return {}
        return {
            path: likeness
            for path, content in self._known().items()
            if (endings is None or path.rpartition(".")[2] in endings)
            and (likeness := _likeness(block.content, content)) > _ALIKE
        }

    def written(self, path: str, content: str) -> None:
        """A block of this reply is that file: another one may change it further."""
        self._known()[path.removeprefix("./")] = content
        self._fresh.add(path.removeprefix("./"))

    def content(self, path: str) -> str | None:
        """What the file held when it was last shown or written; None where a command may have changed it since."""
        known = self._known()
        return known.get(path.removeprefix("./")) if path.removeprefix("./") in self._fresh else None

    def _known(self) -> dict[str, str]:
        if self._files is None:
            self._files = {}
            for message in self._messages:
                self._take(message, self._files)
        return self._files

    def _take(self, message: dict[str, Any], files: dict[str, str]) -> None:
        shown: list[tuple[str, str]] = []
        if message.get("role") == "user":
            text = text_of(message.get("content") or "")
            named = [(block.path or block.mentioned, block.content) for block in blocks_in(text)]
            shown = [(path, content) for path, content in named if path]
        for call in message.get("tool_calls") or ():
            if call["function"]["name"] == "bash":
                self._fresh.clear()
            shown += files_written(call["function"])
        files.update(shown)
        self._fresh.update(path for path, _ in shown)


def files_written(function: dict[str, str]) -> list[tuple[str, str]]:
    """The path and the content that a call of `write_file` writes."""
    if function["name"] != "write_file":
        return []
    try:
        arguments = json.loads(function["arguments"])
        return [(str(arguments["path"]), str(arguments["content"]))]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def _likeness(block: str, content: str) -> float:
    """From 0 to 2: what share of the definitions, or else of the lines, both have, and how few others."""
    ours, theirs = set(_NAMES.findall(block)), set(_NAMES.findall(content))
    if not ours or not theirs:
        ours, theirs = ({line.strip() for line in text.splitlines() if line.strip()} for text in (block, content))
    common = len(ours & theirs)
    return common / max(1, min(len(ours), len(theirs))) + common / max(1, len(ours | theirs))
