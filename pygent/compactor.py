"""Keeps a conversation within what the model sees: compacted near the limit, on request, and where it is refused.

First pictures, thoughts and outputs of the older steps are shortened. Where that does not make enough room the model
sums up what stands before the last steps; where it cannot, they are left out without. The stored events keep all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from pygent.cancellation import CancelToken
from pygent.compaction import as_summary, last_answer, longest, put_together, question, take_apart, without_summary
from pygent.errors import APIError, Cancelled, DeadlineExceeded
from pygent.events import CompactedBy, ContextCompacted, ContextCompacting, Notice
from pygent.model_call import LoopContext, answered, ask
from pygent.models.api_errors import is_context_overflow
from pygent.openai_compat import Message, Usage
from pygent.recounting import Counted
from pygent.shrinking import Messages, Shrunk, shrink, shrink_last, tokens_of
from pygent.tokens import Meter

COMPACT_AT = 0.8
"""The share of the window at which a conversation is compacted, where the settings do not say it."""

AFTER_UNDO = 0.95
"""The share from which it is compacted once more after a person has undone that."""

ENOUGH = 0.6
"""Of the tokens at which it is compacted: what is to be left at most, so that the next time is not near."""

SMALLEST = 200
"""Tokens that a summary can stand for at least."""

LEAST = 512
"""Tokens of a window, by the rule; what a server says that is less is no window."""

_LIMIT = re.compile(r"(?:context (?:length|size|window)|limit|n_ctx)\D{0,30}?(\d[\d,]*)", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,]*")
_UNKNOWN = 0.5  # of what was refused, where the server does not say how much it takes


@dataclass(slots=True)
class _Summed:
    """A model's summary, or why there is none; what it cost."""

    text: str = ""
    failed: str = ""
    usage: Usage = field(default_factory=Usage)


class Compactor:
    """The compaction of one agent's conversation. Used on the agent's own thread; ``request`` from any.

    ``compact_at`` is the share of the model's window at which it is compacted by itself, 0 for never; where the
    window is not known that never happens. ``todos`` answers the agent's list.
    """

    def __init__(self, compact_at: float = COMPACT_AT, todos: Callable[[], Sequence[dict[str, Any]]] = tuple) -> None:
        self.meter = Meter()
        self.compact_at = compact_at
        self.undone = False
        """Whether a person has undone the last compaction."""
        self.last = 0
        """Tokens as they were counted last, 0 before."""
        self._todos = todos
        self._told: dict[str, int] = {}  # windows that refusals told of, by the model's name
        self._hint: str | None = None
        self._not_below = 0
        self._past: Counted | None = None

    @property
    def resumed(self) -> bool:
        """Whether a server's count of an earlier time stands for the conversation."""
        return self._past is not None

    def window(self, ctx: LoopContext) -> int | None:
        """Tokens that the model sees, as settings, server or a refusal of it say."""
        known, told = ctx.window(), self._told.get(ctx.model_name or "")
        return min(known, told) if known and told else known or told

    def tokens(self, ctx: LoopContext) -> int:
        """Tokens that the next request has."""
        tools = tools_told(ctx)
        if self._past is not None:
            past, self._past = self._past, None
            begin = sum(message["role"] == "system" for message in ctx.history[:1])
            self.meter.restore(ctx.history[: begin + past.messages], tools, past.tokens, past.since)
        self.last = self.meter.tokens(ctx.history, tools)
        return self.last

    def resume(self, past: Counted | None) -> None:
        """Go on with a conversation of which this is known; with None all of it is estimated."""
        self.meter.forget()
        self._past = past
        self.last = past.tokens + past.since if past is not None else 0

    def request(self, hint: str) -> None:
        """Compact before the next step."""
        self._hint = hint

    def reset(self) -> None:
        """Another conversation begins."""
        self.undone, self._hint, self._not_below, self.last, self._past = False, None, 0, 0, None

    def ask(self, ctx: LoopContext, cancel: CancelToken) -> Message:
        """`pygent.model_call.ask`, within the window. A conversation that is refused is compacted once.

        Raises ``APIError`` where that does not help, else what the model raises.
        """
        self._in_time(ctx, cancel)
        try:
            message = ask(ctx, cancel)
        except APIError as error:
            if not is_context_overflow(error):
                raise
            self._learn(ctx, str(error))
            if not self.compact(ctx, cancel, "overflow"):
                raise _too_long(error, ctx.model_name) from error
            message = self._once_more(ctx, cancel)
        self.meter.measure(ctx.history, tools_told(ctx), message.usage)
        return message

    def _once_more(self, ctx: LoopContext, cancel: CancelToken) -> Message:
        try:
            return ask(ctx, cancel)
        except APIError as error:
            if is_context_overflow(error):
                raise _too_long(error, ctx.model_name) from error
            raise

    def _in_time(self, ctx: LoopContext, cancel: CancelToken) -> None:
        """Compact where a person has asked for it, and near the limit."""
        ctx.follow()
        hint, self._hint = self._hint, None
        if hint is not None:
            self.compact(ctx, cancel, "user", hint)
            return
        window = self.window(ctx)
        if window and self.compact_at and self.tokens(ctx) >= max(self._threshold(window), self._not_below):
            self.compact(ctx, cancel, "limit")

    def _threshold(self, window: int) -> int:
        return int(window * (max(self.compact_at, AFTER_UNDO) if self.undone else self.compact_at))

    def _learn(self, ctx: LoopContext, said: str) -> None:
        """Take the window, and how the server counts, from what it said as it refused."""
        said = said.rpartition("The server said:")[2]  # not the numbers of its address
        numbers = [int(number.replace(",", "")) for number in _NUMBER.findall(said)]
        found = _LIMIT.search(said)
        limit, asked = int(found.group(1).replace(",", "")) if found else 0, max(numbers, default=0)
        if limit >= LEAST and asked > limit:
            estimate = self.tokens(ctx) / self.meter.scale
            self.meter.rescale(asked / max(1.0, estimate))
            self._told[ctx.model_name or ""] = limit

    def compact(self, ctx: LoopContext, cancel: CancelToken, by: CompactedBy, hint: str = "") -> bool:
        """Make the conversation shorter, and tell of it. Answers whether there was anything to leave out.

        Raises ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ended it; nothing is changed then.
        """
        before = self.tokens(ctx)
        ctx.emit(ContextCompacting(agent_id=ctx.agent_id, before_tokens=before))
        try:
            compacted = self._compacted(ctx, cancel, by, hint, before)
        except BaseException:
            ctx.emit(ContextCompacting(agent_id=ctx.agent_id, before_tokens=before, over=True))
            raise
        if compacted is None:
            ctx.emit(ContextCompacting(agent_id=ctx.agent_id, before_tokens=before, over=True))
            if by == "user":
                text = "There is nothing to compact: the conversation is the task and the last steps."
                ctx.emit(Notice(agent_id=ctx.agent_id, level="info", text=text))
            return False
        if ctx.briefing is not None:
            ctx.briefing.reset()  # what it has shown may be gone
        self.undone = False
        window = self.window(ctx) or 0
        # Where little could be left out, trying again at each step would only take time.
        self._not_below = compacted.after_tokens + window // 10
        ctx.emit(compacted)
        return True

    def _compacted(
        self, ctx: LoopContext, cancel: CancelToken, by: CompactedBy, hint: str, before: int
    ) -> ContextCompacted | None:
        scale = self.meter.scale
        window = self.window(ctx) or int(before * (_UNKNOWN if by == "overflow" else 1))
        room = max(LEAST, int(window / scale))  # by the rule, as the parts are counted
        tools = self.tokens(ctx) / scale - tokens_of(ctx.history)
        most = int(room * (self.compact_at or COMPACT_AT) - max(0.0, tools))
        parts = take_apart(ctx.history, room)
        enough = int(most * ENOUGH)
        shrunk = shrink(ctx.history, parts.fixed, enough)
        summed = _Summed()
        if tokens_of(parts.middle) > SMALLEST and (by == "user" or shrunk.tokens > enough):
            summary = last_answer(parts.middle, room) if ctx.small and by != "user" else ""
            if not summary:
                summed = self._summed_up(ctx, cancel, shrunk, hint, room)
                summary = as_summary(summed.text, room) if summed.text else without_summary(parts.middle)
            task = shrunk.messages[len(parts.system) :][: len(parts.task)]
            messages = put_together(replace(parts, task=task), summary, self._todos())
            shrunk = Shrunk(messages, tokens_of(messages), images=shrunk.images)
        begin = len(shrunk.messages) - len(parts.tail)
        shrink_last(shrunk, begin, most)
        if shrunk.tokens >= tokens_of(ctx.history):
            return None
        left_out = len(ctx.history) - len(shrunk.messages)
        ctx.history[:] = shrunk.messages
        self.meter.forget()
        if summed.failed:
            text = f"The model could not sum up what was left out of the conversation: {summed.failed}"
            ctx.emit(Notice(agent_id=ctx.agent_id, level="warning", text=text))
        return ContextCompacted(
            agent_id=ctx.agent_id,
            before_tokens=before,
            after_tokens=self.tokens(ctx),
            compaction_id=uuid4().hex[:12],
            by=by,
            summary=summed.text,
            messages=ctx.history.stored(),
            left_out=max(0, left_out),
            outputs=shrunk.outputs,
            images=shrunk.images,
            usage=summed.usage.to_dict() if summed.usage.total_tokens else {},
            cost=ctx.cost(summed.usage) if summed.usage.total_tokens else None,
        )

    def _summed_up(self, ctx: LoopContext, cancel: CancelToken, shrunk: Shrunk, hint: str, room: int) -> _Summed:
        """The model's own summary. It is asked in the conversation as it is, which its server has seen already."""
        asked = question(room, hint)
        spare = tokens_of([asked]) + room // 10
        whole = self.tokens(ctx) / self.meter.scale + spare <= room
        messages: Messages = list(ctx.history) if whole else _within(shrunk.messages, room - spare)
        if messages and messages[-1].get("role") == "user":
            messages = [*messages, {"role": "assistant", "content": "I stop here for a moment."}]
        out = _Summed()
        try:
            for tools in (ctx.allowed, frozenset[str]()):  # some call a tool wherever they have one
                message = answered(ctx, cancel, [*messages, asked], tools, most=longest(room))
                usage = ctx.counted(message)
                ctx.charge(usage)
                out.usage = out.usage + usage
                out.text = (message.content or "").strip()
                if out.text or not message.tool_calls:
                    break
        except (Cancelled, DeadlineExceeded):
            raise
        except Exception as error:  # whatever it was, the work goes on without a summary
            out.failed = str(error) or type(error).__name__
            return out
        out.failed = "" if out.text else "its answer was empty."
        return out


def _within(messages: Messages, room: int) -> Messages:
    """The newest of ``messages`` that fit, behind system message and task; calls and results stay together."""
    replies = [at for at, one in enumerate(messages) if one.get("role") == "assistant"]
    begin = replies[0] if replies else len(messages)
    left = room - tokens_of(messages[:begin])
    cut = len(messages)
    for at, end in zip(reversed(replies), [len(messages), *reversed(replies)], strict=False):
        left -= tokens_of(messages[at:end])
        if left < 0 and cut < len(messages):
            break
        cut = at
    return [*messages[:begin], *messages[cut:]]


def tools_told(ctx: LoopContext, allowed: frozenset[str] | None = None) -> list[dict[str, Any]] | None:
    """The definitions that a request has: a model that writes calls in its own form is told of few.

    ``allowed`` are the tools that there are, those of the present run where it is None.
    """
    tools = ctx.executor.registry.schemas(ctx.allowed if allowed is None else allowed) or None
    told = getattr(ctx.model, "told_tools", None)
    return told(tools, ctx.model_name) if callable(told) else tools


def _too_long(error: APIError, model: str | None) -> APIError:
    text = (
        f"The conversation is longer than {model or 'the model'} can see, also compacted. Begin anew (/new), or let "
        f"the server have more context. {error}"
    )
    return APIError(text, url=error.url, status=error.status)
