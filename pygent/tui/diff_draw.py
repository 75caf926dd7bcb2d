"""Differences of files as lines of a given width: one column, or the old file beside the new one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.segment import Segment
from rich.style import Style

from pygent.tui.code import highlighted
from pygent.tui.colours import Palette
from pygent.tui.diff_words import SMALL_BLOCK, Span
from pygent.tui.diffs import DiffLine, FileDiff, Hunk, rows
from pygent.tui.text import UNSEEN, clean_line, plural
from pygent.tui.wrap import Aside, Line, Run, cells, cut, fold_runs, on_ground

LONGEST = 2000
"""Characters of a line that are drawn."""

_TAB = "    "
_LANGUAGES = {
    "py": "python",
    "pyi": "python",
    "js": "javascript",
    "mjs": "javascript",
    "cjs": "javascript",
    "jsx": "jsx",
    "ts": "typescript",
    "tsx": "tsx",
    "rs": "rust",
    "rb": "ruby",
    "kt": "kotlin",
    "cs": "csharp",
    "h": "c",
    "cc": "cpp",
    "cxx": "cpp",
    "hpp": "cpp",
    "m": "objective-c",
    "pl": "perl",
    "ex": "elixir",
    "hs": "haskell",
    "ml": "ocaml",
    "sh": "bash",
    "zsh": "bash",
    "ps1": "powershell",
    "md": "markdown",
    "yml": "yaml",
    "htm": "html",
    "tf": "terraform",
    "tcss": "css",
    "cfg": "ini",
    "dockerfile": "docker",
    "makefile": "make",
    "mk": "make",
    "txt": "",
    "lock": "",
}
_SIGNS = {"added": "A", "deleted": "D", "renamed": "R", "copied": "C", "changed": "M"}


def language_of(path: str) -> str:
    """The language of a file by the ending of its name, as Pygments calls it or nearly so, else empty."""
    name = path.rpartition("/")[2].lower()
    ending = name.rpartition(".")[2] if "." in name else name if name in _LANGUAGES else ""
    return _LANGUAGES.get(ending, ending) if re.fullmatch(r"[\w+#-]{0,16}", ending) else ""


def heading(diff: FileDiff, width: int, palette: Palette) -> list[Line]:
    """The file's name, how many lines it gained and lost, and what else there is to say."""
    name = clean_line(diff.path) or "changes"
    if diff.old_path and diff.old_path != diff.path:
        name = f"{clean_line(diff.old_path)} → {name}"
    counts = [Segment(f"+{diff.added}", palette.success), Segment(f" −{diff.removed}", palette.error)]
    if diff.binary:
        counts = [Segment("binary", palette.muted)]
    room = max(1, width - cells(counts) - 6)
    head: Line = [Segment(f" {_SIGNS[diff.kind]} ", palette.accent), Segment(cut(name, room), palette.strong)]
    head.append(Segment(" " * max(1, width - cells(head) - cells(counts) - 1)))
    head += [*counts, Segment(" ")]
    out: list[Line] = [[Segment(text, palette.raised + (style or Style())) for text, style, _ in head]]
    notes = diff.notes if diff.hunks or diff.notes or diff.binary else [_nothing(diff)]
    out.extend([Aside("   "), Segment(cut(clean_line(note), max(1, width - 4)), palette.muted)] for note in notes)
    return out


def _nothing(diff: FileDiff) -> str:
    return "an empty file" if diff.kind in {"added", "deleted"} else "no line changed"


def hunk_heading(hunk: Hunk, width: int, palette: Palette) -> list[Line]:
    """The line before a hunk: where it stands."""
    return [[Aside(" "), Segment(cut(clean_line(hunk.header), max(1, width - 2)), palette.accent + Style(dim=True))]]


def unified(lines: Sequence[DiffLine], digits: int, language: str, width: int, palette: Palette) -> list[Line]:
    """Lines of a hunk in one column, each with its number: removed ones with the old, others with the new."""
    inner = max(1, width - digits - 3)
    changes: dict[tuple[str, int | None], Sequence[Span]] = {}
    for row in rows(lines):
        if row.old_changes and row.old is not None:
            changes["-", row.old.old] = row.old_changes
        if row.new_changes and row.new is not None:
            changes["+", row.new.new] = row.new_changes
    old = iter(_coloured((line.text for line in lines if line.kind == "-"), language, palette))
    new = iter(_coloured((line.text for line in lines if line.kind != "-"), language, palette))
    out: list[Line] = []
    for line in lines:
        runs = next(old if line.kind == "-" else new)
        number = line.old if line.kind == "-" else line.new
        out.extend(_column(line, number, changes.get((line.kind, number), ()), runs, digits, inner, palette))
    return out


def side_by_side(lines: Sequence[DiffLine], digits: int, language: str, width: int, palette: Palette) -> list[Line]:
    """Lines of a hunk, the old file at the left of the new one."""
    left = left_width(digits, width)
    right = max(digits + 4, width - 1 - left)
    old = iter(_coloured((line.text for line in lines if line.kind != "+"), language, palette))
    new = iter(_coloured((line.text for line in lines if line.kind != "-"), language, palette))
    out: list[Line] = []
    for row in rows(lines):
        columns: list[list[Line]] = [[], []]
        if row.old is not None:
            inner = left - digits - 3
            columns[0] = _column(row.old, row.old.old, row.old_changes, next(old), digits, inner, palette)
        if row.new is not None:
            inner = right - digits - 3
            columns[1] = _column(row.new, row.new.new, row.new_changes, next(new), digits, inner, palette)
        for number in range(max(len(column) for column in columns)):
            first, second = (column[number] if number < len(column) else [] for column in columns)
            gap = Aside(" " * max(0, left - cells(first)))
            out.append([*first, gap, Aside("│", palette.faint), *second])
    return out


def left_width(digits: int, width: int) -> int:
    """Cells of the old file's column, where it stands beside the new one."""
    return max(digits + 4, (width - 1) // 2)


def parts(lines: Sequence[DiffLine], size: int, *, split: bool) -> Iterator[Sequence[DiffLine]]:
    """The lines of a hunk in parts of about ``size``, so that a large hunk need not be drawn whole.

    What stands side by side is in the same part.
    """
    part: list[DiffLine] = []
    for block in _blocks(lines):
        if len(block) > 2 * SMALL_BLOCK:
            if part:
                yield part
                part = []
            yield from _cut_block(block, size, split=split)
            continue
        part.extend(block)
        if len(part) >= size:
            yield part
            part = []
    if part:
        yield part


def _blocks(lines: Sequence[DiffLine]) -> Iterator[Sequence[DiffLine]]:
    """Lines that hang together: a change, or one line that is the same."""
    start = 0
    for number, line in enumerate(lines):
        if line.kind == " " or (line.kind == "-" and number > start and lines[number - 1].kind == "+"):
            if number > start:
                yield lines[start:number]
            start = number
        if line.kind == " ":
            yield lines[number : number + 1]
            start = number + 1
    if start < len(lines):
        yield lines[start:]


def _cut_block(block: Sequence[DiffLine], size: int, *, split: bool) -> Iterator[Sequence[DiffLine]]:
    removed = sum(line.kind == "-" for line in block)
    if not split:
        yield from (block[at : at + size] for at in range(0, len(block), size))
        return
    for at in range(0, max(removed, len(block) - removed), size):
        yield [*block[at : min(removed, at + size)], *block[removed + at : removed + at + size]]


def digits_of(hunk: Hunk) -> int:
    """Cells that the line numbers of a hunk need."""
    last = hunk.lines[-1] if hunk.lines else None
    highest = max(last.old or 0, last.new or 0, hunk.old_start, hunk.new_start) if last else 0
    return max(3, len(str(highest + len(hunk.lines))))


def row_count(lines: Sequence[DiffLine], digits: int, width: int, *, split: bool) -> int:
    """About how many rows the lines take; cheap."""
    inner = max(8, (width // 2 if split else width) - digits - 3)
    sums = {" ": 0, "-": 0, "+": 0}
    for line in lines:
        sums[line.kind] += 1 + min(len(line.text), LONGEST) // (inner + 1)
    return sums[" "] + (max(sums["-"], sums["+"]) if split else sums["-"] + sums["+"])


def _column(
    line: DiffLine,
    number: int | None,
    spans: Sequence[Span],
    runs: list[Run],
    digits: int,
    inner: int,
    palette: Palette,
) -> list[Line]:
    """One line of a file in a column: number, sign, and the text folded at ``inner`` cells, on its ground."""
    sign, style, mark = {
        "+": ("+", palette.added, palette.added_mark),
        "-": ("-", palette.removed, palette.removed_mark),
    }.get(line.kind, (" ", Style(), Style()))
    ground = Style(bgcolor=style.bgcolor)
    spans = _shown(line.text, spans)[1]
    if not line.ends:
        runs = [*runs, ("  (no line end)", palette.faint)]
    out: list[Line] = []
    for part, pieces in enumerate(fold_runs(_marked(runs, spans, mark), max(1, inner))):
        name = number or "" if part == 0 else ""
        head = [Aside(f"{name:>{digits}} ", palette.faint), Aside(f"{sign if part == 0 else ' '} ", style)]
        if style.bgcolor is None:  # no grounds in the terminal's own colours: the text has the colour
            body = [type(piece)(piece.text, (piece.style or Style()) + style) for piece in pieces]
        else:
            body = on_ground(pieces, ground)
        rest = inner - cells(body) if line.kind != " " else 0
        out.append([*head, *body, *([Aside(" " * rest, ground)] if rest > 0 else [])])
    return out


def _coloured(texts: Iterable[str], language: str, palette: Palette) -> list[list[Run]]:
    shown = [_shown(text, ())[0] for text in texts]
    return highlighted("\n".join(shown), language, palette) if shown else []


def _shown(text: str, spans: Sequence[Span]) -> tuple[str, Sequence[Span]]:
    """The text of a line as it can be drawn, and where ``spans`` are in it then."""
    text = text.removesuffix("\r")
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … {plural(len(text) - LONGEST, 'more character')}"
    if text.isprintable() and not UNSEEN.search(text):
        return text, spans
    places = [0]
    out: list[str] = []
    for char in text:
        out.append(_TAB if char == "\t" else "" if UNSEEN.match(char) or char in "\r\n" else char)
        places.append(places[-1] + len(out[-1]))
    last = len(text)
    return "".join(out), [(places[min(start, last)], places[min(end, last)]) for start, end in spans]


def _marked(runs: Sequence[Run], spans: Sequence[Span], mark: Style) -> list[Run]:
    """``runs`` with another ground where ``spans`` are."""
    if not spans:
        return list(runs)
    cuts = sorted({place for span in spans for place in span})
    inside = {start for start, _ in spans}
    out: list[Run] = []
    at = 0
    on = False
    for text, style in runs:
        end = at + len(text)
        begin = at
        for place in [*(place for place in cuts if at <= place < end), end]:
            if place > begin:
                out.append((text[begin - at : place - at], style + mark if on else style))
            begin = place
            if place < end:
                on = place in inside
        at = end
    return out
