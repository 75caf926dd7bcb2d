"""A tool of your own: a function, its description and its schema.

Run it with `python examples/custom_tool.py`. A real program leaves `model=` out; the small model here makes the same
call each time, so that the example needs no server.
"""

from typing import Annotated, Any

from pygent import Agent, Message, Runtime, ToolCall, ToolCallFunction, register_tool, tool


def hello(rt: Runtime, name: str) -> str:
    """The first argument is where the agent works: `rt.bash(…)`, `rt.read_file(…)`, `rt.write_file(…)`."""
    rt.write_file("greeting.txt", f"Hello {name}!\n")
    return rt.bash("cat greeting.txt")


register_tool(
    "hello",
    "Greet the user",
    {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    hello,
)


@tool(effect="read")
def count_words(rt: Runtime, path: Annotated[str, "a file of the workspace"]) -> str:
    """Count the words of a file."""
    return f"{len(rt.read_file(path).split())} words"


class Greeter:
    """A model with a plan: greet, count, stop."""

    plan = (("hello", '{"name": "Ada"}'), ("count_words", '{"path": "greeting.txt"}'), ("stop", "{}"))

    def chat(self, messages: list[dict[str, Any]], model: str | None, tools: list[dict[str, Any]] | None) -> Message:
        name, arguments = self.plan[sum(message["role"] == "tool" for message in messages)]
        return Message("assistant", None, [ToolCall(f"call_{name}", ToolCallFunction(name, arguments))])


def main() -> None:
    agent = Agent(Runtime(use_docker=False), model=Greeter())
    agent.run_until_stop("Greet Ada.")
    for message in agent.history:
        if message["role"] == "tool":
            print(message["content"])
    agent.runtime.cleanup()


if __name__ == "__main__":
    main()
