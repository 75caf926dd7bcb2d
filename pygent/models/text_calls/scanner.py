"""Goes through a text once, as it comes: what of it is shown, and which calls are in it."""

from __future__ import annotations

import re

from pygent.models.text_calls.elements import ATTRIBUTES, TAG, UNFINISHED_TAG
from pygent.models.text_calls.payload import FENCE, INFOS, read_angle, read_fenced, read_wrapped
from pygent.models.text_calls.said import ACTION, CHANNEL, LINE, read_action, read_channel, read_line
from pygent.models.text_calls.source import Found, Parameters, Reading, Source, Verdict
from pygent.models.tool_names import plain
from pygent.openai_compat import ToolCall

_MADE_UP = (
    r"(?m:^)[ \t]{0,40}(?:\*{0,2}Observation:"
    r"|(?i:(?:the |here (?:is|are) the )?(?:output|result|response)s? (?:of|from) [^\n]{1,80}:[ \t]{0,8}\r?\n))"
    r"|<(?:tool_response|tool_result|observation|\|tool_response\|)>"
)
_MADE_UP_BEGUN = re.compile(r"[ \t]{0,40}\*{0,2}(?i:[othr])[^\n]{0,120}\Z")
_MARKER = r"\[TOOL_CALLS\]|\[TOOL_REQUEST\]|\[tool_calls?\]|\bfunctools(?=\[)"
_KINDS = (
    ("made_up", _MADE_UP),
    ("fence", FENCE.pattern),
    ("action", ACTION.pattern),
    ("channel", CHANNEL.pattern),
    ("angle", f"{ATTRIBUTES.pattern}|{TAG.pattern}"),
    ("marker", _MARKER),
    ("line", LINE.pattern),
)
_NAMED_GROUP = re.compile(r"[(][?]P<\w+>")
_OPENER = re.compile("|".join(f"(?P<{kind}>{_NAMED_GROUP.sub('(?:', pattern)})" for kind, pattern in _KINDS))
_UNFINISHED = re.compile(
    r"(?m:^)[ \t]{0,40}(?:`{0,2}|(?:`{3,8}|~{3,8})[ \t]{0,8}[\w+-]{0,40}[^\n`]{0,120}|~{1,2}"
    r"|\*{0,2}(?:A(?:c(?:t(?:i(?:o(?:n(?::\*{0,2}\s{0,40})?)?)?)?)?)?)?)\Z"
    rf"|{UNFINISHED_TAG.pattern}|<\|channel\|>[^<\n]{{0,250}}\Z|\[[A-Za-z_]{{0,12}}\Z|\bf[unctols]{{0,8}}\Z"
)
_LAST_WORD = re.compile(r"(?m:^)[ \t]{0,40}`?(?P<word>[\w.]{1,80})\Z")
_LAST_LINE = re.compile(r"[^\n]*\Z")
_EXAMPLE = re.compile(
    r"\b(?:for example|for instance|e\.g\.|examples? (?:of|for|calls?|usage)|an example|would look like"
    r"|(?:format|syntax|schema) (?:is|of|for|would))\b[^\n]*\n?\s*\Z",
    re.IGNORECASE,
)
_LIST_OF_TOOLS = re.compile(
    r"\b(?:available tools|tools (?:that are |which are )?available|tools (?:that )?(?:you|I) (?:can use|have))"
    r"(?: (?:to|for) (?:you|me|us))?(?: here)?(?: are| include)?(?: as follows)?:",
    re.IGNORECASE,
)
_BEFORE = 400
_MAY_HAVE_ENDED = re.compile(r"[}\])>\n]|```")
_LONG, _TRIES, _GROWTH = 200, 12, 1.1
_MISSES = 40
_HELD = 600  # no beginning of a call is longer, as long as it is not certain to be one


class Scanner:
    """Takes a text in pieces. ``calls`` are those found, ``kept`` the parts of the text without them.

    However the text is cut into pieces, the calls and all that is shown are the same. ``problems`` says why what
    looked like a call is none. The time it takes grows with the length of the text, whatever stands in it.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.calls: list[ToolCall] = []
        self.kept: list[str] = []
        self.problems: list[str] = []
        self._parameters = parameters
        self._starts = [plain(name) for name in parameters] + ["print", "functions."]
        self._text = ""
        self._shown = 0  # up to here the text was shown, or was a call
        self._searched = 0
        self._kept_from = 0
        self._fence = ""  # the marks of the block that is gone through, which holds no calls
        self._examples = False
        self._over = False  # the model went on by itself after its calls
        self._candidate: int | None = None  # here begins what may be a call
        self._tries = 0
        self._next_try = 0
        self._misses = 0

    def feed(self, piece: str) -> str:
        """Take a piece of text; answer what can be shown now."""
        self._text += piece
        return "" if self._is_too_early(piece) else self._go(final=False)

    def finish(self) -> str:
        """The text has ended; answer what is left to show."""
        out = self._go(final=True)
        self._keep(len(self._text))
        return out

    def finish_as_text(self) -> str:
        """The text has ended, and what was held back is no call after all."""
        return self._show(len(self._text))

    def _is_too_early(self, piece: str) -> bool:
        """A long call is not read again for each piece, only where it may have ended, and not too often."""
        size = len(self._text)
        if self._candidate is None or size - self._candidate <= _LONG:
            return False
        return size < self._next_try or _MAY_HAVE_ENDED.search(piece) is None

    def _go(self, *, final: bool) -> str:
        out: list[str] = []
        waiting = False
        while not waiting:
            step, waiting = self._advance(final=final)
            out.append(step)
        return "".join(out)

    def _advance(self, *, final: bool) -> tuple[str, bool]:
        """One step through the text: what it shows, and whether no more can be done with what there is."""
        if self._over:
            self._shown = self._searched = self._kept_from = len(self._text)
            return "", True
        if self._fence:
            return self._through_block(final=final)
        opener = _OPENER.search(self._text, self._searched) if self._misses < _MISSES else None
        certain = len(self._text) if final else self._certain()
        if opener is None or (certain < len(self._text) and opener.start() >= certain):
            self._forget()
            self._searched = certain
            return self._show(certain), True
        if opener["made_up"] is not None:
            return self._made_up(opener), False
        source = Source(self._text, self._parameters, final)
        found = self._read(source, opener)
        self._misses += final and source.missed
        if found is Verdict.MORE:
            self._wait(opener.start())
            return self._show(opener.start()), True
        self.problems += source.problems
        self._forget()
        if isinstance(found, Found) and not self._is_shown_only(opener):
            return self._take(found, opener.start()), False
        end = found.end if isinstance(found, Found) else opener.end()
        self._searched = max(end, self._searched + 1)
        if opener["fence"] and found is Verdict.NEVER:
            self._fence = opener["fence"].strip()[:3]
        return self._show(self._searched), False

    def _read(self, source: Source, opener: re.Match[str]) -> Reading:
        start = opener.start()
        match opener.lastgroup:
            case "fence" if found := FENCE.match(self._text, start):
                return read_fenced(source, found)
            case "action" if found := ACTION.match(self._text, start):
                return read_action(source, found)
            case "channel" if found := CHANNEL.match(self._text, start):
                return read_channel(source, found)
            case "line" if found := LINE.match(self._text, start):
                return read_line(source, found)
            case "angle":
                return read_angle(source, start)
            case _:
                return read_wrapped(source, opener.end())

    def _certain(self) -> int:
        """Up to where the text ends with no beginning of what may be a call, or a result that is made up."""
        start = max(self._searched, len(self._text) - _HELD)
        found = _UNFINISHED.search(self._text, start)
        if found is None:
            found = _LAST_WORD.search(self._text, start)
            begun = plain(found["word"]) if found else ""
            if not any(name.startswith(begun) for name in self._starts):
                found = None
        certain = found.start() if found else len(self._text)
        line = _last_line(self._text)
        if self.calls and line >= start and _MADE_UP_BEGUN.match(self._text, line):
            certain = min(certain, line)
        return certain

    def _take(self, found: Found, start: int) -> str:
        self.calls += found.calls
        shown = self._show(start)
        self._keep(start)
        self._shown = self._searched = self._kept_from = found.end
        return shown

    def _made_up(self, opener: re.Match[str]) -> str:
        """Nothing counts that a model goes on with from a result that it made up itself."""
        self._over = bool(self.calls)
        self._searched = opener.start() if self._over else opener.end()
        out = self._show(self._searched)
        if self._over:
            self._keep(self._searched)
        return out

    def _through_block(self, *, final: bool) -> tuple[str, bool]:
        """Pass over a block without calls, up to its end or to a block that may have some."""
        lines = re.compile(
            rf"(?m:^)[ \t]{0, 40}{self._fence}+[ \t]*(?P<info>[\w+-]*)[^\n]*(?:\n{'|$' if final else ''})"
        )
        for line in lines.finditer(self._text, self._searched):
            opens = line["info"] != "" and (line["info"] in INFOS or line["info"] in self._parameters)
            if opens or not line["info"]:
                self._fence = ""
                self._searched = line.start() if opens else line.end()
                return self._show(self._searched), False
        if final:
            self._searched = len(self._text)
            return self._show(self._searched), True
        self._searched = max(self._searched, _last_line(self._text))
        return self._show(self._searched), True

    def _is_shown_only(self, opener: re.Match[str]) -> bool:
        """Whether what reads as a call is quoted in inline code, or shown as an example; then so is what follows."""
        start = opener.start()
        if opener.lastgroup not in {"fence", "line", "action"}:
            line = self._text.rfind("\n", 0, start) + 1
            return self._text.count("`", line, start) % 2 == 1
        if not self._examples:
            before = self._text[max(self._kept_from, start - _BEFORE) : start]
            self._examples = bool(_EXAMPLE.search(before) or _LIST_OF_TOOLS.search(before))
        return self._examples

    def _wait(self, start: int) -> None:
        if self._candidate != start:
            self._candidate, self._tries = start, 0
        self._tries += 1
        size = len(self._text)
        self._next_try = size if self._tries < _TRIES else start + int((size - start) * _GROWTH)

    def _forget(self) -> None:
        self._candidate = None
        self._tries = 0

    def _show(self, end: int) -> str:
        out = self._text[self._shown : end]
        self._shown = max(self._shown, end)
        return out

    def _keep(self, end: int) -> None:
        self.kept.append(self._text[self._kept_from : end])
        self._kept_from = end


def _last_line(text: str) -> int:
    return text.rfind("\n") + 1
