"""What a task's copy of its parent's workspace costs: made when it starts, taken over when it has ended."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.harness import Row, below, medians, ms
from pygent import Agent, Runtime
from tests.fakes.models import ScriptedModel, call

FILES, CHANGED, FOLDER = 50_000, 1_000, 100
"""Files of the workspace, files that a task changes, and files in a folder."""

REPEATS = 3
START, APPLY = 2.0, 0.001
"""How often the slower floor a start may take; seconds for each file that is taken over."""

MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3
"""Where files lie in memory, so that no disk decides anything, and the bytes that have to be free there."""

TEXT = "".join(f"def part_{line}(line: str) -> str:\n    return line.strip()\n\n\n" for line in range(25))
STOP = call(("stop", {}))


def measure(files: int = FILES, changed: int = CHANGED, repeats: int = REPEATS) -> Iterator[Row]:
    """In one git repository, in turn with git and cp."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="pygent-bench-", dir=MEMORY if in_memory else None) as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder  # where tasks have their places
        try:
            work = Path(folder, "work")
            repository(work, files)
            yield starting(work, files, repeats)
            yield taking_over(work, min(changed, files), repeats)
        finally:
            tempfile.tempdir = before


def repository(work: Path, files: int) -> None:
    """All files are committed."""
    for number in range(files):
        path = work / f"part_{number // (100 * FOLDER)}" / f"module_{number // FOLDER}" / f"file_{number}.py"
        if number % FOLDER == 0:
            path.parent.mkdir(parents=True)
        path.write_text(f"# {number}\n{TEXT}")
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    commands = (["init", "-q"], ["add", "-A"], [*identity, "commit", "-q", "-m", "all"], ["repack", "-a", "-d", "-q"])
    for command in commands:
        subprocess.run(["git", *command], cwd=work, check=True)


def starting(work: Path, files: int, repeats: int) -> Row:
    """A start answers once the copy is there and the task's thread runs."""
    agent = Agent(Runtime(use_docker=False, workspace=work), ScriptedModel([STOP] * (repeats + 1)))
    copy = work.with_name("copy")

    def task() -> float:
        begun = time.perf_counter()
        task_id = agent.tasks.start_task("nothing", agent.runtime, workspace="copy")
        took = time.perf_counter() - begun
        agent.tasks.wait(task_id, 60)
        agent.tasks.tasks.pop(task_id).agent.close()
        return took

    def worktree() -> float:
        took = timed(["git", "worktree", "add", "-q", "--detach", str(copy)], work)
        subprocess.run(["git", "worktree", "remove", "--force", str(copy)], cwd=work, check=True)
        return took

    def cp() -> float:
        took = timed(["cp", "-a", "--reflink=auto", str(work), str(copy)], work)
        shutil.rmtree(copy)
        return took

    by_git, by_cp, taken = medians(repeats, worktree, cp, task)
    agent.close()
    return Row(
        f"start of a task with a copy of {files:,} files",
        f"{ms(by_git)} `git worktree add`; {ms(by_cp)} `cp -a --reflink=auto`",
        f"{ms(taken)} ({taken / by_git:.1f} ×; {taken / by_cp:.1f} ×)",
        f"≤ {START:g} × the slower floor",
        taken <= START * max(by_git, by_cp),
    )


def taking_over(work: Path, changed: int, repeats: int) -> Row:
    """Everything that a task changed, with a point to go back to, against ``git apply`` of the same."""
    change = f"find part_* -type f -print0 | sort -z | head -zn {changed} | xargs -0 sed -i s/line.strip/line.rstrip/"
    agent = Agent(Runtime(use_docker=False, workspace=work), ScriptedModel([call(("bash", {"cmd": change})), STOP]))
    task_id = agent.tasks.start_task("rename", agent.runtime, workspace="copy")
    agent.tasks.wait(task_id, 60)
    subprocess.run(["bash", "-c", change], cwd=work, check=True)
    patch = work.with_name("patch")
    with patch.open("wb") as file:
        subprocess.run(["git", "diff"], cwd=work, stdout=file, check=True)
    checkout(work)

    def by_us() -> float:
        begun = time.perf_counter()
        applied = agent.tasks.apply(task_id)
        took = time.perf_counter() - begun
        assert len(applied.paths) == changed, applied
        agent.tasks.undo_apply(task_id)
        return took

    def by_git() -> float:
        took = timed(["git", "apply", str(patch)], work)
        checkout(work)
        return took

    floor, taken = medians(repeats, by_git, by_us)
    agent.close()
    return below(
        f"taking over {changed:,} changed files of them, a point to go back to among it",
        f"{ms(floor)} `git apply`",
        taken,
        APPLY * changed,
    )


def checkout(work: Path) -> None:
    subprocess.run(["git", "checkout", "-q", "--", "."], cwd=work, check=True)


def timed(command: Sequence[str], work: Path) -> float:
    """Seconds from the start of a command to its end."""
    begun = time.perf_counter()
    subprocess.run(command, cwd=work, check=True)
    return time.perf_counter() - begun
