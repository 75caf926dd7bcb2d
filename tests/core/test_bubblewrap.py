"""Commands in the sandbox of the operating system: what they reach, what they do not, and what they still can do."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import pygent
from pygent import Runtime
from pygent.errors import SandboxError, SandboxUnavailable
from pygent.sandbox import CommandLimits
from pygent.sandbox.boxed import BoxedSandbox
from pygent.sandbox.description import surroundings
from pygent.scratch import own_folder

pytestmark = pytest.mark.bubblewrap

KEY = "sk-a-secret-key-of-the-model"
Run = Callable[[str], str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home folder with secrets, and Pygent's own folders in it."""
    made = tmp_path / "home"
    for name in (".ssh/id_ed25519", ".aws/credentials", ".gnupg/private", ".config/gh/hosts.yml", ".netrc", "notes"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(KEY)
    (made / ".gitconfig").write_text('[user]\n\tname = Ada\n\temail = ada@example.org\n[http]\n\textraHeader = "K"\n')
    for variable, name in (("XDG_CONFIG_HOME", ".config"), ("XDG_DATA_HOME", ".local/share")):
        monkeypatch.setenv(variable, str(made / name))
        (made / name / "pygent").mkdir(parents=True)
        (made / name / "pygent" / "kept").write_text(KEY)
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return made


@pytest.fixture
def work(home: Path) -> Path:
    made = home / "project"
    made.mkdir()
    return made


def box(root: Path, home: Path, path: str = "", **options: object) -> BoxedSandbox:
    """A sandbox in ``root`` for the person with ``home``."""
    env = {"PATH": path or os.environ["PATH"], "HOME": str(home)}
    return BoxedSandbox(root, env, home.parent / "spill", **options)  # type: ignore[arg-type]


@pytest.fixture
def sandbox(work: Path, home: Path) -> Iterator[BoxedSandbox]:
    made = box(work, home)
    yield made
    made.close()


@pytest.fixture
def run(sandbox: BoxedSandbox) -> Run:
    """Runs a command and answers all that it said."""
    return lambda cmd: sandbox.run(cmd, timeout=20).output


# -- what it says


def test_it_says_what_it_is(sandbox: BoxedSandbox) -> None:
    assert (sandbox.kind, sandbox.confined, sandbox.network) == ("bubblewrap", True, False)
    assert sandbox.summary == "LOCAL, sandboxed (bubblewrap) · network off"
    assert "Only the workspace, /tmp and $HOME can be written" in surroundings(sandbox)
    assert "in /tmp and in $HOME each" not in surroundings(sandbox)  # these have no limit of their own


# -- files


@pytest.mark.parametrize("top", ["/tmp", "/var/tmp"])
def test_workspaces_and_programs_in_folders_for_temporary_files_are_there(home: Path, top: str) -> None:
    with tempfile.TemporaryDirectory(dir=top) as folder:
        place = Path(folder)
        place.chmod(0o755)
        for name in ("work", "bin"):
            (place / name).mkdir()
        (place / "bin" / "hello").write_text("#!/bin/sh\necho hello\n")
        (place / "bin" / "hello").chmod(0o755)
        made = box(place / "work", home, f"{place / 'bin'}:{os.environ['PATH']}")
        with contextlib.closing(made):
            assert made.run(
                "hello && echo kept > a.txt && echo x > /var/tmp/x && cat /var/tmp/x", timeout=20
            ).output == ("hello\nx\n")
        assert (place / "work" / "a.txt").read_text() == "kept\n"
        assert not Path("/var/tmp/x").exists()


@pytest.mark.hostile(33, 41)
def test_the_home_folder_and_pygents_own_folders_are_not_there(run: Run, home: Path) -> None:
    seen = run(
        f"ls -A ~; cat ~/notes ~/.ssh/* ~/.aws/* ~/.gnupg/* ~/.netrc; find / -name kept -o -name hosts.yml; ls {home}"
    )
    assert KEY not in seen
    assert "kept" not in seen
    assert "hosts.yml" not in seen
    assert run("echo x >> ~/.bashrc; cat ~/.bashrc") == "x\n"
    assert not (home / ".bashrc").exists()


def test_only_the_workspace_tmp_and_the_own_home_can_be_written(run: Run, work: Path, tmp_path: Path) -> None:
    run(f": > {tmp_path}/here; : > {tmp_path}/home/here")  # in a /tmp of its own
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "spill") == ["home"]
    for folder in ("/", "/usr", "/etc", "/opt", "/run", "/var", "/sys", "/proc/sys/kernel"):
        assert "no" in run(f"(: > {folder}/pygent-was-here) 2>/dev/null || echo no"), folder
    assert run("echo 1 > a; echo 2 > /tmp/b; echo 3 > ~/c; cat a /tmp/b ~/c") == "1\n2\n3\n"
    assert (work / "a").read_text() == "1\n"
    assert not Path("/tmp/b").exists()


def test_tmp_and_home_are_the_same_for_all_commands_and_go_with_the_sandbox(work: Path, home: Path) -> None:
    before = set(Path(own_folder()).iterdir())
    with contextlib.closing(box(work, home)) as sandbox:
        thread = threading.Thread(target=lambda: sandbox.run("echo $$ > /tmp/x; sleep 0.4", timeout=20))
        thread.start()  # two commands at once are in two namespaces
        assert sandbox.run("until [ -s /tmp/x ]; do sleep 0.02; done; echo seen", timeout=20).output == "seen\n"
        thread.join()
    assert set(Path(own_folder()).iterdir()) == before
    assert sorted(path.name for path in work.iterdir()) == []


def test_what_is_not_for_everybody_is_not_read(run: Run) -> None:
    """Root owns it, and so could read it without any capability."""
    assert run("cat /etc/shadow 2>&1").endswith("Permission denied\n") or run("cat /etc/shadow") == ""
    assert "root" in run("cat /etc/passwd")


def test_a_workspace_in_pygents_own_folder_is_shown_alone(home: Path) -> None:
    """That is where tasks work."""
    root = home / ".local" / "share" / "pygent" / "tasks" / "1" / "workspace"
    root.mkdir(parents=True)
    (root.parent / "task.json").write_text(KEY)
    with contextlib.closing(box(root, home)) as sandbox:
        assert sandbox.run("echo 1 > made; ls; ls -A ..", timeout=20).output == "made\nworkspace\n"
    assert (root / "made").read_text() == "1\n"


def test_pygents_folders_in_a_workspace_are_empty(work: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (work / "data" / "pygent").mkdir(parents=True)
    (work / "data" / "pygent" / "kept").write_text(KEY)
    monkeypatch.setenv("XDG_DATA_HOME", str(work / "data"))
    with contextlib.closing(box(work, home)) as sandbox:
        assert sandbox.run("ls -A data/pygent; cat data/pygent/kept", timeout=20).output.startswith("cat: ")


# -- what people need


def test_git_goes_on_working(run: Run, work: Path) -> None:
    assert (
        run("git init -q -b main && echo 1 > a && git add a && git commit -qm one && git log --format=%an") == "Ada\n"
    )
    assert "extraheader" not in run("git config --list").lower()
    assert (
        run("git switch -qc other && echo 2 > a && git commit -qam two && git merge-base main other | wc -l") == "1\n"
    )
    done = subprocess.run(["git", "log", "--oneline", "--all"], cwd=work, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 2


def test_git_works_in_a_linked_worktree(home: Path) -> None:
    main = home / "main"
    git = ["git", "-C", str(main), "-c", "user.name=A", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", str(main)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "0"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(home / "linked")], check=True)
    (main / "private").write_text(KEY)
    with contextlib.closing(box(home / "linked", home)) as sandbox:
        result = sandbox.run(
            f"echo 1 > a && git add a && git commit -qm one; cat {main}/private; : > {main}/.git/hooks/post-commit;"
            f"git config core.hooksPath x; : > {main}/made",
            timeout=20,
        )
    assert KEY not in result.output
    log = subprocess.run([*git, "log", "--format=%s", "linked"], capture_output=True, text=True, check=True)
    assert log.stdout == "one\n0\n", result.output
    assert not (main / ".git" / "hooks" / "post-commit").exists()
    assert "hooksPath" not in (main / ".git" / "config").read_text()
    assert not (main / "made").exists()


def test_a_file_that_names_a_foreign_repository_opens_nothing(work: Path, home: Path) -> None:
    other = home / "other"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    (work / ".git").write_text(f"gitdir: {other}/.git\n")
    with contextlib.closing(box(work, home)) as sandbox:
        assert "No such file" in sandbox.run(f"ls {other}/.git", timeout=20).output


def test_compilers_work_where_there_are_any(run: Run) -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    assert run("echo 'int main(void){return 7;}' > a.c && cc -o a a.c && ./a; echo $?") == "7\n"


def test_a_virtual_environment_in_the_home_works(work: Path, home: Path) -> None:
    """One on the PATH, and one of the project's own, made with a Python that is not on it."""
    venv.create(home / "tools" / "env", symlinks=True)
    venv.create(work / ".venv", symlinks=True)
    (home / "tools" / "secret").write_text(KEY)
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "py").symlink_to(home / "tools" / "env" / "bin" / "python")
    (home / ".profile-of-nix").symlink_to("/usr")
    path = f"{home}/tools/env/bin:{home}/.local/bin:{home}/.profile-of-nix/bin"
    with contextlib.closing(box(work, home, path)) as sandbox:
        result = sandbox.run(
            "python -c 'import sys; print(sys.prefix)'; .venv/bin/python -c 'import sys, ssl; print(sys.prefix)';"
            "py -c 'print(1)'; ls -A ~ ~/tools; (: > ~/tools/env/x) 2>/dev/null || echo read-only",
            timeout=20,
        )
    lines = result.output.splitlines()
    assert lines[:3] == [str(home / "tools" / "env"), str(work / ".venv"), "1"]
    assert lines[-1] == "read-only"
    assert "secret" not in result.output


def test_version_managers_in_the_home_work(work: Path, home: Path) -> None:
    """As pyenv, nvm, pipx and cargo lay out their folders."""
    programs = {
        ".pyenv/shims/tool-a": '#!/bin/sh\nexec "$HOME/.pyenv/versions/1/bin/real-a"\n',
        ".pyenv/versions/1/bin/real-a": "#!/bin/sh\necho a\n",
        ".nvm/versions/node/v1/bin/tool-b": '#!/bin/sh\ncat "$HOME/.nvm/versions/node/v1/lib/b"\n',
        ".nvm/versions/node/v1/lib/b": "b\n",
        ".local/share/pipx/venvs/c/bin/tool-c": '#!/bin/sh\ncat "$HOME/.local/share/pipx/venvs/c/lib/c"\n',
        ".local/share/pipx/venvs/c/lib/c": "c\n",
        ".cargo/bin/tool-d": '#!/bin/sh\ncat "$HOME/.rustup/toolchains/d"\n',
        ".rustup/toolchains/d": "d\n",
        ".cargo/credentials.toml": KEY,
    }
    for name, text in programs.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
        (home / name).chmod(0o755)
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "tool-c").symlink_to("../share/pipx/venvs/c/bin/tool-c")
    folders = (".pyenv/shims", ".nvm/versions/node/v1/bin", ".local/bin", ".cargo/bin")
    path = ":".join(["/usr/bin", "/bin", *(str(home / name) for name in folders)])
    with contextlib.closing(box(work, home, path)) as sandbox:
        seen = sandbox.run("tool-a; tool-b; tool-c; tool-d; cat ~/.cargo/credentials.toml", timeout=20).output
    assert seen.splitlines()[:4] == ["a", "b", "c", "d"], seen
    assert KEY not in seen


@pytest.mark.parametrize("folder", [".", ".ssh", ".config/gh", ".local/share/pygent"])
def test_a_path_into_what_is_personal_opens_nothing_around_it(work: Path, home: Path, folder: str) -> None:
    (home / folder / "bin").mkdir(parents=True)
    (home / folder / "lib").mkdir()
    with contextlib.closing(box(work, home, f"/usr/bin:/bin:{home}/{folder}/bin")) as sandbox:
        seen = sandbox.run(f"cd ~/{folder} && grep -rs {KEY} .", timeout=20).output
    assert KEY not in seen


def test_an_environment_of_a_hostile_workspace_opens_nothing(work: Path, home: Path) -> None:
    (home / "private" / "bin").mkdir(parents=True)
    (home / "private" / "lib").mkdir()
    (home / "private" / "bin" / "python3").write_text(KEY)
    (work / ".venv" / "bin").mkdir(parents=True)
    (work / ".venv" / "bin" / "python").symlink_to(home / "private" / "bin" / "python3")
    with contextlib.closing(box(work, home)) as sandbox:
        assert KEY not in sandbox.run("cat .venv/bin/python", timeout=20).output


# -- protected parts of a workspace


@pytest.mark.hostile(13)
@pytest.mark.parametrize(
    "cmd",
    [
        "echo x > .git/hooks/post-commit",
        "rm -rf .git/hooks; mkdir .git/hooks; echo x > .git/hooks/post-commit",
        "mv .git old; mkdir -p .git/hooks; echo x > .git/hooks/post-commit",
        "mv .git/hooks .git/old; mkdir .git/hooks; echo x > .git/hooks/post-commit",
        "mkdir -p .pygent; echo x > .pygent/config.yaml",
        "rmdir .pygent; mkdir .pygent; echo x > .pygent/config.yaml",
        "mv .pygent old; mkdir .pygent; echo x > .pygent/config.yaml",
        "ln -s /tmp evil; mv -T evil .pygent; ls -la .pygent",
        "echo x >> .envrc; mv .envrc old; echo x > .envrc",
    ],
)
def test_hooks_settings_and_start_up_files_are_read_only(run: Run, work: Path, cmd: str) -> None:
    subprocess.run(["git", "init", "-q", "--template=", str(work)], check=True)  # no hooks, no .pygent yet
    (work / ".envrc").write_text("")
    run(cmd)
    assert not (work / ".git" / "hooks" / "post-commit").exists()
    assert not (work / ".pygent" / "config.yaml").exists()
    assert not (work / ".pygent").is_symlink()
    assert (work / ".envrc").read_text() == ""
    assert run("git status --porcelain | grep -v evil") == "?? .envrc\n"


@pytest.mark.hostile(13)
def test_a_repository_that_a_command_makes_is_protected_from_the_next_one_on(run: Run, work: Path) -> None:
    run("git init -q")
    assert "Read-only" in run("echo x > .git/hooks/post-commit")
    assert not (work / ".git" / "hooks" / "post-commit").exists()


@pytest.mark.hostile(13)
def test_what_is_made_for_it_goes_with_the_sandbox(work: Path, home: Path) -> None:
    with contextlib.closing(box(work, home)) as sandbox:
        sandbox.run("true", timeout=20)
        assert (work / ".pygent").is_dir()
    assert list(work.iterdir()) == []


@pytest.mark.hostile(13)
def test_two_in_one_workspace_protect_it_until_the_last_one_ends(work: Path, home: Path) -> None:
    write = "mkdir -p .pygent; echo x > .pygent/config.yaml"
    first, second = box(work, home), box(work, home)
    try:
        assert "Read-only" in first.run(write, timeout=20).output
        assert "Read-only" in second.run(write, timeout=20).output
        first.close()  # which made the folder that is the mount point of both
        assert "Read-only" in second.run(write, timeout=20).output
    finally:
        first.close()
        second.close()
    assert list(work.iterdir()) == []


@pytest.mark.hostile(13)
@pytest.mark.parametrize("name", [".pygent", ".git/hooks", ".git"])
def test_a_folder_that_somebody_makes_anew_is_protected_from_the_next_command_on(
    run: Run, work: Path, name: str
) -> None:
    """Its mount goes with the old one, and a file system may give the new one its number."""
    (work / ".git/hooks").mkdir(parents=True)
    run("true")
    shutil.rmtree(work / name)
    (work / ".git/hooks").mkdir(parents=True, exist_ok=True)
    (work / ".pygent").mkdir(exist_ok=True)
    output = run("echo x > .git/hooks/pre-commit; echo x > .pygent/config.yaml; echo x > .git/HEAD")
    assert output.count("Read-only") == 2
    assert [path.name for path in work.rglob("*") if path.is_file()] == ["HEAD"]


def test_what_a_killed_one_left_goes_with_the_next_and_what_a_person_made_stays(work: Path, home: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from tests.core.test_bubblewrap import box
sandbox = box(Path(sys.argv[1]), Path(sys.argv[2]))
sandbox.run("true", timeout=20)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script, str(work), str(home)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (work / ".pygent").is_dir()
    with contextlib.closing(box(work, home)) as sandbox:
        sandbox.run("true", timeout=20)
    assert not (work / ".pygent").exists()
    (work / ".pygent").mkdir()
    with contextlib.closing(box(work, home)) as sandbox:
        sandbox.run("true", timeout=20)
    assert (work / ".pygent").is_dir()


@pytest.mark.hostile(13)
@pytest.mark.parametrize("local", ["auto", "off"])
def test_changes_to_what_git_runs_are_named(work: Path, home: Path, local: str) -> None:
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    with Runtime(use_docker=False, workspace=work, local_sandbox=local) as runtime:
        said = runtime.bash("git config user.name Eve; echo x > .profile")
        assert said.splitlines()[-2] == "[changed, and other programs run what stands there: .git/config, .profile]"
        assert runtime.run("git status; git add -A; echo on; exit 3").note == ""
        if local == "off":
            assert ".git/hooks/post-commit" in runtime.run("echo x > .git/hooks/post-commit").note


# -- network and other processes


@pytest.fixture
def listening() -> Iterator[str]:
    """A command that connects to servers of this machine: over IPv4, an abstract socket, and one with a path."""
    with contextlib.ExitStack() as stack:
        internet = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0pygent-test-{os.getpid()}")
        abstract.listen()
        folder = Path(stack.enter_context(contextlib.closing(_Folder())).name)
        plain = stack.enter_context(socket.socket(socket.AF_UNIX))
        plain.bind(str(folder / "s"))
        plain.listen()
        yield (
            f"{sys.executable} - <<'E'\nimport socket\n"
            f"for family, address in ((2, {internet.getsockname()!r}), (1, chr(0) + 'pygent-test-{os.getpid()}'), "
            f"(1, {str(folder / 's')!r})):\n"
            "    try:\n        socket.socket(family).connect(address)\n        print('reached')\n"
            "    except OSError as error:\n        print(error.strerror)\nE\n"
        )


class _Folder:
    def __init__(self) -> None:
        self.name = Path("/tmp") / f"pygent-socket-{os.getpid()}"
        self.name.mkdir()

    def close(self) -> None:
        shutil.rmtree(self.name)


@pytest.mark.hostile(45)
def test_without_the_network_nothing_is_reached(run: Run, listening: str) -> None:
    seen = run(listening)
    assert seen.splitlines() == ["Connection refused", "Connection refused", "No such file or directory"], seen
    assert run("getent hosts example.org; cat /proc/net/dev | wc -l") == "3\n"  # two lines of headings, and lo
    assert run(f"{sys.executable} -c 'import socket; socket.socket(40, 1)'").endswith("not supported by protocol\n")


@pytest.mark.hostile(45)
def test_the_network_is_the_machines_where_it_is_on(work: Path, home: Path, listening: str) -> None:
    with contextlib.closing(box(work, home, network=True)) as sandbox:
        seen = sandbox.run(listening, timeout=20).output.splitlines()
        assert sandbox.summary.endswith("network on")
        assert sandbox.run("cat /etc/resolv.conf >/dev/null && echo there", timeout=20).output == "there\n"
    assert (seen[0], seen[2]) == (
        "reached",
        "No such file or directory",
    )  # a path of the host's is hidden all the same


def test_the_network_is_switched(work: Path, home: Path, listening: str) -> None:
    with Runtime(use_docker=False, workspace=work, local_sandbox="on") as runtime:
        runtime.run("echo kept > file")
        assert "reached" not in runtime.run(listening).output
        runtime.set_network(True)
        assert "reached" in runtime.run(listening).output
        runtime.set_network(False)
        assert "reached" not in runtime.run(listening).output
        assert "kept" in runtime.bash("cat file")


@pytest.mark.hostile(41)
def test_no_key_is_in_reach(run: Run) -> None:
    seen = run("env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'; ls /proc | grep -c '^[0-9]'")
    assert KEY not in seen
    assert int(seen.splitlines()[-1]) < 8


@pytest.mark.hostile(46)
@pytest.mark.parametrize(
    "cmd",
    [
        "unshare -U true",
        "unshare -m true",
        "mount -t tmpfs none /tmp",
        "mount -o remount,rw /usr",
        "umount /proc",
        "mknod device c 1 3",
        "mknod device b 8 0",
        "chroot / true",
        "nsenter -t 1 -m true",
        "cp /bin/true here && chmod 4755 here",
        f"{sys.executable} -c 'import os; os.close(os.open(\"f\", os.O_CREAT | os.O_WRONLY, 0o4755))'",
        "kill -9 1 && sleep 0.2 && cat /proc/1/mem",
        "echo core > /proc/sys/kernel/core_pattern",
        "cat /proc/1/environ",
        "readlink /proc/1/exe",
        f"{sys.executable} -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(16, 1, 0, 0) == -1)'",
        f"{sys.executable} -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(250, 0, -3, 1) == -1)'",
        f"{sys.executable} -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).syscall(425, 1, 0) == -1)'",
    ],
)
def test_what_would_lead_out_is_refused(sandbox: BoxedSandbox, work: Path, cmd: str) -> None:
    result = sandbox.run(cmd, timeout=20)
    assert result.exit_status not in {0, 127}, result.output
    assert not any(path.stat().st_mode & stat.S_ISUID for path in work.iterdir())


@pytest.mark.hostile(46)
def test_no_privilege_is_left_and_none_can_be_had(run: Run) -> None:
    status = dict(line.split(":\t", 1) for line in run("cat /proc/self/status").splitlines() if ":\t" in line)
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_what_makes_no_device_is_allowed(run: Run) -> None:
    """Pipes with names, tracing one's own children, and modes that only the group sees."""
    trace = (
        f"{sys.executable} - <<'E'\nimport ctypes, os\nlibc = ctypes.CDLL(None)\npid = os.fork()\n"
        "if not pid:\n    libc.ptrace(0, 0, 0, 0)\n    os.kill(os.getpid(), 19)\n    os._exit(5)\n"
        "os.waitpid(pid, 0)\nlibc.ptrace(7, pid, 0, 0)\nprint(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\nE\n"
    )
    assert run(f"mkfifo pipe && mkdir d && chmod g+s d && {trace}") == "5\n"


# -- limits, and how it ends


@pytest.mark.hostile(23)
@pytest.mark.parametrize("bomb", ["f() { f | f & }; f; sleep 9", "while :; do sleep 30 & done"])
def test_a_fork_bomb_is_ended_and_the_next_command_works(work: Path, home: Path, bomb: str) -> None:
    with contextlib.closing(box(work, home, limits=CommandLimits(processes=150))) as sandbox:
        result = sandbox.run(bomb, timeout=6)
        assert result.seconds < 40, "what counts it has to get a turn beside it"
        assert "150 at once is the limit" in result.note or "retry" in result.output or result.status == "timeout"
        assert sandbox.run("echo next", timeout=40).output == "next\n"


@pytest.mark.hostile(24)
@pytest.mark.parametrize("where", ["x = bytearray(600 << 20)", "open('/dev/shm/x', 'wb').write(bytes(600 << 20))"])
def test_a_command_that_takes_too_much_memory_is_ended_and_told(work: Path, home: Path, where: str) -> None:
    with contextlib.closing(box(work, home, limits=CommandLimits(memory=300))) as sandbox:
        taking = f"{where}; x[::4096] = b'1' * len(x[::4096])" if "x =" in where else where
        result = sandbox.run(f'{sys.executable} -c "{taking}; import time; time.sleep(20)"', timeout=30)
        assert (result.status, result.exit_status) == ("ok", 137)
        assert "300 MB, command_memory" in result.note
        assert sandbox.run("rm -f /dev/shm/x; echo next", timeout=20).output == "next\n"


@pytest.mark.hostile(27)
def test_a_command_that_kills_everything_it_sees_ends_itself_alone(sandbox: BoxedSandbox) -> None:
    sandbox.run("kill -9 -1; kill -9 1; kill -STOP 1", timeout=20)
    assert sandbox.run("echo next", timeout=20).output == "next\n"


def test_a_supervisor_that_is_killed_from_outside_takes_all_with_it(sandbox: BoxedSandbox) -> None:
    nap = f"71.{os.getpid()}"
    assert sandbox.run("true", timeout=20).status == "ok"
    pids = [pid for pid in Path("/proc").glob("[0-9]*") if _is_ours(pid)]
    timer = threading.Timer(0.4, lambda: [os.kill(int(pid.name), 9) for pid in pids])
    timer.start()
    result = sandbox.run(f"setsid sleep {nap} & sleep {nap}", timeout=20)
    timer.join()
    assert result.status == "lost"
    listing = subprocess.run(["ps", "-axo", "args="], capture_output=True, text=True, check=True).stdout
    assert f"sleep {nap}" not in listing.splitlines()
    assert sandbox.run("echo next", timeout=20).output == "next\n"


def _is_ours(folder: Path) -> bool:
    """Whether it is a supervisor in a sandbox below this process."""
    with contextlib.suppress(OSError):
        line = (folder / "cmdline").read_bytes()
        parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        above = Path("/proc", parent, "stat").read_text().rpartition(")")[2].split()[1]
        return b"/run/pygent/supervisor.py" in line and above == str(os.getpid())
    return False


# -- choosing


def test_a_runtime_takes_it_by_itself_and_not_where_it_is_off(work: Path, home: Path) -> None:
    with Runtime(use_docker=False, workspace=work) as runtime:
        assert runtime.sandbox.kind == "bubblewrap"
        with runtime.sibling() as child:
            assert child.sandbox.kind == "bubblewrap"
            assert "made" in child.bash("touch made; ls")
    with Runtime(use_docker=False, workspace=work, local_sandbox="off") as runtime:
        assert runtime.sandbox.kind == "local"
        with runtime.sibling() as child:
            assert child.sandbox.kind == "local"


@pytest.mark.parametrize("root", ["/", "/tmp", "home", "above"])
def test_a_workspace_that_holds_everything_is_not_claimed_to_be_sandboxed(home: Path, root: str) -> None:
    folder = {"home": home, "above": home.parent}.get(root, Path(root))
    with pytest.raises(SandboxUnavailable, match="use a folder of its own"):
        Runtime(use_docker=False, workspace=folder, local_sandbox="on")
    with Runtime(use_docker=False, workspace=folder) as runtime:
        assert not runtime.sandbox.confined


def test_where_it_cannot_be_had_it_is_said(work: Path, home: Path) -> None:
    """In a process that may make no namespaces, as in many containers."""
    code = (
        "from pygent import Runtime\nfrom pygent.errors import SandboxUnavailable\n"
        "with Runtime(use_docker=False) as runtime:\n    print(runtime.sandbox.summary)\n"
        "try:\n    Runtime(use_docker=False, local_sandbox='on')\n"
        "except SandboxUnavailable as error:\n    print(error)\n"
    )
    limit = "open('/proc/sys/user/max_user_namespaces', 'w').write('0');"
    done = subprocess.run(
        ["unshare", "-Ur", sys.executable, "-c", f"{limit} exec({code!r})"],
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere"},
    )
    assert done.stdout.splitlines()[0] == "LOCAL: commands run as you", done.stderr
    assert "cannot be sandboxed: bubblewrap does not work here: bwrap:" in done.stdout
    assert "--local-sandbox off" in done.stdout


def test_a_workspace_that_is_gone_is_said_and_a_new_one_is_used(sandbox: BoxedSandbox, work: Path) -> None:
    assert sandbox.run("echo 1", timeout=20).output == "1\n"
    shutil.rmtree(work)
    with pytest.raises(SandboxError, match="does not exist any more"):
        sandbox.run("true", timeout=20)
    work.mkdir()
    sandbox.run("touch here", timeout=20)
    assert (work / "here").exists()


# -- users


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_runs_commands_as_the_owner_of_the_workspace(home: Path) -> None:
    root = Path(tempfile.mkdtemp(prefix="pygent-owner-"))  # pytest's folders are for their owner alone
    try:
        os.chown(root, 65534, 65534)
        with Runtime(use_docker=False, workspace=root, local_sandbox="on") as runtime:
            said = runtime.run(
                "id -u; id -G; git init -q . && touch .git/made && echo made; touch /tmp/t ~/h && ls -A ~"
            )
            assert said.output.splitlines()[:3] == ["65534", "65534", "made"], said
            assert "h" in said.output.splitlines()
            assert runtime.run("cat /root/* /etc/shadow 2>/dev/null").output == ""
            assert runtime.run("echo x > .git/hooks/pre-commit").exit_status != 0
        assert (root / ".git" / "made").stat().st_uid == 65534
    finally:
        shutil.rmtree(root)


def test_a_user_without_any_rights_has_the_same_sandbox() -> None:
    """With the system's Python, which everybody may start."""
    if not Path("/usr/bin/python3").exists() or os.geteuid() != 0:
        pytest.skip("no Python of the system, or these tests run without rights anyway")
    root = Path(tempfile.mkdtemp(prefix="pygent-user-"))
    try:
        shutil.copytree(Path(pygent.__file__).parent, root / "code" / "pygent")
        (root / "ws").mkdir()
        subprocess.run(["chown", "-R", "65534:65534", str(root)], check=True)
        code = (
            "from pathlib import Path\nfrom pygent.sandbox import open_sandbox\n"
            "env = {'PATH': '/usr/bin:/bin', 'HOME': '/nonexistent/home'}\n"
            "box = open_sandbox(Path('ws').resolve(), use_docker=False, image='', network=False, env=env,\n"
            "    spill_dir=Path('spill'), local='on')\n"
            "print(box.run('id -u; echo 1 > f; cat f; unshare -U true; '\n"
            "    '(f() { f | f & }; f) 2>/dev/null', timeout=9))\n"
            "print(box.run('echo next', timeout=20))\nbox.close()\n"
        )
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", code],
            cwd=root,
            env={"PYTHONPATH": str(root / "code"), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent/home"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "65534\\n1\\nunshare: unshare failed: Operation not permitted" in done.stdout, done.stderr
        assert "output='next\\n'" in done.stdout
    finally:
        shutil.rmtree(root)
