"""Commands about tasks: to list and filter them, to stop one, to start one without the model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pygent.transcript import TaskItem
from pygent.tui.panes.task_filter import in_order, parse_filter, spelled, summary_of
from pygent.tui.panes.task_words import cost, live, name_of, review_of, sign_of, span, spent, tokens, why
from pygent.tui.panes.text import one_line
from pygent.tui.slash import Surface, command

GROUPS = ("all", "running", "ended", "review")

_NAMED = re.compile(r"([^\s:]+):\s")
"""A first word with a colon behind it, which can only be meant as a persona."""


def _task_values(surface: Surface) -> Sequence[str]:
    tasks = surface.transcript.tasks.values()
    personas = dict.fromkeys(spelled(task) for task in tasks)
    return [*GROUPS, *personas, *(f"stop {task.task_id}" for task in tasks if live(task))]


@command(
    "tasks",
    "[all|running|ended|review|PERSONA|start PERSONA: TEXT|stop ID]",
    "show the tasks, or some of them; start or stop one",
    values=_task_values,
)
def _tasks(surface: Surface, argument: str) -> None:
    word, _, rest = argument.partition(" ")
    if word == "stop":
        _stop(surface, rest.strip())
        return
    if word == "start":
        _delegate(surface, rest.strip())
        return
    text = _filter(surface, argument.strip())
    fits = parse_filter(text).fits
    shown = [task for task in in_order(surface.transcript.tasks.values()) if fits(task)]
    lines = [_line(surface, task) for task in shown]
    if shown:
        lines.append(summary_of(shown))
    nothing = "No task is one of these." if surface.transcript.tasks else "Nothing was delegated yet."
    surface.note("/tasks", "\n".join(lines) or nothing)
    surface.show_tasks(text)


def _filter(surface: Surface, argument: str) -> str:
    if argument in {"", "all"}:
        return ""
    if argument in GROUPS:
        return f"status:{argument}"
    wanted = argument.lower().replace(" ", "-")
    personas = list(dict.fromkeys(spelled(task) for task in surface.transcript.tasks.values()))
    if wanted in personas:
        return f"persona:{wanted}"
    known = f"; the personas here are {', '.join(personas)}" if personas else ""
    raise ValueError(
        f"/tasks takes {', '.join(GROUPS)}, a persona, start PERSONA: TEXT, or stop ID, not {argument!r}{known}"
    )


def _line(surface: Surface, task: TaskItem) -> str:
    view = surface.transcript.agents.get(task.task_id)
    sign, review = sign_of(task), review_of(task)
    parts = [f"{sign.sign} {sign.word} {span(task)}", why(task)]
    parts += [
        f"{review.sign} {review.word}" if review is not None else "",
        spent(tokens(task, view), cost(task, view)),
    ]
    return (
        f"{task.task_id}  {name_of(task)}  {' · '.join(part for part in parts if part)}  {one_line(task.prompt, 80)}"
    )


def _stop(surface: Surface, task_id: str) -> None:
    found = [task for task in surface.transcript.tasks.values() if task_id and task.task_id.startswith(task_id)]
    if len(found) != 1:
        running = ", ".join(task.task_id for task in surface.transcript.tasks.values() if live(task)) or "none"
        what = "no task's id begins" if not found else f"{len(found)} tasks' ids begin"
        raise ValueError(
            f"{what} with {task_id!r}; running are: {running}" if task_id else f"/tasks stop takes an id: {running}"
        )
    task = found[0]

    def stop() -> str:
        if surface.session.cancel_task(task.task_id):
            return f"{name_of(task)} ({task.task_id}) was told to stop."
        return f"{name_of(task)} ({task.task_id}) does not run."

    surface.work("/tasks", stop)


def _personas(surface: Surface) -> Sequence[str]:
    return [f"{persona.name}: " for persona in surface.session.personas]


@command("delegate", "PERSONA: TEXT", "start a task; without a persona the next one has its turn", values=_personas)
def _delegate(surface: Surface, argument: str) -> None:
    persona, text = _who_and_what(argument, [one.name for one in surface.session.personas])

    def start() -> None:
        surface.session.start_task(text, persona)

    surface.work("/delegate", start)


def _who_and_what(argument: str, personas: Sequence[str]) -> tuple[str | None, str]:
    """The persona, None where none is named, and the work."""
    named = None
    for name in sorted(personas, key=len, reverse=True):
        if argument.casefold().startswith(f"{name.casefold()}:"):
            named, argument = name, argument[len(name) + 1 :]
            break
    else:
        unknown = _NAMED.match(f"{argument} ")
        if unknown is not None and unknown[1]:
            known = ", ".join(personas) or "none"
            raise ValueError(
                f"there is no persona {unknown[1]!r}; there are: {known}. "
                "Work that begins so goes behind a colon: /delegate : TEXT"
            )
        argument = argument.removeprefix(":")
    if not argument.strip():
        raise ValueError("/delegate takes the work to be done, as in: /delegate tester: write tests for parser.py")
    return named, argument.strip()
