"""What work has cost so far, counted in a tree: session, persona, task, run.

What is charged to one account is charged to all above it, under one lock, so that the sums agree at any moment and
with any number of threads. Money is counted in whole parts of 10⁻¹², so that no order of adding changes a sum.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pygent import clock
from pygent.budget import Budget
from pygent.events import MAIN
from pygent.records import record

if TYPE_CHECKING:
    from pygent.openai_compat import Usage

NOTICE_AT = 0.8
"""The share of a limit at which a person is told, once."""

_UNIT = 10**12
_LEAST = {"steps": 1, "tokens": 1, "seconds": 0.001, "money": 1 / _UNIT}


@record
class Spent:
    """What an account and all below it have used. ``money`` is None where nothing had a price."""

    steps: int = 0
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    tokens: int = 0
    money: float | None = None

    def usage(self) -> dict[str, int]:
        """The tokens under the names that events have for them."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.tokens,
        }


@record
class Crossing:
    """Most of a limit is used; ``text`` says so, and ``agent_id`` whose conversation it belongs to."""

    agent_id: str
    text: str


class Account:
    """One node of the tree; thread-safe.

    ``budget`` limits it together with all below it; it may be replaced at any time. ``what`` names it in messages:
    ``"the session"``. ``agent_id`` is the agent that is told of it.
    """

    def __init__(
        self,
        budget: Budget | None = None,
        above: Account | None = None,
        *also: Account,
        what: str = "the session",
        agent_id: str = MAIN,
    ) -> None:
        self._budget = budget or Budget()
        self.what = what
        self.agent_id = agent_id
        self._chain: tuple[Account, ...] = (self, *(above._chain if above is not None else ()), *also)
        self._lock: threading.Lock = above._lock if above is not None else threading.Lock()
        if any(account._lock is not self._lock for account in also):
            raise ValueError("an account cannot belong to two sessions")
        self._personas: dict[str, Account] = {}
        self._given = Budget()
        self._told: set[str] = set()
        self._steps = self._prompt = self._completion = self._tokens = self._money = 0
        self._priced = False
        self._seconds = 0.0
        self._at_work = 0
        self._since = 0.0

    @property
    def budget(self) -> Budget:
        """The limits of this account, without those above it."""
        return self._budget

    @budget.setter
    def budget(self, budget: Budget) -> None:
        with self._lock:
            self._budget = budget
            shares = self._shares(clock.now())
            self._told = {name for name in self._told if shares.get(name, 0.0) >= NOTICE_AT}

    def below(
        self, budget: Budget | None = None, *also: Account, what: str | None = None, agent_id: str | None = None
    ) -> Account:
        """A new account whose costs count here and in all above, and in ``also``, but not in what is above those."""
        return Account(budget, self, *also, what=what or self.what, agent_id=agent_id or self.agent_id)

    def persona(self, name: str, budget: Budget | None = None) -> Account:
        """The account below this one for all that agents of one persona do.

        ``budget`` is its limit from now on where it is another one than it was before; so a person's change stays.
        """
        with self._lock:
            known = self._personas.get(name)
        if known is None:
            made = self.below(what=f"the persona {name}")
            with self._lock:
                known = self._personas.setdefault(name, made)
        if known._given != (budget or Budget()):
            known._given = known.budget = budget or Budget()
        return known

    def take_step(self, *, force: bool = False) -> bool:
        """Count a step that begins. False where a budget, here or above, allows none; ``force`` counts it anyway."""
        with self._lock:
            if not force and self._full() is not None:
                return False
            for account in self._chain:
                account._steps += 1
            return True

    def charge(self, usage: Usage, cost: float | None) -> list[Crossing]:
        """Count tokens and money. Answers what now comes near its limit and was not told before."""
        money = None if cost is None else round(cost * _UNIT)
        crossings = []
        with self._lock:
            now = clock.now()
            for account in self._chain:
                account._prompt += usage.prompt_tokens
                account._completion += usage.completion_tokens
                account._tokens += usage.total_tokens
                if money is not None:
                    account._money, account._priced = account._money + money, True
                crossings.extend(account._crossings(now))
        return crossings

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Let time count while the block runs; that of several at once counts once in what is above them."""
        with self._lock:
            now = clock.now()
            for account in self._chain:
                if account._at_work == 0:
                    account._since = now
                account._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                now = clock.now()
                for account in self._chain:
                    account._at_work -= 1
                    if account._at_work == 0:
                        account._seconds += now - account._since

    def worked(self, seconds: float) -> None:
        """Count time that is over, here and not above: there it may have been the time of others as well."""
        with self._lock:
            self._seconds += seconds

    @property
    def spent(self) -> bool:
        """True once a limit, here or above, is reached."""
        with self._lock:
            return self._full() is not None

    @property
    def why(self) -> str:
        """Which limit is reached, in a sentence; "" where none is."""
        with self._lock:
            full = self._full()
            if full is None:
                return ""
            account, name = full
            return f"The budget of {account.what} is spent: {account._told_of(name, clock.now())}."

    def seconds_left(self) -> float | None:
        """Seconds until a limit of time, here or above, is reached while somebody works; None without one."""
        with self._lock:
            now = clock.now()
            left = [a._budget.seconds - a._time(now) for a in self._chain if a._budget.seconds is not None]
        return max(0.0, min(left)) if left else None

    def left(self) -> Budget:
        """What may still be used here: of each limit, the lowest rest, here or above."""
        rest: dict[str, float] = {}
        with self._lock:
            now = clock.now()
            for account in self._chain:
                for name, limit in account._budget:
                    used = limit * account._shares(now)[name]
                    rest[name] = max(_LEAST[name], min(limit - used, rest.get(name, math.inf)))
        return Budget.of({name: round(rest[name]) if name in {"steps", "tokens"} else rest[name] for name in rest})

    def limits(self, name: str) -> bool:
        """Whether a limit of that name is set, here or above."""
        return any(getattr(account._budget, name) is not None for account in self._chain)

    def used(self) -> Spent:
        """What was used here and below, as of now."""
        with self._lock:
            money = self._money / _UNIT if self._priced else None
            time = self._time(clock.now())
            return Spent(self._steps, time, self._prompt, self._completion, self._tokens, money)

    def share(self) -> float:
        """How much of its own budget is used: 1.0 is all of the limit that comes first, 0.0 where there is none."""
        with self._lock:
            return max(self._shares(clock.now()).values(), default=0.0)

    def personas(self) -> dict[str, Account]:
        """The accounts of the personas, by name."""
        with self._lock:
            return dict(self._personas)

    # All below hold the lock.

    def _time(self, now: float) -> float:
        return self._seconds + (now - self._since if self._at_work else 0.0)

    def _shares(self, now: float) -> dict[str, float]:
        used = {
            "steps": self._steps,
            "seconds": self._time(now),
            "tokens": self._tokens,
            "money": self._money / _UNIT,
        }
        return {name: used[name] / limit for name, limit in self._budget.to_dict().items()}

    def _full(self) -> tuple[Account, str] | None:
        now = clock.now()
        for account in self._chain:
            if account._budget:
                for name, share in account._shares(now).items():
                    if share >= 1:
                        return account, name
        return None

    def _crossings(self, now: float) -> list[Crossing]:
        if not self._budget:
            return []
        out = []
        for name, share in self._shares(now).items():
            if share >= NOTICE_AT and name not in self._told:
                self._told.add(name)
                if share < 1:  # the end of the run tells of a limit that is reached
                    text = f"{share:.0%} of the budget of {self.what} is used: {self._told_of(name, now)}."
                    out.append(Crossing(self.agent_id, text))
        return out

    def _told_of(self, name: str, now: float) -> str:
        match name:
            case "steps":
                return f"{self._steps:,} of {self._budget.steps:,} steps"
            case "tokens":
                return f"{self._tokens:,} of {self._budget.tokens:,} tokens"
            case "seconds":
                return f"{self._time(now):.0f} of {self._budget.seconds:g} seconds"
            case _:
                return f"{self._money / _UNIT:.4g} of {self._budget.money:g} in money"
