"""What the model reads of a call: any value as bounded text, and errors that say how to do it right."""

from __future__ import annotations

import inspect
import json

from pygent.errors import PygentError
from pygent.tools.failing import failing_part

RESULT_LIMIT = 32_000
"""Characters of one result that the model gets at most."""

NO_OUTPUT = "(no output)"


def to_text(value: object) -> str:
    """A tool's return value as text: JSON for objects and lists, the value itself where it is text already.

    Raises ``TypeError`` for a coroutine, since tools are plain functions; whatever ``str(value)`` raises passes.
    """
    if isinstance(value, str):
        return value or NO_OUTPUT
    if value is None:
        return NO_OUTPUT
    if isinstance(value, dict | list | tuple):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError):  # keys that are no strings, a loop
            return str(value)
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError("the tool is an async function; tools must be plain functions")
    return str(value)


def bounded(text: str, limit: int = RESULT_LIMIT, *, rest: str = "") -> str:
    """``text`` in about ``limit`` characters, with what tells of failures, and notes where something is left out.

    ``rest`` is the file that has all of it, where there is one.
    """
    if len(text) > limit:
        kept = f"all of it is kept for the user in {rest}; " if rest else ""
        how = "to see more, ask for a smaller part, or send output to a file and read that"
        text = failing_part(text, limit, f"{kept}{how}")
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair cannot be sent to a model
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def describe_error(error: BaseException) -> str:
    """One paragraph about an exception; our own ones speak for themselves."""
    try:
        text = str(error)
    except Exception:  # a foreign exception may fail at anything
        text = "(its message cannot be shown)"
    name = type(error).__name__
    if isinstance(error, PygentError):
        return text or name
    return f"{name}: {text}" if text else name
