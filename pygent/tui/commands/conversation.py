"""Commands about the session and what was said in it."""

from __future__ import annotations

from pygent.tui.panes.welcome import MODES
from pygent.tui.slash import Surface, command
from pygent.tui.text import plural


@command("help", "", "keys and commands", needs_open=False)
def _help(surface: Surface, argument: str) -> None:  # noqa: ARG001 - the table's signature, here and below
    surface.show_help()


@command("compact", "[HINT] | undo", "sum up earlier messages for the model, or take that back")
def _compact(surface: Surface, argument: str) -> None:
    if argument == "undo":
        surface.work("/compact", surface.session.undo_compaction)
    else:
        surface.work("/compact", lambda: surface.session.compact(argument) or None)


@command("context", "", "what fills the model's context, and how far")
def _context(surface: Surface, argument: str) -> None:  # noqa: ARG001
    from pygent.tui.context_report import report  # noqa: PLC0415 - when it is asked for

    surface.work("/context", lambda: report(surface.session.context_use()))


@command("status", "", "model, persona, sandbox, workspace", needs_open=False)
def _status(surface: Surface, argument: str) -> None:  # noqa: ARG001
    status = surface.session.status()
    main = surface.transcript.main
    running = [task for task in surface.transcript.tasks.values() if task.ended_at is None]
    rows = [
        ("model", status.model + ("  (demo)" if status.demo else "")),
        ("persona", status.persona),
        ("sandbox", status.sandbox or "starting"),
        ("network", "on" if status.network else "off" if status.confined else "as this machine has it"),
        ("permissions", f"{status.permission_mode}: {MODES.get(status.permission_mode, '')}"),
        ("workspace", str(status.workspace)),
        ("changed", plural(len(surface.transcript.files_changed), "file")),
        ("tasks", f"{len(running)} at work, {len(surface.transcript.tasks) - len(running)} over"),
        ("run", f"step {main.step}" if main.running else "none"),
        ("session", status.session_id),
    ]
    surface.note("/status", "\n".join(f"{name:<12} {value}" for name, value in rows))


@command("copy", "", "copy the last answer", needs_open=False)
def _copy(surface: Surface, argument: str) -> None:  # noqa: ARG001
    text = surface.last_answer()
    if not text:
        surface.note("/copy", "There is no answer yet.", level="warning")
        return
    surface.copy(text)


@command("exit", "", "quit Pygent", needs_open=False)
def _exit(surface: Surface, argument: str) -> None:  # noqa: ARG001
    surface.quit()
