"""Commands on this machine: what they say, how they end, and that nothing of them is left."""

from __future__ import annotations

import gc
import math
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from pygent.cancellation import CancelToken
from pygent.errors import SandboxError
from pygent.sandbox.base import Sandbox
from pygent.sandbox.boxed import BoxedSandbox
from pygent.sandbox.local import LocalSandbox

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux adopts what a command leaves behind")


KINDS = {"bare": LocalSandbox, "bubblewrap": BoxedSandbox}
BOTH = pytest.mark.parametrize("kind", ["bare", pytest.param("bubblewrap", marks=pytest.mark.bubblewrap)])


@pytest.fixture(params=["bare", pytest.param("bubblewrap", marks=pytest.mark.bubblewrap)])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalSandbox]:
    (tmp_path / "ws").mkdir()
    made = opened(request.param, tmp_path / "ws", tmp_path / "spill")
    yield made
    made.close()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[LocalSandbox]:
    (tmp_path / "ws").mkdir()
    made = opened("bare", tmp_path / "ws", tmp_path / "spill")
    yield made
    made.close()


def opened(kind: str, root: Path, spill: Path) -> LocalSandbox:
    return KINDS[kind](root, {"PATH": os.environ["PATH"], "HOME": "/home/nobody-here"}, spill)


def alive(tag: str) -> list[str]:
    """The command lines of all processes with ``tag`` in them, but ours."""
    listing = subprocess.run(["ps", "-axo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if tag in line and "pytest" not in line]


def gone(tag: str, within: float = 1.0) -> bool:
    end = time.monotonic() + within
    while alive(tag):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def children() -> set[int]:
    """The processes that this thread has started."""
    return {int(pid) for pid in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()}


WHO = "echo $PPID; readlink /proc/self/ns/pid"
"""Tells one supervisor from all others, also where each is the first of its own namespace."""


def napping(seconds: str) -> str:
    """A sleep that can be told from all others by its argument."""
    return f"sleep {seconds}"


# -- what it says


def test_it_is_a_sandbox_that_says_what_it_is(bare: LocalSandbox) -> None:
    as_sandbox: Sandbox = bare
    assert as_sandbox.kind == "local"
    assert as_sandbox.summary == "LOCAL: commands run as you"
    assert not as_sandbox.confined
    assert as_sandbox.workdir.endswith("/ws")


def test_both_streams_in_the_order_they_came(sandbox: LocalSandbox) -> None:
    cmd = "; ".join(f"echo out{n}; echo err{n} >&2" for n in range(20))
    result = sandbox.run(cmd, timeout=5)
    assert result.output == "".join(f"out{n}\nerr{n}\n" for n in range(20))
    assert (result.status, result.exit_status, result.note) == ("ok", 0, "")
    assert result.output_file is None


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    ("cmd", "status"),
    [
        ("exit 7", 7),
        ("exec false", 1),
        ("true", 0),
        ("no-such-program-1", 127),
        ("kill -9 $$", 137),
        ("kill -15 $$", 143),
    ],
)
def test_the_exit_status(sandbox: LocalSandbox, cmd: str, status: int) -> None:
    result = sandbox.run(cmd, timeout=5)
    assert (result.status, result.exit_status) == ("ok", status)
    assert sandbox.run("echo next", timeout=5).output == "next\n"
    if cmd.startswith("kill"):
        assert "ended by SIG" in result.note


def test_each_command_starts_fresh_in_the_workspace(sandbox: LocalSandbox) -> None:
    sandbox.run("mkdir -p sub; cd sub; X=1; echo hi > here", timeout=5)
    assert sandbox.run("pwd; echo [$X]; cat sub/here", timeout=5).output == f"{sandbox.workdir}\n[]\nhi\n"


@pytest.mark.hostile(41)
def test_the_environment_is_what_was_given_and_the_quiet_variables(
    sandbox: LocalSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-secret-key")
    seen = sandbox.run(
        "env; cat /proc/$PPID/environ 2>/dev/null", timeout=5, env={"EXTRA": "1 2", "TERM": "other"}
    ).output
    lines = dict(line.split("=", 1) for line in seen.splitlines() if "=" in line)
    assert "a-secret-key" not in seen
    for name, value in {
        "CI": "true",
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": "/home/nobody-here",
        "EXTRA": "1 2",
        "TERM": "other",
    }.items():
        assert lines[name] == value
    assert sandbox.run("echo $TERM", timeout=5).output == "dumb\n"


@pytest.mark.hostile(21)
def test_bytes_that_are_no_text_are_shown(sandbox: LocalSandbox) -> None:
    result = sandbox.run(r"printf 'a\xff\x00b\xe2\x82'; printf '\xac|\xe2'", timeout=5)
    assert result.output == "a�\x00b€|�"


@pytest.mark.hostile(21)
def test_a_character_split_between_two_writes_arrives_whole(sandbox: LocalSandbox) -> None:
    pieces: list[str] = []
    cmd = r"printf '\xf0\x9f'; sleep 0.15; printf '\x99\x82'"
    result = sandbox.run(cmd, timeout=5, on_output=pieces.append)
    assert "".join(pieces) == result.output == "🙂"


def test_output_comes_while_the_command_runs_on_the_calling_thread(sandbox: LocalSandbox) -> None:
    seen: list[tuple[str, float, int]] = []
    started = time.monotonic()
    sandbox.run(
        "echo one; sleep 0.4; echo two",
        timeout=5,
        on_output=lambda text: seen.append((text, time.monotonic() - started, threading.get_ident())),
    )
    assert [text for text, _, _ in seen] == ["one\n", "two\n"]
    assert seen[0][1] < 0.3 < seen[1][1]
    assert {ident for _, _, ident in seen} == {threading.get_ident()}


@pytest.mark.hostile(20, 22)
def test_one_line_of_200_kb_and_a_million_progress_lines(sandbox: LocalSandbox) -> None:
    result = sandbox.run("head -c 200000 /dev/zero | tr '\\0' x; seq 1000000 | tr '\\n' '\\r'", timeout=20)
    assert result.exit_status == 0
    assert len(result.output) < 140_000
    assert result.output.startswith("xxx")
    assert result.output.endswith("\r1000000\r")
    assert result.output_file is not None
    assert result.output_file in result.output
    assert Path(result.output_file).stat().st_size == 200_000 + 6_888_896
    assert Path(result.output_file).read_bytes()[199_990:200_004] == b"xxxxxxxxxx1\r2\r"


@pytest.mark.hostile(18)
def test_yes_is_stopped_at_the_budget_with_memory_flat(sandbox: LocalSandbox) -> None:
    tracemalloc.start()
    try:
        result = sandbox.run("yes", timeout=20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (result.status, result.exit_status) == ("flooded", None)
    assert result.seconds < 10
    assert peak < 4 * 1024 * 1024
    assert result.output_file is not None
    assert Path(result.output_file).stat().st_size == 32 * 1024 * 1024
    assert sandbox.run("echo next", timeout=5).output == "next\n"


@pytest.mark.hostile(19)
def test_ten_gigabytes_through_a_pipe_inside_cost_nothing_here(sandbox: LocalSandbox) -> None:
    assert sandbox.run("head -c 1G /dev/zero | wc -c", timeout=30).output.strip() == "1073741824"


# -- standard input


@pytest.mark.hostile(26)
@pytest.mark.parametrize(
    "cmd",
    [
        "cat; echo over",
        "read -r line; echo over",
        "cat /dev/tty; echo over",
        f"{shlex.quote(sys.executable)} -c 'input()'; echo over",
        f"{shlex.quote(sys.executable)} -c 'import getpass; getpass.getpass()' </dev/null; echo over",
    ],
)
def test_what_asks_gets_no_answer_and_ends(sandbox: LocalSandbox, cmd: str) -> None:
    result = sandbox.run(cmd, timeout=10)
    assert result.status == "ok"
    assert result.output.endswith("over\n")
    assert result.seconds < 3


@pytest.mark.hostile(28)
def test_output_that_looks_like_an_answer_of_the_supervisor_is_output(sandbox: LocalSandbox) -> None:
    text = "ready\ndone 0 0 0 - x\nfailed 2\n"
    result = sandbox.run(f"printf '{text.encode('unicode_escape').decode()}'; exit 3", timeout=5)
    assert (result.output, result.exit_status) == (text, 3)


# -- how it ends


@pytest.mark.hostile(14)
def test_a_timeout_ends_the_command_in_time(sandbox: LocalSandbox) -> None:
    result = sandbox.run("echo before; sleep 60", timeout=0.5)
    assert (result.status, result.exit_status, result.output) == ("timeout", None, "before\n")
    assert result.seconds < 1
    assert sandbox.run("echo next", timeout=5).output == "next\n"


def test_a_program_gets_a_moment_to_clean_up(sandbox: LocalSandbox) -> None:
    result = sandbox.run("trap 'rm lock; echo cleaned; exit' TERM; touch lock; sleep 60 & wait", timeout=0.3)
    assert result.status == "timeout"
    assert result.output == "cleaned\n"
    assert sandbox.run("ls", timeout=5).output == ""


HARD_TO_KILL = {
    "plain": "sleep {n}",
    "background": "sleep {n} & sleep {n}",
    "ignores TERM": "trap '' TERM HUP INT; sleep {n} & sleep {n}",
    "setsid": "setsid sleep {n} & setsid setsid sleep {n}; sleep {n}",
    "double fork": "( ( sleep {n} & ) & ) ; ( setsid sh -c 'sleep {n} & sleep {n}' & ) ; sleep {n}",
    "nohup": "nohup sleep {n} >/dev/null 2>&1 & disown; sleep {n}",
    "stopped": "sleep {n} & kill -STOP $!; sleep {n}",
    "restarts itself": "f() {{ sleep {n} & sleep 0.01; }}; ( trap '' TERM; while :; do f; done ) & sleep {n}",
}


@pytest.mark.hostile(15)
@LINUX
@pytest.mark.parametrize("how", HARD_TO_KILL)
def test_nothing_survives_a_timeout(sandbox: LocalSandbox, how: str) -> None:
    nap = f"61.{os.getpid()}"
    result = sandbox.run(HARD_TO_KILL[how].format(n=nap), timeout=0.3)
    assert result.status == "timeout"
    assert result.seconds < 1.3
    assert alive(napping(nap)) == []


@pytest.mark.hostile(16)
@LINUX
def test_a_background_child_ends_with_its_command_and_is_named(sandbox: LocalSandbox) -> None:
    nap = f"62.{os.getpid()}"
    result = sandbox.run(f"sleep {nap} & setsid sleep {nap} & echo x", timeout=30)
    assert (result.status, result.exit_status, result.output) == ("ok", 0, "x\n")
    assert result.seconds < 1
    assert "2 processes were still running in the background (sleep)" in result.note
    assert alive(napping(nap)) == []


def test_what_follows_shortly_after_the_command_is_still_heard(sandbox: LocalSandbox) -> None:
    result = sandbox.run("(sleep 0.1; echo late) & echo early", timeout=5)
    assert result.output == "early\nlate\n"
    assert result.note == ""


def test_output_held_open_does_not_hold_the_command(sandbox: LocalSandbox) -> None:
    result = sandbox.run("exec 3>&1; (trap '' TERM; exec sleep 63) & exit 3", timeout=30)
    assert result.exit_status == 3
    assert result.seconds < 1


def test_output_closed_by_the_command_does_not_end_it(sandbox: LocalSandbox) -> None:
    result = sandbox.run("exec >&- 2>&-; sleep 0.2; exit 4", timeout=5)
    assert (result.status, result.exit_status) == ("ok", 4)
    assert result.seconds >= 0.2


@pytest.mark.hostile(27)
@LINUX
def test_a_command_that_kills_its_supervisor_ends_too(bare: LocalSandbox) -> None:
    nap = f"64.{os.getpid()}"
    result = bare.run(f"setsid sleep {nap} & kill -9 $PPID; sleep {nap}", timeout=30)
    assert result.status == "lost"
    assert "was killed" in result.note
    assert gone(napping(nap))
    assert bare.run("echo next", timeout=5).output == "next\n"


def test_a_polite_kill_of_the_supervisor_changes_nothing(sandbox: LocalSandbox) -> None:
    assert sandbox.run("kill $PPID; kill -HUP $PPID; kill -INT $PPID; sleep 0.1; echo on", timeout=5).output == "on\n"


def test_commands_get_the_usual_signals(sandbox: LocalSandbox) -> None:
    result = sandbox.run("yes | head -1; echo ${PIPESTATUS[0]}; trap", timeout=5)
    assert result.output == "y\n141\n"


# -- cancelling


@pytest.mark.hostile(30)
def test_a_cancel_ends_the_command_within_half_a_second(sandbox: LocalSandbox) -> None:
    nap = f"65.{os.getpid()}"
    cancel = CancelToken()
    begun, since = threading.Event(), []

    def stop() -> None:
        begun.wait(20)
        since.append(time.monotonic())
        cancel.cancel()

    stopping = threading.Thread(target=stop)
    stopping.start()
    command = f"trap '' TERM; echo before; sleep {nap}"
    result = sandbox.run(command, timeout=30, cancel=cancel, on_output=lambda _: begun.set())
    ended = time.monotonic()
    stopping.join()
    assert ended - since[0] < 0.6
    assert (result.status, result.exit_status, result.output) == ("cancelled", None, "before\n")
    assert alive(napping(nap)) == []
    assert sandbox.run("echo next", timeout=5).output == "next\n"


def test_the_deadline_of_the_run_ends_the_command_as_a_timeout(sandbox: LocalSandbox) -> None:
    result = sandbox.run("sleep 60", timeout=30, cancel=CancelToken(timeout=0.3))
    assert result.status == "timeout"
    assert "whole run" in result.note
    assert result.seconds < 1


def test_a_callback_that_raises_ends_the_command(sandbox: LocalSandbox) -> None:
    nap = f"66.{os.getpid()}"

    def refuse(_text: str) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError):
        sandbox.run(f"echo x; sleep {nap}", timeout=30, on_output=refuse)
    assert alive(napping(nap)) == []
    assert sandbox.run("echo next", timeout=5).output == "next\n"


# -- several at once, closing, forks


def test_several_threads_run_commands_at_once(sandbox: LocalSandbox) -> None:
    results: dict[int, str] = {}

    def run(n: int) -> None:
        results[n] = sandbox.run(f"sleep 0.3; echo {n}; (echo {n} &)", timeout=10).output

    threads = [threading.Thread(target=run, args=(n,)) for n in range(5)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 1.4
    assert results == {n: f"{n}\n{n}\n" for n in range(5)}


@BOTH
def test_closing_ends_what_runs(tmp_path: Path, kind: str) -> None:
    nap = f"67.{os.getpid()}"
    sandbox = opened(kind, tmp_path, tmp_path / "spill")
    results = []
    thread = threading.Thread(target=lambda: results.append(sandbox.run(f"setsid sleep {nap}", timeout=30)))
    thread.start()
    while not alive(napping(nap)):
        time.sleep(0.02)
    started = time.monotonic()
    sandbox.close()
    thread.join()
    assert time.monotonic() - started < 1
    assert alive(napping(nap)) == []
    assert (results[0].status, results[0].note) == ("cancelled", "the sandbox was closed")
    sandbox.close()
    with pytest.raises(SandboxError, match="closed"):
        sandbox.run("true", timeout=5)


@BOTH
def test_a_sandbox_that_is_dropped_leaves_no_supervisor_and_no_descriptor(tmp_path: Path, kind: str) -> None:
    gc.collect()  # what other tests have left is not to go meanwhile
    before = len(os.listdir("/dev/fd"))
    sandbox = opened(kind, tmp_path, tmp_path / "spill")
    others = children()
    sandbox.run("true", timeout=5)
    pids = children() - others
    assert len(pids) == 1
    sandbox.run("true", timeout=5)
    assert children() - others == pids
    del sandbox
    gc.collect()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.hostile(31)
@LINUX
@BOTH
@pytest.mark.parametrize("how", ["kill -9", "kill -9 with a fork that lives on", "exit"])
def test_when_the_owner_dies_all_ends_within_a_second(tmp_path: Path, kind: str, how: str) -> None:
    nap = f"68.{os.getpid()}"
    script = (
        "import os, sys, threading, time\nfrom pathlib import Path\n"
        "from tests.core.test_local_sandbox import children, opened\n"
        f"box = opened({kind!r}, Path({str(tmp_path)!r}), Path('/nowhere'))\n"
        "box.run('true', timeout=5)\n"
        "[supervisor] = children()\n"
        "if 'fork' in sys.argv[1] and os.fork() == 0:\n    time.sleep(20)\n    os._exit(0)\n"
        f"cmd = 'trap \"\" TERM; setsid sleep {nap} & (sleep {nap} &); sleep {nap}'\n"
        "threading.Thread(target=lambda: box.run(cmd, timeout=60), daemon=True).start()\n"
        "print(supervisor, flush=True)\n"
        "time.sleep(0.6 if sys.argv[1] == 'exit' else 60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, how], stdout=subprocess.PIPE, start_new_session=True)
    with owner:
        assert owner.stdout is not None
        supervisor = int(owner.stdout.readline())
        while len(alive(napping(nap))) < 3:
            time.sleep(0.02)
        if how == "exit":
            assert owner.wait(10) == 0
        else:
            owner.kill()
            owner.wait(10)
        try:
            assert gone(napping(nap), within=1.0), alive(napping(nap))
            time.sleep(0.3)
            state = subprocess.run(
                ["ps", "-o", "stat=", "-p", str(supervisor)], check=False, capture_output=True, text=True
            )
            assert state.stdout.strip()[:1] in {"", "Z"}  # a zombie where nobody collects orphans
        finally:
            if "fork" in how:
                os.killpg(owner.pid, signal.SIGKILL)


def test_a_fork_of_the_owner_gets_a_supervisor_of_its_own(sandbox: LocalSandbox) -> None:
    mine = sandbox.run(WHO, timeout=5).output
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, sandbox.run(WHO, timeout=5).output.encode())
            sandbox.close()
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        theirs = answers.read()
    os.waitpid(pid, 0)
    assert "pid:" in theirs
    assert theirs != mine
    assert sandbox.run(WHO, timeout=5).output == mine


# -- what cannot be run


@pytest.mark.hostile(29)
@pytest.mark.parametrize("timeout", [-1, 0, math.nan, "5", None, True])
def test_a_timeout_that_is_none_is_refused(sandbox: LocalSandbox, timeout: object) -> None:
    with pytest.raises(ValueError, match="timeout must be a number of seconds"):
        sandbox.run("true", timeout=timeout)  # type: ignore[arg-type]


@pytest.mark.hostile(29)
@pytest.mark.parametrize("timeout", [10**9, math.inf, 0.001, 10**400], ids=lambda value: str(value)[:6])
def test_a_strange_timeout_is_cut(sandbox: LocalSandbox, timeout: float) -> None:
    assert sandbox.run("true", timeout=timeout).status in {"ok", "timeout"}


@pytest.mark.parametrize("cmd", ["echo a\0b", "echo \ud800", "x" * 200_000, b"true"])
def test_a_command_that_no_shell_takes_is_refused(sandbox: LocalSandbox, cmd: str) -> None:
    with pytest.raises(ValueError, match=r"The command|A command"):
        sandbox.run(cmd, timeout=5)


def test_a_long_command_is_run(sandbox: LocalSandbox) -> None:
    assert sandbox.run("echo " + "x" * 130_000 + " | wc -c", timeout=5).output.strip() == "130001"


def test_a_workspace_that_is_gone_is_said(sandbox: LocalSandbox) -> None:
    Path(sandbox.workdir).rmdir()
    with pytest.raises(SandboxError, match="does not exist any more"):
        sandbox.run("true", timeout=5)
    Path(sandbox.workdir).mkdir()
    assert sandbox.run("echo back", timeout=5).output == "back\n"


def test_a_command_costs_little_more_than_a_bare_shell(sandbox: LocalSandbox) -> None:
    """A generous bound: the benchmark holds the figure, this only that no interpreter is started for each command."""
    sandbox.run("true", timeout=5)
    samples = []
    for _ in range(20):
        started = time.perf_counter()
        sandbox.run("true", timeout=5)
        samples.append(time.perf_counter() - started)
    assert sorted(samples)[5] < 0.02
