"""Names of tools as models write them, and the tool that is meant."""

from __future__ import annotations

import re
from collections.abc import Collection

_BEFORE = re.compile(r"^(?:functions?|tools?|default_api|multi_tool_use|repo_browser)[.:/]|^mcp__\w+?__")
_MARKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-.\s]+")
_FIRST = re.compile(r"[\w.:/-]+")

_KNOWN_ELSEWHERE = {
    "bash": "run execute exec shell terminal command run_command run_shell execute_command run_terminal_cmd "
    "execute_bash run_bash shell_command execute_shell run_shell_command run_in_terminal console cmd python run_code "
    "execute_code run_tests run_python",
    "write_file": "write create create_file new_file save save_file write_to_file make_file file_write add_file",
    "edit_file": "edit replace str_replace replace_in_file str_replace_editor apply_patch apply_diff update_file "
    "modify_file patch string_replace replace_string_in_file multi_edit change_file",
    "read_file": "read cat open open_file view view_file file_read get_file show_file ls list list_files list_dir "
    "list_directory read_files load_file",
    "search": "grep find glob ripgrep rg search_files find_files code_search grep_search file_search codebase_search "
    "search_code",
    "stop": "finish done end exit complete attempt_completion final_answer submit finish_task task_complete finished",
    "continue": "ask ask_user ask_followup_question ask_question wait pause clarify",
    "delegate_task": "task agent subagent delegate spawn_agent dispatch_agent",
    "update_todos": "todo todo_write todos update_plan",
}


def meant(name: str, names: Collection[str]) -> str | None:
    """The tool among ``names`` that ``name`` is another spelling of, None where there is none or more than one."""
    if name in names:
        return name
    wanted = plain(name)
    found = [known for known in names if plain(known) == wanted]
    return found[0] if len(found) == 1 and wanted else None


def nearest(name: str, names: Collection[str]) -> str | None:
    """The tool among ``names`` that does what other agents have a tool called ``name`` for, or one called alike."""
    import difflib  # noqa: PLC0415 - only needed for a name that is not known

    wanted = plain(name)
    for own, others in _KNOWN_ELSEWHERE.items():
        if own in names and wanted in others.split():
            return own
    near = difflib.get_close_matches(wanted, [plain(known) for known in names], n=1, cutoff=0.7)
    return next((known for known in names if near and plain(known) == near[0]), None)


def plain(name: str) -> str:
    """A name without what servers put around it: ``functions.readFile:0`` is ``read_file``."""
    found = _FIRST.match(_BEFORE.sub("", name.strip()[:200]))
    text = re.sub(r":\d+$", "", found[0]) if found else ""
    return _MARKS.sub("_", text).lower()
