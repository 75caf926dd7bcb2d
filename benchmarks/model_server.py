"""A model's server in a process of its own that plays one of a few scenes. `python -m benchmarks.model_server SCENE`.

It prints its base URL, then serves until its standard input is closed.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any

from benchmarks.texts import LAST, fence, tokens
from tests.fakes.openai_server import FakeOpenAI, Step, delta, raw, reply, sse

Scene = Callable[[dict[str, Any]], Step]


def streamed(pieces: list[str], rate: float) -> Step:
    """An answer in these pieces, so many a second."""
    chunks = [sse(delta(content=piece), done=False) for piece in pieces]
    return raw([*chunks, sse(delta("stop"))], chunk_delay=1 / rate)


def tells(count: int, rate: int) -> Scene:
    """Every prompt is answered by Markdown of ``count`` tokens."""
    return lambda request: streamed(tokens(count), rate)


def shows_code(lines: int, rate: int) -> Scene:
    """Every prompt is answered by one long block of code."""
    return lambda request: streamed(fence(lines), rate)


def runs(command: str) -> Scene:
    """Every prompt is answered by one command, and its result by a last word."""

    def answer(request: dict[str, Any]) -> Step:
        if request["messages"][-1]["role"] == "tool":
            return reply(LAST)
        return reply("I run it.", tool_calls=[("bash", {"cmd": command})])

    return answer


def delegates(count: int, rate: int, seconds: int) -> Scene:
    """The main agent starts ``count`` tasks; each task's answer comes at ``rate`` tokens a second."""

    def answer(request: dict[str, Any]) -> Step:
        prompt = next(str(message["content"]) for message in request["messages"] if message["role"] == "user")
        if prompt.startswith("part"):
            return streamed(tokens(rate * seconds), rate)
        if request["messages"][-1]["role"] == "tool":
            return reply(LAST)
        calls = [("delegate_task", {"prompt": f"part {number}"}) for number in range(count)]
        return reply("I share it out.", tool_calls=calls)

    return answer


def works(rate: int) -> Scene:
    """A working day: what the last two words of the newest prompt ask for."""

    def answer(request: dict[str, Any]) -> Step:
        messages = request["messages"]
        prompt = next(str(one["content"]) for one in reversed(messages) if one["role"] == "user")
        word, number = ["", "", *prompt.split()][-2:]  # an interrupted prompt stands before it, in the same message
        over = [f"\n\nover-{word}-{number}.\n"]
        if messages[-1]["role"] == "tool":
            return streamed(tokens(40) + over, rate)
        calls: dict[str, list[tuple[str, dict[str, str]]]] = {
            "run": [("bash", {"cmd": "seq 3000; echo $$ >&2"}), ("bash", {"cmd": "ls -la; false"})],
            "write": [("write_file", {"path": f"part_{number}.txt", "content": "line\n" * 50})],
            "share": [("delegate_task", {"prompt": f"run {number}"}), ("delegate_task", {"prompt": f"say {number}"})],
            "wait": [("bash", {"cmd": f"sleep 1{number}; sleep 300"})],
        }
        if word in calls:
            return reply("I do that.", tool_calls=calls[word])
        return streamed(tokens(3000 if word == "talk" else 200) + over, rate)

    return answer


SCENES: dict[str, Callable[..., Scene]] = {
    "tells": tells,
    "shows_code": shows_code,
    "runs": runs,
    "delegates": delegates,
    "works": works,
}


def main() -> None:
    scene, *arguments = json.loads(sys.argv[1])
    with FakeOpenAI(SCENES[scene](*arguments)) as server:
        print(server.url, flush=True)
        threading.Thread(target=sys.stdin.read, daemon=True).run()


if __name__ == "__main__":
    main()
