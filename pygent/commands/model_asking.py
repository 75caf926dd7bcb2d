"""Asks a model the calls of ``pygent doctor --model``, and mends what it refuses as a session would."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field

from pygent.commands.model_probes import Body, Probe, Trait
from pygent.commands.model_quirks import Finding, Reading, findings, read
from pygent.errors import APIError
from pygent.models import api_errors
from pygent.models.compat import Learning
from pygent.models.connection import Line
from pygent.models.encoder import BodyEncoder
from pygent.models.endpoint import Endpoint
from pygent.models.exchange import Exchange, exchange
from pygent.models.request import Request
from pygent.openai_compat import Message

REFUSALS = (400, 404, 413, 422, 500, 501)
NO_USE = (401, 403, 404)
"""Statuses after which nothing else needs to be asked."""

LONGEST_ANSWER = 2000
LONGEST_WAIT = 10.0
MOST_TRIES = 12
CUT = 0.8
"""A server that counts less than this part of a prompt has cut it."""

_NUMBERS = {"stream_options": 11, "reasoning": 8, "tools": 10, "images": 14, "stream": 12, "system": 13}
_NUMBERS |= {"parallel_tool_calls": 13, "max_tokens": 13, "call_ids": 1, "null_content": 6, "user_after_tool": 9}
_AFTER_TOOL = re.compile(r"after.{0,12}tool", re.IGNORECASE)


@dataclass(slots=True)
class Row:
    """What became of one call.

    ``outcome`` is ok, odd, failed or not asked; ``seconds`` are those of all its tries, ``first`` those until the
    first piece of the answer. ``said`` is what is wrong; after ``no_use`` nothing else needs to be asked.
    """

    name: str
    outcome: str = "not asked"
    seconds: float = 0.0
    first: float | None = None
    said: str = ""
    found: list[Finding] = field(default_factory=list)
    message: Message | None = None
    no_use: bool = False

    @property
    def noticed(self) -> str:
        """All in one line."""
        parts = [self.said] if self.said else []
        if self.first is not None and self.outcome == "ok":
            parts.append(f"first piece after {self.first:.1f} s")
        parts += [f"{finding.text} ({finding.number})" if finding.number else finding.text for finding in self.found]
        return "; ".join(parts)


class Asking:
    """One model on its server; ``learning`` is what is known of it, and what turns out."""

    def __init__(self, server: Endpoint, model: str, learning: Learning, temperature: float | None) -> None:
        self.learning = learning
        self._server, self._model, self._temperature = server, model, temperature
        self._line = Line(server)
        self._used = False
        self._encoder = BodyEncoder()

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def ask(self, probe: Probe, words: int = 0) -> Row:
        """Make the call, again and otherwise where it is refused. ``words`` are those of a long prompt."""
        row = Row(probe.name)
        traits = list(probe.traits)
        tries = 0
        for _ in range(MOST_TRIES):
            request = self._request(probe)
            body = self._body(request, traits)
            answer = exchange(self._line, self._server, json.dumps(body).encode(), self._model)
            row.seconds += answer.seconds
            if answer.good:
                reading = read(answer.body, probe.tools)
                if reading.finished and reading.message is not None:
                    self._take(row, probe, answer, reading, words)
                    return row
                answer.broke, answer.why = True, reading.error or "the answer ends before it is whole"
            if self._mend(row, answer, request, traits):
                continue
            if tries >= 2 or not self._passing(row, answer):
                break
            tries += 1
        row.outcome, row.said = "failed", row.said or answer.why
        row.no_use = answer.status is None or answer.status in NO_USE
        return row

    def _request(self, probe: Probe) -> Request:
        compat = self.learning.now
        longest = None if probe.streaming else LONGEST_ANSWER
        return Request(
            probe.messages,
            self._model,
            probe.tools,
            probe.streaming and compat.stream,
            self._temperature if compat.temperature else None,
            max_tokens=longest if compat.max_tokens != "none" else None,
        )

    def _body(self, request: Request, traits: list[Trait]) -> Body:
        body: Body = json.loads(request.body(self._encoder, self.learning.now))
        for trait in traits:
            trait.put(body)
        return body

    def _take(self, row: Row, probe: Probe, answer: Exchange, reading: Reading, words: int) -> None:
        self._used = True
        message = row.message = reading.message
        assert message is not None
        shown = findings(answer.body, reading, probe.tools)
        native = self.learning.now.tools == "native"
        row.found += [one for one in shown if one.number != 5 or native]
        counted = message.usage.prompt_tokens if message.usage else 0
        wrong = probe.judge(message)
        if words and counted and counted < CUT * words:
            row.found.append(Finding(16, f"of about {words} tokens the server counted {counted}: it cuts silently"))
        row.first = answer.first if reading.streamed else None
        row.outcome, row.said = ("odd", wrong) if wrong else ("ok", "")

    def _mend(self, row: Row, answer: Exchange, request: Request, traits: list[Trait]) -> bool:
        """Do otherwise what was refused. Answers whether there is something to try again with."""
        if answer.broke or answer.status not in REFUSALS:
            return False
        text = answer.why
        if api_errors.is_context_overflow(APIError(text, status=answer.status)):
            row.found.append(Finding(16, f"a prompt that is too long is refused with HTTP {answer.status}"))
            return False
        for trait in traits:
            if trait.pattern.search(text) and "reasoning" not in text:
                traits.remove(trait)
                row.found.append(Finding(trait.number, trait.text))
                if _AFTER_TOOL.search(text):  # what a session sends, too, where a person speaks in a run
                    self._learn(row, answer, request)
                return True
        if self._learn(row, answer, request):
            return True
        if traits and answer.status != 404:
            trait = traits.pop()
            row.found.append(Finding(trait.number, f"{trait.text}, it seems"))
            return True
        return False

    def _learn(self, row: Row, answer: Exchange, request: Request) -> bool:
        before = self.learning.now
        learnt = self.learning.learn(answer.status, answer.why, request)
        if learnt:
            changed = next(iter(self.learning.now.differing(before)), "")
            row.found.append(Finding(_NUMBERS.get(changed, 0), learnt.rstrip(".")))
        return bool(learnt)

    def _passing(self, row: Row, answer: Exchange) -> bool:
        """Whether it is worth trying the same again; waits as long as the server asks for."""
        status = answer.status
        if answer.broke:
            row.found.append(Finding(12, f"a stream breaks off in the middle ({answer.why})"))
            return True
        if status is None:
            # A server may close a connection between two requests, which is no quirk.
            used, self._used = self._used, False
            if not used:
                row.found.append(Finding(15, "the connection is refused or reset"))
        elif status in {408, 409, 425, 429} or status >= 500:
            row.found.append(Finding(15, f"HTTP {status} is answered, and it works when tried again"))
        else:
            if status in NO_USE:
                row.found.append(Finding(15, f"HTTP {status} is answered, which trying again does not mend"))
            return False
        wait = answer.headers.get("retry-after", "")
        time.sleep(min(float(wait) if wait.replace(".", "", 1).isdigit() else 0.3, LONGEST_WAIT))
        return True
