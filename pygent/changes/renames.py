"""Which of the files that are new were others before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from pygent.changes.hunks import is_text, split
from pygent.changes.tree import Entry

SIMILAR = 0.5
"""The part of the larger file's bytes that must stand in lines of both."""

SIZE_LIMIT = 1024 * 1024
PAIRS = 2500

Read = Callable[[str], bytes | None]


def find_renames(
    deleted: Mapping[str, Entry], added: Mapping[str, Entry], read_deleted: Read, read_added: Read
) -> dict[str, str]:
    """Old paths by new ones: first what has the same content, then what is similar. Empty files are no pair."""
    found = _exact(deleted, added)
    gone = set(found.values())
    old = {path: entry for path, entry in deleted.items() if path not in gone and _comparable(entry)}
    new = {path: entry for path, entry in added.items() if path not in found and _comparable(entry)}
    pairs = [(one, other) for one in old for other in new] if len(old) * len(new) <= PAIRS else _same_names(old, new)
    return found | _similar([(a, b) for a, b in pairs if _near(old[a].size, new[b].size)], read_deleted, read_added)


def _exact(deleted: Mapping[str, Entry], added: Mapping[str, Entry]) -> dict[str, str]:
    by_content: dict[tuple[str, str], list[str]] = {}
    for path, entry in deleted.items():
        if entry.size:
            by_content.setdefault((entry.kind, entry.digest), []).append(path)
    found: dict[str, str] = {}
    for same_name in (True, False):
        for path, entry in added.items():
            candidates = by_content.get((entry.kind, entry.digest), [])
            if path in found or not candidates:
                continue
            old = next((one for one in candidates if _name(one) == _name(path)), None) if same_name else candidates[0]
            if old is not None:
                candidates.remove(old)
                found[path] = old
    return found


def _similar(pairs: list[tuple[str, str]], read_deleted: Read, read_added: Read) -> dict[str, str]:
    lines: dict[tuple[bool, str], Counter[bytes]] = {}

    def counted(path: str, *, new: bool) -> Counter[bytes]:
        key = (new, path)
        if key not in lines:
            data = (read_added if new else read_deleted)(path)
            lines[key] = Counter(split(data)) if data is not None and is_text(data) else Counter()
        return lines[key]

    scores: list[tuple[float, bool, str, str]] = []
    for old, new in pairs:
        ours, theirs = counted(old, new=False), counted(new, new=True)
        most = max(_bytes(ours), _bytes(theirs))
        score = _bytes(ours & theirs) / most if most else 0.0
        if score >= SIMILAR:
            scores.append((-score, _name(old) != _name(new), old, new))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, old, new in sorted(scores):
        if new not in found and old not in taken:
            found[new] = old
            taken.add(old)
    return found


def _same_names(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> list[tuple[str, str]]:
    by_name: dict[str, list[str]] = {}
    for path in old:
        by_name.setdefault(_name(path), []).append(path)
    pairs = [(one, other) for other in new for one in by_name.get(_name(other), ())[:10]]
    return pairs[:PAIRS]


def _comparable(entry: Entry) -> bool:
    return entry.kind == "file" and 0 < entry.size <= SIZE_LIMIT


def _near(one: int, other: int) -> bool:
    return min(one, other) >= SIMILAR * max(one, other)


def _bytes(lines: Counter[bytes]) -> int:
    return sum(len(line) * count for line, count in lines.items())


def _name(path: str) -> str:
    return path.rpartition("/")[2]
