"""What the model does in a session that is killed again and again, and what it makes sure of in each request."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pygent.events import MAIN
from tests.fakes.invariants import check_history
from tests.fakes.openai_server import Step, reply

STOP: tuple[str, dict[str, Any]] = ("stop", {})
CHILD = "A part of it"
DONE = "The part is made."
SUM_UP = "The conversation is getting too long"


def noise(number: int) -> str:
    """A command that has a process in the background while it prints."""
    return f"sleep 8639 & seq {number} {number + 40}; sleep 0.01; echo $$ > pid.txt; seq 9; kill $!; wait; echo ended"


class Script:
    """The model: it answers a whole piece of work for each ``life`` of the session, and looks at what it is asked.

    ``asked`` are the messages of the present life's requests for a step, ``summed_up`` counts those for a summary.
    Nothing is answered before the ``gate`` is set.
    """

    def __init__(self) -> None:
        self.life = 0
        self.wrong: list[str] = []
        self.asked: list[list[dict[str, Any]]] = []
        self.summed_up = 0
        self.gate = threading.Event()
        self.gate.set()
        self._steps: Counter[str] = Counter()

    def begin(self) -> None:
        """The next process begins."""
        self.life += 1
        self.asked = []
        self._steps.clear()

    def __call__(self, request: dict[str, Any]) -> Step:
        self.gate.wait(30)
        messages = request["messages"]
        try:
            check_request(messages)
        except AssertionError as error:
            self.wrong.append(f"{error}: {json.dumps(messages)[-3000:]}")
        used = len(json.dumps(request)) // 4
        step = self._answer(messages)
        return replace(step, usage={"prompt_tokens": used, "completion_tokens": 10, "total_tokens": used + 10})

    def _answer(self, messages: list[dict[str, Any]]) -> Step:
        if str(messages[-1]["content"]).startswith(SUM_UP):
            self.summed_up += 1
            return reply(f"Until life {self.life} this was done: " + "files were written. " * 20)
        first = str(messages[1]["content"])
        who = first if first.startswith(CHILD) else MAIN
        if who == MAIN:
            self.asked.append(messages)
        self._steps[who] += 1
        return self._child(self._steps[who]) if who != MAIN else self._main(self._steps[who], messages)

    def _child(self, step: int) -> Step:
        match step:
            case 1:
                return reply(tool_calls=[("bash", {"cmd": f"echo x >> shared.txt; {noise(step)}"})])
            case 2:
                return reply("It grows.", tool_calls=[("write_file", {"path": "part.txt", "content": "part\n" * 50})])
        return reply(DONE, tool_calls=[STOP])

    def _main(self, step: int, messages: list[dict[str, Any]]) -> Step:
        life = self.life
        match step:
            case 1:
                write = {"path": f"of-life-{life}.txt", "content": f"life {life}\n" * 20}
                return reply("I begin.", tool_calls=[("write_file", write), ("bash", {"cmd": noise(100)})])
            case 2:
                todos = [{"text": f"piece {number}", "state": "pending"} for number in range(3)]
                edit = {"path": "shared.txt", "old": "first\n", "new": f"first\nlife {life}\n"}
                return reply(tool_calls=[("update_todos", {"todos": todos}), ("edit_file", edit)])
            case 3:
                parts = [("delegate_task", {"prompt": f"{CHILD}: {number} of life {life}"}) for number in (1, 2)]
                return reply("Two others help.", tool_calls=parts)
            case 4:
                command = f"rm -f gone.txt; mkdir -p d; seq 3000 > d/long-{life}.txt; cat d/long-{life}.txt"
                return reply(tool_calls=[("bash", {"cmd": command})])
            case 5:
                return reply("I wait for them.", tool_calls=[("wait_for_tasks", {})])
            case 6 if ids := _started(messages):
                return reply(tool_calls=[("apply_task", {"task_id": ids[-1]})])
            case 7:
                return reply(
                    "Nearly.", tool_calls=[("read_file", {"path": "shared.txt"}), ("bash", {"cmd": noise(7)})]
                )
        return reply(f"All is done in life {life}.", tool_calls=[STOP])


def _started(messages: list[dict[str, Any]]) -> list[str]:
    answers = [str(message["content"]) for message in messages if message["role"] == "tool"]
    return [text.split()[-1] for text in answers if text.startswith("started ")]


def check_request(messages: list[dict[str, Any]]) -> None:
    """What the strictest of servers asks of the messages of a request."""
    check_history(messages)
    assert messages[0]["role"] == "system", "no system message first"
    assert messages[1]["role"] == "user", "no user message after it"
    for before, after in pairwise(messages):
        if after["role"] in {"user", "assistant"}:
            assert before["role"] != after["role"], f"two messages of {after['role']} in a row"
    ids = [call["id"] for message in messages for call in message.get("tool_calls", ())]
    assert len(ids) == len(set(ids)), "an id of a call twice"
