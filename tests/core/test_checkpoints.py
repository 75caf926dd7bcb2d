"""What calls change in a workspace is recorded, and can be brought back; what others changed is left alone."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.changes.data import KEEP_LIMIT
from pygent.checkpoints.records import blobs_of, changes_of
from pygent.events import from_dict, to_dict
from tests.core.changed_trees import snapshot, write
from tests.core.checkpointed import GIT, Checkpointed, shell

FILES = {"a.txt": b"one\n", "src/x.py": b"x = 1\n", "src/deep/y.py": b"y = 2\n", "bin": b"\0\1\2", "b.txt": b"bee\n"}


@pytest.fixture(params=[True, False], ids=["git", "no git"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Checkpointed]:
    (tmp_path / "work").mkdir()
    write(tmp_path / "work", FILES)
    made = Checkpointed(tmp_path, git=request.param)
    yield made
    made.close()


def files(root: Path) -> dict[str, object]:
    return {path: what for path, what in snapshot(root).items() if not path.startswith(".git/")}


def reasons(event: object) -> dict[str, str]:
    return {one["path"]: one["reason"] for one in event.left}  # type: ignore[attr-defined]


def test_a_command_that_deleted_and_rewrote_files_is_undone_and_done_again(work: Checkpointed) -> None:
    before = files(work.root)
    work.run("rm -rf src; echo two > a.txt; rm bin; mkdir bin; echo z > bin/z; echo new > new.txt")
    after = files(work.root)
    assert work.undo().left == []
    assert files(work.root) == before
    assert work.redo().left == []
    assert files(work.root) == after
    assert work.undo().left == []
    assert files(work.root) == before


def test_a_file_edited_by_hand_in_between_is_left_alone_and_named(work: Checkpointed) -> None:
    work.run("echo two > a.txt; rm -r src; echo new > made.txt")
    (work.root / "a.txt").write_text("by hand\n")
    (work.root / "made.txt").write_text("by hand, too\n")
    done = work.undo()
    assert reasons(done) == dict.fromkeys(["a.txt", "made.txt"], "it was changed since, by somebody else")
    assert (work.root / "a.txt").read_text() == "by hand\n"
    assert (work.root / "src/x.py").read_bytes() == FILES["src/x.py"]


def test_what_others_change_while_no_call_runs_is_never_recorded(work: Checkpointed) -> None:
    work.run("echo two > a.txt")
    (work.root / "b.txt").write_text("by hand\n")
    (work.root / "src/x.py").unlink()
    work.run("echo three > a.txt")
    assert work.last.paths == ["a.txt"]
    work.undo(2)
    assert (work.root / "a.txt").read_bytes() == FILES["a.txt"]
    assert (work.root / "b.txt").read_text() == "by hand\n"
    assert not (work.root / "src/x.py").exists()


def test_a_change_by_hand_between_two_steps_is_what_both_go_back_to(work: Checkpointed) -> None:
    work.run("echo two > a.txt")
    (work.root / "a.txt").write_text("by hand\n")
    work.run("echo three >> a.txt")
    done = work.undo(2)
    assert "what they made of it" in reasons(done)["a.txt"]
    assert (work.root / "a.txt").read_text() == "by hand\n"


def test_a_folder_that_was_made_stays_where_something_of_others_is_in_it(work: Checkpointed) -> None:
    work.run("mkdir made; echo one > made/one")
    (work.root / "made/mine").write_text("mine")
    done = work.undo()
    assert reasons(done) == {"made": "'mine' is in it"}
    assert sorted(os.listdir(work.root / "made")) == ["mine"]


def test_what_tools_of_our_own_write_is_recorded_without_looking(work: Checkpointed) -> None:
    before = files(work.root)
    work.write("new/er/file.txt", "hey")
    work.write("a.txt", "two\n")
    assert work.last.paths == ["a.txt"]
    work.undo(2)
    assert files(work.root) == before


def test_links_modes_and_names_of_any_bytes(work: Checkpointed) -> None:
    odd = os.fsdecode(b"\xff odd\n")
    (work.root / odd).write_bytes(b"\0odd")
    (work.root / "link").symlink_to("a.txt")
    (work.root / "empty").mkdir()
    (work.root / "b.txt").chmod(0o640)
    before = files(work.root)
    work.run(
        "printf x > \"$(printf '\\377 odd\\n.')\" || true; ls | while read -r f; do :; done; rm link; "
        "ln -s src link; chmod 755 b.txt; rmdir empty; rm -f *odd*; rm bin; ln -s nowhere bin"
    )
    assert files(work.root) != before
    for event in work.events:
        assert from_dict(json.loads(json.dumps(to_dict(event)))) == event
        json.dumps(to_dict(event), ensure_ascii=False).encode()
    assert work.undo().left == []
    assert files(work.root) == before


def test_only_touched_files_make_no_checkpoint(work: Checkpointed) -> None:
    work.run("touch a.txt; cat b.txt > c; mv c b.txt; mkdir d; rmdir d")
    assert work.stack.done == []


def test_two_versions_of_the_same_size_within_one_tick(work: Checkpointed) -> None:
    for number in range(8):
        (work.root / "a.txt").write_text(f"{number:04}")
        work.run("printf xxxx > a.txt")
        assert work.last.paths == ["a.txt"]
        work.undo()
        assert (work.root / "a.txt").read_text() == f"{number:04}"


def test_what_is_too_large_is_said_and_what_was_made_large_comes_back(work: Checkpointed) -> None:
    with (work.root / "huge").open("wb") as file:
        file.truncate(KEEP_LIMIT + 1)
    work.run(f"echo x >> huge; truncate -s {KEEP_LIMIT + 5} made")
    assert work.last.unkept == [{"path": "huge", "reason": "it is larger than 32 MiB"}]
    done = work.undo()
    assert reasons(done) == {"huge": "what it was is not kept"}
    assert not (work.root / "made").exists()
    assert work.redo().left == []
    assert (work.root / "made").stat().st_size == KEEP_LIMIT + 5


def test_commands_beside_each_other_have_each_change_once(work: Checkpointed) -> None:
    with work.recorder.watching("first", "first"):
        shell(work.root, "echo 1 > one")
        with work.recorder.watching("second", "second"):
            shell(work.root, "echo 2 > two")
        work.write("three", "3")
    assert {event.call_id: event.paths for event in work.stack.done} == {
        "first": ["one"],
        "second": ["two"],
        "call": ["three"],
    }
    work.undo(3)
    assert not {"one", "two", "three"} & set(os.listdir(work.root))


def test_contents_are_named_by_the_events_that_need_them(work: Checkpointed) -> None:
    work.run("echo two > a.txt; rm b.txt")
    named = set(blobs_of(work.events))
    assert {work.blobs.get(one) for one in named} == {b"one\n", b"two\n", b"bee\n"}
    assert [change.path for change in changes_of(work.last)] == ["a.txt", "b.txt"]
    work.blobs.sweep(named, older_than=-1)
    assert work.undo().left == []


def test_a_content_that_is_gone_is_left_alone(work: Checkpointed) -> None:
    work.run("echo two > a.txt; rm b.txt")
    (change,) = [one for one in changes_of(work.last) if one.path == "b.txt"]
    assert change.before is not None
    assert change.before.blob is not None
    (work.blobs.folder / change.before.blob[:2] / change.before.blob[2:]).unlink()
    assert reasons(work.undo()) == {"b.txt": "what it was is not kept"}
    assert (work.root / "a.txt").read_bytes() == FILES["a.txt"]


class TestGit:
    @pytest.fixture
    def work(self, tmp_path: Path) -> Iterator[Checkpointed]:
        (tmp_path / "work").mkdir()
        write(tmp_path / "work", {**FILES, ".gitignore": b"build/\n*.log\n", "build/out": b"o", "x.log": b"l"})
        made = Checkpointed(tmp_path, git=True)
        yield made
        made.close()

    def test_git_is_not_touched(self, work: Checkpointed) -> None:
        shell(work.root, f"echo s > stashed && {GIT} stash -qu && {GIT} branch other && echo i > i && {GIT} add i")
        hook = work.root / ".git/hooks/post-checkout"
        hook.write_text("#!/bin/sh\ntouch ../hooked\n")
        hook.chmod(0o755)
        before = {path: what for path, what in snapshot(work.root).items() if path.startswith(".git")}
        stamps = {path: os.lstat(work.root / path).st_mtime_ns for path in before}
        work.run("rm -r src; echo two > a.txt")
        work.undo()
        work.redo()
        after = {path: what for path, what in snapshot(work.root).items() if path.startswith(".git")}
        assert after == before
        assert {path: os.lstat(work.root / path).st_mtime_ns for path in after} == stamps

    def test_nothing_is_copied_of_what_git_has(self, work: Checkpointed) -> None:
        (work.root / "b.txt").write_text("dirty\n")
        work.run("true")
        kept = sum(file.stat().st_size for file in work.top.glob("recorder-*/contents"))
        assert kept == len("dirty\n")
        work.run("touch a.txt b.txt; echo x = 1 > src/x.py")  # read anew, and what they were
        for _ in range(3):  # so recent that their times do not tell whether they are other ones
            (work.root / "b.txt").write_text("dirty\n")
            (work.root / "a.txt").write_bytes(FILES["a.txt"])
            work.run("true")
        kept = sum(file.stat().st_size for file in work.top.glob("recorder-*/contents"))
        assert kept == len("dirty\n")
        work.run("rm a.txt b.txt")
        work.undo()
        assert (work.root / "b.txt").read_text() == "dirty\n"
        assert (work.root / "a.txt").read_bytes() == FILES["a.txt"]

    def test_a_command_of_git_itself(self, work: Checkpointed) -> None:
        (work.root / "a.txt").write_text("dirty\n")
        (work.root / "untracked").write_text("u\n")
        before = files(work.root)
        work.run(f"{GIT} reset -q --hard; {GIT} clean -qfd; {GIT} checkout -qb other")
        assert files(work.root) != before
        work.undo()
        assert files(work.root) == before

    def test_line_ends_that_git_changes(self, work: Checkpointed) -> None:
        shell(work.root, f"{GIT} config core.autocrlf true; rm a.txt; {GIT} checkout -q a.txt")
        assert (work.root / "a.txt").read_bytes() == b"one\r\n"
        work.run("rm a.txt")
        work.undo()
        assert (work.root / "a.txt").read_bytes() == b"one\r\n"

    def test_ignored_files_are_left_out_and_rules_may_change(self, work: Checkpointed) -> None:
        work.run("echo x > x.log; rm -r build; echo two > a.txt")
        assert work.last.paths == ["a.txt"]
        work.run("mkdir build; echo p > build/p; echo y > y.log")
        assert len(work.stack.done) == 1
        work.run("rm .gitignore; echo z > z.log")  # what was ignored until now is no change of this command
        assert work.last.paths == [".gitignore", "z.log"]
        work.run("echo changed > x.log")
        assert work.last.paths == ["x.log"]
        work.run("echo '*' > .gitignore; rm x.log")  # what was seen once is looked at until it is gone
        assert work.last.paths == [".gitignore", "x.log"]

    def test_a_repository_inside_keeps_its_own(self, work: Checkpointed) -> None:
        inner = work.root / "inner"
        inner.mkdir()
        write(inner, {"f": b"f\n", ".gitignore": b"*.o\n", "g.o": b"o"})
        shell(inner, f"{GIT} init -q && {GIT} add -A && {GIT} commit -qm inner")
        work.run("echo F > inner/f; rm inner/g.o; echo n > inner/n")
        assert work.last.paths == ["inner/f", "inner/n"]
        work.undo()
        assert (inner / "f").read_text() == "f\n"


def test_rules_and_usual_folders_hold_without_git(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    write(
        tmp_path / "work",
        {".gitignore": b"out/\n", "out/o": b"o", "node_modules/m": b"m", "sub/.gitignore": b"*.o\n"},
    )
    work = Checkpointed(tmp_path)
    work.run("echo p > out/p; echo n > node_modules/n; echo o > sub/x.o; echo k > sub/k")
    assert work.last.paths == ["sub/k"]
    work.close()


def test_a_workspace_in_an_ignored_folder_of_a_repository(tmp_path: Path) -> None:
    shell(tmp_path, f"{GIT} init -q && echo work > .gitignore && mkdir work && echo a > work/a")
    work = Checkpointed(tmp_path)
    work.run("echo b > a")
    assert work.last.paths == ["a"]
    work.close()


def test_a_folder_with_too_many_files_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    for name in range(30):
        (tmp_path / f"work/{name}").write_text("x")
    monkeypatch.setattr("pygent.checkpoints.listing.MOST_FILES", 20)
    work = Checkpointed(tmp_path)
    for _ in range(3):
        work.run("echo y > 1")
    (said,) = [event.text for event in work.events]  # type: ignore[attr-defined]
    assert said.startswith("What commands change in this workspace cannot be undone: it has more than 20 files. ")
    work.write("2", "z")
    work.undo()
    assert (work.root / "2").read_text() == "x"
    work.close()


def test_pipes_are_passed_over_and_nothing_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    work = Checkpointed(tmp_path)
    (work.root / "link").symlink_to(outside)
    os.mkfifo(work.root / "pipe")
    began = time.monotonic()
    work.run("echo x > x; echo y > link/secret")
    assert work.last.paths == ["x"]
    work.run("rm pipe; echo p > pipe")
    work.undo()
    assert not (work.root / "pipe").exists()
    assert stat.S_ISLNK(os.lstat(work.root / "link").st_mode)
    assert time.monotonic() - began < 30
    work.close()
