"""Tool calls that a model wrote into its text instead of the place the protocol has for them.

What is read, each form by a module of its own:

- JSON with a name and arguments, as models write JSON, and calls as Python writes them (``values``),
- elements such as ``<function=name><parameter=key>value`` (``elements``),
- both in a fenced block, in ``<tool_call>`` and its relatives, or after the special tokens of Llama, Mistral, Kimi,
  DeepSeek, GLM and others, where they reach the text (``payload``),
- on lines of their own, after ``Action:``, or in a channel (``said``).

Text becomes a call only where it is complete, names a known tool and the arguments fit that tool's parameters; all
else stays text. So does a fenced block or a line of which the words before say that it is an example, and what stands
in inline code or in a block of another language. What a model makes up as a call's result is dropped, with all that
it went on to say from there.
"""

from __future__ import annotations

from typing import Any

from pygent.models.base import ToolSchemas
from pygent.models.text_calls.scanner import Scanner
from pygent.openai_compat import ToolCall


def parameters_by_name(tools: ToolSchemas | None) -> dict[str, dict[str, Any]]:
    """The schema of each tool's arguments."""
    functions = [tool.get("function") or {} for tool in tools or ()]
    return {function["name"]: function.get("parameters") or {} for function in functions if "name" in function}


def extract_tool_calls(text: str, tools: ToolSchemas | None) -> tuple[list[ToolCall], str]:
    """The calls written in ``text``, each with a new id, and the text without them."""
    scanner = _scanned(text, tools)
    if not scanner.calls:
        return [], text
    return scanner.calls, "\n\n".join(part.strip() for part in scanner.kept if part.strip())


def why_no_call(text: str, tools: ToolSchemas | None) -> str:
    """Why what looks like a call in ``text`` is none, in words for the model; "" where nothing looks like one."""
    scanner = _scanned(text, tools)
    return "" if scanner.calls or not scanner.problems else scanner.problems[0]


def _scanned(text: str, tools: ToolSchemas | None) -> Scanner:
    scanner = Scanner(parameters_by_name(tools))
    if text and tools:
        scanner.feed(text)
        scanner.finish()
    return scanner


class HoldBack:
    """Keeps text from being shown while it could still turn out to be a call."""

    def __init__(self, tools: ToolSchemas) -> None:
        self._scanner = Scanner(parameters_by_name(tools))

    @property
    def calls(self) -> list[ToolCall]:
        """The calls that came to their end."""
        return self._scanner.calls

    def feed(self, piece: str) -> str:
        """Take a piece of text; answer what can be shown now."""
        return self._scanner.feed(piece)

    def finish(self, *, keep: bool = False) -> str:
        """The text has ended; answer what is left to show: all of it with ``keep``, else what is no call."""
        return self._scanner.finish_as_text() if keep else self._scanner.finish()


__all__ = ["HoldBack", "extract_tool_calls", "parameters_by_name", "why_no_call"]
