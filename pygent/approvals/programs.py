"""What is known of programs: which run others, which write where, which reach out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pygent.approvals.shell import Word
from pygent.approvals.wrappers import WRAPPERS

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "ash", "csh", "tcsh", "rbash"})
PRIVILEGED = frozenset(
    "sudo doas su pkexec runuser setpriv chroot nsenter unshare capsh systemd-run machinectl sg newgrp".split()
)
MACHINE = frozenset(
    """fdisk sfdisk gdisk sgdisk cfdisk parted wipefs blkdiscard mkswap swapoff swapon hdparm cryptsetup lvremove
    vgremove pvremove mdadm zpool zfs badblocks mke2fs newfs diskutil mount umount losetup shutdown reboot halt
    poweroff init telinit kexec systemctl service launchctl crontab at batch iptables ip6tables nft ufw useradd
    userdel usermod groupadd groupdel passwd chpasswd visudo insmod rmmod modprobe sysctl update-rc.d""".split()
)
TEXT_RUNNERS = frozenset("eval trap alias compgen complete bind enable hash parallel sem entr hyperfine fc".split())
"""Programs and builtins that run a text, or change what the words of a command mean."""
FINDERS = {
    "find": frozenset({"-exec", "-execdir", "-ok", "-okdir"}),
    "fd": frozenset({"-x", "-X", "--exec", "--exec-batch"}),
    "fdfind": frozenset({"-x", "-X", "--exec", "--exec-batch"}),
}
"""Programs that run a command for what they find, and the options before it."""
FIND_RUNS = FINDERS["find"]
INTERPRETER = re.compile(
    r"(python|pypy|node|nodejs|ruby|perl|php|lua|luajit|Rscript|deno|bun|tclsh|osascript)[0-9.]*"
)
DOWNLOADER = re.compile(r"(^|[^\w-])(curl|wget|nc|ncat|socat|fetch|aria2c|lynx|http|https)($|[^\w-])")
LOADING = re.compile(
    r"(LD_PRELOAD|LD_AUDIT|LD_LIBRARY_PATH|DYLD_\w+|BASH_ENV|ENV|PS4|PROMPT_COMMAND|CDPATH|SHELLOPTS|BASHOPTS|"
    r"BASH_(ALIASES|CMDS)(\[.*)?|BASH_FUNC_.*|GIT_(EXTERNAL_DIFF|SSH|SSH_COMMAND|ASKPASS|EDITOR|PAGER|CONFIG\w*|"
    r"SEQUENCE_EDITOR|EXEC_PATH|PROXY_COMMAND|DIR|WORK_TREE|INDEX_FILE)|PERL5OPT|RUBYOPT|NODE_OPTIONS|PYTHONSTARTUP)\+?="
)
"""Variables that make other programs run what their words do not tell."""

_CODE = re.compile(
    r"(python|pypy|node|nodejs|ruby|perl|php|lua|luajit|Rscript|deno|bun|npx|bunx|pnpx|uvx|tclsh|expect|osascript|"
    r"awk|gawk|mawk|sed|find|ssh|nc|ncat|socat|vi|vim|nvim|emacs|ed|ex|gdb|source|\.|eval|trap|uv|poetry|pipx|"
    r"docker|podman|nerdctl|kubectl|script|tclsh)"
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
        r"--upload-pack.*|--receive-pack.*|--exec.*|-O.*|--open-files-in-pager.*|-x|foreach|run|--[a-z]+-filter.*"
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
    """rm rmdir unlink shred truncate touch mkdir mkfifo mknod chmod chown chgrp tee mv setfacl chattr sponge
    srm""".split()
)
_LAST_IS_TARGET = frozenset({"cp", "ln", "install", "rsync", "scp"})
_DELETING = frozenset({"rm", "rmdir", "unlink", "shred", "srm"})
_RECURSIVE = frozenset({"chmod", "chown", "chgrp", "setfacl", "chattr"})
_UNPACKING = frozenset({"tar", "bsdtar", "unzip", "cpio", "7z", "7za", "unrar", "ar"})
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


def runs_code(name: str) -> bool:
    """True for interpreters and everything else whose arguments are a program; no rule is saved for them."""
    listed = name in SHELLS or name in PRIVILEGED or name in WRAPPERS or name in TEXT_RUNNERS
    return listed or bool(_CODE.fullmatch(name))


def escaping_options(name: str, arguments: Sequence[str]) -> list[str]:
    """The options that make a program run others or write where its words do not tell."""
    pattern = _ESCAPES.get(name)
    return [] if pattern is None else [word for word in arguments if pattern.fullmatch(word)]


def deletes(name: str, arguments: Sequence[str]) -> bool:
    """True where the program deletes what it is given."""
    return name in _DELETING or (name == "find" and "-delete" in arguments)


def destroys(name: str, arguments: Sequence[str]) -> bool:
    """True where what the program is given is lost, or changed with all that is in it."""
    if name in _RECURSIVE:
        return any(re.fullmatch(r"-[A-Za-z]*R[A-Za-z]*|--r[a-z]*", word) for word in arguments)
    return deletes(name, arguments) or name in {"dd", "truncate"} or (name == "rsync" and "--delete" in arguments)


def targets(name: str, arguments: Sequence[Word]) -> list[Word]:  # noqa: PLR0911 - one return for each kind
    """The words that name what a program writes or deletes."""
    plain = plain_words(arguments)
    if name in _ALL_ARE_TARGETS:
        return plain
    if name in _LAST_IS_TARGET:
        folders = any(re.fullmatch(r"-[a-zA-Z]*[dD][a-zA-Z]*|--d[a-z-]*", word.text) for word in arguments)
        if name == "install" and folders:
            return plain
        last = plain[-1:] if len(plain) > 1 else []
        return [*last, *(() if name == "rsync" else _values(arguments, ("-t", "--target-directory")))]
    if name == "dd":
        return [Word(word.text[3:], word.dynamic) if word.text.startswith("of=") else word for word in arguments
                if word.text.startswith("of=") or word.dynamic]  # fmt: skip
    if name == "find":
        return _found(arguments)
    if name in {"sed", "perl"} and any(re.match(r"-[a-zA-Z]*i|--in-place", word.text) for word in arguments):
        return plain[1:]
    if name in {"make", "gmake", "ninja"}:
        return _values(arguments, ("-C", "--directory"))
    if name in {"curl", "wget", "sort", "aria2c"}:
        return _values(arguments, ("-o", "-O", "--output", "--output-document", "--output-dir", "-P",
                                   "--directory-prefix", "-d" if name == "aria2c" else "-o"))  # fmt: skip
    if name in _UNPACKING:
        return [*(word for word in plain if word.text.startswith(("/", "~", "..", "$"))),
                *_values(arguments, ("-C", "--directory", "-d", "--one-top-level"))]  # fmt: skip
    if name == "git" and any(word.text in {"clone", "worktree", "init"} for word in arguments):
        return [word for word in plain[2:] if ":" not in word.text]
    return []


def plain_words(arguments: Sequence[Word]) -> list[Word]:
    """The words that are no options."""
    end = next((at for at, word in enumerate(arguments) if word.text == "--"), len(arguments))
    before = [word for word in arguments[:end] if not word.text.startswith("-")]
    return [word for word in (*before, *arguments[end + 1 :]) if word.text != "{}"]


def _found(arguments: Sequence[Word]) -> list[Word]:
    """Where ``find`` deletes or runs a command, and the files that it writes itself."""
    files = [arguments[at + 1] for at, word in enumerate(arguments[:-1]) if re.match(r"-f(print|ls)", word.text)]
    texts = [word.text for word in arguments]
    if not deletes("find", texts) and FIND_RUNS.isdisjoint(texts):
        return files
    at = 0
    while at < len(texts) and re.fullmatch(r"-[HLP]|-O\d*|-D", texts[at]):
        at += 2 if texts[at] == "-D" else 1
    until = next((end for end in range(at, len(texts)) if texts[end].startswith(("-", "(", "!"))), len(texts))
    if any(text.startswith("-files0-from") for text in texts):
        files.append(Word("$FILES", dynamic=True))
    return [*files, *(arguments[at:until] or [Word(".")])]


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
        if word.text in options:
            out.extend(arguments[at + 1 : at + 2])
            continue
        for option in options:
            if option.startswith("--"):
                begin, has_value, value = word.text.partition("=")
                if len(begin) > 3 and has_value and option.startswith(begin):
                    out.append(Word(value, word.dynamic))
            elif word.text.startswith(option):
                out.append(Word(word.text[len(option) :], word.dynamic))
    return out
