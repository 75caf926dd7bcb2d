"""The prompts that wait, above the prompt: one line each, to be taken back, sent at once, or removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from pygent.tui.panes.text import fit
from pygent.tui.text import clean_line

SHOWN = 5
"""Lines at once."""

REMOVE = " × "
FAINT = "$foreground 45%"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A prompt as the list shows it. ``why`` says what it waits for, ``now`` what sending it at once means."""

    id: str
    text: str
    why: str
    now: str = ""


class QueueList(Widget, can_focus=True):
    """Shows what waits. It takes the focus only when it is asked to; then keys choose among the lines."""

    DEFAULT_CSS = """
    QueueList {
        display: none;
        height: auto;
        padding: 0 3;
        color: $text-muted;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Choose the one before", id="queue.previous", show=False),
        Binding("down", "move(1)", "Choose the one behind", id="queue.next", show=False),
        Binding("enter", "take_back", "Back into the prompt", id="queue.edit"),
        Binding("delete,backspace,x", "remove", "Remove", id="queue.remove"),
        Binding("s", "send", "Send at once: at the agent's next step", id="queue.send"),
        Binding("escape", "leave", "Back to the prompt", id="queue.leave"),
    ]
    current = reactive(0)

    class Chosen(Message):
        """What is to be done with a prompt: ``edit``, ``remove``, ``send``; ``leave`` and ``hint`` are about none."""

        def __init__(self, what: str, prompt_id: str = "") -> None:
            self.what = what
            self.prompt_id = prompt_id
            super().__init__()

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.waiting: tuple[Waiting, ...] = ()
        self._pointed: tuple[int, int] | None = None

    def show(self, waiting: Sequence[Waiting]) -> None:
        """Show these prompts; none hides the list."""
        found = tuple(waiting)
        if found == self.waiting:
            return
        same_height = min(len(found), SHOWN + 1) == min(len(self.waiting), SHOWN + 1)
        self.waiting = found
        self.current = max(0, min(self.current, len(found) - 1))
        self.display = bool(found)
        self.refresh(layout=not same_height)

    def render(self) -> Content:
        width = max(1, self.content_size.width)
        first = self._first
        lines = [self._line(index, width) for index in range(first, min(first + SHOWN, len(self.waiting)))]
        left = len(self.waiting) - len(lines)
        if left:
            lines.append(Content.styled(f"  … {left} more", FAINT))
        return Content("\n").join(lines)

    def _line(self, index: int, width: int) -> Content:
        item = self.waiting[index]
        chosen = self.has_focus and index == self.current
        now = f" {item.now} " if item.now else ""
        head = f"{'❯' if chosen else '↳'} {item.why}: "
        room = max(8, width - len(head) - len(now) - len(REMOVE))
        text = fit(clean_line(item.text), room)
        line = Content.assemble(
            (head, "bold $primary" if chosen else "$text-muted"), (text, "$foreground" if chosen else "")
        )
        gap = max(0, width - line.cell_length - len(now) - len(REMOVE))
        return Content.assemble(
            line,
            " " * gap,
            (now, self._button_style(index, "send")),
            (REMOVE, self._button_style(index, "remove")),
        )

    def _button_style(self, index: int, what: str) -> str:
        pointed = self._pointed is not None and self._what(*self._pointed) == (what, index)
        return "bold $foreground on $primary-muted" if pointed else FAINT

    @property
    def _first(self) -> int:
        return max(0, min(self.current - SHOWN // 2, len(self.waiting) - SHOWN))

    def _what(self, x: int, y: int) -> tuple[str, int] | None:
        """What a click at a place does, and with which line."""
        index = self._first + y
        if not 0 <= y < SHOWN or index >= len(self.waiting):
            return None
        right = self.content_size.width - x
        if right <= len(REMOVE):
            return "remove", index
        now = self.waiting[index].now
        if now and right <= len(REMOVE) + len(now) + 2:
            return "send", index
        return "edit", index

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._point((event.x - self.gutter.left, event.y - self.gutter.top))

    def on_leave(self) -> None:
        self._point(None)

    def _point(self, place: tuple[int, int] | None) -> None:
        before = None if self._pointed is None else self._what(*self._pointed)
        self._pointed = place
        after = None if place is None else self._what(*place)
        if before != after:
            self.tooltip = _TIPS.get(after[0]) if after else None
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        found = self._what(event.x - self.gutter.left, event.y - self.gutter.top)
        if found is not None:
            what, index = found
            self.post_message(self.Chosen(what, self.waiting[index].id))

    def on_focus(self) -> None:
        self.current = len(self.waiting) - 1
        self.post_message(self.Chosen("hint"))
        self.refresh()

    def on_blur(self) -> None:
        self.post_message(self.Chosen("hint"))
        self.refresh()

    def action_move(self, step: int) -> None:
        beyond = self.current + step
        if beyond >= len(self.waiting):
            self.action_leave()
        else:
            self.current = max(0, beyond)

    def action_take_back(self) -> None:
        self._choose("edit")

    def action_remove(self) -> None:
        self._choose("remove")

    def action_send(self) -> None:
        self._choose("send")

    def action_leave(self) -> None:
        self.post_message(self.Chosen("leave"))

    def _choose(self, what: str) -> None:
        if self.waiting:
            self.post_message(self.Chosen(what, self.waiting[self.current].id))


_TIPS = {"edit": "Back into the prompt", "send": "At the agent's next step", "remove": "Remove it"}
