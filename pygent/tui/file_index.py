"""Finding a path by a few of its letters, quickly also among a hundred thousand. Knows no screen and no disk.

Looking through many paths is made for a thread: it works in small portions and lets others on in between, since a
thread that computes keeps all others of this process waiting.
"""

from __future__ import annotations

import re
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from heapq import nsmallest

PORTION = 1_000
"""Paths that are looked at without a break."""

BREAK = 0.0002
"""Seconds of a break; long enough for a thread that waits to go on."""

_REMEMBERED = 8
_BONUS = 1_700
_BOUNDARY = frozenset("/_-. ")
_INITIALS = re.compile(r"(?<![^/_. -])[^/_. -]")


class FileIndex:
    """Paths of files, and of the folders that they are in, which end with a slash."""

    def __init__(self, files: Iterable[str]) -> None:
        self._paths: list[str] = []
        self._lower: list[str] = []
        self._names = array("H")
        self._top: list[int] = []
        self._hits: dict[str, array[int]] = {}
        folders: set[str] = set()
        for count, path in enumerate(files):
            if not path.isprintable():  # such a name would not survive in a prompt
                continue
            self._add(path)
            folder = path.rpartition("/")[0]
            while folder and folder not in folders:
                folders.add(folder)
                self._add(f"{folder}/")
                folder = folder.rpartition("/")[0]
            if count % PORTION == 0:
                time.sleep(BREAK)
        self._folders = folders
        self._top.sort(key=lambda at: (not self._paths[at].endswith("/"), self._lower[at]))

    def _add(self, path: str) -> None:
        name = path.rfind("/", 0, len(path) - 1) + 1
        if not name:
            self._top.append(len(self._paths))
        lower = path.lower()
        if len(lower) != len(path):  # a letter whose small form is two
            lower = path
        self._paths.append(path)
        self._lower.append(path if lower == path else lower)
        self._names.append(min(name, 65_535))

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and (path.rstrip("/") in self._folders or path in self._paths)

    def quick(self, typed: str) -> bool:
        """Whether ``search`` is done within a few milliseconds."""
        among = self._among(typed.lower())
        return not typed or len(self._paths if among is None else among) <= 2 * PORTION

    def search(
        self,
        typed: str,
        limit: int,
        recent: Sequence[str] = (),
        stop: Callable[[], bool] = lambda: False,
    ) -> list[str]:
        """The best paths for what was typed, whose letters they have in this order.

        First come those whose name begins with it, then those whose name has it, has it as the beginnings of its
        words, whose path has it; then letters further apart. Of equals the shorter is better; ``recent`` paths go up.
        Once ``stop`` answers True the answer is of no use, and comes soon.
        """
        needle = typed.lower()
        if not needle:
            first = [path for path in dict.fromkeys(recent) if path.isprintable()]
            rest = (self._paths[at] for at in self._top)
            return [*first, *(path for path in rest if path not in first)][:limit]
        known = set(recent)
        best: Sequence[int] = ()
        among = self._among(needle)
        if among is None and len(needle) <= 2 and "/" not in needle:  # too many would fit: the names that begin so
            best = self._begun(needle, stop)
            best = [*best, *self._places(known)] if len(best) >= limit else ()
        if not best:
            best = self._matching(needle, among, stop)
        score = _scorer(needle)
        scored: list[tuple[float, str]] = []
        for start in range(0, len(best), PORTION):
            if stop():
                return []
            for at in best[start : start + PORTION]:
                path = self._paths[at]
                value = score(self._lower[at], self._names[at])
                if value is not None:
                    scored.append((value - _BONUS if path in known else value, path))
            scored = nsmallest(limit, scored)
            self._pause(best)
        return list(dict.fromkeys(path for _, path in scored))

    def _among(self, needle: str) -> array[int] | None:
        """What is worth looking at: the hits of the longest beginning of ``needle`` that was looked for before."""
        for end in range(len(needle), 0, -1):
            found = self._hits.get(needle[:end])
            if found is not None:
                return found
        return None

    def _begun(self, needle: str, stop: Callable[[], bool]) -> list[int]:
        lower, names = self._lower, self._names
        found: list[int] = []
        for start in range(0, len(lower), PORTION):
            if stop():
                break
            end = min(start + PORTION, len(lower))
            found += [at for at in range(start, end) if lower[at].startswith(needle, names[at])]
            self._pause(lower)
        return found

    def _matching(self, needle: str, among: array[int] | None, stop: Callable[[], bool]) -> array[int]:
        match = _in_order(needle)
        lower = self._lower
        found = array("I")
        count = len(lower) if among is None else len(among)
        for start in range(0, count, PORTION):
            if stop():
                return found
            portion = range(start, min(start + PORTION, count)) if among is None else among[start : start + PORTION]
            found.extend([at for at in portion if match(lower[at], 0)])
            self._pause(range(count))
        while len(self._hits) >= _REMEMBERED:
            del self._hits[next(iter(self._hits))]
        self._hits[needle] = found
        return found

    def _places(self, paths: set[str]) -> list[int]:
        return [at for at, path in enumerate(self._paths) if path in paths] if paths else []

    @staticmethod
    def _pause(work: Sequence[object]) -> None:
        if len(work) > 2 * PORTION:
            time.sleep(BREAK)


def _in_order(needle: str) -> Callable[[str, int], re.Match[str] | None]:
    """Matches the letters of ``needle`` in their order; the group is the first.

    No part of the pattern gives back what it took, so that no name makes it slow.
    """
    first, *others = [re.escape(char) for char in needle[:100]]
    return re.compile(f"[^{first}]*+({first})" + "".join(f"[^{char}]*+{char}" for char in others), re.DOTALL).match


def _scorer(needle: str) -> Callable[[str, int], float | None]:
    """Tells how badly a path fits, by its lower-case form and where its name begins there; None: not at all."""
    in_order = _in_order(needle)
    with_folder = "/" in needle

    def score(lower: str, name: int) -> float | None:
        length = min(len(lower), 400) + 20 * lower.count("/")
        if with_folder:
            at = lower.find(needle)
            if at >= 0:
                return (0 if at == 0 else 1_000 if lower[at - 1] == "/" else 2_000) + length
        else:
            at = lower.find(needle, name)
            if at == name:
                end = at + len(needle)
                after = lower[end : end + 1]
                return (0 if not after or after in "./" else 500 if after in _BOUNDARY else 1_000) + length
            if at > name:
                return (2_000 if lower[at - 1] in _BOUNDARY else 3_000) + length
            if in_order("".join(_INITIALS.findall(lower, name)), 0):
                return 3_500 + length
            at = lower.find(needle)
            if at >= 0:
                return (4_000 if at == 0 or lower[at - 1] == "/" else 5_000) + length
        found = in_order(lower, name)
        if found:
            return 6_000 + 20 * (found.end() - found.start(1)) + length
        found = in_order(lower, 0)
        return 8_000 + 20 * (found.end() - found.start(1)) + length if found else None

    return score
