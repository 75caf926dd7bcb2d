"""One loop against the prepared server, in a process of its own: `python -m benchmarks.loops KIND PORT STEPS`.

Prints a JSON list with the wall-clock and the CPU time, in seconds, at the start of each tool call.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

NOTE = "Take a note of a text."
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
LONG = 10_000
"""Messages of a long conversation."""
RESULT = "noted\n" * 100
"""600 characters, as a short command's output has."""

times: list[tuple[float, float]] = []


def note(rt: object, text: str) -> str:
    """The cheapest tool: what is measured is what stands around it."""
    times.append((time.perf_counter(), time.process_time()))
    return RESULT


def pygent_loop(url: str, steps: int, behind: int = 0) -> None:
    """A run; with ``behind`` it has that many messages behind it, in a window that is large enough for them."""
    from pygent import Agent, OpenAIModel, Runtime, register_tool

    register_tool("note", NOTE, SCHEMA, note)
    with tempfile.TemporaryDirectory() as workspace:
        runtime = Runtime(use_docker=False, workspace=workspace)
        agent = Agent(runtime, OpenAIModel(url, "none"), "bench")
        agent.use(agent.chosen._replace(window=lambda: 10**9))
        agent.history.extend(earlier(behind))
        result = agent.run_until_stop("Take notes.", max_steps=steps + 10)
        runtime.cleanup()
    assert result.reason == "stopped", result


def earlier(messages: int) -> Iterator[dict[str, Any]]:
    """A conversation of that many messages: a prompt, then calls and their results."""
    if messages:
        yield {"role": "user", "content": "Take notes."}
    for number in range(messages // 2):
        function = {"name": "note", "arguments": '{"text": "x"}'}
        yield {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"earlier_{number}", "type": "function", "function": function}],
        }
        yield {"role": "tool", "tool_call_id": f"earlier_{number}", "content": RESULT}


def behind_loop(url: str, steps: int) -> None:
    """As ``pygent``, behind a long conversation."""
    pygent_loop(url, steps, LONG)


def bare_loop(url: str, steps: int, client: Any = None) -> None:
    """What a program does that only has the client: the same payloads, and nothing else."""
    from openai import OpenAI

    from pygent.tools import REGISTRY

    tools: list[Any] = [
        *REGISTRY.schemas(),
        {"type": "function", "function": {"name": "note", "description": NOTE, "parameters": SCHEMA}},
    ]
    client = client or OpenAI(base_url=url, api_key="none")
    messages: list[Any] = [{"role": "system", "content": "x" * 1500}, {"role": "user", "content": "Take notes."}]
    while True:
        answer = client.chat.completions.create(model="bench", messages=messages, tools=tools)
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        for call in message.tool_calls or ():
            if call.function.name == "stop":  # type: ignore[union-attr]
                return
            result = note(None, **json.loads(call.function.arguments))  # type: ignore[union-attr]
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    kind, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    {"pygent": pygent_loop, "bare": bare_loop, "behind": behind_loop}[kind](f"http://127.0.0.1:{port}/v1", count)
    print(json.dumps(times))
