"""To-dos as lines for people."""


def lines(todos):
    """A line for each to-do that is open."""
    return [f"- {todo.title} ({todo.priority})" for todo in todos if not todo.done]
