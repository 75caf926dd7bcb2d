"""One call of the model: its answer, streamed or whole, becomes events and a ``Message``."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol
from uuid import uuid4

from pygent.attempts import Attempts
from pygent.cancellation import CancelToken
from pygent.errors import Cancelled
from pygent.events import (
    MAIN,
    Event,
    Level,
    MessageDelta,
    MessageFinished,
    MessageStarted,
    Notice,
)
from pygent.history import History
from pygent.images import Content
from pygent.ledger import Account
from pygent.models.base import Completed, Discarded, Model, ModelNotice, ReasoningDelta, StreamItem, TextDelta
from pygent.openai_compat import Message, ToolCall, Usage, parse_message
from pygent.tokens import of_message
from pygent.tools.executor import Executor

if TYPE_CHECKING:
    from pygent.compactor import Compactor

Emit = Callable[[Event], object]


class Briefing(Protocol):
    """Shows a model, before its task, what it needs for it."""

    @property
    def paths(self) -> Collection[str]: ...

    def text(self, runtime: Any, task: str) -> str: ...

    def reset(self) -> None: ...


def _unknown() -> int | None:
    return None


class ModelInUse(NamedTuple):
    """A model, the name that its server knows it by, and prices of a million tokens by such names.

    ``window`` answers the tokens that it sees at once, None while that is not known.
    """

    model: Any
    name: str | None
    prices: Mapping[str, Mapping[str, float]] = {}
    window: Callable[[], int | None] = _unknown


@dataclass(slots=True)
class LoopContext:
    """What a run works with. One for each agent, kept over its runs.

    ``files_changed`` names the files that the agent changed in the present run. ``cancellable`` is set where
    somebody may cancel from outside. ``before_finish`` is called before the end of a run is told. ``steering``
    hands over, once, what a person said since it was last called, and ``reports`` what tasks said that ended;
    ``to_do`` is what is still to be done with these. ``settle`` waits for tasks where the run's end is to.
    ``planning`` tells whether a run is to end with a plan; ``before_step`` is called before each of its steps.
    ``last_words`` is set where a run that reaches a limit gets one more step to say what it did. ``prices`` are
    for a million tokens, by model. ``chosen`` is what the next step asks, set from any thread; until then the four
    stay what the present step asks. ``budget`` counts what the agent costs, ``run_account`` what a run and the
    tasks in it do, None between runs. ``warning`` is for the model, once, where most of a budget is used.
    ``small`` is set for a small model, which gets short texts. ``check_command`` says whether the work is done (see
    ``check``). ``briefing`` shows what is needed for a task. ``changes`` counts writes of the agent's tools.
    ``protected`` are files that the run may not write, ``attempts`` knows what it wrote, where it may begin again.
    ``window`` belongs to the model; ``compactor`` keeps the history within it, None sends all there is.
    """

    history: History
    model: Model
    model_name: str | None
    runtime: Any
    executor: Executor
    emit: Emit
    agent_id: str = MAIN
    allowed: Collection[str] | None = None
    tasks: Any = None
    depth: int = 0
    cancellable: bool = False
    before_finish: Callable[[], None] | None = None
    steering: Callable[[], Iterable[Content]] = tuple
    reports: Callable[[], Iterable[str]] = tuple
    to_do: Callable[[], str] = str
    settle: Callable[[CancelToken], object] | None = None
    planning: Callable[[], bool] = bool
    before_step: Callable[[], object] = bool
    last_words: bool = False
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    files_changed: list[str] = field(default_factory=list)
    call_ids: set[str] = field(default_factory=set)
    budget: Account = field(default_factory=Account)
    run_account: Account | None = None
    warning: str = ""
    small: bool = False
    check_command: str = ""
    briefing: Briefing | None = None
    changes: int = 0
    protected: frozenset[str] = frozenset()
    attempts: Attempts | None = None
    unpriced: set[str] = field(default_factory=set)
    window: Callable[[], int | None] = _unknown
    compactor: Compactor | None = None
    chosen: ModelInUse = field(init=False)

    def __post_init__(self) -> None:
        self.chosen = ModelInUse(self.model, self.model_name, self.prices, self.window)

    def follow(self) -> None:
        """Ask the chosen model from here on."""
        self.model, self.model_name, self.prices, self.window = self.chosen

    def charge(self, usage: Usage) -> None:
        """Count what a request cost, and tell people once where most of a budget is used or cannot be held."""
        cost = self.cost(usage)
        for crossing in self.budget.charge(usage, cost):
            self.warning = crossing.text
            self.emit(Notice(agent_id=crossing.agent_id, level="warning", text=crossing.text))
        name = self.model_name or ""
        if cost is None and self.budget.limits("money") and name not in self.unpriced:
            self.unpriced.add(name)
            known = f"What {name or 'this model'} costs is not known"
            text = f"{known}, so no budget of money can hold (prices in the settings)."
            self.emit(Notice(agent_id=self.agent_id, level="warning", text=text))

    def counted(self, message: Message) -> Usage:
        """What the server counted for a reply; an estimate where it does not and a budget needs it."""
        usage = message.usage or Usage()
        if usage.total_tokens or not (self.budget.limits("tokens") or self.budget.limits("money")):
            return usage
        prompt = self.compactor.tokens(self) if self.compactor is not None else sum(map(of_message, self.history))
        completion = of_message(message.to_dict())
        return Usage(prompt, completion, prompt + completion)

    def cost(self, usage: Usage) -> float | None:
        """What ``usage`` costs with the present model, None where its price is not known."""
        price = self.prices.get(self.model_name or "")
        if price is None:
            return None
        cached = usage.cached_tokens if "cached_input" in price else 0  # else they cost what others do
        tokens = {
            "input": usage.prompt_tokens - cached,
            "cached_input": cached,
            "output": usage.completion_tokens,
        }
        return sum(price.get(name, 0.0) * count for name, count in tokens.items()) / 1_000_000


def ask(ctx: LoopContext, cancel: CancelToken) -> Message:
    """Send the history and answer the reply, every call in it with an id that occurs once.

    Raises ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ended it, and what the model raises; the message
    that had begun is finished as discarded then.
    """
    cancel.check()
    ctx.follow()
    reply = _Reply(ctx)
    try:
        for item in _answer(ctx, cancel, ctx.history, ctx.allowed):
            reply.take(item)
        message = _with_call_ids(ctx, reply.whole())
    except BaseException:
        reply.discard()
        raise
    reply.finish(message)
    return message


class _Reply:
    """One arriving message: turns stream items into events, each start with its end."""

    def __init__(self, ctx: LoopContext) -> None:
        self.ctx = ctx
        self.message: Message | None = None
        self._id: str | None = None
        self._text = ""
        self._reasoning = ""
        self._begin()

    def _begin(self) -> None:
        self._id, self._text, self._reasoning = uuid4().hex, "", ""
        self.ctx.emit(MessageStarted(agent_id=self.ctx.agent_id, message_id=self._id, role="assistant"))

    def take(self, item: StreamItem) -> None:
        match item:
            case TextDelta(text):
                self._text += text
                self._delta(text, "text")
            case ReasoningDelta(text):
                self._reasoning += text
                self._delta(text, "reasoning")
            case Discarded(why):
                self.discard()
                self._notice(why, "warning")
                self._begin()
            case ModelNotice(text, level):
                self._notice(text, level)
            case Completed(message):
                self.message = message

    def _delta(self, text: str, kind: Literal["text", "reasoning"]) -> None:
        assert self._id is not None
        self.ctx.emit(MessageDelta(agent_id=self.ctx.agent_id, message_id=self._id, text=text, kind=kind))

    def _notice(self, text: str, level: str) -> None:
        _notice(self.ctx, text, level)

    def whole(self) -> Message:
        if self.message is None:
            raise TypeError("the model's stream ended without a Completed item")
        return self.message

    def discard(self) -> None:
        partial = Message("assistant", self._text, reasoning_content=self._reasoning or None)
        self._finish(partial, discarded=True)

    def finish(self, message: Message) -> None:
        self._finish(message, discarded=False)

    def _finish(self, message: Message, *, discarded: bool) -> None:
        if self._id is None:
            return
        message_id, self._id = self._id, None
        self.ctx.emit(
            MessageFinished(
                agent_id=self.ctx.agent_id, message_id=message_id, message=message.to_dict(), discarded=discarded
            )
        )


def answered(
    ctx: LoopContext,
    cancel: CancelToken,
    messages: list[dict[str, Any]],
    allowed: Collection[str] | None,
    *,
    most: int,
) -> Message:
    """The answer to other ``messages`` than the history, with other tools; of it only notices are told.

    A stream is ended where its text gets longer than ``most`` characters: some models find no end. Raises as ``ask``
    does.
    """
    cancel.check()
    said = ""
    streams = hasattr(ctx.model, "stream")
    with contextlib.closing(_answer(ctx, cancel, messages, allowed)) as items:
        for item in items:
            match item:
                case ModelNotice(text, level):
                    _notice(ctx, text, level)
                case Discarded():
                    said = ""
                case TextDelta(text) if streams:
                    said += text
                    if len(said) > most:
                        return Message("assistant", said)
                case Completed(message):
                    return message
    raise TypeError("the model's stream ended without a Completed item")


def _notice(ctx: LoopContext, text: str, level: str) -> None:
    known: Level = "warning" if level == "warning" else "error" if level == "error" else "info"
    ctx.emit(Notice(agent_id=ctx.agent_id, level=known, text=text))


def _answer(
    ctx: LoopContext, cancel: CancelToken, messages: list[dict[str, Any]], allowed: Collection[str] | None
) -> Generator[StreamItem, None, None]:
    tools = ctx.executor.registry.schemas(allowed) or None
    stream = getattr(ctx.model, "stream", None)
    if stream is not None:
        yield from stream(messages, ctx.model_name, tools, cancel=cancel)
        return

    def chat() -> Message:
        return parse_message(ctx.model.chat(messages, ctx.model_name, tools))

    # A plain chat cannot be ended from outside. Where somebody may want to end it, it gets a thread that can be left
    # behind; a bare Agent() calls it directly, so that debuggers and thread-bound clients work as written.
    message = _abandonable(chat, cancel) if ctx.cancellable or cancel.deadline is not None else chat()
    if message.content:
        yield TextDelta(message.content)
    yield Completed(message)


def _abandonable(call: Callable[[], Message], cancel: CancelToken) -> Message:
    answers: queue.SimpleQueue[Message | BaseException | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put(call())
        except BaseException as error:  # handed to the agent's thread, which raises it
            answers.put(error)

    threading.Thread(target=work, name="pygent-chat", daemon=True).start()
    with cancel.on_cancel(lambda: answers.put(None)):
        answer = answers.get()
    if answer is None:
        cancel.check()
        raise Cancelled("cancelled")
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _with_call_ids(ctx: LoopContext, message: Message) -> Message:
    """Give calls without an id, or with one that was there before, an id of their own."""
    calls: list[ToolCall] = []
    for call in message.tool_calls:
        known = not call.id or call.id in ctx.call_ids
        fresh = replace(call, id=f"call_{uuid4().hex[:24]}") if known else call
        ctx.call_ids.add(fresh.id)
        calls.append(fresh)
    return replace(message, tool_calls=calls)
