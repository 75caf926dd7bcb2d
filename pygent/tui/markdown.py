"""Markdown as models write it, drawn block by block.

``split`` cuts a text into top-level blocks and says where the open end begins, so that a stream needs to draw each
block once. ``draw`` turns one block into lines. It knows what answers are made of: headings, paragraphs, lists,
quotes, fences, tables, rules, and emphasis, code and links within them. All else is shown as it was written, and
nothing nests deeper than the width allows, so odd input costs no more than plain text.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from pygent.tui.code import highlighted
from pygent.tui.colours import Palette
from pygent.tui.wrap import Aside, Line, Run, cells, fold_runs, on_ground, wrap

LONGEST = 12_000
"""Characters of a block up to which emphasis is looked for, and rows of a table up to a hundredth of it."""

COPY = " copy "
"""What copies a code block, in its first line; its style's meta data has the block's number as ``code``."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$")
_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_RULE = re.compile(r" {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
_ITEM = re.compile(r"(\s*)([-*+•]|\d{1,9}[.)])(?:\s+(\[[ xX]\]))?(?:\s+|$)(.*)$")
_QUOTE = re.compile(r" {0,3}>\s?(.*)$")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_INLINE = re.compile(
    r"(?P<code>(?P<ticks>`+)(?!`).{1,600}?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<strong>\*\*(?=\S).{1,600}?(?<=\S)\*\*|__(?=\S).{1,600}?(?<=\S)__)"
    r"|(?P<em>\*(?=[^\s*])[^*]*?(?<=[^\s*])\*|(?<!\w)_(?=[^\s_])[^_]*?(?<=[^\s_])_(?!\w))"
    r"|(?P<strike>~~(?=\S)[^~]+~~)"
    r"|(?P<link>!?\[(?P<label>[^\]\[]*)\]\((?P<url>[^()\s]*)(?:\s+\"[^\"]*\")?\))"
    r"|(?P<escape>\\[\\`*_{}\[\]()#+.!|>~-])",
    re.DOTALL,
)


class Splitter:
    """Cuts a growing text into top-level blocks; each line is looked at once.

    A block is finished where a later line shows it: a blank line, the end of a fence, the line after a heading.
    ``begin`` is where the unfinished rest begins, ``fence`` the signs that end it where it is a code block.
    """

    def __init__(self, start: int = 0) -> None:
        self.begin = self._position = start
        self.fence = ""

    def feed(self, text: str) -> list[str]:
        """The blocks that are finished since the last time; ``text`` is the whole text as far as it has come."""
        blocks: list[str] = []
        while (end := text.find("\n", self._position)) >= 0:
            line = text[self._position : end]
            following = end + 1
            if self.fence:
                if line.strip().startswith(self.fence) and not line.strip(" `~"):
                    blocks.append(text[self.begin : end])
                    self.begin, self.fence = following, ""
            elif opening := _FENCE.match(line):
                self._cut(text, blocks)
                self.fence = opening[1]
            elif not line.strip():
                self._cut(text, blocks)
                self.begin = following
            elif _HEADING.match(line):
                self._cut(text, blocks)
                blocks.append(line)
                self.begin = following
            self._position = following
        return blocks

    def _cut(self, text: str, blocks: list[str]) -> None:
        """What stands before the line at hand is finished."""
        if (before := text[self.begin : self._position]).strip():
            blocks.append(before)
        self.begin = self._position


def split(text: str, start: int = 0) -> tuple[list[str], int]:
    """The finished blocks of ``text`` from ``start`` on, and where the unfinished rest begins."""
    splitter = Splitter(start)
    return splitter.feed(text), splitter.begin


def split_all(text: str) -> list[str]:
    """All blocks of a finished text."""
    blocks, begin = split(text)
    rest = text[begin:]
    if not rest.strip():
        return blocks
    last, end = split(rest + "\n")
    return [*blocks, *last, *([rest[end:]] if rest[end:].strip() else [])]


def draw(block: str, width: int, palette: Palette) -> list[Line]:
    """The lines of one block, each at most ``width`` cells."""
    block = block.strip("\n")
    first, _, rest = block.partition("\n")
    if opening := _FENCE.match(first):
        return code_lines(highlighted(fence_body(rest), opening[2], palette), width, palette)
    if heading := _HEADING.match(first):
        style = palette.accent + Style(bold=True, underline=len(heading[1]) == 1)
        return wrap(inline(heading[2], palette, style if len(heading[1]) < 4 else palette.strong), width)
    if _RULE.match(block):
        return [[Segment("─" * width, palette.faint)]]
    lines = block.split("\n")
    if len(lines) > 1 and "|" in first and _TABLE_RULE.match(lines[1]):
        return _table(lines, width, palette)
    return _text(lines, width, palette)


def inline(text: str, palette: Palette, base: Style) -> list[Run]:
    """Emphasis, code and links of one paragraph as styled runs."""
    if len(text) > LONGEST:
        return [(text, base)]
    runs: list[Run] = []
    position = 0
    for match in _INLINE.finditer(text):
        if match.start() > position:
            runs.append((text[position : match.start()], base))
        runs.extend(_marked(match, palette, base))
        position = match.end()
    if position < len(text):
        runs.append((text[position:], base))
    return runs


def _marked(match: re.Match[str], palette: Palette, base: Style) -> list[Run]:
    whole = match[0]
    match match.lastgroup:
        case "code" | "ticks":
            ticks = len(match["ticks"])
            return [(whole[ticks:-ticks].strip() or " ", _joined(base, palette.mark))]
        case "strong":
            return inline(whole[2:-2], palette, _joined(base, Style(bold=True)))
        case "em":
            return inline(whole[1:-1], palette, _joined(base, Style(italic=True)))
        case "strike":
            return [(whole[2:-2], _joined(base, Style(strike=True)))]
        case "escape":
            return [(whole[1:], base)]
    label, url = match["label"], match["url"]
    link = _joined(base, _joined(palette.accent, Style(underline=True)))
    if not label or label == url:
        return [(url or label, link)]
    return [(label, link), (f" ({url})", palette.muted)] if url else [(label, base)]


@lru_cache(512)
def _joined(base: Style, more: Style) -> Style:
    return base + more


def fence_language(first: str) -> str:
    """The language that the first line of a code block names, empty for none."""
    opening = _FENCE.match(first)
    return opening[2] if opening else ""


def fence_body(body: str) -> str:
    """What stands in a code block, given all after its first line."""
    inner, _, last = body.rpartition("\n")
    return inner if last.strip().startswith(("```", "~~~")) and not last.strip(" `~") else body


def fence_of(block: str) -> tuple[str, str] | None:
    """The language and the code of a block that is a code block, None where it is none."""
    first, _, rest = block.strip("\n").partition("\n")
    return (fence_language(first), fence_body(rest)) if _FENCE.match(first) else None


def with_copy(lines: list[Line], number: int, width: int, palette: Palette) -> list[Line]:
    """The lines of a code block with the place that copies it at their top right, if need be in a line of its own."""
    if width < 3 * len(COPY):
        return lines
    mark = Aside(COPY, palette.muted + palette.raised + Style.from_meta({"code": number}))
    filler = lines[0][-1] if lines and lines[0] else Segment("")
    room = len(filler.text) - len(COPY) if not filler.text.strip() else -1
    if room < 1:
        return [[Aside(" " * (width - len(COPY)), palette.raised), mark], *lines]
    return [[*lines[0][:-1], Aside(" " * room, palette.raised), mark], *lines[1:]]


def code_lines(code: list[list[Run]], width: int, palette: Palette) -> list[Line]:
    """Lines of code on their ground, cut where they are too wide."""
    ground = palette.raised
    inner = max(1, width - 2)
    out: list[Line] = []
    for runs in code:
        for line in fold_runs(runs, inner):
            styled = [Aside(" ", ground), *on_ground(line, ground)]
            out.append([*styled, Aside(" " * max(0, width - 1 - cells(line)), ground)])
    return out


def _text(lines: list[str], width: int, palette: Palette) -> list[Line]:
    """Paragraphs, list items and quotes; a line that is none of the last two goes on with what stands before it."""
    out: list[Line] = []
    indents = [0]
    pending: list[str] = []
    head: Line = []
    hang = 0
    base = palette.text
    quoted = False

    def flush() -> None:
        nonlocal head
        if not pending and not head:
            return
        text = "\n".join(pending) if len(pending) == 1 or quoted else " ".join(pending)
        for number, line in enumerate(wrap(inline(text, palette, base), width - hang)):
            out.append([*(head if number == 0 else _margin(hang, palette, quoted=quoted)), *line])
        pending.clear()
        head = []

    for line in lines:
        if quote := _QUOTE.match(line):
            if not quoted:
                flush()
            quoted, base, hang = True, palette.muted, 2
            head = head or _margin(2, palette, quoted=True)
            pending.append(quote[1])
        elif item := _ITEM.match(line):
            flush()
            quoted, base = False, palette.text
            head = _item_head(item, indents, width, palette)
            hang = cells(head)
            pending.append(item[4])
        else:
            if quoted:
                flush()
                quoted, base, hang = False, palette.text, 0
            broken = line.endswith(("  ", "\\"))
            pending.append(line.strip().removesuffix("\\") if pending or hang else line.rstrip().removesuffix("\\"))
            if broken:
                margin = hang
                flush()
                head = [Segment(" " * margin)] if margin else []
    flush()
    return out


def _item_head(item: re.Match[str], indents: list[int], width: int, palette: Palette) -> Line:
    """The sign of a list item at its depth; ``indents`` are those of the items around it."""
    indent = len(item[1].expandtabs(4))
    while len(indents) > 1 and indent < indents[-1]:
        indents.pop()
    if indent > indents[-1]:
        indents.append(indent)
    depth = min(len(indents) - 1, max(0, width // 4 - 2))
    sign = item[2] if item[2][0].isdigit() else "•◦▪"[min(depth, 2)]
    if item[3]:
        sign = "☐" if item[3] == "[ ]" else "☑"
    return [Segment("  " * depth), Segment(f"{sign} ", palette.accent)]


def _margin(width: int, palette: Palette, *, quoted: bool) -> Line:
    if quoted:
        return [Aside("▎ ", palette.accent)]
    return [Aside(" " * width)] if width else []


def _table(lines: list[str], width: int, palette: Palette) -> list[Line]:
    limit = LONGEST // 100
    rows = [_cells(line) for index, line in enumerate(lines[: limit + 2]) if index != 1]
    columns = min(max(len(row) for row in rows), max(1, width // 4))
    rows = [(row + [""] * columns)[:columns] for row in rows]
    natural = [max(3, *(cell_len(row[i]) for row in rows)) for i in range(columns)]
    widths = _shares(natural, width - 3 * (columns - 1))
    out: list[Line] = []
    for number, row in enumerate(rows):
        base = palette.strong if number == 0 else palette.text
        drawn = [wrap(inline(text, palette, base), size) for text, size in zip(row, widths, strict=True)]
        for height in range(max(len(cell) for cell in drawn)):
            line: Line = []
            for column, cell in enumerate(drawn):
                piece = cell[height] if height < len(cell) else []
                gap = widths[column] - cells(piece)
                if column:
                    line.append(Segment(" │ ", palette.faint))
                line.extend(piece)
                line.append(Segment(" " * max(0, gap)))
            out.append(line)
        if number == 0:
            out.append([Segment("─┼─".join("─" * size for size in widths), palette.faint)])
    if len(lines) > limit + 2:
        out.append([Segment(f"… {len(lines) - limit - 2} more rows", palette.muted)])
    return out


def _shares(natural: list[int], room: int) -> list[int]:
    """Column widths that fit: narrow columns keep theirs, wide ones share what is left."""
    widths = list(natural)
    if sum(widths) <= room:
        return widths
    share, left, open_ = max(1, room // len(widths)), room, list(range(len(widths)))
    while narrow := [i for i in open_ if natural[i] <= share]:
        left -= sum(natural[i] for i in narrow)
        open_ = [i for i in open_ if i not in narrow]
        if not open_:
            return widths
        share = max(1, left // len(open_))
    for i in open_:
        widths[i] = share
    return widths


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]
