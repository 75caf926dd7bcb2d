"""What the model sees: one leading system message, then the conversation, every call answered once.

A server refuses a history in which a tool call has no answer, and then refuses it for ever; so the pairing is kept
here, where it cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pygent.events import MAIN, ContextCompacted, ContextRestored, Event, MessageFinished, Origin, ToolFinished
from pygent.images import Content, joined, text_of
from pygent.openai_compat import Message, parse_message
from pygent.standing import standing

INTERRUPTED = "The call was interrupted before it ended; its effects may be incomplete."


class Said(dict[str, Any]):
    """A user message that knows who said it, which is not sent.

    ``origin`` is that of the event, ``words`` what of the message is a person's own text.
    """

    def __init__(self, content: Content, origin: Origin, words: str = "") -> None:
        super().__init__(role="user", content=content)
        self.origin = origin
        self.words = words or (text_of(content) if origin == "user" else "")


class History(list[dict[str, Any]]):
    """A list of messages in the protocol's shape.

    Only the agent's own thread changes it. A message is not changed once it stands here, it is replaced: models
    may keep what they made of it.
    """

    def set_system(self, text: str) -> None:
        """Make ``text`` the one leading system message. An equal one stays, so that prompt caches hold."""
        if self and self[0]["role"] == "system":
            if self[0]["content"] != text:
                self[0] = {"role": "system", "content": text}
        else:
            self.insert(0, {"role": "system", "content": text})

    def add_user(self, content: Content, origin: Origin = "user") -> None:
        """Add what a person, or something in their name, said. Calls that are still open are answered first."""
        self.answer_open_calls(INTERRUPTED)
        last = self[-1] if self else None
        if last is not None and last["role"] == "user":
            # Two user messages in a row are refused by some chat templates.
            both = {origin, getattr(last, "origin", "user")}
            words = "\n\n".join(filter(None, (getattr(last, "words", ""), Said(content, origin).words)))
            self[-1] = Said(joined(last["content"], content), "user" if "user" in both else origin, words)
        else:
            self.append(Said(content, origin))

    def add_assistant(self, message: Message) -> bool:
        """Add a reply; answers whether it was added.

        One with neither text nor calls is left out, since servers refuse it.
        """
        if not message.tool_calls and not (message.content or "").strip():
            return False
        self.append(message.to_dict())
        return True

    def add_result(self, call_id: str, text: str) -> None:
        """Answer a call."""
        self.append({"role": "tool", "tool_call_id": call_id, "content": text})

    def open_calls(self) -> list[str]:
        """Ids of the last reply's calls that have no answer yet, in order."""
        answered: set[str] = set()
        for message in reversed(self):
            if message["role"] == "tool":
                answered.add(message["tool_call_id"])
            else:
                return [call["id"] for call in message.get("tool_calls", ()) if call["id"] not in answered]
        return []

    def answer_open_calls(self, text: str) -> None:
        """Answer every open call with ``text``."""
        for call_id in self.open_calls():
            self.add_result(call_id, text)

    def replay(self, events: Iterable[Event], agent_id: str = MAIN) -> None:
        """Add the messages and results that an agent's stored events tell of; calls left open are answered.

        What was rewound does not count; what was compacted is so here too, unless that was undone.
        """
        counting = standing(events, agent_id)
        undone = {event.compaction_id for event in counting if isinstance(event, ContextRestored)}
        for event in counting:
            if isinstance(event, MessageFinished) and not event.discarded:
                message = parse_message(event.message)
                if message.role == "user":
                    self.add_user(event.message.get("content") or "", event.origin)
                else:
                    self.answer_open_calls(INTERRUPTED)
                    self.add_assistant(message)
            elif isinstance(event, ToolFinished) and event.call_id in self.open_calls():
                self.add_result(event.call_id, event.output)
            elif isinstance(event, ContextCompacted) and event.messages and event.compaction_id not in undone:
                self.take(event.messages)
        self.answer_open_calls(INTERRUPTED)

    def stored(self) -> list[dict[str, Any]]:
        """The conversation without the system message, as an event keeps it: a user's message with its origin.

        In ``words`` it has a person's own text, where that is another than the message's.
        """
        return [_stored(message) for message in self if message["role"] != "system"]

    def take(self, stored: Iterable[dict[str, Any]]) -> None:
        """Become the conversation that ``stored`` answered, behind the same system message."""
        self.reset()
        self.extend(_said(message) if message.get("role") == "user" else dict(message) for message in stored)

    def reset(self) -> None:
        """Forget the conversation, keep the system message."""
        del self[1 if self and self[0]["role"] == "system" else 0 :]


def _stored(message: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(message, Said):
        return dict(message)
    plain = Said(message["content"], message.origin)
    return {**message, "origin": message.origin} | ({} if plain.words == message.words else {"words": message.words})


def _said(message: dict[str, Any]) -> Said:
    return Said(message.get("content") or "", message.get("origin", "user"), message.get("words", ""))
