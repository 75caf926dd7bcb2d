"""The file of diagnostics: it tells what happened, and no keys."""

from __future__ import annotations

import logging
import stat
from pathlib import Path

import pytest

from pygent import Session
from pygent.settings import Settings
from tests.fakes.models import ScriptedModel, call

KEY = "test-key-0123456789"


def settings(tmp_path: Path, **more: object) -> Settings:
    given = {"workspace": tmp_path / "work", "use_docker": False, "permission_mode": "yolo", "api_key": KEY, **more}
    return Settings(**given)  # type: ignore[arg-type]


@pytest.mark.hostile(56, 68)
def test_what_happened_is_told_and_no_key(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "pygent.log"
    model = ScriptedModel(
        [call(("bash", {"cmd": "echo not-told"})), RuntimeError(f"refused {KEY} sk-{'a' * 20} \x1b[2J")]
    )
    session = Session(
        settings(tmp_path, log_file=file, env={"MY_TOKEN": "another-secret", "PLAIN": "some-value"}),
        model=model,
        interactive=False,
    )
    session.open()
    with pytest.raises(RuntimeError):
        session.run("a prompt that is not told")
    logging.getLogger("pygent.somewhere").warning("with another-secret and some-value")
    session.close()
    logging.getLogger("pygent.somewhere").warning("after the end")
    text = file.read_text("utf-8")
    for told in ("session.started", "tool=bash", "status=ok", "reason=failed", "error=refused", "and some-value"):
        assert told in text
    for hidden in (KEY, "sk-a", "another-secret", "not told", "not-told", "after the end", "\x1b"):
        assert hidden not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    session = Session(settings(tmp_path, log_file=tmp_path), model=ScriptedModel([]), interactive=False)
    events = []
    session.subscribe(events.append)
    session.open()
    session.close()
    assert str(tmp_path) in events[0].text


def test_without_a_file_nothing_goes_to_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    session = Session(settings(tmp_path), model=ScriptedModel([]), interactive=False)
    session.open()
    logging.getLogger("pygent.somewhere").warning("quiet")
    session.close()
    assert capfd.readouterr() == ("", "")
