"""A run context over a real workspace, with what the file tools need of a runtime."""

from types import SimpleNamespace

from pygent.cancellation import CancelToken
from pygent.tools import REGISTRY
from pygent.workspace import Workspace


class Desk:
    """Reads and writes files, keeps the commands."""

    def __init__(self, root, tasks=None, depth=0):
        self.workspace = Workspace(root)
        self.scope = SimpleNamespace(cancel=CancelToken(), tasks=tasks, depth=depth)
        self.commands = []

    def bash(self, cmd, timeout=30):
        self.commands.append((cmd, timeout))
        return f"$ {cmd}"

    def write_file(self, path, content):
        self.workspace.write_text(path, content)
        return f"Wrote {path}"

    def read_file(self, path, binary=False):
        return "base64" if binary else self.workspace.read_text(path)

    def put(self, path, data):
        self.workspace.write_bytes(path, data if isinstance(data, bytes) else data.encode())

    def get(self, path):
        return self.workspace.read_bytes(path)


def use(name, rt, **arguments):
    """Call a built-in tool."""
    return REGISTRY.get(name).function(rt, **arguments)
