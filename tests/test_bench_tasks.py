"""Every task of the suite can be done, is not done before, and does not say how."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.tasks.place import run, run_script, verify, workspace
from benchmarks.tasks.task import KINDS, SUITE, Task, TaskError, load, select

TASKS = select()
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


def solve(task: Task, folder: Path, env: dict[str, str]) -> str:
    """Do what the task's own solution does; answers what the agent would say."""
    overlay, script, answer = (task.folder / name for name in ("solution", "solution.sh", "solution.txt"))
    assert [path.exists() for path in (overlay, script, answer)].count(True) == 1, "one solution"
    if answer.exists():
        return answer.read_text("utf-8")
    if overlay.exists():
        shutil.copytree(overlay, folder, dirs_exist_ok=True)
    else:
        run_script(script, folder, env)
    return ""


@each_task
def test_a_task_begins_unsolved_and_can_be_solved(task: Task) -> None:
    with workspace(task) as (folder, env):
        assert [name for name in task.show if not (folder / name).is_file()] == []
        assert verify(task, folder, env) is not None, "solved before anything was done"
        if task.check is not None and task.kind != "refactor":
            assert run(task.check, folder, env).code != 0, "the check passes before anything was done"
        answer = solve(task, folder, env)
        assert verify(task, folder, env, answer) is None
        if task.check is not None:
            assert run(task.check, folder, env).code == 0, "the check fails after all was done"


@each_task
def test_a_prompt_is_what_a_person_would_write(task: Task) -> None:
    assert 20 <= len(task.prompt) <= 600
    if task.answer is not None:
        assert not task.answer.search(task.prompt), "the prompt says the answer"
    for path in [*(task.folder / "solution").rglob("*.*"), task.folder / "solution.sh"]:
        if path.is_file():
            lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
            told = [line for line in lines if len(line) > 25 and line in task.prompt]
            assert not told, "the prompt gives the solution away"


def test_the_halves_are_alike() -> None:
    assert len(TASKS) >= 30
    for kind in KINDS:
        halves = Counter(task.half for task in TASKS if task.kind == kind)
        assert abs(halves["dev"] - halves["held"]) <= 1, kind
    for level in ("easy", "medium", "hard"):
        halves = Counter(task.half for task in TASKS if task.level == level)
        assert abs(halves["dev"] - halves["held"]) <= 2, level


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("- a list", "a mapping"),
        ("kind: fix", "half, level, prompt, show is missing"),
        ("{kind: fixing, level: easy, half: dev, prompt: Do it., show: []}", "kind is 'fixing'; accepted are fix,"),
        ("{kind: fix, level: easy, half: dev, prompt: Do it., show: [], chek: x}", "unknown key chek; accepted are"),
        ("{kind: fix, level: easy, half: dev, prompt: Do it., show: x.py}", "show has to be a list"),
        ("{kind: fix, level: easy, half: dev, prompt: '', show: []}", "prompt has to be a text"),
        ("{kind: fix, level: easy, half: dev, prompt: Do it., show: [], answer: x}", "find_out, and to it alone"),
        ("{kind: find_out, level: easy, half: dev, prompt: Say it., show: [], answer: '('}", "no regular expression"),
        ("kind: [", "task.yaml"),
    ],
)
def test_what_is_wrong_with_a_description_is_named(text: str, names: str, tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_text(text)
    with pytest.raises(TaskError, match=r"task\.yaml") as caught:
        load(tmp_path)
    assert names in str(caught.value)


def test_tasks_are_chosen_by_name_kind_and_half() -> None:
    assert {task.kind for task in select(kinds=["fix"], half="dev")} == {"fix"}
    assert select(["fix_median"])[0].folder == SUITE / "fix_median"
    with pytest.raises(TaskError, match="no such task: nothing"):
        select(["nothing"])
    with pytest.raises(TaskError, match="no task is in all"):
        select(["fix_median"], half="held")


def test_a_test_that_was_changed_proves_nothing() -> None:
    task = load(SUITE / "fix_median")
    with workspace(task) as (folder, env):
        (folder / "test_stats.py").write_text("")
        assert run(str(task.check), folder, env).code in (0, 5)
        assert "ended with 1" in str(verify(task, folder, env))
