"""Tool calls put together from the pieces in which servers send them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pygent.models.arguments import repair
from pygent.openai_compat import ToolCall, ToolCallFunction


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: str = ""


class CallCollector:
    """Finds out which call a piece belongs to.

    By the protocol a piece has its call's ``index``, and the first one also id and name. Real servers leave the index
    out, send 0 for each call, repeat id or name in each piece, or send whole calls one after the other with neither.
    """

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}

    def feed(self, piece: Mapping[str, Any]) -> None:
        """Take a piece."""
        function = piece.get("function")
        function = function if isinstance(function, Mapping) else {}
        call_id, name, arguments = piece.get("id"), function.get("name"), function.get("arguments")
        call_id = call_id if isinstance(call_id, str) else ""
        name = name if isinstance(name, str) else ""
        call = self._find(piece.get("index"), call_id, name, arguments)
        call.id = call.id or call_id
        if name and name != call.name and not call.arguments:
            call.name += name
        if isinstance(arguments, str):
            call.arguments += arguments
        elif arguments is not None:
            call.arguments = json.dumps(arguments, ensure_ascii=False)

    def finish(self, parameters: Mapping[str, Mapping[str, Any]]) -> list[ToolCall]:
        """The calls. Arguments that can be mended are; the others stay as the model wrote them."""
        out = []
        for call in self.calls:
            if not call.name and not call.arguments.strip():
                continue  # noise: a call of nothing with nothing
            try:
                arguments = json.dumps(repair(call.arguments, parameters.get(call.name, {})), ensure_ascii=False)
            except ValueError:
                arguments = call.arguments
            out.append(ToolCall(call.id, ToolCallFunction(call.name, arguments)))
        return out

    def _find(self, index: object, call_id: str, name: str, arguments: object) -> _Call:
        if isinstance(index, int):
            call = self._by_index.get(index)
            if call is None or _is_another(call, call_id, name, arguments):
                call = self._by_index[index] = self._new()
            return call
        if call_id:
            known = next((call for call in self.calls if call.id == call_id), None)
            if known is not None and not _is_another(known, "", name, arguments):
                return known
            # An id that comes after its call's first piece, or a call of its own.
            return self.calls[-1] if self.calls and not self.calls[-1].id and not name else self._new()
        if not self.calls or (name and _is_another(self.calls[-1], "", name, arguments, unlike=True)):
            return self._new()
        return self.calls[-1]

    def _new(self) -> _Call:
        self.calls.append(_Call())
        return self.calls[-1]


def _is_another(call: _Call, call_id: str, name: str, arguments: object, *, unlike: bool = False) -> bool:
    """Whether a piece that should belong to ``call`` begins another one: only pieces with a name do."""
    if not name:
        return False
    if call_id and call.id and call_id != call.id:
        return True
    if unlike and name != call.name and call.arguments:
        return True
    return bool(arguments) and _is_whole(call.arguments)


def _is_whole(arguments: str) -> bool:
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def new_call_id() -> str:
    """An id that no other call has."""
    return f"call_{os.urandom(12).hex()}"


def with_unique_ids(calls: Iterable[ToolCall]) -> list[ToolCall]:
    """The calls, with new ids where they have none or that of an earlier one."""
    seen: set[str] = set()
    out = []
    for call in calls:
        if not call.id or call.id in seen:
            call.id = new_call_id()
        seen.add(call.id)
        out.append(call)
    return out
