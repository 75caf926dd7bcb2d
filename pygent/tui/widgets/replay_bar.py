"""Where a replay stands, in place of the prompt: the time, a bar to click into, speed, agent, and the keys."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from pygent.playback import Playback
from pygent.tui.keys import key_of
from pygent.tui.text import clean_line

FAINT = "$foreground 45%"
KEYS = (
    (("replay.pause",), ("space",), "play, pause", "pause"),
    (("replay.back", "replay.on"), ("left", "right"), "step", "step(1)"),
    (("replay.prompt-before", "replay.prompt-after"), ("shift+left", "shift+right"), "prompt", "prompt(1)"),
    (("replay.begin", "replay.end"), ("home", "end"), "", "end"),
    (("replay.slower", "replay.faster"), ("minus", "plus"), "speed", "faster(1)"),
    (("replay.agent",), ("a",), "agent", "agent"),
    (("replay.fork",), ("f",), "fork here", "fork"),
    (("replay.resume",), ("r",), "go on with it", "go_on"),
    (("replay.leave",), ("q",), "leave", "leave"),
)
"""Ids of bindings, their defaults, what they do together, and the screen's action for a click."""


class ReplayBar(Widget, can_focus=True):
    """Two lines. A click into the bar, or a drag, goes to that moment."""

    DEFAULT_CSS = """
    ReplayBar {
        height: auto;
        padding: 0 1;
        border: round $border;
        border-title-color: $text-muted;
        border-subtitle-color: $text-muted;
    }
    ReplayBar:focus {
        border: round $primary;
    }
    """

    auto_links = False

    class Scrubbed(Message):
        """Go to this share of the time."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, playback: Playback, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.playback = playback
        self.note = ""
        self._bar = (0, 1)
        self._dragging = False

    def render(self) -> Content:
        one, width = self.playback, self.content_size.width
        sign = "▶" if one.playing else "■" if one.ended else "‖"
        left = f"{sign} {_clock(one.time)} / {_clock(one.length)} "
        right = f" {one.at}/{len(one.shown)} events · {one.speed:g}×"
        if one.agent:
            right += f" · {clean_line(one.agents.get(one.agent, one.agent))[:16]}"
        if self.note:
            right += f" · {self.note}"
        room = max(4, width - len(left) - len(right))
        self._bar = (len(left), room)
        filled = round(room * (one.time / one.length if one.length else float(one.ended)))
        line = Content.assemble(
            (left, "bold"), ("━" * filled, "$primary"), ("─" * (room - filled), FAINT), (right, "$text-muted")
        )
        return Content("\n").join([line, *self._keys(width)])

    def _keys(self, width: int) -> list[Content]:
        lines: list[Content] = []
        line, used = Content(""), 0
        for ids, defaults, words, action in KEYS:
            keys = " ".join(key_of(self.app, name, key) for name, key in zip(ids, defaults, strict=True))
            text = Content.assemble((keys, "bold"), (f" {words}" if words else "", FAINT))
            part = text.stylize(f"@click=screen.{action}")
            if used and used + 2 + part.cell_length > width:
                lines.append(line)
                line, used = Content(""), 0
            line = Content.assemble(line, "  " if used else "", part)
            used = line.cell_length
        return [*lines, line]

    def changed(self) -> None:
        """Draw anew."""
        self.refresh()

    def on_resize(self) -> None:
        self.refresh(layout=True)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.get_content_offset(self) is not None and event.y == 1:  # below the border
            self._dragging = True
            self.capture_mouse()
            self._scrub(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._scrub(event.x)

    def on_mouse_up(self) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _scrub(self, x: int) -> None:
        start, room = self._bar
        self.post_message(self.Scrubbed(min(1.0, max(0.0, (x - 2 - start + 0.5) / room))))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
