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
            return self.call("stop", {}, f"Done. {last['content']}")
        text, _, path = last["content"].removeprefix("save ").partition(" as ")
        return self.call("write_file", {"path": path, "content": text})

    def call(self, tool: str, arguments: dict[str, str], content: str | None = None) -> dict[str, Any]:
        function = {"name": tool, "arguments": arguments}
        call = {"id": f"call_{tool}", "type": "function", "function": function}
        return {"role": "assistant", "content": content, "tool_calls": [call]}


def main() -> None:
    agent = Agent(Runtime(use_docker=False), model=Clerk(), persona=Persona("Clerk", "who files what he is given"))
    result = agent.run_until_stop("save Buy milk as notes/today.txt")
    print(f"{result.reason} after {result.steps} steps: {result.text}")
    print("notes/today.txt holds:", agent.runtime.read_file("notes/today.txt"))
    agent.runtime.cleanup()


if __name__ == "__main__":
    main()
