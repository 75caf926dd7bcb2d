"""What is known of programs: which run others, which write where, which reach out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pygent.approvals.shell import Word

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish", "ash"})
PRIVILEGED = frozenset({"sudo", "doas", "su", "pkexec", "runuser", "setpriv", "chroot", "nsenter", "unshare"})
MACHINE = frozenset(
    [
        "fdisk",
        "sfdisk",
        "parted",
        "wipefs",
        "mkswap",
        "swapoff",
        "mount",
        "umount",
        "losetup",
        "shutdown",
        "reboot",
        "halt",
        "poweroff",
        "init",
        "telinit",
        "systemctl",
        "service",
        "crontab",
        "at",
        "iptables",
        "nft",
        "useradd",
        "userdel",
        "usermod",
        "passwd",
        "visudo",
        "insmod",
        "rmmod",
        "modprobe",
        "sysctl",
    ]
)
WRAPPERS = frozenset(
    [
        "env",
        "nohup",
        "nice",
        "ionice",
        "stdbuf",
        "setsid",
        "timeout",
        "time",
        "command",
        "builtin",
        "exec",
        "xargs",
        "unbuffer",
        "caffeinate",
        "chronic",
        "busybox",
        "parallel",
        "watch",
    ]
)
FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})

_CODE = re.compile(
    r"(python|pypy|node|nodejs|ruby|perl|php|lua|luajit|Rscript|deno|bun|npx|bunx|pnpx|uvx|tclsh|expect|osascript|"
    r"awk|gawk|mawk|sed|find|ssh|nc|ncat|socat|vi|vim|nvim|emacs|ed|ex|gdb|source|\.|eval|trap|uv|poetry|pipx)"
    r"[0-9.]*"
)

SUBCOMMANDS: dict[str, tuple[str, ...]] = {
    "git": (
        "status", "diff", "log", "show", "add", "commit", "branch", "checkout", "switch", "restore", "stash", "merge",
        "fetch", "pull", "push", "tag", "blame", "rev-parse", "ls-files", "reset", "revert", "mv", "init",
    ),
    "npm": ("install", "ci", "test", "run", "ls", "outdated", "audit", "view"),
    "pnpm": ("install", "test", "run", "list"),
    "yarn": ("install", "test", "run", "list"),
    "pip": ("install", "list", "show", "freeze", "check", "download", "index"),
    "pip3": ("install", "list", "show", "freeze", "check", "download", "index"),
    "cargo": ("build", "check", "test", "clippy", "fmt", "doc", "add", "tree", "update", "fetch"),
    "go": ("build", "test", "vet", "fmt", "mod", "list", "doc"),
    "dotnet": ("build", "test", "restore"),
    "mvn": ("test", "compile", "package"),
}  # fmt: skip
"""Programs whose second word says what they do, with the ones that a rule may be saved for."""

_ESCAPES: dict[str, re.Pattern[str]] = {
    "git": re.compile(
        r"-c|-C|--config-env.*|--exec-path.*|--git-dir.*|--work-tree.*|--output.*|--ext-diff|--textconv|"
        r"--upload-pack.*|--receive-pack.*|--exec.*|-O.*|--open-files-in-pager.*|-x"
    ),
    "find": re.compile(r"-(exec|execdir|ok|okdir|delete|fprint0?|fprintf|fls)"),
    "rg": re.compile(r"--pre(=.*)?|--hostname-bin.*"),
    "sort": re.compile(r"-o.*|--output.*|--compress-program.*"),
    "tar": re.compile(r"--to-command.*|--checkpoint-action.*|-I.*|--use-compress-program.*|--rsh-command.*"),
    "sed": re.compile(r"-[a-zA-Z]*i.*|--in-place.*"),
    "go": re.compile(r"-(toolexec|exec)(=.*)?"),
    "cargo": re.compile(r"--config.*"),
    "pip": re.compile(r"(-t|--target|--prefix|--root|-i|--index-url|--extra-index-url)(=.*)?"),
    "npm": re.compile(r"--(prefix|script-shell|globalconfig|userconfig)(=.*)?|-g|--global"),
}

_ALL_ARE_TARGETS = frozenset(
    [
        "rm",
        "rmdir",
        "unlink",
        "shred",
        "truncate",
        "touch",
        "mkdir",
        "mkfifo",
        "chmod",
        "chown",
        "chgrp",
        "tee",
        "mv",
        "setfacl",
        "chattr",
    ]
)
_LAST_IS_TARGET = frozenset({"cp", "ln", "install", "rsync", "scp"})
_DELETING = frozenset({"rm", "rmdir", "unlink", "shred"})
_PUBLISHING: dict[str, tuple[str, ...]] = {
    "npm": ("publish", "unpublish", "login", "deprecate"), "yarn": ("publish",), "pnpm": ("publish",),
    "cargo": ("publish", "yank", "login"), "gem": ("push",), "twine": ("upload",), "poetry": ("publish",),
    "uv": ("publish",), "helm": ("install", "upgrade", "uninstall"), "terraform": ("apply", "destroy"),
}  # fmt: skip
_REMOTE = frozenset(
    [
        "ssh",
        "scp",
        "sftp",
        "ftp",
        "telnet",
        "gh",
        "glab",
        "docker",
        "podman",
        "kubectl",
        "aws",
        "gcloud",
        "az",
        "heroku",
        "fly",
        "vercel",
    ]
)
_PACKAGES = frozenset(
    ["apt", "apt-get", "aptitude", "dpkg", "dnf", "yum", "zypper", "apk", "pacman", "brew", "snap", "flatpak"]
)
_KILLERS = frozenset({"killall", "pkill", "killall5"})
_WRAPPER_VALUES: dict[str, str] = {
    "env": "uCS", "nice": "n", "ionice": "cnpP", "stdbuf": "ioe", "timeout": "ks", "xargs": "adEIiLlnPsd",
    "exec": "a", "parallel": "jNn", "watch": "n", "time": "fo",
}  # fmt: skip


def runs_code(name: str) -> bool:
    """True for interpreters and everything else whose arguments are a program; no rule is saved for them."""
    return name in SHELLS or name in PRIVILEGED or name in WRAPPERS or bool(_CODE.fullmatch(name))


def escaping_options(name: str, arguments: Sequence[str]) -> list[str]:
    """The options that make a program run others or write where its words do not tell."""
    pattern = _ESCAPES.get(name)
    return [] if pattern is None else [word for word in arguments if pattern.fullmatch(word)]


def skip_wrapper(name: str, words: Sequence[str]) -> int:
    """Where in ``words`` the command begins that a wrapper runs."""
    with_value = _WRAPPER_VALUES.get(name, "")
    at = 1
    while at < len(words):
        word = words[at]
        if word == "--":
            at += 1
            break
        if word.startswith("-") and len(word) > 1:
            at += 2 if not word.startswith("--") and len(word) == 2 and word[1] in with_value else 1
        elif name == "env" and "=" in word:
            at += 1
        else:
            break
    return at + 1 if name == "timeout" else at


def deletes(name: str, arguments: Sequence[str]) -> bool:
    """True where the program deletes what it is given."""
    return name in _DELETING or (name == "find" and "-delete" in arguments)


def targets(name: str, arguments: Sequence[Word]) -> list[Word]:
    """The words that name what a program writes or deletes."""
    plain = [word for word in arguments if not word.text.startswith("-") and word.text != "{}"]
    if name in _ALL_ARE_TARGETS:
        return plain[1:] if name in {"chmod", "chown", "chgrp", "setfacl"} else plain
    if name in _LAST_IS_TARGET:
        return [*plain[-1:], *_values(arguments, ("-t", "--target-directory"))] if len(plain) > 1 else []
    if name == "dd":
        return [Word(word.text[3:], word.dynamic) for word in arguments if word.text.startswith("of=")]
    if name == "find" and (deletes(name, [word.text for word in arguments]) or _has(arguments, FIND_RUNS)):
        until = next((at for at, word in enumerate(arguments) if word.text.startswith(("-", "(", "!"))), None)
        return list(arguments[:until])
    if name in {"sed", "perl"} and any(re.match(r"-[a-zA-Z]*i|--in-place", word.text) for word in arguments):
        return plain[1:]
    if name in {"curl", "wget", "sort"}:
        return _values(arguments, ("-o", "-O", "--output", "--output-document", "--output-dir", "-P"))
    if name == "tar":
        return _values(arguments, ("-C", "--directory"))
    return []


def reaches_out(name: str, arguments: Sequence[str], confined: bool) -> str:
    """Why a program's work is seen outside the workspace, empty where it is not."""
    first = next((word for word in arguments if not word.startswith("-")), "")
    if name in _REMOTE or first in _PUBLISHING.get(name, ()):
        return f"{name} {first}".strip() + " reaches other machines"
    if name == "rsync" and any(":" in word for word in arguments):
        return "rsync reaches other machines"
    if name == "kill" and "-1" in arguments[1:]:
        return "kill -1 ends every process"
    if not confined and name in _PACKAGES:
        return f"{name} changes the machine"
    if not confined and name in _KILLERS:
        return f"{name} ends processes by name"
    return ""


def _values(arguments: Sequence[Word], options: tuple[str, ...]) -> list[Word]:
    out: list[Word] = []
    for at, word in enumerate(arguments):
        if word.text in options and at + 1 < len(arguments):
            out.append(arguments[at + 1])
        else:
            out.extend(
                Word(word.text[len(option) + 1 :], word.dynamic)
                for option in options
                if option.startswith("--") and word.text.startswith(option + "=")
            )
    return out


def _has(arguments: Sequence[Word], options: frozenset[str]) -> bool:
    return any(word.text in options for word in arguments)
