"""`/model`: what the servers offer, found by typing, chosen by key and by mouse."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pygent.errors import APIError
from pygent.session_model import OfferedBy
from pygent.settings import Settings
from pygent.settings.provider import ModelEntry, Provider
from pygent.tui.app import PygentApp
from pygent.tui.model_rows import ModelRow, ModelRows, ServerRow
from pygent.tui.screens.models import ModelList, ModelsScreen
from tests.tui.fake_session import FakeSession
from tests.tui.test_app import _own_config, running, shown, until

__all__ = ["_own_config"]

SERVERS = [
    OfferedBy("", "http://127.0.0.1:1/v1", ("gpt-4.1-mini",)),
    OfferedBy("local", "http://127.0.0.1:2/v1", ("local/qwen",)),
]


def names(rows: ModelRows, text: str = "") -> list[str]:
    return [row.name for row in rows.rows(text) if isinstance(row, ModelRow)]


def test_what_is_configured_is_there_before_a_server_answers() -> None:
    settings = Settings(providers={"local": Provider(base_url="http://127.0.0.1:2/v1")})
    rows = ModelRows(settings, "local/present", SERVERS)
    assert names(rows) == ["gpt-4.1-mini", "local/present", "local/qwen"]
    assert rows.asked == 2
    rows.told("local", ["local/qwen", "local/llama"])
    rows.told("", [], "http://127.0.0.1:1/v1 refused the connection.")
    assert rows.asked == 0
    assert names(rows) == ["gpt-4.1-mini", "local/present", "local/qwen", "local/llama"]
    assert [row for row in rows.rows("") if isinstance(row, str)] == ["refused the connection."]
    assert [row.said for row in rows.rows("") if isinstance(row, ServerRow)] == ["does not tell", "3 models"]
    assert [row.name for row in rows.rows("") if isinstance(row, ModelRow) and row.present] == ["local/present"]


def test_words_find_models_and_servers_and_what_is_typed_can_be_chosen() -> None:
    rows = ModelRows(Settings(), "gpt-4.1-mini", SERVERS)
    assert names(rows, "QWEN lo") == ["local/qwen"]
    assert names(rows, "qwe") == ["local/qwen", "qwe"]
    assert names(rows, "127.0.0.1:2") == ["local/qwen", "127.0.0.1:2"]
    assert names(rows, "local/qwen") == ["local/qwen"]
    assert [row.typed for row in rows.rows("unheard/of") if isinstance(row, ModelRow)] == [True]


def test_window_and_prices_stand_beside_a_model() -> None:
    entry = ModelEntry(context_window=200_000, prices={"input": 3.0, "output": 15.0})
    local = Provider(base_url="http://127.0.0.1:2/v1", models={"qwen": entry})
    rows = ModelRows(Settings(providers={"local": local}), "x", SERVERS).rows("")
    facts = {row.label: row.facts for row in rows if isinstance(row, ModelRow)}
    assert facts["qwen"] == "200k tokens · 3.00 / 15.00"


@contextmanager
def offering(folder: Path) -> Iterator[FakeSession]:
    session = FakeSession(folder)
    session.settings.providers["local"] = Provider(base_url="http://127.0.0.1:2/v1")
    session.offering = SERVERS
    session.offered = {"": ["gpt-4.1", "gpt-4.1-mini"], "local": threading.Event()}
    yield session
    session.close()


def model_list(app: PygentApp) -> ModelList:
    screen = app.screen
    assert isinstance(screen, ModelsScreen)
    return screen.query_one(ModelList)


async def test_a_model_is_found_and_chosen_while_a_server_is_still_asked(tmp_path: Path) -> None:
    with offering(tmp_path) as session:
        async with running(session) as (app, pilot):
            app.main.submit("/model")
            await until(lambda: "gpt-4.1\n" in shown(app) + "\n" or "2 models" in shown(app))
            await until(lambda: "3 models · 1 server still asked" in shown(app))
            assert "asking …" in shown(app)
            assert model_list(app).chosen == "gpt-4.1-mini", "the cursor stands on the present one"
            await pilot.press(*"qwen", "enter")
            await until(lambda: ("set_model", "local/qwen") in session.calls)
            assert not isinstance(app.screen, ModelsScreen)
            await until(lambda: "The model is local/qwen" in shown(app))
            assert "local/qwen" in app.main.status.plain()


async def test_the_arrows_pass_over_the_servers(tmp_path: Path) -> None:
    with offering(tmp_path) as session:
        async with running(session) as (app, pilot):
            app.main.submit("/model")
            await until(lambda: "3 models" in shown(app))
            rows = model_list(app)
            seen = []
            for key in ("down", "down", "down", "up", "up", "up", "up"):
                await pilot.press(key)
                seen.append(rows.chosen)
            assert seen == [
                "gpt-4.1", "local/qwen", "local/qwen", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-mini", "gpt-4.1-mini",
            ]  # fmt: skip
            await pilot.press("escape")
            await until(lambda: not isinstance(app.screen, ModelsScreen))
            assert not [call for call in session.calls if call[0] == "set_model"]


async def test_a_click_chooses_and_the_reason_of_a_server_that_does_not_answer_is_shown(tmp_path: Path) -> None:
    with offering(tmp_path) as session:
        session.offered["local"] = APIError("http://127.0.0.1:2/v1 refused the connection. Is the server running?")
        async with running(session) as (app, pilot):
            app.main.submit("/model")
            await until(lambda: "refused the connection" in shown(app))
            assert "does not tell" in shown(app)
            session.offered["local"] = ["local/qwen", "local/more"]
            await pilot.press("ctrl+r")
            await until(lambda: "more" in shown(app))
            assert "refused" not in shown(app)
            for _ in range(2):
                await pilot.click(ModelList, offset=(5, 2))
            await until(lambda: ("set_model", "gpt-4.1") in session.calls)


@pytest.mark.parametrize("line", ["/model gpt-4.1-mini", "/model gpt-4.1"])
async def test_a_name_changes_it_without_the_list(tmp_path: Path, line: str) -> None:
    session = FakeSession(tmp_path)
    async with running(session) as (app, _):
        app.main.submit(line)
        wanted = "is gpt-4.1-mini already" if line.endswith("mini") else "The model is gpt-4.1 from the next step on"
        await until(lambda: wanted in shown(app))
