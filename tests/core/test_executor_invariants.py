"""Every start has one end: several agents, people who answer at random, and tokens that end at any moment."""

import json
import random
import threading
import time
from types import SimpleNamespace

from pygent.approvals import Approvals, Broker, Policy
from pygent.cancellation import CancelToken
from pygent.events import ApprovalRequested, ToolFinished, ToolStarted
from pygent.openai_compat import ToolCall, ToolCallFunction
from tests.fakes.bench import NAME, Bench
from tests.fakes.invariants import check_events

CALLS = [
    ("custom", {"name": "x"}),
    ("custom", {}),
    ("bash", {"cmd": "make"}),
    ("bash", {"cmd": "make test"}),
    ("bash", {"cmd": "curl x"}),
    ("bash", {"cmd": "rm -rf /"}),
    ("nothing", {}),
]


def busy_agent(executor, number, chance, statuses):
    """Makes calls whose tokens end at any moment."""
    for turn in range(25):
        token = CancelToken(chance.choice([None, None, 0.003, 5]))
        timer = threading.Timer(chance.random() * 0.005, token.cancel)
        timer.start()
        name, arguments = chance.choice(CALLS)
        call = ToolCall(f"{number}-{turn}", ToolCallFunction(name, json.dumps(arguments)))
        runtime = SimpleNamespace(bash=lambda cmd: "ran")
        statuses.append(executor.execute(call, runtime, agent_id=f"a{number}", cancel=token).status)
        timer.join()


def hasty_person(broker, requests, chance, over):
    """Answers at random, also what was answered already."""
    while not over.is_set():
        for request in list(requests[-8:]):
            if chance.random() < 0.5:
                decision = chance.choice(["allow_once", "allow_once", "deny", "allow_session", "allow_always"])
                broker.resolve(request.request_id, decision, "because")
        if chance.random() < 0.2:
            broker.forget()
        time.sleep(0.0005)


def check_calls(events):
    """One call at a time, and everything about it between its start and its end."""
    inside = None
    for event in events:
        if isinstance(event, ToolStarted):
            assert inside is None
            inside = event.call_id
        elif isinstance(event, ToolFinished):
            assert inside == event.call_id
            inside = None
        else:
            assert inside is not None


def test_every_start_has_one_end_under_random_cancels_and_answers(seed):
    chance = random.Random(seed)

    def work(rt, name):
        kind = chance.random()
        if kind < 0.2:
            raise RuntimeError(name)
        if kind < 0.3:
            raise SystemExit
        time.sleep(chance.random() * 0.002)
        return name

    bench = Bench(work, NAME)
    broker = Broker(bench.bus.publish)
    bench.executor.approvals = Approvals(Policy("ask", banned_commands=["curl"]), broker)
    requests: list[ApprovalRequested] = []
    bench.bus.subscribe(lambda event: isinstance(event, ApprovalRequested) and requests.append(event))
    over, statuses = threading.Event(), []
    people = [
        threading.Thread(target=hasty_person, args=(broker, requests, random.Random(seed * 100 + n), over))
        for n in range(2)
    ]
    agents = [
        threading.Thread(target=busy_agent, args=(bench.executor, n, random.Random(seed * 10 + n), statuses))
        for n in range(4)
    ]
    for thread in [*people, *agents]:
        thread.start()
    for thread in agents:
        thread.join(30)
        assert not thread.is_alive()
    over.set()
    for thread in people:
        thread.join(5)
    assert len(statuses) == 100
    assert {"cancelled", "denied", "ok", "error"} <= set(statuses)
    assert broker.waiting == ()
    check_events(bench.events)
    for number in range(4):
        check_calls([event for event in bench.events if event.agent_id == f"a{number}"])
