"""Commands about the workspace and the screen."""

from __future__ import annotations

import shlex

from pygent.tui.slash import Surface, command
from pygent.tui.text import clean_line

SIGNS = {"done": "✓", "active": "●", "pending": "○"}

GIT_DIFF = "git -c core.fsmonitor=false --no-pager diff --no-ext-diff --no-textconv --stat --patch HEAD"
"""Runs in the sandbox, and even there no program that the repository names."""


@command("diff", "", "what changed in the workspace")
def _diff(surface: Surface, argument: str) -> None:  # noqa: ARG001
    changed = surface.transcript.files_changed
    surface.note("/diff", "\n".join(changed) or "The file tools have changed nothing in this session.")
    surface.session.run_command(
        f"if git rev-parse HEAD >/dev/null 2>&1; then {GIT_DIFF}; else echo 'no git history here'; fi"
    )


@command("cmd", "COMMAND", "run a command in the sandbox; ! does the same")
def _cmd(surface: Surface, argument: str) -> None:
    if not argument:
        raise ValueError("/cmd takes the command to run")
    surface.session.run_command(argument)


@command("todos", "[clear]", "show the agent's list of to-dos, or take all off it", values=lambda _: ["clear"])
def _todos(surface: Surface, argument: str) -> None:
    if argument == "clear":
        surface.session.clear_todos()
        surface.note("/todos", "The list is empty.")
        return
    if argument:
        raise ValueError("/todos takes nothing, or clear")
    todos = surface.transcript.main.todos
    lines = [f"{SIGNS[one['state']]} {clean_line(str(one['text']))}" for one in todos]
    surface.note(
        "/todos", "\n".join(lines) or "The agent keeps no list. Ask for one, or for a plan of several steps."
    )


@command("plan", "[TEXT]", "decide on the agent's plan, or ask for one: in plan mode nothing is changed")
def _plan(surface: Surface, argument: str) -> None:
    if argument:
        surface.session.set_permission_mode("plan")
        surface.state_changed()
        surface.session.submit(argument)
    elif surface.session.plan is None:
        surface.note("/plan", "There is no plan. /plan TEXT asks for one; so does plan mode (/permissions plan).")
    else:
        surface.decide_plan()


@command("cp", "SRC [DEST]", "copy a file of this machine into the workspace")
def _cp(surface: Surface, argument: str) -> None:
    paths = shlex.split(argument)
    if len(paths) not in {1, 2}:
        raise ValueError("/cp takes SRC and perhaps DEST; quote names with blanks")
    surface.work("/cp", lambda: surface.session.copy_in(paths[0], paths[1] if len(paths) == 2 else None))


@command("save", "DIR", "save conversation, settings and files to a new folder; pygent --load DIR begins from it")
def _save(surface: Surface, argument: str) -> None:
    if not argument:
        raise ValueError("/save takes a new folder outside of the workspace; /export writes only the conversation")
    surface.work("/save", lambda: surface.session.save(argument))
