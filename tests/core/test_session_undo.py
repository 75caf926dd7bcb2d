"""Undo, redo and rewind as a session offers them, with real commands, a real store, and kills."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.errors import PygentError
from pygent.events import CheckpointMade, FilesRestored, Notice, ToolFinished
from pygent.scratch import own_folder
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from tests.core.changed_trees import snapshot, write
from tests.core.checkpointed import GIT, shell
from tests.core.test_session import Watched
from tests.fakes.docker_engine import BASH_IMAGE, DockerEngine
from tests.fakes.invariants import check_history
from tests.fakes.models import ScriptedModel, call, say

FILES = {"a.txt": b"one\n", "src/x.py": b"x = 1\n", "b.txt": b"bee\n"}
SCRIPT = [
    call(("bash", {"cmd": "rm -r src; echo two > a.txt; echo new > new.txt"})),
    say("done"),
    call(("write_file", {"path": "b.txt", "content": "B\n"})),
    say("done as well"),
]


@pytest.fixture(params=[True, False], ids=["git", "no git"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    write(folder, FILES)
    if request.param:
        shell(folder, f"{GIT} init -q && {GIT} add -A && {GIT} commit -qm first")
    return folder


@pytest.fixture
def opened(work: Path, tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(
        tmp_path,
        SCRIPT,
        settings={"permission_mode": "yolo"},
        store=lambda: Store(tmp_path / "data" / "sessions.db"),
    )
    watched.session.open()
    yield watched
    watched.session.close()


def files(folder: Path) -> dict[str, object]:
    """What is there, but for git's own files, and the empty folder that stands there while a sandbox is open."""
    return {path: what for path, what in snapshot(folder).items() if not path.startswith((".git/", ".pygent"))}


def words(session: Session) -> list[str]:
    assert session.agent is not None
    return [str(message["content"]) for message in session.agent.history if message["role"] in {"user", "assistant"}]


def test_undo_brings_back_what_a_shell_command_deleted_and_rewrote(work: Path, opened: Watched) -> None:
    before = files(work)
    opened.say("go")
    after = files(work)
    (work / "a.txt").write_text("by hand\n")
    session = opened.session
    offered = session.offer_undo()
    assert offered.paths == {"new.txt": "deleted", "src/x.py": "added"}
    assert offered.left == (("a.txt", "it was changed since, by somebody else"),)
    assert offered.titles == ("rm -r src; echo two > a.txt; echo new > new.txt",)
    assert session.offered_contents(offered, "src/x.py") == (None, b"x = 1\n")
    assert files(work) == {**after, "a.txt": (0o644, b"by hand\n")}  # nothing was done yet
    done = session.restore(offered)
    assert done.left == offered.left
    assert files(work) == {**before, "a.txt": (0o644, b"by hand\n")}
    done = session.restore(session.offer_redo())
    assert files(work) == {**after, "a.txt": (0o644, b"by hand\n")}


@pytest.mark.docker
def test_what_a_command_did_in_a_container_is_undone_as_well(
    work: Path, tmp_path: Path, docker_engine: DockerEngine
) -> None:
    before = files(work)
    watched = Watched(
        tmp_path,
        SCRIPT,
        settings={"permission_mode": "yolo", "use_docker": True, "image": docker_engine.image(BASH_IMAGE)},
        store=lambda: Store(tmp_path / "data" / "sessions.db"),
    )
    with contextlib.closing(watched.session):
        watched.session.open()
        watched.say("go")
        after = files(work)
        assert {"new.txt", "a.txt"} <= set(after)
        assert "src/x.py" not in after
        watched.session.restore(watched.session.offer_undo())
        assert files(work) == before
        watched.session.restore(watched.session.offer_redo())
        assert files(work) == after
    assert ".pygent" not in snapshot(work)


def test_each_step_and_each_command_of_ones_own_is_undone_by_itself(work: Path, opened: Watched) -> None:
    states = [files(work)]
    opened.say("go")
    states.append(files(work))
    opened.session.run_command("echo mine > mine; chmod 600 b.txt")
    while not any(isinstance(one, ToolFinished) and one.call_id.startswith("user_") for one in opened.events):
        time.sleep(0.01)
    while opened.session._own_calls:
        time.sleep(0.01)
    states.append(files(work))
    opened.say("and again")
    states.append(files(work))
    checkpoints = [event for event in opened.events if isinstance(event, CheckpointMade)]
    assert [(one.step, one.call_id.startswith("user_")) for one in checkpoints] == [(1, False), (0, True), (1, False)]
    for state in states[-2::-1]:
        opened.session.restore(opened.session.offer_undo())
        assert files(work) == state
    with pytest.raises(PygentError, match="nothing to undo"):
        opened.session.offer_undo()
    for state in states[1:]:
        opened.session.restore(opened.session.offer_redo())
        assert files(work) == state
    with pytest.raises(PygentError, match="nothing to redo"):
        opened.session.offer_redo()


def test_rewind_takes_files_and_conversation_back_together_and_each_alone(work: Path, opened: Watched) -> None:
    session = opened.session
    start = files(work)
    opened.say("go")
    middle = files(work)
    opened.say("and again")
    last = files(work)
    told = words(session)
    points = session.points()
    assert [(point.said, point.text, point.files) for point in points] == [
        (True, "go", 4),
        (False, "bash", 1),
        (False, "done", 1),
        (True, "and again", 1),
        (False, "write_file", 0),
    ]
    offered = session.offer_rewind(points[3].to_seq)
    assert (offered.messages, offered.prompt, offered.paths) == (3, "and again", {"b.txt": "changed"})
    session.restore(offered)
    assert (files(work), words(session)) == (middle, told[:3])
    assert session.agent is not None
    check_history(session.agent.history)
    session.restore(session.offer_redo())
    assert (files(work), words(session)) == (last, told)
    session.restore(session.offer_rewind(points[0].to_seq, conversation=False))
    assert (files(work), words(session)) == (start, told)
    session.restore(session.offer_redo())
    session.restore(session.offer_rewind(points[0].to_seq, files=False))
    assert (files(work), words(session)) == (last, [])
    session.restore(session.offer_redo())
    session.restore(session.offer_rewind(points[1].to_seq))
    assert (files(work), words(session)) == (middle, told[:2])
    check_history(session.agent.history)


def test_nothing_is_taken_back_while_the_agent_works(work: Path, tmp_path: Path) -> None:
    script = [call(("bash", {"cmd": "echo x > x"})), call(("bash", {"cmd": "sleep 30"})), say("done")]
    watched = Watched(tmp_path, script, settings={"permission_mode": "yolo"})
    watched.session.open()
    watched.session.submit("go")
    while not (work / "x").exists():
        time.sleep(0.01)
    with pytest.raises(PygentError, match="interrupt it first"):
        watched.session.offer_undo()
    watched.session.interrupt()
    watched.session.close()


def test_undo_survives_the_end_of_the_process(work: Path, opened: Watched, tmp_path: Path) -> None:
    before = files(work)
    opened.say("go")
    opened.say("and again")
    opened.session.restore(opened.session.offer_undo())
    points = opened.session.points()
    opened.session.restore(opened.session.offer_rewind(points[3].to_seq))
    told = words(opened.session)
    opened.session.close()
    settings = Settings(workspace=work, use_docker=False)
    again = Session(
        settings,
        model=ScriptedModel([]),
        store=lambda: Store(tmp_path / "data" / "sessions.db"),
        resume=opened.session.id,
    )
    again.open()
    assert words(again) == told
    again.restore(again.offer_undo())
    assert files(work) == before
    again.restore(again.offer_redo())
    assert not (work / "src").exists()
    again.restore(again.offer_redo())
    again.restore(again.offer_redo())
    assert (work / "b.txt").read_text() == "B\n"
    assert len(words(again)) > len(told)
    again.close()


def test_a_session_without_a_store_undoes_and_leaves_nothing_behind(work: Path, tmp_path: Path) -> None:
    before = files(work)
    watched = Watched(tmp_path, SCRIPT, settings={"permission_mode": "yolo"})
    watched.session.open()
    watched.say("go")
    watched.session.restore(watched.session.offer_undo())
    assert files(work) == before
    watched.session.close()
    assert not [*own_folder().glob("undo-*")]


def test_a_fork_takes_back_what_was_done_before_it_also_when_its_source_is_gone(
    work: Path, opened: Watched, tmp_path: Path
) -> None:
    before = files(work)
    opened.say("go")
    middle = files(work)
    opened.say("and again")
    last = files(work)
    source = opened.session
    forks = [source.forked(), source.forked(to_seq=source.fork_points()[1].to_seq)]
    source.close()
    with contextlib.closing(Store(tmp_path / "data" / "sessions.db")) as store:
        store.delete(source.id)
        for file in store.blobs.folder.rglob("*"):
            os.utime(file, (1, 1))  # so old that what nobody uses goes
        store.sweep()
        with pytest.raises(PygentError):
            store.find(source.id)
    whole, part = forks
    whole.open()
    for state in (middle, before):
        assert whole.restore(whole.offer_undo()).left == ()
        assert files(work) == state
    for state in (middle, last):
        whole.restore(whole.offer_redo())
        assert files(work) == state
    whole.close()
    part.open()  # in which the last step never was
    assert part.restore(part.offer_undo()).left == ()
    assert files(work) == {**before, "b.txt": last["b.txt"]}
    with pytest.raises(PygentError, match="nothing to undo"):
        part.offer_undo()
    part.close()


@pytest.mark.parametrize("by", ["person", "agent"])
def test_what_was_taken_over_of_a_task_is_undone(work: Path, tmp_path: Path, by: str) -> None:
    before = files(work)
    tasks: list[str] = []
    script = [
        call(("bash", {"cmd": "rm -r src; echo two > a.txt; mkdir made; echo new > made/new.txt"})),
        call(("stop", {})),
        lambda _: call(("apply_task", {"task_id": tasks[0]})),
        say("taken over"),
    ]
    watched = Watched(
        tmp_path,
        script,
        settings={"permission_mode": "yolo"},
        store=lambda: Store(tmp_path / "data" / "sessions.db"),
    )
    session = watched.session
    session.open()
    assert session.agent is not None
    tasks.append(session.start_task("change it"))
    assert session.agent.tasks.wait(tasks[0], 20)
    assert files(work) == before
    if by == "person":
        session.apply_task(tasks[0])
    else:
        watched.say("take it over")
    after = files(work)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {"a.txt", "made", "made/new.txt", "src", "src/x.py"}
    (checkpoint,) = [event for event in watched.events if isinstance(event, CheckpointMade)]
    assert (checkpoint.title, checkpoint.step) == (f"apply_task {tasks[0]}", 0 if by == "person" else 1)
    assert session.restore(session.offer_undo()).left == ()
    assert files(work) == before
    session.restore(session.offer_redo())
    assert files(work) == after
    session.restore(session.offer_undo())
    assert files(work) == before
    session.close()


KILLED = """
import os, sys
from pathlib import Path
from pygent.changes import transaction
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from tests.fakes.models import ScriptedModel
work, database, session, place = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
one = Session(Settings(workspace=work, use_docker=False), model=ScriptedModel([]), store=lambda: Store(database),
              resume=session)
one.open()
offered = one.offer_undo()
seen = 0
def end(event, arguments):
    global seen
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"):
        seen += 1
        if seen > place:
            os.kill(os.getpid(), 9)
sys.addaudithook(end)
one.restore(offered)
os._exit(0)
"""


@pytest.mark.parametrize("place", [1, 4, 7, 10, 14])
def test_a_kill_in_the_middle_of_an_undo_is_completed_or_put_back_and_said(tmp_path: Path, place: int) -> None:
    work = tmp_path / "work"
    work.mkdir()
    write(work, FILES)
    before = files(work)
    database = tmp_path / "data" / "sessions.db"
    watched = Watched(tmp_path, SCRIPT, settings={"permission_mode": "yolo"}, store=lambda: Store(database))
    watched.session.open()
    watched.say("go")
    after = files(work)
    watched.session.close()
    arguments = [str(work), str(database), watched.session.id, str(place)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], env=os.environ, capture_output=True, timeout=60, check=False
    )
    assert killed.returncode in {0, -9}, killed.stderr.decode()
    again = Watched(tmp_path, [], store=lambda: Store(database), resume=watched.session.id)
    again.session.open()
    now = files(work)
    assert now in (before, after)
    told = [event.text for event in again.events if isinstance(event, Notice) and "interrupted" in event.text]
    restored = [event for event in again.session.events() if isinstance(event, FilesRestored)]
    assert bool(restored) == (now == before)  # what the log says is so
    if now == before:
        again.session.restore(again.session.offer_redo())
        assert files(work) == after
    else:
        assert told or killed.returncode == 0 or place < 2
        again.session.restore(again.session.offer_undo())
        assert files(work) == before
    again.session.close()
