"""To-dos as JSON text."""

import json

from todo import Todo


def save(todos):
    return json.dumps([{"title": todo.title, "done": todo.done} for todo in todos])


def load(text):
    return [Todo(row["title"], row["done"]) for row in json.loads(text)]
