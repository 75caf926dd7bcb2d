"""Searching what was said: words, phrases and beginnings of words, whatever is typed, with and without an index."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.commands import sessions as command
from pygent.events import Event, MessageFinished, RunStarted, SessionStarted, ToolFinished, ToolStarted, stamp
from pygent.settings import data_dir
from pygent.store import FoundSession, Store
from pygent.store.words import excerpt, expression, has_all, indexable, parse


def fill(store: Store, session_id: str, *events: Event, at: float = 0.0) -> None:
    """Store a session with these events."""
    begin = SessionStarted(model="m", persona="p", workspace="/w", sandbox="local", version="0")
    first = store.last_seq(session_id) + 1
    for seq, event in enumerate(events if first > 1 else (begin, *events), start=first):
        store.append(stamp(event, seq=seq, at=at or time.time(), session_id=session_id))


def said(role: str, text: str) -> Event:
    return MessageFinished(
        message_id="1", message={"role": role, "content": text}, origin="user" if role == "user" else "model"
    )


def answer(text: str) -> Event:
    return said("assistant", text)


def output(text: str) -> Event:
    return ToolFinished(call_id="c", status="ok", output=text)


@pytest.fixture(params=["index", "reading everything"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with contextlib.closing(Store(tmp_path / "s.db", full_text=request.param == "index")) as store:
        fill(store, "a", RunStarted(prompt="Mend the Parser"), said("user", "Mend the Parser, please"), at=1.0)
        fill(store, "a", answer("The parser was broken in `src/reader_main.py`, line 17."), at=2.0)
        fill(
            store,
            "b",
            RunStarted(prompt="Write a poem"),
            output("crème brûlée\nГригорий\n検索エンジンを作る 100%\n"),
            at=3.0,
        )
        fill(store, "b", ToolStarted(call_id="d", tool="bash", arguments={"cmd": "alembic upgrade head"}), at=4.0)
        fill(
            store,
            "c",
            RunStarted(prompt="Long"),
            output("x " * 20_000 + "needle in the hay"),
            answer("line 18"),
            at=5.0,
        )
        yield store


QUESTIONS = [
    ("parser", "a"),
    ("PARS", "a"),
    ("arser", ""),
    ("parser broken", "a"),
    ('"parser was broken"', "a"),
    ('"parser broken"', ""),
    ('"the pars"', ""),
    ('"the pars', "a"),
    ("reader_main.py", "a"),
    ("src/read", "a"),
    ("main src", "a"),
    ("main/src", ""),
    ("line", "ca"),
    ("line 17", "a"),
    ("poem", "b"),
    ("creme BRULEE", "b"),
    ("Crème", "b"),
    ("григор", "b"),
    ("検索", "b"),
    ("エンジン", "b"),
    ("索検", ""),
    ("100%", "b"),
    ("alembic head", "b"),
    ("needle hay", "c"),
    ("mend poem", ""),
    ("nothing", ""),
    ("", ""),
    ('"', ""),
    ("%%% -- **", ""),
]


def test_what_is_looked_for_is_found(store: Store) -> None:
    assert [(text, "".join(one.id for one in store.search(text))) for text, _ in QUESTIONS] == QUESTIONS


def test_no_character_is_more_than_a_character(store: Store) -> None:
    draw = random.Random(4)
    letters = string.punctuation + " '\"\\*^:()-+{}%_\0\n\ud800é検" + "NEAR AND OR NOT"
    for text in (
        "parser)",
        'parser"',
        "NEAR(parser",
        "parser OR",
        "words:parser",
        "parser -- '",
        "par*ser",
        "^parser",
        "\0",
        "\ud800",
        *("".join(draw.choices(letters, k=draw.randint(1, 12))) for _ in range(40)),
    ):
        store.search(text)
    assert store.search_note == "" or "FTS5" in store.search_note
    assert [one.id for one in store.search("(parser)")] == ["a"]


def test_what_was_found_is_shown_with_who_said_it(store: Store) -> None:
    (one,) = store.search("reader_main")
    assert isinstance(one, FoundSession)
    assert (one.title, one.who, one.hits, one.seq) == ("Mend the Parser", "Pygent", 1, 4)
    assert one.excerpt.text == "The parser was broken in `src/reader_main.py`, line 17."
    assert one.excerpt.text[one.excerpt.start : one.excerpt.end] == "reader_main"
    (one,) = store.search("検索")
    assert (one.who, one.excerpt.text[one.excerpt.start : one.excerpt.end]) == ("output", "検索")
    (one,) = store.search("needle")
    assert one.excerpt.text.endswith("x x needle in the hay")
    assert len(one.excerpt.text) < 125
    fill(
        store,
        "a",
        answer("something before it, of some length: the word that was looked for, and what stood behind it in full"),
    )
    (one,) = store.search('"looked for"')
    assert one.excerpt.text.startswith(("… ", "something"))
    assert one.excerpt.text[one.excerpt.start : one.excerpt.end] == "looked for"
    (one,) = store.search("write poe")
    assert (one.hits, one.seq, one.excerpt.text) == (0, 0, "Write a poem")
    assert [one.hits for one in store.search("parser")] == [2]
    assert [one.id for one in store.search("line", 1)] == ["c"]
    assert store.search("line", workspace="/elsewhere") == []
    assert len(store.search("line", workspace="/w")) == 2


def test_what_comes_later_is_found_and_what_is_gone_is_not(store: Store) -> None:
    assert store.search("later") == []
    fill(store, "a", answer("one word later"))
    fill(store, "d", RunStarted(prompt="new"), *[output(f"later still {number}") for number in range(450)])
    assert [(one.id, one.hits) for one in store.search("later")] == [("d", 450), ("a", 1)]
    store.delete("d")
    assert [(one.id, one.hits) for one in store.search("later")] == [("a", 1)]
    fill(store, "e", RunStarted(prompt="newer"))
    assert [one.id for one in store.search("still")] == []
    store.rename("a", "Another name")
    assert [one.id for one in store.search("name another")] == ["a"]


def test_several_processes_find_and_store_at_once(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from pygent.store import Store
from tests.core.test_store_search import fill, output, RunStarted
store = Store(Path(sys.argv[1]))
for number in range(5):
    begin = [] if number else [RunStarted(prompt="go")]
    fill(store, sys.argv[2], *begin, *[output(f"word{sys.argv[2]} {n}") for n in range(20)])
    (one,) = store.search("word" + sys.argv[2])
    assert one.hits == 20 * (number + 1), (one.hits, number, store.search_note)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "s.db")]
    started = [
        subprocess.Popen([*command, name], stderr=subprocess.PIPE, text=True) for name in ("one", "two", "three")
    ]
    assert [process.communicate(timeout=100)[1] for process in started] == [""] * 3
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        assert sorted((one.id, one.hits) for one in store.search("word")) == [
            ("one", 100),
            ("three", 100),
            ("two", 100),
        ]
        with contextlib.closing(sqlite3.connect(tmp_path / "search.db")) as db:
            db.execute("INSERT INTO said (said) VALUES ('integrity-check')")


@pytest.mark.parametrize("damage", ["no database", "a page", "gone", "newer", "a folder"])
def test_an_index_that_cannot_be_used_costs_nothing_but_time(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "search.db"
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        fill(
            store,
            "a",
            RunStarted(prompt="one"),
            *[output(f"needle {number} " + "hay " * 50) for number in range(300)],
        )
        assert [one.hits for one in store.search("needle")] == [300]
    if damage == "no database":
        file.write_text("this is not a database, whatever its name says" * 100)
    elif damage == "a page":
        whole = bytearray(file.read_bytes())
        whole[4096:] = b"\xff" * (len(whole) - 4096)
        file.write_bytes(whole)
    elif damage in ("gone", "a folder"):
        file.unlink()
        if damage == "a folder":
            file.mkdir()
    else:
        with contextlib.closing(sqlite3.connect(file)) as db:
            db.execute("PRAGMA user_version=99")
    with contextlib.closing(Store(tmp_path / "s.db")) as store:
        for _ in range(2):
            assert [one.hits for one in store.search("needle")] == [300]
        assert bool(store.search_note) == (damage in ("newer", "a folder"))
    assert not file.is_file() or file.stat().st_mode & 0o777 == 0o600


def test_the_command_shows_where_it_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with contextlib.closing(Store(data_dir() / command.DATABASE)) as store:
        fill(
            store,
            "0123456789",
            RunStarted(prompt="Mend the parser"),
            answer("It is\n\x1b[2Jmended: `main.py`."),
            answer("mended"),
        )
        fill(store, "abcdef", RunStarted(prompt="Mended words"))
    assert command.main(["search", "mended"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    first, second, third = shown.out.splitlines()
    assert "Mended words" in first
    assert "01234567" in second
    assert third.strip() == "Pygent: mended (2 places)"
    assert command.main(["search", "is", "main.py"]) == 0
    assert capsys.readouterr().out.splitlines()[1].strip().startswith("Pygent: It is ")
    assert command.main(["search", "%%%"]) == 0
    assert capsys.readouterr().out == "No sessions.\n"


def test_the_words_of_the_index_are_those_of_the_search() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        _compare_words(db)


def _compare_words(db: sqlite3.Connection) -> None:
    db.execute("CREATE VIRTUAL TABLE said USING fts5(words, content='', columnsize=0, tokenize='ascii')")
    draw = random.Random(5)
    pieces = [
        "größe",
        "Straße",
        "naïve",
        "x_y",
        "a.b",
        "検索",
        "エンジン",
        "が",
        "ΣΊΣΥΦΟΣ",
        "I\u0307",
        "①",
        "½",
        "🐍",
        "ﬁn",
        "x" * 70,
    ]
    texts = ["".join(draw.choice([*pieces, " ", "-", "Word", "7"]) for _ in range(30)) for _ in range(80)]
    texts += ["".join(draw.choices(string.printable + "\0 ", k=80)) for _ in range(80)] + ["a" * 70 + " b", "c" * 64]
    for number, text in enumerate(texts):
        db.execute("INSERT INTO said (rowid, words) VALUES (?, ?)", (number, indexable(text)))
    for _ in range(150):
        text = draw.choice(texts)
        start = draw.randrange(len(text))
        terms = parse(draw.choice(["", '"']) + text[start : start + draw.randint(1, 14)])
        if terms:
            found = {row[0] for row in db.execute("SELECT rowid FROM said WHERE said MATCH ?", (expression(terms),))}
            assert found == {number for number, one in enumerate(texts) if has_all(one, terms)}, terms
            excerpt(text, terms)
