"""Hand work to a background agent and take its file back.

Run it with `python examples/delegate.py`. A model does the same with the tools `delegate_task`, `task_status` and
`collect_file`; here a program does it. The small model stands for a real one, so that the example needs no server.
"""

from typing import Any

from pygent import Agent, Message, Persona, Runtime, TaskManager, ToolCall, ToolCallFunction


class Sorter:
    """A model with a plan: sort the file it was given, then stop."""

    plan = (("bash", '{"cmd": "sort names.txt > sorted.txt"}'), ("stop", "{}"))

    def chat(self, messages: list[dict[str, Any]], model: str | None, tools: list[dict[str, Any]] | None) -> Message:
        name, arguments = self.plan[sum(message["role"] == "tool" for message in messages)]
        return Message("assistant", f"Now {name}.", [ToolCall(f"call_{name}", ToolCallFunction(name, arguments))])


def worker(persona: Persona) -> Agent:
    """Each task gets an agent of its own, in a workspace of its own."""
    return Agent(Runtime(use_docker=False), model=Sorter(), persona=persona)


def main() -> None:
    runtime = Runtime(use_docker=False)
    runtime.write_file("names.txt", "Grace\nAda\nEdsger\n")

    manager = TaskManager(worker, personas=[Persona("Librarian", "who keeps things in order")])
    task_id = manager.start_task("Sort names.txt into sorted.txt.", runtime, files=["names.txt"])
    manager.wait(task_id, timeout=30)
    print(f"{task_id}: {manager.status(task_id)}")

    print(manager.collect_file(runtime, task_id, "sorted.txt"))
    print(runtime.read_file("sorted.txt"), end="")
    manager.close()
    runtime.cleanup()


if __name__ == "__main__":
    main()
