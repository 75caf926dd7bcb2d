"""The line about a review's state, and what stands where there are no files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from pygent.tui.panes.rows import Part
from pygent.tui.panes.signs import task_sign
from pygent.tui.panes.text import one_line
from pygent.tui.review_state import ReviewState
from pygent.tui.text import plural

if TYPE_CHECKING:
    from pygent.transcript import TaskItem, Transcript


def title_line(task: TaskItem | None, task_id: str, refresh: str) -> Content:
    """Whose changes these are, and how that task is. ``refresh`` is the key that looks again."""
    if task is None:
        return Content(f"Review · {one_line(task_id, 40)}")
    sign = task_sign(task.status)
    words = f"{sign.sign} {sign.word}" + (f", {refresh} looks again" if task.ended_at is None else "")
    name = f"Review · {one_line(task.persona or task_id, 40)} · "
    review = f" · {task.review}" if task.review is not None else ""
    return Content.assemble(name, (words, f"$text-{sign.style}" if sign.style else "$foreground"), review)


def foot_line(transcript: Transcript, task_id: str) -> Content:
    """Which task it is, or that a question waits where it cannot be seen."""
    views = list(transcript.agents.values())
    waiting = sum(view.last_tool is not None and view.last_tool.state == "waiting" for view in views)
    if not waiting:
        return Content(f"task {one_line(task_id, 40)}")
    verb = "waits" if waiting == 1 else "wait"
    return Content.styled(f"? {plural(waiting, 'question')} {verb} for you, Esc goes there", "$text-warning")


def state_line(state: ReviewState) -> Content:
    """How much was changed, what is chosen, what has to be decided."""
    parts: list[Content] = []
    compared = state.compared
    if state.loaded and compared.changes:
        added, removed = compared.totals
        parts.append(Content(plural(len(compared.changes.files), "file")))
        parts.append(Content.assemble((f"+{added:,}", "$text-success"), (f" −{removed:,}", "$text-error")))
    if chosen := len(state.selection):
        parts.append(Content.styled(f"✓ {chosen:,} chosen", "$text-success"))
    if conflicts := compared.conflicts:
        left = len([path for path in conflicts if state.selection.decision(path) is None])
        words = plural(len(conflicts), "conflict")
        words += ", decided" if not left else f", {left} open" if left < len(conflicts) else ""
        parts.append(Content.styled(f"✗ {words}", "$text-error" if left else "$text-success"))
    if overlaps := len(compared.overlaps):
        parts.append(Content.styled(f"◆ {plural(overlaps, 'overlap')}", "$text-warning"))
    return Content.styled(" · ", "$text-muted").join(parts)


def empty_words(task: TaskItem | None, state: ReviewState, wanted: str) -> list[Part]:
    """What stands in place of the files; ``wanted`` is what their names are filtered by."""
    if not state.loaded:
        return [("", ""), ("Comparing …" if state.busy else "", "muted")]
    if state.compared.changes:
        return [("", ""), (f"No file's name has {one_line(wanted, 40)!r} in it.", "muted")]
    if task is None or task.review is not None or state.had_changes:
        return [
            ("", ""),
            ("Nothing is left to decide.", "strong"),
            ("", ""),
            (f"{state.key('review.undo', 'u')} takes the last back.", "muted"),
        ]
    yet = " yet" if task.ended_at is None else ""
    return [("", ""), (f"This task has changed no files{yet}.", "strong")]
