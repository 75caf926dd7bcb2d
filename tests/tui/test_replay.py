"""A stored session in the real application, only to be looked at: played, scrubbed, watched, gone on with."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pygent.claims import claim
from pygent.errors import PygentError
from pygent.events import MAIN, Event
from pygent.session import Session
from pygent.session_log import claims_beside
from pygent.session_view import SessionView
from pygent.settings import Settings
from pygent.store import Store
from pygent.transcript import Transcript
from pygent.tui.app import PygentApp
from pygent.tui.screens.choose import ChooseScreen
from pygent.tui.screens.replay import ReplayScreen
from tests.fakes.invariants import _state
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import WIDE, _own_config, shown, until

__all__ = ["_own_config"]

Make = Callable[[], Store]
Application = Callable[[Session], PygentApp]


@pytest.fixture
def fake(tmp_path: Path) -> FakeSession:
    """A session of three prompts and a task, whose events are stored."""
    (tmp_path / "work").mkdir()
    session = FakeSession(tmp_path / "work")
    session.open()
    for number in range(3):
        session.run(f"prompt {number}")
        session.say(f"answer {number}")
        session.tool("bash", {"cmd": f"echo {number}"}, output=f"{number}\n")
        if number == 1:
            task = session.task("t1", "tester", "test the whole")
            session.run("test the whole", agent=task)
            session.say("I have tested it", agent=task)
            session.finish(agent=task)
            session.task_done(task)
        session.finish()
    return session


@pytest.fixture
def make(tmp_path: Path, fake: FakeSession) -> Make:
    def make() -> Store:
        return Store(tmp_path / "data" / "s.db")

    store = make()
    store.append_all([event for event in fake.published if event.durable])
    store.close()
    return make


@pytest.fixture
def view(tmp_path: Path, make: Make, fake: FakeSession) -> Iterator[SessionView]:
    found = of(tmp_path, make, fake)
    yield found
    found.close()


@pytest.fixture
def application() -> Iterator[Application]:
    """Makes applications, and closes the sessions that they have in the end, as the program does."""
    made: list[PygentApp] = []

    def make(session: Session) -> PygentApp:
        made.append(PygentApp(session))
        return made[-1]

    yield make
    for app in made:
        app.session.close()


def of(tmp_path: Path, make: Make, fake: FakeSession, *, follow: bool = False) -> SessionView:
    store = make()
    settings = Settings(workspace=tmp_path / "elsewhere", use_docker=False, model="m", api_key="k")
    found = SessionView(settings, store.find(fake.id), make, follow=follow)
    store.close()
    return found


def folded(events: list[Event]) -> object:
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    assert transcript.main.agent_id == MAIN  # it has a view from when it is asked for, as on the screen
    return _state(transcript)


def screen(app: PygentApp) -> ReplayScreen:
    assert isinstance(app.main, ReplayScreen)
    return app.main


async def test_it_plays_to_the_end_and_is_what_was_live(
    view: SessionView, fake: FakeSession, application: Application
) -> None:
    view.playback.speed = 64.0
    app = application(view)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: view.opened and view.playback.ended and "answer 2" in shown(app))
        assert not view.playback.playing
        assert _state(screen(app).transcript) == folded(fake.published)
        assert "events · 64×" in shown(app)
        assert "prompt 2" in shown(app)
        assert view.workspace == fake.workspace
        await pilot.press("home")
        await until(lambda: "┃ prompt 0" not in shown(app))
        await pilot.press("right", "right", "right", "right")
        await until(lambda: "┃ prompt 0" in shown(app))
        assert "answer 0" not in shown(app)
        await pilot.press("shift+right")
        await until(lambda: "prompt 1" in shown(app) and "answer 0" in shown(app))
        assert "answer 1" not in shown(app)


async def test_wherever_it_is_scrubbed_to_it_shows_what_was_there(
    view: SessionView, seed: int, application: Application
) -> None:
    chance = random.Random(seed)
    app = application(view)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: view.opened and app.focused is screen(app).bar)
        await pilot.press("space")
        for _ in range(8):
            keys = ["right", "left", "shift+right", "shift+left", "home", "end", "click"]
            match key := chance.choice(keys):
                case "click":
                    await pilot.click("#replay", offset=(chance.randrange(1, WIDE[0] - 1), 1))
                case _:
                    await pilot.press(*[key] * chance.randrange(1, 4))
        playback = view.playback
        await until(lambda: not screen(app)._building)
        await pilot.pause()
        assert _state(screen(app).transcript) == folded(list(playback.shown[: playback.at]))
        view_rows = len(app.main.conversation.view.blocks)
        assert view_rows == 1 + len(screen(app).transcript.main.items)


async def test_one_agents_conversation_takes_the_place_of_the_main_one(
    view: SessionView, application: Application
) -> None:
    app = application(view)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: view.opened and app.focused is screen(app).bar)
        await pilot.press("end")
        await until(lambda: "answer 2" in shown(app))
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, ChooseScreen) and "tester" in shown(app))
        await pilot.press("down", "down", "enter")
        await until(lambda: "I have tested it" in shown(app))
        assert "answer 2" not in shown(app)
        await pilot.press("a")
        await until(lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press("up", "up", "enter")
        await until(lambda: "answer 2" in shown(app))


async def test_what_happens_elsewhere_comes_as_it_is_stored(
    tmp_path: Path, make: Make, fake: FakeSession, application: Application
) -> None:
    view = of(tmp_path, make, fake, follow=True)
    other = make()
    with claim(claims_beside(other), fake.id):
        app = application(view)
        async with app.run_test(size=WIDE, notifications=True) as pilot:
            await until(lambda: view.opened and "answer 2" in shown(app) and "open in process" in shown(app))
            fake.subscribe(other.append)
            fake.run("from elsewhere")
            fake.say("answered elsewhere")
            await until(lambda: "answered elsewhere" in shown(app))
            await pilot.press("home")  # who reads an earlier place stays there
            await until(lambda: "┃ prompt 0" not in shown(app))
            fake.say("and more")
            await until(lambda: view.playback.last_seq == fake.published[-1].seq)
            assert "and more" not in shown(app)
            await pilot.press("end")
            await until(lambda: "and more" in shown(app))
            await pilot.press("r")
            await until(lambda: "This session stays" in shown(app))
    other.close()


async def test_nothing_can_be_changed_in_it(view: SessionView, fake: FakeSession, application: Application) -> None:
    app = application(view)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: view.opened)
        before = [event.seq for event in view.events()]
        for attempt in (
            lambda: view.submit("x"),
            lambda: view.run_command("rm a"),
            lambda: view.make_file("a"),
            lambda: view.set_network(True),
            lambda: view.steer("x"),
        ):
            with pytest.raises(PygentError, match="only looked at"):
                attempt()
        assert view.interrupt() is False
        await pilot.press("x", "y", "enter", "shift+tab")
        assert [event.seq for event in view.events()] == before
        assert not app.main.prompt.display


async def test_a_copy_goes_on_from_where_it_stands(
    view: SessionView, make: Make, fake: FakeSession, application: Application
) -> None:
    app = application(view)
    async with app.run_test(size=WIDE) as pilot:
        await until(lambda: view.opened and app.focused is screen(app).bar)
        await pilot.press("space", "home", "shift+right", "shift+right")
        await until(lambda: "prompt 1" in shown(app) and not screen(app)._building)
        await pilot.press("f")
        await until(lambda: app.session is not view and app.session.opened, 10)
        await until(lambda: "A copy of session" in shown(app))
        assert app.session.id != fake.id
        assert "answer 0" in shown(app)
        assert "answer 1" not in shown(app)
        assert app.main.prompt.display
        assert app.session.workspace == fake.workspace
    store = make()
    assert sorted(one.title for one in store.sessions()) == ["prompt 0", "prompt 0 (fork)"]
    store.close()


async def test_a_session_that_is_open_elsewhere_can_be_copied_or_watched(
    tmp_path: Path, make: Make, application: Application
) -> None:
    from pygent.session import Session
    from tests.fakes.models import ScriptedModel

    store = make()
    (stored,) = store.sessions()
    settings = Settings(workspace=Path(stored.workspace), use_docker=False, model="m", api_key="k")
    with claim(claims_beside(store), stored.id):
        session = Session(settings, model=ScriptedModel([]), store=make, resume=stored.id)
        app = application(session)
        async with app.run_test(size=WIDE) as pilot:
            await until(lambda: "It is open in another Pygent (process" in shown(app))
            await pilot.press("down", "enter")
            await until(lambda: app.session is not session and app.session.opened)
            assert app.session.read_only
            await until(lambda: "answer 2" in shown(app))
        session = Session(settings, model=ScriptedModel([]), store=make)
        app = application(session)
        async with app.run_test(size=WIDE) as pilot:
            await until(lambda: session.opened)
            app.main.submit(f"/resume {stored.id[:8]}")
            await until(lambda: isinstance(app.screen, ChooseScreen))
            await pilot.press("enter")
            await until(lambda: app.session is not session and app.session.opened, 10)
            await until(lambda: "A copy of session" in shown(app))
    store.close()


async def test_leaving_it_by_key(view: SessionView, application: Application) -> None:
    app = application(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: view.opened and app.focused is screen(app).bar)
        assert "Space play" in shown(app)
        await pilot.press("q")
        await until(lambda: not app.is_running)
