"""Asks a person, and remembers what was answered for the session.

Agents block in ``Broker.request`` on their own threads; a front end answers with ``Broker.resolve`` from any thread.
No event is emitted while the lock is held: a sink may answer from inside ``emit``.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import uuid4

from pygent.approvals.base import Answer, Judged, Mode, PendingCall, Verdict
from pygent.approvals.policy import Policy, RuleKind, allowed_by
from pygent.approvals.rights import Rights
from pygent.approvals.rules import Rule
from pygent.approvals.summary import summarize
from pygent.cancellation import CancelToken
from pygent.events import ApprovalRequested, ApprovalResolved, DecidedBy, Decision, Event
from pygent.persona import Persona

log = logging.getLogger(__name__)

Emit = Callable[[Event], object]


@dataclass(slots=True, eq=False)
class _Request:
    """One question. ``answer`` is set once, by whoever takes the request out of the queue."""

    id: str
    agent_id: str
    call: PendingCall
    verdict: Verdict
    announced: bool = False
    answer: Answer | None = None
    wake: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


class _Grants:
    """What was allowed for the session: rules, and calls that no rule covers."""

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.calls: frozenset[str] = frozenset()

    def add(self, request: _Request) -> None:
        if request.verdict.rule is not None:
            self.rules = (*self.rules, Rule.parse(request.verdict.rule))
        else:
            self.calls |= {_key(request.call)}

    def take_back(self, grant: str) -> bool:
        rules = tuple(rule for rule in self.rules if rule.text != grant)
        known = grant in self.calls or len(rules) < len(self.rules)
        self.rules, self.calls = rules, self.calls - {grant}
        return known

    def cover(self, call: PendingCall, verdict: Verdict) -> bool:
        if verdict.once:
            return False
        if self.calls and _key(call) in self.calls:
            return True
        return bool(self.rules) and not verdict.strict and allowed_by(self.rules, call.tool, call.arguments)


class Broker:
    """The queue of questions to a person; thread-safe, for all agents of a session.

    Each question is one ``approval.requested`` and one ``approval.resolved``, also where the work is cancelled
    meanwhile (then it is denied by ``"nobody"``).
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._lock = threading.Lock()
        self._queue: dict[str, _Request] = {}
        self._grants = _Grants()
        self._closed = False

    @property
    def waiting(self) -> tuple[str, ...]:
        """Ids of the open questions, in the order they came."""
        with self._lock:
            return tuple(self._queue)

    @property
    def grants(self) -> tuple[str, ...]:
        """What was allowed for the session, as rules or as the calls themselves."""
        with self._lock:
            return (*(rule.text for rule in self._grants.rules), *sorted(self._grants.calls))

    def forget(self, grant: str | None = None) -> bool:
        """Take back what was allowed for the session: one of ``grants``, or all. False where there was none."""
        with self._lock:
            had = bool(self._grants.rules or self._grants.calls)
            if grant is None:
                self._grants = _Grants()
            else:
                had = self._grants.take_back(grant)
        return had

    def close(self) -> None:
        """Deny every open and every later question; nobody is there to answer."""
        with self._lock:
            self._closed = True
            announced = [request for request in self._queue.values() if request.announced]
        for request in announced:
            self._settle(request, "deny", "", "nobody")

    def asked_by(self, agent_id: str, tool: str) -> str | None:
        """Id of the open question about a call of ``tool`` by that agent, None where there is none."""
        with self._lock:
            return next(
                (one.id for one in self._queue.values() if one.agent_id == agent_id and one.call.tool == tool), None
            )

    def request(
        self,
        agent_id: str,
        call: PendingCall,
        verdict: Verdict,
        cancel: CancelToken,
        on_wait: Callable[[bool], object] | None = None,
    ) -> Answer:
        """Ask, and wait for the answer or for ``cancel``; does not raise where the work ended meanwhile.

        ``on_wait`` is called with True once the question stands, and with False once it is answered.
        """
        request = _Request(uuid4().hex, agent_id, call, verdict)
        with self._lock:
            if self._grants.cover(call, verdict):
                return Answer("allow_session", by="policy", reason=verdict.reason)
            self._queue[request.id] = request
        try:
            self._emit(
                ApprovalRequested(
                    agent_id=agent_id,
                    request_id=request.id,
                    call_id=call.call_id,
                    tool=call.tool,
                    summary=summarize(call, verdict.reason),
                    arguments=call.arguments,
                    rule=verdict.rule,
                )
            )
            if on_wait is not None:
                on_wait(True)
            with self._lock:
                request.announced = True
                covered, closed = self._grants.cover(call, verdict), self._closed
            if closed:
                self._settle(request, "deny", "", "nobody")
            elif covered:  # allowed while the question was on its way
                self._settle(request, "allow_session", "", "policy")
            with cancel.on_cancel(request.wake.set):
                request.wake.wait()
        finally:
            # Cancelled, or interrupted by the keyboard: whoever else is settling it already has the last word.
            if not self._settle(request, "deny", "", "nobody"):
                request.done.wait()
            if on_wait is not None:
                on_wait(False)
        return request.answer or Answer("deny", by="nobody", reason=verdict.reason)

    def resolve(self, request_id: str, decision: Decision, feedback: str = "") -> bool:
        """Answer a question; ``feedback`` is for the model. False where it is unknown or answered already.

        "Always" counts as "for this session" where no rule can be saved. An answer for the session also answers the
        open questions that it covers. Raises ``ValueError`` for an unknown decision.
        """
        if decision not in get_args(Decision):
            raise ValueError(f"{decision!r} is not one of {', '.join(get_args(Decision))}")
        with self._lock:
            request = self._queue.get(request_id)
        if request is None:
            return False
        if decision == "allow_always" and request.verdict.rule is None:
            decision = "allow_session"
        if not self._settle(request, decision, feedback, "user"):
            return False
        if decision in {"allow_session", "allow_always"}:
            self._settle_covered()
        return True

    def _settle_covered(self) -> None:
        with self._lock:
            covered = [
                request
                for request in self._queue.values()
                if request.announced and self._grants.cover(request.call, request.verdict)
            ]
        for request in covered:
            self._settle(request, "allow_session", "", "policy")

    def _settle(self, request: _Request, decision: Decision, feedback: str, by: DecidedBy) -> bool:
        """Answer a request that is still open. Answers whether it was."""
        with self._lock:
            if self._queue.pop(request.id, None) is None:
                return False
            request.answer = Answer(decision, feedback, by, request.verdict.reason)
            if by == "user" and decision in {"allow_session", "allow_always"} and not request.verdict.once:
                self._grants.add(request)
        try:
            self._emit(
                ApprovalResolved(
                    agent_id=request.agent_id,
                    request_id=request.id,
                    decision=decision,
                    feedback=feedback,
                    by=by,
                )
            )
        finally:
            request.done.set()
            request.wake.set()
        return True


class Approvals:
    """Policy and broker together: what the executor asks.

    Without a broker nobody can answer: what would ask is denied. ``emit`` then shows such questions in the stream,
    each with its answer by ``"nobody"``. ``save_rule`` keeps a rule beyond the session; it may raise ``OSError``, in
    which case the rule holds for the session and the log says why. ``persona`` is the name of the agent's persona.
    """

    def __init__(
        self,
        policy: Policy,
        broker: Broker | None = None,
        *,
        emit: Emit | None = None,
        save_rule: Callable[[str], object] | None = None,
        roots: Collection[str] | None = None,
        rights: Rights | None = None,
        persona: str = "",
    ) -> None:
        self.policy = policy
        self.persona = persona
        self.roots = roots
        self.rights = rights or Rights()
        self.broker = broker
        self.on_wait: Callable[[bool], object] | None = None
        """Called with True when the agent begins to wait for a person, and with False when it goes on."""
        self._emit = emit
        self._save_rule = save_rule

    def within(self, roots: Collection[str] | None, persona: Persona | None = None) -> Approvals:
        """The same policy and queue for an agent whose workspace has these absolute paths.

        It has these rights as far as ``persona`` has them, too. Raises ``SettingsError`` where one of the persona's
        rules cannot be read.
        """
        rights = self.rights if persona is None else self.rights.narrowed(Rights.of(persona))
        return Approvals(
            self.policy,
            self.broker,
            emit=self._emit,
            save_rule=self._save_rule,
            roots=roots,
            rights=rights,
            persona=self.persona if persona is None else persona.name,
        )

    def become(self, persona: Persona) -> None:
        """The agent is ``persona`` from now on. Raises ``SettingsError`` where one of its rules cannot be read."""
        self.rights = Rights.of(persona)
        self.persona = persona.name

    @property
    def mode(self) -> Mode:
        """The permission mode that holds just now."""
        return self.rights.within(self.policy.mode)

    def rules(self, kind: RuleKind) -> tuple[str, ...]:
        """The rules of one kind that hold just now, as they are written."""
        more = [rule.text for rule in self.rights.deny] if kind == "deny" else []
        return tuple(dict.fromkeys((*self.policy.rules(kind), *more)))

    def decide(self, tool: Judged, call: PendingCall, *, agent_id: str, cancel: CancelToken) -> Answer:
        """Decide on one call; blocks while a person is asked."""
        verdict = self._judge(tool, call.arguments, agent_id)
        if verdict.action == "allow":
            return Answer("allow_once", by="policy", reason=verdict.reason)
        if verdict.action == "deny":
            return Answer("deny", by="policy", reason=verdict.reason)
        if self.broker is None:
            return self._unanswered(call, verdict, agent_id)
        answer = self.broker.request(agent_id, call, verdict, cancel, self.on_wait)
        if answer.decision == "allow_always" and verdict.rule is not None:
            self._save(verdict.rule)
        return answer

    def lets(self, tool: Judged, arguments: dict[str, Any], agent_id: str) -> bool:
        """Whether a call would run without anybody being asked."""
        return self._judge(tool, arguments, agent_id).action == "allow"

    def ask(self, call: PendingCall, *, agent_id: str, cancel: CancelToken, reason: str = "") -> Answer | None:
        """Ask the person, whatever the policy; None where nobody is there. The answer holds for this call alone."""
        if self.broker is None:
            return None
        verdict = Verdict("ask", reason, strict=True, once=True)
        answer = self.broker.request(agent_id, call, verdict, cancel, self.on_wait)
        return None if answer.by == "nobody" else answer

    def _judge(self, tool: Judged, arguments: dict[str, Any], agent_id: str) -> Verdict:
        return self.policy.judge(
            tool, arguments, agent_id, roots=self.roots, rights=self.rights, persona=self.persona
        )

    def _save(self, rule: str) -> None:
        self.policy.add_rule("allow", rule)
        if self._save_rule is None:
            return
        try:
            self._save_rule(rule)
        except Exception:  # a full disk or a read-only home must not undo the person's answer
            log.exception("the rule %s could not be saved; it holds for this session", rule)

    def _unanswered(self, call: PendingCall, verdict: Verdict, agent_id: str) -> Answer:
        if self._emit is not None:
            request_id = uuid4().hex
            self._emit(
                ApprovalRequested(
                    agent_id=agent_id,
                    request_id=request_id,
                    call_id=call.call_id,
                    tool=call.tool,
                    summary=summarize(call, verdict.reason),
                    arguments=call.arguments,
                    rule=verdict.rule,
                )
            )
            self._emit(ApprovalResolved(agent_id=agent_id, request_id=request_id, decision="deny", by="nobody"))
        return Answer("deny", by="nobody", reason=verdict.reason)


def narrowed(
    approvals: Approvals | None, roots: Collection[str] | None, persona: Persona, emit: Emit | None = None
) -> Approvals | None:
    """Approvals for ``persona`` with the rights of ``approvals``, where None asks nobody and allows everything.

    Then None serves a persona that narrows nothing, too; what another one would ask for is denied, as nobody answers.
    Raises ``SettingsError`` where one of its rules cannot be read.
    """
    if approvals is None:
        if Rights.of(persona) == Rights():
            return None
        approvals = Approvals(Policy("yolo"), emit=emit)
    return approvals.within(roots, persona)


def _key(call: PendingCall) -> str:
    arguments: dict[str, Any] = call.arguments
    return f"{call.tool} {json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)}"
