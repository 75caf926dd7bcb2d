"""A text found in a file although blanks differ: those at the ends of lines, or the indentation of all of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file that are as the wanted ones, but for blanks.

    ``start`` and ``end`` are positions in the text, the last line's end not included. Every line has ``more`` at its
    beginning that the wanted ones lack, and lacks ``less`` that these have; one of the two is empty.
    """

    start: int
    end: int
    line: int
    more: str = ""
    less: str = ""

    def fitted(self, text: str) -> str:
        """``text`` with the indentation of this place; blank lines stay as they are."""
        lines = text.split("\n")
        return "\n".join(self._shifted(line) if line.strip() else line for line in lines)

    @property
    def difference(self) -> str:
        """How the place differs from what was wanted, in words for the model."""
        if not self.more and not self.less:
            return "blanks at the end of lines"
        return f"indentation ({_blanks(self.more)} more)" if self.more else f"indentation ({_blanks(self.less)} less)"

    def _shifted(self, line: str) -> str:
        if not line.startswith(self.less):
            return line.lstrip(" \t")
        return self.more + line[len(self.less) :]


def places(text: str, wanted: str) -> list[Place]:
    """Where whole lines of ``text`` are those of ``wanted`` but for blanks at ends and one indentation for all."""
    target = [line.rstrip() for line in wanted.strip("\r\n").split("\n")]
    first = next((number for number, line in enumerate(target) if line.strip()), None)
    if first is None:
        return []
    lines = text.split("\n")
    starts, position = [], 0
    for line in lines:
        starts.append(position)
        position += len(line) + 1
    key = target[first].lstrip()
    out = []
    for number, line in enumerate(lines):
        at = number - first
        if line.strip() != key or at < 0 or at + len(target) > len(lines):
            continue
        shift = _shift(lines[at : at + len(target)], target)
        if shift is not None:
            last = at + len(target) - 1
            end = starts[last] + len(lines[last].removesuffix("\r"))
            out.append(Place(starts[at], end, at + 1, *shift))
    return out


def _shift(lines: list[str], target: list[str]) -> tuple[str, str] | None:
    """What all lines have more and less at their beginning than those of ``target``; None where they differ else."""
    found: set[tuple[str, str]] = set()
    for have, want in zip(lines, target, strict=True):
        if have.strip() != want.strip():
            return None
        if want.strip():
            mine, theirs = _indentation(have), _indentation(want)
            if mine.endswith(theirs):
                found.add((mine.removesuffix(theirs), ""))
            elif theirs.endswith(mine):
                found.add(("", theirs.removesuffix(mine)))
            else:
                return None
            if len(found) > 1:
                return None
    return found.pop()


def _indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _blanks(text: str) -> str:
    if text.strip("\t"):
        return f"{len(text)} blank{'s' if len(text) > 1 else ''}"
    return f"{len(text)} tab{'s' if len(text) > 1 else ''}"
