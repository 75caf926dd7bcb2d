"""``pygent replay``: a stored session in the full-screen application, where it is played and only looked at."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NoReturn

from pygent.errors import SettingsError
from pygent.playback import SPEEDS
from pygent.session_view import SessionView
from pygent.settings import Settings, no_screen
from pygent.store import Store, StoreError

EPILOG = """\
keys:
  space          play, pause                  shift+left, shift+right  prompts
  left, right    one event back or on         home, end                begin, end
  minus, plus    speed                        a   one agent, or all
  f              go on with a copy from here  r   go on with the session itself
  click or drag in the bar: that moment       q   leave

At the end it keeps up with a session that is open elsewhere. Pauses longer than two seconds are cut short. What a
message or an output looked like while it came is not stored: each shows at once when it was whole.
`pygent sessions show ID` prints a session as text."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"replay: {message}; pygent replay --help tells more")


def parser() -> argparse.ArgumentParser:
    """What stands behind ``pygent replay``."""
    out = _Parser(
        prog="pygent replay",
        description="Play a stored session in the full-screen application; nothing can be changed in it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    out.add_argument("id", metavar="ID", help="the session; its first characters will do")
    out.add_argument(
        "--follow", action="store_true", help="begin at the end, and keep up with a session that is open"
    )
    out.add_argument("--agent", default="", metavar="ID", help="show one agent: main, or the id of a task")
    out.add_argument("--speed", type=float, default=1.0, metavar="N", help="how many times as fast (1)")
    return out


def main(words: Sequence[str], settings: Settings, store: Callable[[], Store]) -> int:
    """Carry out ``pygent replay WORDS``; answers the exit code. Raises ``SettingsError``."""
    found = parser().parse_args(list(words))
    if found.speed <= 0:
        raise SettingsError("replay: --speed is a number above 0", key="speed")
    view = view_of(found.id, settings, store, follow=found.follow)
    if why := no_screen():
        text = f"no replay can be shown here: {why}; pygent sessions show {found.id} prints the session"
        raise SettingsError(text, key="term")
    view.playback.speed = min(SPEEDS, key=lambda speed: abs(speed - found.speed))
    view.first_agent = found.agent
    from pygent.tui.app import run_tui  # noqa: PLC0415 - once it is known what to show

    return run_tui(view)


def view_of(prefix: str, settings: Settings, store: Callable[[], Store], *, follow: bool = False) -> SessionView:
    """A session to look at, not open yet. Raises ``SettingsError`` where no session, or several, can be meant."""
    opened = store()
    try:
        return SessionView(settings, opened.find(prefix), store, follow=follow)
    except StoreError as error:
        raise SettingsError(str(error), key="replay") from error
    finally:
        opened.close()
