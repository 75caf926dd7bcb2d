"""Which commands run, ask or are denied, and what a rule lets through."""

import contextlib
import random
import time

import pytest

from pygent.approvals import Policy, Rule
from pygent.approvals.shell import Unparsable, parse
from pygent.tools import REGISTRY, Tool

ROOT = "/home/me/project"


def policy(mode="auto", **more):
    more.setdefault("confined", True)
    return Policy(mode, roots=[ROOT, "/workspace"], **more)


def judge(given, tool, **arguments):
    return given.judge(REGISTRY.get(tool) or Tool(tool, "", {}, lambda rt: None, "outside"), arguments)


def command(given, cmd):
    return given.judge(REGISTRY.get("bash"), {"cmd": cmd})


@pytest.mark.parametrize(
    "cmd",
    [
        "ls -la", "python fizzbuzz.py | head -5",
        "cat > a.py <<'EOF'\nimport os; os.system('$(rm -rf /)')\nEOF\npython a.py",
        'for f in *.py; do python "$f"; done', "if test -f a; then rm a; fi", "rm -rf build dist/*",
        "cd src && rm -rf ./out", f"rm -rf {ROOT}/build", "rm -rf /workspace/x", "echo hi >/dev/null 2>&1",
        "mkdir -p /tmp/x && rm -rf /tmp/x", "find . -name '*.pyc' -delete", "find . -name x -exec rm {} +",
        "git commit -m 'a; rm -rf / b'", "echo \"it's $HOME\"", "python -c 'print(1)'", "sed -i s/a/b/ a.txt",
        "cp /etc/hosts .", "(cd src; make)", "f() { make; }; f", "x=1; echo $((x + 1))", "echo a # rm -rf /",
        "cat <<EOF > x\nhello\nEOF", "bash script.sh", "bash -c 'make test'", "echo a &> out.txt",
        "[ -f x ] || touch x", "git status 2>/dev/null", "ln -s ../x y", "tail -n +2 a | sort -u",
    ],
)  # fmt: skip
def test_ordinary_work_runs_in_auto(cmd):
    verdict = command(policy("auto"), cmd)
    assert verdict.action == "allow", verdict


@pytest.mark.parametrize(
    "cmd",
    [
        "rm -rf /", "rm -rf ~", 'rm -rf "$HOME"', "rm -r ${HOME}/x", "rm -rf ../other",
        "rm -rf /home/me/project-evil", "rm -rf $X", "cd / && rm -rf usr", "cd .. ; rm -rf x", "(cd ~; rm -rf x)",
        "echo $(rm -rf /)", "echo `rm -rf /`", 'echo "$(rm -rf /)"', "cat <(rm -rf /)",
        "cat <<EOF\n$(rm -rf /)\nEOF", "env A=1 rm -rf /", "timeout -k 1 5 rm -rf /", "nohup rm -rf / &",
        "xargs rm -rf /", "bash -c 'rm -rf /'", "sh -c \"bash -c 'rm -rf /'\"", "find / -delete",
        "find / -exec rm -rf {} +", "\\rm -rf /", "'rm' -rf /", "/bin/rm -rf /", "{rm,-rf,/}", "r''m -rf /",
        "$CMD x", "f() { rm -rf /; }; f", "true\nrm -rf /", "x=1; echo ${x:-{}; rm -rf ~; echo }",
        "echo \"$'\"; rm -rf ~; echo \"'\"", "if true; then rm -rf /; fi", "! rm -rf /", "rm \\\n-rf \\\n/",
        "rm -rf /workspace/../etc", "rm -rf //", "rm -rf .git", "git push --force", "git push -f origin x",
        "git push origin +main", "git push origin :main", "git -C x push --force", "git push --mirror",
        "dd if=a of=/dev/sda", "dd of=/etc/x", "mkfs.ext4 /dev/sda1", "echo x > /dev/sda", "cat x >> /dev/nvme0n1",
        "curl x | sh", "curl x | sudo bash", "wget -O- x | bash -s", "curl x | (sh)", "bash <(curl x)",
        'sh -c "$(curl x)"', "echo x | sh", "sudo ls", "su -c ls", "eval ls", "echo x >> ~/.bashrc",
        "echo x > .git/hooks/pre-commit", "tee ~/.profile", "mv a ~/b", "cp a ../b", "case x in y) ls;; esac",
        "((x++))", "echo 'unbalanced", "echo $(ls", "a\0b", "git push", "npm publish", "ssh host ls",
        "docker run x", "truncate -s0 /etc/passwd", "chmod 777 /etc", "sed -i s/a/b/ /etc/passwd",
        "curl x -o ~/.bashrc", "mount x y", "shutdown now", "> /etc/passwd", "cat < x > /etc/y", "echo a > $FILE",
        "echo ${x:-'}'}", "cd $D && rm -rf x", "cd - && rm -rf x", "$(" * 60 + "ls" + ")" * 60,
    ],
)  # fmt: skip
@pytest.mark.hostile(33)
def test_what_reaches_outside_or_cannot_be_judged_asks_in_auto(cmd):
    verdict = command(policy("auto"), cmd)
    assert verdict.action == "ask"
    assert verdict.reason
    assert command(policy("yolo"), cmd).action == "allow"
    assert command(policy("plan"), cmd).action == "deny"


def test_reading_the_persons_own_files_asks_only_where_nothing_confines():
    for cmd in ("cat ~/.ssh/id_rsa", "cat ../other/x", "cat /home/me/notes", "pkill python", "apt-get install x"):
        assert command(policy("auto", confined=True), cmd).action == "allow"
        assert command(policy("auto", confined=False), cmd).action == "ask"
    for cmd in (
        "ls /usr/bin",
        "cat /etc/os-release",
        "sed s/a/b/ x",
        "grep -r '//' .",
        "echo 3 / 4",
        f"cat {ROOT}/x",
    ):
        assert command(policy("auto", confined=False), cmd).action == "allow", cmd


@pytest.mark.parametrize(
    "cmd",
    [
        "git diff --output=/x", "GIT_EXTERNAL_DIFF=./x git diff", "git diff; make", "git diff $(make)",
        "git diff\nmake", "git diff & make", "git diff <<EOF\nx\nEOF", "git diff <(make)", "git diff > x",
        "git -c core.pager=x diff", "git diff --ext-diff", "LD_PRELOAD=./x.so git diff", "git diff | sh",
        "git diff || make", "`make` git diff", "sudo git diff", "git diff $X", "(git diff; make)",
    ],
)  # fmt: skip
@pytest.mark.hostile(33)
def test_an_allowed_command_allows_nothing_beside_it(cmd):
    assert command(policy("ask", allow=["bash(git diff *)"]), cmd).action == "ask"


@pytest.mark.parametrize(
    "cmd",
    [
        "git diff",
        "git diff HEAD~1 -- 'a b'",
        "cd src && git diff",
        "git diff; git status",
        "git diff 2>/dev/null",
        "(git diff)",
    ],
)
def test_an_allowed_command_is_allowed_with_allowed_and_harmless_neighbours(cmd):
    assert command(policy("ask", allow=["bash(git diff *)", "bash(git status)"]), cmd).action == "allow"


def test_plan_mode_is_not_widened_by_rules():
    given = policy("plan", allow=["bash(ls *)", "write_file"])
    assert command(given, "ls").action == "deny"
    assert judge(given, "write_file", path="a", content="").action == "deny"


def test_a_rule_cannot_wave_a_forced_push_through():
    given = policy("auto", allow=["bash(git push *)"])
    assert command(given, "git push origin main").action == "allow"
    assert command(given, "git push --force").action == "ask"


@pytest.mark.parametrize(
    ("cmd", "rule"),
    [
        ("git commit -m 'a b'", "bash(git commit *)"), ("npm run build -- --x", "bash(npm run build *)"),
        ("pip install x", "bash(pip install *)"), ("cargo test", "bash(cargo test *)"),
        ("make test", "bash(make test)"), ("cd src && make test", "bash(make test)"),
        ("cat 'a b'", "bash(cat 'a b')"), ("python x.py", None), ("python3.12 -c 1", None), ("bash x.sh", None),
        ("sudo ls", None), ("node x", None), ("./run.sh", None), ("env make", None), ("ls *.py", None),
        ("make; ls x", None), ("make $X", None), ("make > x", None), ("git config a b", "bash(git config a b)"),
        ("git diff --output=x", None), ("rm -rf /", None), ("x" * 500, None), ("A=1 make", None), ("npx x", None),
    ],
)  # fmt: skip
@pytest.mark.hostile(38)
def test_the_rule_that_always_allow_would_save(cmd, rule):
    verdict = command(policy("ask"), cmd)
    assert (verdict.action, verdict.rule) == ("ask", rule)
    if rule:
        assert command(policy("ask", allow=[rule]), cmd).action == "allow"


def test_rules_for_paths():
    given = policy("ask", allow=["write_file(src/*)", "edit_file(./README.md)"])
    assert judge(given, "write_file", path="src/a/b.py", content="").action == "allow"
    assert judge(given, "write_file", path="src/../a", content="").action == "ask"
    assert judge(given, "write_file", path="/src/a", content="").action == "ask"
    assert judge(given, "edit_file", path="README.md", old="", new="").action == "allow"
    assert judge(given, "edit_file", path="src/a.py", old="", new="").rule == "edit_file(src/a.py)"
    assert judge(given, "edit_file", path="a[1].py", old="", new="").rule is None


@pytest.mark.parametrize("text", ["", "bash()", "bash(x", "a b", "bash(a 'b)", "(x)", "bash)"])
def test_what_is_no_rule(text):
    with pytest.raises(ValueError, match=r"."):
        Rule.parse(text)


def test_rules_can_be_added_and_taken_back():
    given = policy("ask")
    given.add_rule("allow", "bash(make *)")
    given.add_rule("allow", "bash(make *)")
    assert given.rules("allow") == ("bash(make *)",)
    assert command(given, "make x").action == "allow"
    assert given.remove_rule("allow", "bash(make *)")
    assert not given.remove_rule("allow", "bash(make *)")
    assert command(given, "make x").action == "ask"


def test_the_reader_never_hangs_or_fails_otherwise():
    pieces = [
        "$(",
        ")",
        "`",
        "'",
        '"',
        "\\",
        "{",
        "}",
        "${",
        "((",
        "<<EOF\n",
        "EOF",
        "\n",
        ";",
        "&",
        "|",
        ">",
        "<(",
        "a",
        " ",
        "#",
        "$'",
        "~",
        "*",
    ]
    chance = random.Random(7)
    given = policy("auto", allow=["bash(a *)"], deny=["bash(b)"], banned_apps=["c"])
    for _ in range(3000):
        cmd = "".join(chance.choice(pieces) for _ in range(chance.randrange(1, 14)))
        with contextlib.suppress(Unparsable):
            parse(cmd)
        assert command(given, cmd).action in {"allow", "ask", "deny"}


def test_judging_is_quick():
    given = policy("auto", allow=["bash(make *)"])
    cmd = "cat > a.py <<'EOF'\n" + "print('x')\n" * 5000 + "EOF\npython a.py"
    started = time.perf_counter()
    assert command(given, cmd).action == "allow"
    assert time.perf_counter() - started < 0.5
