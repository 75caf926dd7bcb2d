"""What is kept of prompts on disk: whole, private, and safe against other Pygents, kills and damage."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

from pygent.images import read_image
from pygent.tui import prompt_files
from pygent.tui.attaching import pasted_images
from pygent.tui.draft import Draft, Paste, Picture, from_json, joined, paste_label, to_json
from pygent.tui.prompt_files import PromptFiles, Unsent
from tests.core.test_session_prompts import PNG


def texts(drafts: list[Draft]) -> list[str]:
    return [draft.text for draft in drafts]


def test_a_prompt_comes_back_whole_and_only_in_its_workspace(tmp_path: Path) -> None:
    draft = Draft("a [P] [I]\nb", {"[P]": Paste("x\ny"), "[I]": Picture("/a.png", read_image("/a.png", PNG))})
    files = PromptFiles(tmp_path / "p", "/work")
    files.append(draft)
    files.append(Draft("b"))
    files.append(Draft("b"))
    files.append(Draft(" b"))
    back = PromptFiles(tmp_path / "p", "/work").history()
    assert back == [Draft(draft.text, {"[P]": Paste("x\ny"), "[I]": Picture("/a.png")}), Draft("b")]
    assert PromptFiles(tmp_path / "p", "/other").history() == []
    assert stat.S_IMODE(os.stat(tmp_path / "p").st_mode) == 0o700
    assert {stat.S_IMODE(os.stat(file).st_mode) for file in (tmp_path / "p").iterdir()} == {0o600}


def test_damaged_lines_are_skipped(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, "/work")
    files.append(Draft("one"))
    (history,) = tmp_path.glob("*.jsonl")
    for damage in (b"{", b"\xff\xfe", b"[" * 100_000, b"null", b'{"text": 3}', b'{"text": "x", "chips": 3}', b'{"te'):
        with history.open("ab") as file:
            file.write(b"\n" + damage)
    files.append(Draft("two"))
    assert texts(files.history()) == ["one", "x", "two"]
    history.write_bytes(os.urandom(100_000))
    files.history()


def test_the_history_stays_bounded(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, "/work")
    for number in range(2 * prompt_files.KEPT + 10):
        files.append(Draft(f"prompt {number}"))
    files.append(Draft("x" * (prompt_files.LARGEST_PROMPT + 1)))
    kept = texts(files.history())
    assert len(kept) == prompt_files.KEPT
    assert kept[-1] == f"prompt {2 * prompt_files.KEPT + 9}"
    (history,) = tmp_path.glob("*.jsonl")
    assert len(history.read_text().splitlines()) == prompt_files.KEPT
    assert texts(files.history()) == kept
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_several_pygents_append_at_once_and_cut(tmp_path: Path) -> None:
    def write(name: str) -> None:
        files = PromptFiles(tmp_path, "/work")
        for number in range(40):
            files.append(Draft(f"{name} {number}"))
            if number % 10 == 0:
                files._cut()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(PromptFiles(tmp_path, "/work").history())) == sorted(
        f"{name} {number}" for name in "abcd" for number in range(40)
    )


def test_what_is_unsent_belongs_to_the_living(tmp_path: Path) -> None:
    first, second = PromptFiles(tmp_path, "/work"), PromptFiles(tmp_path, "/work")
    first.keep(Unsent(Draft("first"), (Draft("queued"),)))
    assert second.left() == []
    first.close()
    assert PromptFiles(tmp_path, "/other").left() == []
    assert second.left() == [Unsent(Draft("first"), (Draft("queued"),))]
    assert PromptFiles(tmp_path, "/work").left() == []
    second.keep(Unsent())
    second.close()
    assert PromptFiles(tmp_path, "/work").left() == []
    assert [file.name for file in tmp_path.iterdir() if file.suffix != ".jsonl"] == []


def test_drafts_of_several_that_ended_are_all_kept(tmp_path: Path) -> None:
    for text in ("one", "two"):
        files = PromptFiles(tmp_path, "/work")
        files.keep(Unsent(Draft(text), (Draft(f"after {text}"),)))
        files.close()
        time.sleep(0.02)
    third = PromptFiles(tmp_path, "/work")
    assert [left.draft.text for left in third.left()] == ["one", "two"]
    assert texts(third.history()) == ["one"]
    third.close()  # killed before anything more was written
    (left,) = PromptFiles(tmp_path, "/work").left()
    assert left == Unsent(Draft("two"), (Draft("after one"), Draft("after two")))


def test_a_killed_process_leaves_its_draft(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom pygent.tui.prompt_files import *\n"
        "files = PromptFiles(Path(sys.argv[1]), '/work')\nfiles.keep(Unsent(Draft('unsent')))\n"
        "print('kept', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    files = PromptFiles(tmp_path, "/work")
    assert files.left() == []
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert files.left() == [Unsent(Draft("unsent"))]
    files.close()


def test_a_damaged_draft_is_no_error(tmp_path: Path) -> None:
    for damage in (b"", b"{", b"[1]", b'{"draft": 3, "queued": [4, {"text": "q"}]}'):
        files = PromptFiles(tmp_path, "/work")
        files.keep(Unsent(Draft("x")))
        files.close()
        (draft,) = tmp_path.glob("*.draft")
        draft.write_bytes(damage)
        left = PromptFiles(tmp_path, "/work").left()
        assert [texts(list(one.queued)) for one in left] in ([], [["q"]])
        for file in tmp_path.iterdir():
            file.unlink()


def test_a_draft_that_begins_with_a_blank_is_not_written(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, "/work")
    files.keep(Unsent(Draft(" password")))
    assert not tmp_path.exists() or b"password" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


def test_what_holds_a_key_is_not_written(tmp_path: Path) -> None:
    files = PromptFiles(tmp_path, "/work", ["sk-secret"])
    label = "[Pasted text #1 +2 lines]"
    for draft in (Draft("use sk-secret-1"), Draft(label, {label: Paste("a\nsk-secret")})):
        files.append(draft)
        files.keep(Unsent(draft, (draft, Draft("fine"))))
    files.append(Draft("fine, too"))
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret" not in written
    assert written.count(b"fine") == 2
    files.close()


def test_drafts_with_equal_labels_are_joined_without_mixing() -> None:
    label = paste_label("a\nb", ())
    one, two = Draft(label, {label: Paste("a\nb")}), Draft(f"see {label}", {label: Paste("c\nd")})
    both = joined([one, Draft("  "), two])
    assert both.whole() == "a\nb\nsee c\nd"
    assert from_json(to_json(both)) == both
    assert Draft("x [A] y", {"[A]": Paste("[A]")}).whole() == "x [A] y"


def test_dropped_paths_in_all_the_ways_of_terminals(tmp_path: Path) -> None:
    file = tmp_path / "a b.png"
    file.write_bytes(PNG)
    (tmp_path / "c.png").write_bytes(PNG)
    for text in (
        f"{file}",
        f"'{file}'",
        f'"{file}"',
        str(file).replace(" ", "\\ "),
        f"file://{str(file).replace(' ', '%20')}",
        f"{file}\n",
    ):
        assert [picture.path for picture in pasted_images(lambda path: read_image(path, PNG), text)] == [str(file)]
    assert len(pasted_images(lambda path: read_image(path, PNG), f"{file}\n{tmp_path}/c.png")) == 2
    for text in (f"{file} and more", "/nowhere.png", "'/open.png", "relative.png"):
        assert pasted_images(lambda path: read_image(path, PNG), text) == []
