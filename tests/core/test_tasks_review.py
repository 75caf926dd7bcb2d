"""What children changed is looked at, taken over in part, taken back and given up, by a person and by the parent."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pygent import Agent, Runtime, TaskError, TaskManager
from pygent.errors import WorkspaceError
from pygent.events import Event, FilesChanged, MessageFinished, TaskFinished, TaskReviewed, ToolFinished
from pygent.session import Session
from pygent.settings import Settings
from pygent.store import Store
from pygent.tasks.place import Place, Record, places
from tests.core.test_tasks_life import SECONDS, STOP, Family, Gate
from tests.fakes.models import ScriptedModel, call

LINES = "".join(f"line {number}\n" for number in range(20))


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    family = Family(tmp_path)
    family.runtime.write_file("story.txt", LINES)
    family.runtime.write_file("keep.txt", "keep\n")
    yield family
    family.close()


def write(path: str, content: str) -> Any:
    return call(("write_file", {"path": path, "content": content}))


def done(family: Family, name: str, *script: Any) -> str:
    """A child in a copy, which has ended."""
    task = family.start(name, *script, STOP, workspace="copy")
    assert family.tasks.wait(task, SECONDS)
    return task


def tree(family: Family) -> dict[str, bytes]:
    root = family.runtime.base_dir
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def reviews(family: Family) -> list[tuple[str, list[str], str]]:
    return [(event.review, event.paths, event.by) for event in family.of(TaskReviewed)]


def test_files_and_hunks_are_chosen_and_taken_back(family: Family) -> None:
    before = tree(family)
    changed = LINES.replace("line 2\n", "line two\n").replace("line 15\n", "line fifteen\n")
    task = done(family, "child", write("story.txt", changed), write("new.txt", "new\n"))
    tasks = family.tasks
    assert tasks.diff(task).paths == ("new.txt", "story.txt")
    assert tasks.contents(task, "story.txt") == (LINES.encode(), changed.encode())
    assert tasks.preview(task).paths == ("new.txt", "story.txt")
    assert tree(family) == before

    outcome = tasks.apply(task, hunks={"story.txt": [1]})
    assert outcome.paths == ("story.txt",)
    assert family.runtime.read_file("story.txt") == LINES.replace("line 15\n", "line fifteen\n")
    (left,) = [change for change in tasks.diff(task).files if change.path == "story.txt"]
    assert [hunk.added for hunk in left.hunks] == [(b"line two\n",)]  # only what is still to be decided
    tasks.apply(task)
    assert tree(family) == {**before, "story.txt": changed.encode(), "new.txt": b"new\n"}
    assert not tasks.diff(task)
    assert tasks.undo_apply(task) == ()
    assert tasks.undo_apply(task) == ()
    assert tree(family) == before
    with pytest.raises(TaskError, match="nothing of this task was applied"):
        tasks.undo_apply(task)
    assert reviews(family) == [
        ("partly applied", ["story.txt"], "user"),
        ("applied", ["new.txt", "story.txt"], "user"),
        ("undone", ["new.txt", "story.txt"], "user"),
        ("undone", ["story.txt"], "user"),
    ]
    told = [(event.agent_id, event.paths) for event in family.of(FilesChanged) if event.agent_id == "main"]
    assert told == [("main", paths) for _, paths, _ in reviews(family)]


def test_children_that_change_the_same_file_are_named_and_merged(family: Family) -> None:
    one = done(family, "one", write("story.txt", LINES.replace("line 1\n", "line one\n")))
    two = done(family, "two", write("story.txt", LINES.replace("line 18\n", "line eighteen\n")))
    three = done(family, "three", write("story.txt", LINES.replace("line 1\n", "LINE 1\n")))
    tasks = family.tasks
    assert tasks.overlaps(one) == {"story.txt": (two, three)}
    assert tasks.preview(one).overlaps == {"story.txt": (two, three)}
    assert tasks.apply(one).overlaps == {"story.txt": (two, three)}
    assert tasks.overlaps(two) == {"story.txt": (three,)}  # the first has nothing left to take over
    assert tasks.apply(two).merged == ("story.txt",)
    both = LINES.replace("line 1\n", "line one\n").replace("line 18\n", "line eighteen\n")
    assert family.runtime.read_file("story.txt") == both

    outcome = tasks.apply(three)
    assert (outcome.paths, [conflict.path for conflict in outcome.conflicts]) == ((), ["story.txt"])
    assert family.runtime.read_file("story.txt") == both
    tasks.apply(three, on_conflict="markers")
    assert "line one\n" in family.runtime.read_file("story.txt")
    assert "LINE 1\n" in family.runtime.read_file("story.txt")
    assert tasks.undo_apply(three) == ()
    assert family.runtime.read_file("story.txt") == both
    tasks.discard(three)
    assert not tasks.diff(three)
    assert tasks.overlaps(two) == {}
    tasks.undo_apply(three)
    assert tasks.diff(three).paths == ("story.txt",)
    assert reviews(family)[-2:] == [("discarded", ["story.txt"], "user"), ("undone", [], "user")]


def test_a_file_that_was_changed_since_is_left_alone_by_undo(family: Family) -> None:
    task = done(family, "child", write("a.txt", "a\n"), write("b.txt", "b\n"))
    family.tasks.apply(task)
    family.runtime.write_file("a.txt", "mine\n")
    assert family.tasks.undo_apply(task) == ("a.txt",)
    assert family.runtime.read_file("a.txt") == "mine\n"
    assert not family.runtime.workspace.exists("b.txt")


def test_a_running_task_is_looked_at_and_not_decided_on(family: Family) -> None:
    gate = Gate()
    task = family.start("child", write("a.txt", "a\n"), gate, workspace="copy")
    assert gate.reached.wait(SECONDS)
    assert family.tasks.diff(task).paths == ("a.txt",)
    for decide in (family.tasks.apply, family.tasks.discard):
        with pytest.raises(TaskError, match="still runs"):
            decide(task)
    gate.opened.set()
    assert family.tasks.wait(task, SECONDS)
    assert family.tasks.apply(task).paths == ("a.txt",)


def test_what_makes_no_sense_is_refused_in_words(family: Family) -> None:
    task = done(family, "child", write("a.txt", "a\n"))
    with pytest.raises(TaskError, match="Task nobody not found"):
        family.tasks.diff("nobody")
    for wrong, words in (
        ({"paths": ["x.txt"]}, "no changes to take over"),
        ({"hunks": {"a.txt": [7]}}, "no hunk 7"),
        ({"on_conflict": "mine"}, "leave, markers, ours"),
    ):
        with pytest.raises(WorkspaceError, match=words):
            family.tasks.apply(task, **wrong)  # type: ignore[arg-type]
    family.tasks.max_tasks = 1
    gate = Gate()
    first = family.start("first", gate, workspace="copy")
    second = family.start("second", STOP, workspace="copy", queue=True)
    with pytest.raises(TaskError, match="it has not begun yet"):
        family.tasks.diff(second)
    gate.opened.set()
    assert family.tasks.wait(first, SECONDS)
    assert family.tasks.wait(second, SECONDS)
    assert not family.tasks.diff(second)


def test_the_parent_takes_over_what_its_report_names(family: Family) -> None:
    task = done(family, "child", write("a.txt", "a\n"), write("b.txt", "b\n"))
    result = family.run(call(("apply_task", {"task_id": task, "paths": ["a.txt"]})), STOP)
    assert family.runtime.read_file("a.txt") == "a\n"
    assert not family.runtime.workspace.exists("b.txt")
    assert result.files_changed == ("a.txt",)
    assert reviews(family) == [("partly applied", ["a.txt"], "main")]
    (told,) = [event.message["content"] for event in family.of(MessageFinished) if event.origin == "task"]
    assert "A a.txt" in told
    family.run(call(("apply_task", {"task_id": task, "paths": ["nowhere"]})), STOP)
    failed = [event for event in family.of(ToolFinished) if event.status == "error"]
    assert "has no changes to take over" in failed[0].output


# -- in a session


def session(tmp_path: Path, *script: Any, on_event: Any = None, **options: Any) -> Session:
    (tmp_path / "work").mkdir(exist_ok=True)
    made = Session(
        Settings(workspace=tmp_path / "work", use_docker=False, permission_mode="yolo", max_tasks=1),
        model=ScriptedModel(list(script)),
        store=lambda: Store(tmp_path / "sessions.db"),
        **options,
    )
    if on_event is not None:
        made.subscribe(on_event)
    made.open()
    return made


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "pygent" / "tasks"


def ended(one: Session, task_id: str) -> None:
    assert one.agent is not None
    assert one.agent.tasks.wait(task_id, SECONDS)


def test_a_person_starts_tasks_and_decides_in_another_session(tmp_path: Path, data: Path) -> None:
    first = session(tmp_path, write("a.txt", "a\n"), STOP, STOP)
    with pytest.raises(TaskError, match="there is no persona 'nobody'"):
        first.start_task("go", "nobody")
    task = first.start_task("write a", "Tester")
    waiting = first.start_task("nothing")  # one at once: it waits its turn
    ended(first, task)
    ended(first, waiting)
    assert len(list(places(data))) == 2
    first.close()
    assert [place.name for place in places(data)] == [task]  # the other one changed nothing
    record = json.loads((data / task / "task.json").read_text())
    assert (record["session_id"], record["persona"], record["state"]) == (first.id, "tester", "finished")

    heard = list[Event]()
    other = session(tmp_path, on_event=heard.append)  # it has changes that nobody decided on
    assert other.task_changes(task).paths == ("a.txt",)
    assert [event.task_id for event in heard if isinstance(event, TaskFinished)] == [task]
    assert f"Nobody has decided yet on what tasks of earlier sessions changed: tester ({task})." in str(heard)
    other.close()
    again = session(tmp_path, STOP, resume=first.id)
    assert again.task_changes(task).paths == ("a.txt",)
    new = again.retry_task(task)
    ended(again, new)
    again.apply_task(task)
    assert (tmp_path / "work" / "a.txt").read_text() == "a\n"
    again.close()
    assert list(places(data)) == []


def test_what_the_parent_has_already_is_nothing_to_decide_on(tmp_path: Path, data: Path) -> None:
    one = session(tmp_path, write("a.txt", "a\n"), STOP)
    task = one.start_task("write a")
    ended(one, task)
    assert one.agent is not None
    assert one.agent.tasks.collect_file(one.agent.runtime, task, "a.txt") == "Retrieved a.txt"
    one.close()
    assert list(places(data)) == []


def test_a_task_that_was_killed_before_it_had_its_files_is_told_of_once(tmp_path: Path, data: Path) -> None:
    place = Place.make(data, Record(id="a1b2c3d4", parent=str(tmp_path / "work"), persona="tester"))
    (place.workspace / "half.txt").write_text("ha")
    place.close()
    heard = list[Event]()
    session(tmp_path, on_event=heard.append).close()
    assert "they are lost: tester (a1b2c3d4)" in str(heard)
    assert [event.changes for event in heard if isinstance(event, TaskFinished)] == [[]]
    assert list(places(data)) == []


def test_an_ephemeral_session_leaves_nothing(tmp_path: Path, data: Path) -> None:
    made = Session(
        Settings(ephemeral=True, use_docker=False, permission_mode="yolo"),
        model=ScriptedModel([write("a.txt", "a\n"), STOP]),
        store=lambda: Store(tmp_path / "sessions.db"),
    )
    made.open()
    task = made.start_task("write a")
    ended(made, task)
    assert made.task_changes(task).paths == ("a.txt",)
    made.close()
    assert not data.exists()


def test_a_home_folder_is_not_copied_into_itself(tmp_path: Path, data: Path) -> None:
    made = Session(
        Settings(workspace=tmp_path, use_docker=False, permission_mode="yolo"),
        model=ScriptedModel([write("a.txt", "a\n"), STOP]),
        store=lambda: Store(tmp_path / "sessions.db"),
    )
    made.open()
    task = made.start_task("write a")
    ended(made, task)
    assert made.task_changes(task).paths == ("a.txt",)
    assert not data.exists()
    made.close()


def test_a_workspace_that_a_factory_brings_is_reviewed_too(family: Family, tmp_path: Path) -> None:
    def factory(persona: Any) -> Agent:
        return Agent(Runtime(use_docker=False, temporary=True), ScriptedModel([write("a.txt", "a\n"), STOP]))

    manager = TaskManager(factory, folder=tmp_path / "kept")
    task = manager.start_task("go", family.runtime, workspace="copy")
    assert manager.wait(task, SECONDS)
    assert manager.diff(task).paths == ("a.txt",)
    assert manager.apply(task).paths == ("a.txt",)
    assert family.runtime.read_file("a.txt") == "a\n"
    manager.close()
    assert list(places(tmp_path / "kept")) == []


KILLED = """
import os, signal, sys, time
from pathlib import Path
from pygent.changes.base import Base
from pygent.tasks.place import Place, Record
from pygent.tasks.work import Work
from pygent.workspace import Workspace

folder, parent = Path(sys.argv[1]), Path(sys.argv[2])
place = Place.make(folder, Record(id="task1", parent=str(parent), persona="tester", workspace="copy"))
base = Base.make(Workspace(parent), [], place.workspace, place.base)
for number in range(9):
    (place.workspace / f"f{number}").write_text("made")
place.save(state="finished", status="finished", ended_at=time.time())

def watch(*_):
    if len([name for name in os.listdir(parent) if name[0] == "f"]) == 4:
        os.kill(os.getpid(), signal.SIGKILL)

sys.setprofile(watch)  # at every call of a function
Work(place, Workspace(parent), base).apply()
"""


def test_killed_in_the_middle_of_applying_the_next_start_puts_it_right(tmp_path: Path, data: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "mine").write_text("mine")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(data), str(work)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(work.glob("f*"))) == 4
    one = session(tmp_path)
    assert [path.name for path in work.iterdir()] == ["mine"]
    one.close()
    assert len(list((data / "task1" / "workspace").iterdir())) == 9


def test_hunks_are_not_taken_by_the_numbers_of_others(family: Family) -> None:
    changed = LINES.replace("line 2\n", "line two\n").replace("line 15\n", "line fifteen\n")
    task = done(family, "child", write("story.txt", changed))
    before = tree(family)
    assert len(family.tasks.diff(task).files[0].hunks) == 2
    place = family.tasks.tasks[task].place
    assert place is not None
    (place.workspace / "story.txt").write_text("first\n" + changed)
    for look in (family.tasks.preview, family.tasks.apply):
        with pytest.raises(WorkspaceError, match=r"'story.txt' was changed again after its changes were looked at"):
            look(task, hunks={"story.txt": [1]})
    assert tree(family) == before
    assert len(family.tasks.diff(task).files[0].hunks) == 3
    family.tasks.apply(task, hunks={"story.txt": [1]})
    assert family.runtime.read_file("story.txt") == LINES.replace("line 2\n", "line two\n")
