"""Programs that run the command in their own words: ``timeout 5 make``; an unknown option makes them unreadable."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pygent.approvals.shell import Unparsable, Word


@dataclass(frozen=True, slots=True)
class _Options:
    """Letters and long names of options: ``flags`` stand alone, ``values`` take a word, ``glued`` may.

    ``before`` is the number of words that stand between the options and the command.
    """

    flags: str = ""
    values: str = ""
    glued: str = ""
    long: tuple[str, ...] = ()
    long_values: tuple[str, ...] = ()
    before: int = 0


_KNOWN = {
    "env": _Options("i0v", "uS", "", ("ignore-environment", "null", "debug", "block-signal", "default-signal",
                    "ignore-signal", "list-signal-handling"), ("unset", "split-string")),
    "nohup": _Options(),
    "nice": _Options("0123456789", "n", "", (), ("adjustment",)),
    "ionice": _Options("t", "cnpPu", "", ("ignore",), ("class", "classdata", "pid", "pgid", "uid")),
    "stdbuf": _Options("", "ioe", "", (), ("input", "output", "error")),
    "setsid": _Options("cfw", "", "", ("ctty", "fork", "wait")),
    "timeout": _Options("fvp", "ks", "", ("foreground", "verbose", "preserve-status"), ("kill-after", "signal"), 1),
    "time": _Options("apvqV", "of", "", ("append", "portability", "verbose", "quiet"), ("output", "format")),
    "command": _Options("pvV"),
    "builtin": _Options(),
    "exec": _Options("cl", "a"),
    "xargs": _Options("0oprtx", "adEILnPs", "eil", ("null", "open-tty", "interactive", "no-run-if-empty", "verbose",
                      "exit", "show-limits", "eof", "replace", "max-lines"),
                      ("arg-file", "delimiter", "max-args", "max-procs", "max-chars", "process-slot-var")),
    "watch": _Options("bcCdegtrwx", "nqs", "", ("beep", "color", "no-color", "differences", "errexit", "chgexit",
                      "no-title", "no-rerun", "no-wrap", "exec", "precise"), ("interval", "equexit", "shotsdir")),
    "flock": _Options("sxeunoFv", "wE", "", ("shared", "exclusive", "unlock", "nonblock", "close", "no-fork",
                      "verbose"), ("timeout", "wait", "conflict-exit-code"), 1),
    "chronic": _Options("ve"),
    "unbuffer": _Options("p"),
    "caffeinate": _Options("dimsu", "tw"),
    "busybox": _Options(),
    "toybox": _Options(),
    "taskset": _Options("ap", "", "", ("all-tasks", "pid"), (), 1),
    "chrt": _Options("abfiormpv", "TPD", "", ("batch", "fifo", "idle", "other", "rr"), (), 1),
    "eatmydata": _Options(),
    "fakeroot": _Options("u", "lsi"),
    "ccache": _Options(),
    "xvfb-run": _Options("al", "efnpsw", "", ("auto-servernum",), ("server-args", "server-num")),
    "strace": _Options("cCdDfFhikqrtTvVwxyYz", "abeEIoOpPsSuU"),
    "ltrace": _Options("bcCfhiLrStTV", "adeDlnopsuxX"),
    "dbus-run-session": _Options(),
}  # fmt: skip
WRAPPERS = frozenset(_KNOWN)
"""Programs whose words are those of another command after their own options."""

STARTERS: dict[str, tuple[str, ...]] = {
    "uv": ("run",), "poetry": ("run",), "pipenv": ("run",), "pdm": ("run",), "hatch": ("run",), "rye": ("run",),
    "npm": ("exec", "x"), "pnpm": ("exec", "dlx"), "yarn": ("exec", "dlx"), "bundle": ("exec",), "conda": ("run",),
    "mamba": ("run",), "nix": ("develop", "shell"), "direnv": ("exec",), "mise": ("exec", "x"),
}  # fmt: skip
"""Programs that run the command behind one of these words, each with options of its own."""


def command_start(name: str, words: Sequence[Word]) -> int:
    """Where in ``words`` the command begins that a wrapper runs, their number where there is none.

    Raises ``Unparsable`` for an option whose meaning is not known.
    """
    options = _KNOWN[name]
    at = 1
    while at < len(words):
        word = words[at]
        text = word.text
        if text == "--":
            at += 1
            break
        if name == "env" and (text == "-" or re.match(r"[^=/]*=", text)):
            at += 1
        elif text.startswith("-") and len(text) > 1:
            if word.dynamic:
                raise Unparsable(f"an option of {name} is put together while it runs")
            at += _long(name, options, text) if text.startswith("--") else _short(name, options, text)
        elif text.startswith("+") and name in {"nice", "chrt"}:
            at += 1
        else:
            break
    while name == "env" and at < len(words) and re.match(r"[^=/]*=", words[at].text):
        at += 1
    return min(at + options.before, len(words))


def split_strings(words: Sequence[Word]) -> list[Word]:
    """The texts that ``env -S`` takes apart."""
    found: list[Word] = []
    for at, word in enumerate(words[1:], 1):
        long = re.match(r"--s[a-z-]*=", word.text)
        if re.fullmatch(r"-[i0v]*S|--s[a-z-]*", word.text):
            found.extend(words[at + 1 : at + 2])
        elif glued := re.match(r"-[i0v]*S", word.text) or long:
            found.append(Word(word.text[glued.end() :], word.dynamic))
    return found


def replaced(options: Sequence[Word]) -> str:
    """The text that ``xargs`` replaces by what it reads, empty where it adds that at the end."""
    for at, word in enumerate(options):
        if found := re.match(r"-[0oprtx]*([Ii])(.*)|--(rep)[a-z]*(?:=(.*))?", word.text, re.DOTALL):
            given = found.group(2) or found.group(4)
            following = options[at + 1].text if found.group(1) == "I" and at + 1 < len(options) else ""
            return given or following or "{}"
    return ""


def starts_behind(name: str, texts: Sequence[str]) -> list[int]:
    """Where the command could begin that one of ``STARTERS`` runs: its own options are not known."""
    begin = next((at for at, text in enumerate(texts[:6]) if at and text in STARTERS[name]), None)
    if begin is None:
        return []
    starts = [at for at in range(begin + 1, min(len(texts), begin + 9)) if not texts[at].startswith("-")]
    plain = next((at for at in starts if not texts[at - 1].startswith("-")), None)
    return starts if plain is None else [at for at in starts if at <= plain]


def _long(name: str, options: _Options, text: str) -> int:
    option, has_value, _ = text[2:].partition("=")
    names = [known for known in (*options.long, *options.long_values) if known.startswith(option)]
    exact = option if option in names else names[0] if len(names) == 1 else None
    if exact is None:
        raise Unparsable(f"{name} --{option} is not known here")
    return 2 if exact in options.long_values and not has_value else 1


def _short(name: str, options: _Options, text: str) -> int:
    for at, letter in enumerate(text[1:], 1):
        if letter in options.values:
            return 1 if at + 1 < len(text) else 2
        if letter in options.glued:
            return 1
        if letter not in options.flags:
            raise Unparsable(f"{name} -{letter} is not known here")
    return 1
