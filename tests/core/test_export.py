"""Sessions written out: Markdown, JSON Lines, and a page that stands alone."""

from __future__ import annotations

import json
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pygent.bus import EventBus
from pygent.events import (
    Event,
    MessageFinished,
    MessageStarted,
    Notice,
    RunFinished,
    RunStarted,
    SessionStarted,
    TaskStarted,
    ToolFinished,
    ToolStarted,
    from_dict,
)
from pygent.export import FORMATS, export, format_of, write_new

NASTY = "<script>alert(1)</script> <img src=http://evil.test/x onerror=a()> \x1b[31m & \"'"
MARKDOWN = (
    "# Head\n\n**bold** `a<b` [link](https://example.org/?a=1&b=2) [bad](javascript:alert(1)) ![p](http://evil.test/p.png)\n\n"
    "<iframe src='http://evil.test'></iframe>\n\n```python\nif a < b: pass\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
)
KEY = "sk-very&secret-key-1234567890"


def events() -> list[Event]:
    bus = EventBus()
    out: list[Event] = []
    bus.subscribe(out.append)
    bus.publish(SessionStarted(model=f"m{NASTY}", persona="p", workspace="/w<b>", sandbox="local", version="0"))
    bus.publish(RunStarted(prompt=NASTY))
    bus.publish(MessageStarted(message_id="1", role="user", origin="user"))
    bus.publish(MessageFinished(message_id="1", message={"role": "user", "content": NASTY}, origin="user"))
    bus.publish(MessageStarted(message_id="2", role="assistant"))
    bus.publish(MessageFinished(message_id="2", message={"role": "assistant", "content": MARKDOWN}))
    bus.publish(ToolStarted(call_id="c", tool="bash", arguments={"cmd": f"env {NASTY}"}))
    bus.publish(ToolFinished(call_id="c", status="error", output=f"OPENAI_API_KEY={KEY} {NASTY}"))
    bus.publish(TaskStarted(task_id="t1", persona=NASTY, prompt=NASTY))
    bus.publish(Notice(level="warning", text=NASTY, agent_id="t1"))
    bus.publish(RunFinished(reason="failed", error=NASTY))
    return out


class _Page(HTMLParser):
    """Takes note of all that a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br", "hr"}:
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in {"src", "srcset", "data", "action", "background"}:
                self.bad.append(f"{tag} {name}={value}")
            if name == "href":
                self.links.append(str(value))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.hostile(56, 57, 58)
def test_the_page_stands_alone_and_nothing_in_it_is_markup_but_markdown() -> None:
    text = export(events(), "html", title=f"Title {NASTY}")
    page = _Page()
    page.feed(text)
    page.close()
    assert page.open == []
    assert page.bad == []
    assert not {"script", "img", "iframe", "link", "object", "embed", "form", "base"} & set(page.tags)
    assert page.links == ["https://example.org/?a=1&b=2", "http://evil.test/p.png", "#task-t1"]  # a picture is a link
    assert {"h1", "strong", "table", "details", "pre"} <= set(page.tags)
    assert "Content-Security-Policy" in text
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "@import" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\x1b" not in text


@pytest.mark.hostile(68)
def test_known_keys_are_hidden_in_every_form() -> None:
    for form in FORMATS:
        text = export(events(), form, secrets=(KEY,))
        assert "OPENAI_API_KEY=••••" in text
        assert "1234567890" not in text
    lines = export(events(), "jsonl", secrets=(KEY,)).splitlines()
    assert [from_dict(json.loads(line)).type for line in lines] == [event.type for event in events()]


def test_a_name_says_the_form_and_nothing_is_written_over(tmp_path: Path) -> None:
    assert [format_of(name) for name in ("a.md", "b.JSONL", "c.html", "d", "e.txt")] == [
        "markdown",
        "jsonl",
        "html",
        "markdown",
        "markdown",
    ]
    write_new(tmp_path / "a.md", "text \udc80")
    assert (tmp_path / "a.md").read_text() == "text ?"
    assert stat.S_IMODE((tmp_path / "a.md").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a.md", "other")
    with pytest.raises(ValueError, match="unknown format"):
        export([], "pdf")  # type: ignore[arg-type]


def test_the_command_exports_lists_and_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pygent.commands import sessions
    from pygent.store import Store

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    store: Store = sessions.open_store()
    store.append_all(events())
    (one,) = store.sessions()
    store.close()
    assert sessions.main(["export", one.id[:6], "--format", "html", "--output", "page.html"]) == 0
    assert capsys.readouterr().out == "written to page.html\n"
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "1234567890" not in page
    assert sessions.main(["export", one.id, "-o", "page.html"]) == 1  # never over something
    assert "cannot be written" in capsys.readouterr().err
    assert sessions.main(["export", one.id, "--format=jsonl"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(events())
    assert sessions.main(["list", "--format", "json", "--limit", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == one.id
    assert sessions.main(["list", "--workspace", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "No sessions.\n"
    assert sessions.main(["search", "evil", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["workspace"] == "/w<b>"
    for wrong in (["export", one.id, "--format", "pdf"], ["frobnicate"], ["show"], ["list", "--any"]):
        assert sessions.main(wrong) == 2
        assert "is not understood" in capsys.readouterr().err or "usage: pygent sessions" in capsys.readouterr().err
    for asked in (["--help"], ["help"]):
        assert sessions.main(asked) == 0
        assert "--format" in capsys.readouterr().out
    with pytest.raises(SystemExit) as done:
        sessions.main(["export", "--help"])
    assert done.value.code == 0
