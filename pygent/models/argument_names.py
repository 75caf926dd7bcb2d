"""Arguments under names that models know from elsewhere, mapped to a tool's own where only one can be meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

_MEANT: dict[str, frozenset[str]] = {
    own: frozenset(others.split())
    for own, others in {
        "path": "file filename filepath file_path file_name target target_file relative_path absolute_path pathname "
        "directory dir folder dir_path directory_path uri src source",
        "cmd": "command commands cmdline command_line shell script bash run shell_command bash_command code",
        "content": "text contents data body file_content file_contents file_text file_body code new_content",
        "old": "old_str old_string old_text old_content old_code search search_text find original before from",
        "new": "new_str new_string new_text new_content new_code replace replacement replace_with after to content",
        "pattern": "query regex regexp search search_pattern search_term search_query text term keyword needle name",
        "glob": "include file_pattern file_glob files glob_pattern includes filter",
        "timeout": "timeout_seconds time_limit seconds timeout_s max_time",
        "start": "offset start_line line_start first_line begin from_line line",
        "limit": "num_lines line_count count max_lines lines n n_lines",
        "replace_all": "all global replaceall",
        "question": "message text prompt query reason content",
        "prompt": "task instruction instructions description message query goal",
        "persona": "agent role subagent subagent_type agent_type",
        "task_id": "id task taskid",
    }.items()
}
_REMARKS = frozenset(
    (
        "description",
        "explanation",
        "reason",
        "reasoning",
        "thought",
        "thoughts",
        "comment",
        "purpose",
        "rationale",
        "justification",
        "summary",
        "title",
        "requires_approval",
        "is_background",
        "run_in_background",
        "safe_to_auto_run",
    )
)
"""What models say about a call, beside its arguments; it changes nothing."""

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-.\s]+")


def renamed(
    arguments: Mapping[str, Any], schema: Mapping[str, Any], accepts: Collection[str] | None = None
) -> dict[str, Any]:
    """``arguments`` with foreign names changed to those of ``schema``, where one name can only mean one argument.

    A name is foreign where the schema lacks it, and it only takes the place of an argument that is not given and has
    it among its usual other names. An argument that is not required is only found where ``accepts``, the names that
    the tool's function takes, has no room for the foreign name; remarks about the call are left out then.
    """
    properties = schema.get("properties") or {}
    foreign = [name for name in arguments if name not in properties]
    if not foreign or not properties:
        return dict(arguments)
    missing = [name for name in schema.get("required") or () if name in properties and name not in arguments]
    strict = accepts is not None and not set(foreign) <= set(accepts)
    free = [name for name in properties if name not in arguments] if strict else missing
    names = _names(foreign, free)
    out = {names.get(name, name): value for name, value in arguments.items()}
    if strict:
        out = {name: value for name, value in out.items() if name in properties or _plain(name) not in _REMARKS}
    return out


def _names(foreign: Collection[str], free: Collection[str]) -> dict[str, str]:
    """Which foreign name means which free argument; left out are those that could mean another, too."""
    pairs = [(name, own) for name in foreign for own in free if _means(name, own)]
    return {
        name: own
        for name, own in pairs
        if sum(other == name for other, _ in pairs) == 1 and sum(other == own for _, other in pairs) == 1
    }


def _means(name: str, own: str) -> bool:
    plain = _plain(name)
    return plain == _plain(own) or plain in _MEANT.get(own, ()) or plain.endswith("_" + _plain(own))


def _plain(name: str) -> str:
    """``filePath`` and ``file-path`` are ``file_path``."""
    return _WORD.sub("_", name.strip()).lower()
