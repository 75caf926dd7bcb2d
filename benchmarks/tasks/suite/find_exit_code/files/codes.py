"""Exit codes: each group of failures has its own range."""

RANGES = {"call": 64, "input": 80}
KINDS = ["usage", "config", "missing", "format", "empty"]
GROUPS = {"usage": "call", "config": "call"}


def code(kind):
    """The number of a kind of failure, in the range of its group."""
    group = GROUPS.get(kind, "input")
    return RANGES[group] + KINDS.index(kind) + (2 if group == "input" else 0)
