"""The screen of a session that is only looked at: the panes of the main screen, and a bar in place of the prompt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from pygent.errors import PygentError, SessionInUse
from pygent.events import MAIN, Event
from pygent.transcript import Item, Transcript
from pygent.tui.screens.main import MainScreen
from pygent.tui.screens.past import fold
from pygent.tui.text import clean_line
from pygent.tui.widgets.prompt import Prompt
from pygent.tui.widgets.replay_bar import ReplayBar
from pygent.tui.widgets.status import StatusLine

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from pygent.session import Session
    from pygent.session_view import SessionView

FRAME = 1 / 15
"""Seconds between two looks at what is due."""

LOOK = 0.5
"""Seconds between two looks for what has been stored since."""

AT_ONCE = 400
"""Events that are shown on the interface's thread; for more the screen is made anew on another."""


class ReplayScreen(MainScreen):
    """Plays and scrubs through the events of a `SessionView`, or keeps up with them."""

    AUTO_FOCUS = "#replay"
    DEFAULT_CSS = "ReplayScreen #prompt { display: none; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,p", "pause", "Play, or pause", id="replay.pause"),
        Binding("right,l", "step(1)", "Next event", id="replay.on"),
        Binding("left,h", "step(-1)", "Event before", id="replay.back"),
        Binding("shift+right,n", "prompt(1)", "Next prompt", id="replay.prompt-after"),
        Binding("shift+left,b", "prompt(-1)", "Prompt before", id="replay.prompt-before"),
        Binding("home", "begin", "To the beginning", id="replay.begin"),
        Binding("end", "end", "To the end, and keep up with it", id="replay.end"),
        Binding("plus,equals_sign", "faster(1)", "Faster", id="replay.faster"),
        Binding("minus", "faster(-1)", "Slower", id="replay.slower"),
        Binding("a", "agent", "Show one agent, or all", id="replay.agent"),
        Binding("f", "fork", "Go on with a copy from here", id="replay.fork"),
        Binding("r", "go_on", "Go on with the session", id="replay.resume"),
        Binding("q", "leave", "Leave", id="replay.leave"),
    ]

    def __init__(self, session: SessionView) -> None:
        super().__init__(cast("Session", session))
        self.view = session
        self.bar = ReplayBar(session.playback, id="replay")
        self._building = False
        self._looking = False
        self._following = False
        self._then = 0.0

    def compose(self) -> ComposeResult:
        self.conversation.welcome.session = self.session
        yield from self.panes.first()
        yield self.bar
        yield Prompt(id="prompt")
        yield StatusLine(id="status")

    def session_opened(self) -> None:
        self.attach_panes()
        self.status.note = "read only"
        what = "Watching" if self.view.follow else "Replay"
        self.bar.border_title = f"{what} · {clean_line(self.view.stored_session.title)[:60]}"
        self._then = time.monotonic()
        self.set_interval(FRAME, self._frame)
        self.set_interval(LOOK, self._look)
        if self.view.follow:
            self.action_end()
        else:
            self.view.playback.playing = True
        self.state_changed()
        self.bar.focus()

    def take(self, batch: Sequence[Event]) -> None:
        """Show a batch of events: nobody is asked anything here."""
        folded: list[tuple[Event, Item | None]] = [(event, self.transcript.apply(event)) for event in batch]
        if self.view.saw(batch):
            self.state_changed()
        for pane in (self.conversation, *self.panes.beside):
            pane.apply_batch(folded)
        self._drawn()

    def _drawn(self) -> None:
        self.desk.take(())
        self.status.changed()
        self.panes.count(self.transcript)
        self.bar.changed()

    # Playing.

    def _frame(self) -> None:
        now = time.monotonic()
        passed, self._then = now - self._then, now
        playback = self.view.playback
        if self._building or not playback.playing:
            return
        before = playback.at
        if due := playback.advance(passed):
            self._shown(before, due)
        if playback.ended:
            self._following, playback.playing = True, False
        self.bar.changed()

    def _shown(self, before: int, batch: Sequence[Event]) -> None:
        if len(batch) > AT_ONCE or before > self.view.playback.at:
            self._build()
        elif batch:
            self.take(batch)

    def _go(self, at: int) -> None:
        """Show the first ``at`` events."""
        playback = self.view.playback
        before = playback.at
        playback.seek(at)
        self._following = False
        if self._building or playback.at < before or playback.at - before > AT_ONCE:
            self._build()
        elif playback.at > before:
            self.take(playback.shown[before : playback.at])
        self.bar.changed()

    def _build(self) -> None:
        """Fold what is to be seen anew, on a thread; asked again meanwhile, once more after that."""
        if self._building:
            return
        self._building = True
        at = self.view.playback.at
        shown = self.view.playback.shown[:at]

        def work() -> None:
            transcript = Transcript()
            fold(self, transcript, shown)
            self.app.call_later(self._built, transcript, shown)

        self.run_worker(work, thread=True, exit_on_error=False)

    def _built(self, transcript: Transcript, shown: Sequence[Event]) -> None:
        self.transcript = self.status.transcript = transcript
        if self.view.saw(shown):
            self.state_changed()
        self.conversation.forget()
        self.attach_panes()
        self._building = False
        self._then = time.monotonic()
        playback = self.view.playback
        if list(shown) != playback.shown[: playback.at]:  # meanwhile it went on, or elsewhere
            self._build()
        self._drawn()

    # Keeping up.

    def _look(self) -> None:
        if self._looking:
            return
        self._looking = True

        def work() -> None:
            try:
                new, holder = self.view.newer(), self.view.holder()
            except PygentError as error:
                self.app.call_later(self._looked, [], str(error))
            else:
                self.app.call_later(self._looked, new, f"open in process {holder.pid}" if holder else "")

        self.run_worker(work, thread=True, exit_on_error=False)

    def _looked(self, new: list[Event], note: str) -> None:
        self._looking = False
        playback = self.view.playback
        before = len(playback.shown)
        playback.extend(new)
        if self._following and len(playback.shown) > before:
            playback.seek(len(playback.shown))
            if self._building:
                return
            self._shown(before, playback.shown[before:])
        if new or note != self.bar.note:
            self.bar.note = note
            self.bar.changed()

    # Keys.

    @on(ReplayBar.Scrubbed)
    def _scrubbed(self, event: ReplayBar.Scrubbed) -> None:
        self._go(self.view.playback.place_at(event.share))

    def action_pause(self) -> None:
        playback = self.view.playback
        if playback.ended and not playback.playing:
            self._go(0)  # once more from the beginning
        self._following = False
        playback.playing = not playback.playing
        self.bar.changed()

    def action_step(self, count: int) -> None:
        self.view.playback.playing = False
        self._go(self.view.playback.at + count)

    def action_prompt(self, step: int) -> None:
        self._go(self.view.playback.prompt(step))

    def action_begin(self) -> None:
        self._go(0)

    def action_end(self) -> None:
        playback = self.view.playback
        self._go(len(playback.shown))
        self._following, playback.playing = True, False
        self.bar.changed()

    def action_faster(self, steps: int) -> None:
        self.view.playback.faster(steps)
        self.bar.changed()

    def action_agent(self) -> None:
        from pygent.tui.screens.choose import ChooseScreen  # noqa: PLC0415 - when it is asked for

        playback = self.view.playback
        names = playback.agents
        chosen = playback.agent or "all"

        def show(word: str | None) -> None:
            if word is not None and word != chosen:
                playback.choose("" if word == "all" else word)
                if self._following:
                    playback.seek(len(playback.shown))
                self._build()

        about = "Whose events show. A task's conversation takes the place of the main one."
        meanings = {"all": "everybody, tasks in their panes"} | {
            name: clean_line(persona) for name, persona in names.items() if name != MAIN
        }
        screen = ChooseScreen("Agent", ["all", *names], chosen, about=about, meanings=meanings)
        self.app.push_screen(screen, show)

    def action_fork(self) -> None:
        view, seq = self.view, self.view.playback.seq
        self._exchange(lambda: view.forked(to_seq=seq))

    def action_go_on(self) -> None:
        view = self.view
        self._exchange(lambda: view.resumed(view.stored_session))

    def _exchange(self, make: Callable[[], Session]) -> None:
        def tried() -> Session:
            try:
                return make()
            except SessionInUse as error:
                raise PygentError(f"it is open in {error.holder}; f goes on with a copy") from error

        self.pygent.life.exchange(tried)

    def note(self, title: str, text: str = "", *, level: str = "info") -> None:
        """Say something above the screen: the conversation has only what was in it."""
        severity: SeverityLevel = "information" if level == "info" else "error" if level == "error" else "warning"
        self.notify(text or title, severity=severity, timeout=8, markup=False)

    def action_leave(self) -> None:
        self.pygent.leave()

    def action_interrupt(self) -> None:
        self.bar.focus()

    def action_next_mode(self) -> None:
        self.notify("This session is only looked at.", timeout=3)
