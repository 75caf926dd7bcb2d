"""Which of the tool calls are shown: what a filter's words mean, and an index that never looks at all calls twice."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pygent.transcript import ToolItem
from pygent.tui.panes.text import summary

LIVE = ("waiting", "running")
STATES = ("waiting", "running", "ok", "error", "denied", "cancelled", "timeout")
FAILED = ("error", "timeout", "denied")
GROUPS = {"running": LIVE, "failed": FAILED, "live": LIVE}
CYCLE = ("", "running", "failed")
"""The states that one key goes through; "" is all."""


@dataclass(frozen=True, slots=True)
class ToolFilter:
    """Words that a call must have in its name or argument, and what its tool, state and agent must be.

    Each of the three is empty, or has alternatives of which one must fit. ``unknown`` are words that mean nothing.
    """

    words: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.words or self.tools or self.states or self.agents or self.unknown)


def parse_filter(text: str) -> ToolFilter:
    """Read what was typed: plain words, and ``tool:``, ``status:`` and ``agent:`` with alternatives after commas."""
    words, found = split_words(text, ("tool", "status", "agent"))
    states: list[str] = []
    unknown: list[str] = []
    for state in found["status"]:
        fitting = _states(state)
        states += fitting
        unknown += [] if fitting else [state]
    return ToolFilter(tuple(words), tuple(found["tool"]), tuple(states), tuple(found["agent"]), tuple(unknown))


def split_words(text: str, kinds: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """What was typed, in small letters: plain words, and the alternatives behind each of ``kinds`` and a colon."""
    words: list[str] = []
    found: dict[str, list[str]] = {kind: [] for kind in kinds}
    for word in text.lower().split():
        kind, colon, value = word.partition(":")
        if colon and kind in found:
            found[kind] += filter(None, value.split(","))
        else:
            words.append(word)
    return words, found


def _states(word: str) -> Sequence[str]:
    return GROUPS.get(word) or [state for state in STATES if state.startswith(word)]


def with_value(text: str, kind: str, value: str) -> str:
    """What was typed, with ``kind:value`` in place of what it said about ``kind``; without where ``value`` is ""."""
    words = [word for word in text.split() if not word.lower().startswith(f"{kind}:")]
    return " ".join([*words, f"{kind}:{value}"] if value else words)


def value_of(text: str, kind: str) -> str:
    """What was typed about ``kind``; "" for nothing."""
    return next((word.partition(":")[2] for word in text.split() if word.lower().startswith(f"{kind}:")), "")


class ToolIndex:
    """All calls in the order they came, and the numbers of those that the filter lets through.

    ``agent`` names an agent by its id, as a filter knows it.
    """

    def __init__(self, agent: Callable[[str], str]) -> None:
        self.items: list[ToolItem] = []
        self.live: set[int] = set()
        self.filter = ToolFilter()
        self.shown: Sequence[int] = range(0)
        self.agents: dict[str, str] = {}
        self._agent = agent
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self._summaries: list[str] = []

    def fill(self, items: Iterable[ToolItem]) -> None:
        """Begin anew with ``items``."""
        self.items, self.live, self.agents = [], set(), {}
        self._numbers, self._texts, self._summaries = {}, [], []
        self.shown = [] if self.filter else range(0)
        for item in items:
            self.take(item)

    def take_over(self, other: ToolIndex) -> None:
        """Have the calls of ``other``, behind the filter that is set here."""
        self.items, self.live, self.agents = other.items, other.live, other.agents
        self._numbers, self._texts, self._summaries = other._numbers, other._texts, other._summaries
        everything = range(len(self.items))
        self.shown = [number for number in everything if self._fits(number)] if self.filter else everything

    def take(self, item: ToolItem) -> tuple[int, bool]:
        """A call is new or has changed. Answers its number, and whether other rows are shown now."""
        number = self._numbers.get(item.key)
        if number is None:
            number = self._add(item)
        (self.live.add if item.state in LIVE else self.live.discard)(number)
        if not self.filter:
            moved = len(self.shown) != len(self.items)
            self.shown = range(len(self.items))
            return number, moved
        return number, self._place(number)

    def _add(self, item: ToolItem) -> int:
        number = self._numbers[item.key] = len(self.items)
        said = summary(item.arguments, item.folder)
        self.items.append(item)
        self._summaries.append(said)
        self._texts.append(f"{item.tool}\n{said}".lower())
        if item.agent_id not in self.agents:
            self.agents[item.agent_id] = self._agent(item.agent_id).lower().replace(" ", "-")
        return number

    def _place(self, number: int) -> bool:
        assert isinstance(self.shown, list)
        at = bisect_left(self.shown, number)
        there = at < len(self.shown) and self.shown[at] == number
        fits = self._fits(number)
        if fits and not there:
            insort(self.shown, number)
        elif there and not fits:
            del self.shown[at]
        return fits != there

    def summary(self, number: int) -> str:
        """The argument that tells what a call is about."""
        return self._summaries[number]

    def set_filter(self, new: ToolFilter) -> None:
        """Show only what ``new`` lets through. What a narrower filter leaves out is not looked at again."""
        old, self.filter = self.filter, new
        if not new:
            self.shown = range(len(self.items))
            return
        among = self.shown if _narrows(old, new) else range(len(self.items))
        self.shown = [number for number in among if self._fits(number)]

    def row_of(self, number: int) -> int:
        """The row in which a call is shown, or the next one that is."""
        return bisect_left(self.shown, number)

    def _fits(self, number: int) -> bool:
        wanted, item = self.filter, self.items[number]
        if wanted.unknown or (wanted.states and item.state not in wanted.states):
            return False
        if wanted.tools and not any(tool in item.tool.lower() for tool in wanted.tools):
            return False
        if wanted.agents:
            name = self.agents[item.agent_id]
            if not any(agent in name or agent == item.agent_id.lower() for agent in wanted.agents):
                return False
        text = self._texts[number]
        return all(word in text for word in wanted.words)


def _narrows(old: ToolFilter, new: ToolFilter) -> bool:
    """Whether ``new`` lets nothing through that ``old`` did not; only what typing on does is recognised."""
    same = (old.tools, old.states, old.agents, old.unknown) == (new.tools, new.states, new.agents, new.unknown)
    words = len(new.words) >= len(old.words) and all(
        after.startswith(before) for before, after in zip(old.words, new.words, strict=False)
    )
    return same and words
