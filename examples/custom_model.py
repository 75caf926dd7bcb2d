"""A model of your own: any object with `chat(messages, model, tools)`.

Run it with `python examples/custom_model.py`. The answer may be a `pygent.Message`, a plain dict in the shape of the
chat-completions protocol, or an object of the `openai` package; tool calls go into its `tool_calls`.
"""

from typing import Any

from pygent import Agent, Persona, Runtime


class Clerk:
    """Understands "save TEXT as FILE", and answers with plain dicts."""

    def chat(
        self, messages: list[dict[str, Any]], model: str | None, tools: list[dict[str, Any]] | None
    ) -> dict[str, Any]:
        last = messages[-1]
        if last["role"] == "tool":
            return {"role": "assistant", "content": f"Done. {last['content']}"}
        text, _, path = last["content"].removeprefix("save ").partition(" as ")
        call = {
            "id": f"call_{len(messages)}",
            "type": "function",
            "function": {"name": "write_file", "arguments": {"path": path, "content": text}},
        }
        return {"role": "assistant", "content": None, "tool_calls": [call]}


def main() -> None:
    agent = Agent(Runtime(use_docker=False), model=Clerk(), persona=Persona("Clerk", "who files what he is given"))
    result = agent.run_until_stop("save Buy milk as notes/today.txt")
    print(f"{result.reason} after {result.steps} steps: {result.text}")
    print("notes/today.txt holds:", agent.runtime.read_file("notes/today.txt"))
    agent.runtime.cleanup()


if __name__ == "__main__":
    main()
