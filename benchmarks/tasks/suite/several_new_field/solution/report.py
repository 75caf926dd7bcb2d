"""To-dos as lines for people."""


def lines(todos):
    """A line for each to-do that is open, the most urgent first."""
    still_open = [todo for todo in todos if not todo.done]
    return [f"- {todo.title} ({todo.priority})" for todo in sorted(still_open, key=lambda todo: todo.priority)]
