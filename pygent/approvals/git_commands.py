"""What a person should see of a git command: what it publishes, overwrites at a remote, or runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pygent.approvals.places import Place, Places
from pygent.approvals.shell import Word

_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"})
_LOOKING = frozenset({"status", "log", "diff", "show", "rev-parse", "ls-files", "blame", "describe", "shortlog"})
_RUNS = re.compile(
    r"(alias\.|core\.(pager|editor|sshcommand|fsmonitor|hookspath|gitproxy|askpass)|diff\.|difftool|merge|pager\.|"
    r"filter\.|sequence\.editor|credential|gpg|uploadpack|protocol|include|remote\..*\.(uploadpack|receivepack|vcs)).*",
    re.IGNORECASE,
)


def git_findings(arguments: Sequence[Word], places: Places) -> Iterator[tuple[str, bool]]:
    """Reasons, each with whether no rule may wave it through."""
    at = 0
    outside = False
    while at < len(arguments) and arguments[at].text.startswith("-"):
        option, glued, value = arguments[at].text.partition("=")
        if option in _WITH_VALUE and not glued:
            at += 1
            value = arguments[at].text if at < len(arguments) else ""
        if option in {"-c", "--config-env"} and (_RUNS.match(value) or "!" in value):
            yield f"git -c {value.partition('=')[0]} can make git run other programs", True
        elif option in {"-C", "--git-dir", "--work-tree"}:
            dynamic = at < len(arguments) and arguments[at].dynamic
            outside |= places.of(Word(value, dynamic)) not in {Place.INSIDE, Place.PROTECTED}
        at += 1
    if at >= len(arguments):
        return
    command, rest = arguments[at], [word.text for word in arguments[at + 1 :]]
    if command.dynamic:
        yield "what git does is put together while it runs", True
    if outside and command.text not in _LOOKING:
        yield "git works in another folder", False
    if command.text == "push":
        yield from _push(arguments[at + 1 :])
    elif command.text in {"send-pack", "send-email", "svn", "p4"}:
        yield f"git {command.text} publishes commits", True
    elif command.text == "config" and any(word in {"--global", "--system", "-f", "--file"} for word in rest):
        yield "it changes git's settings outside the workspace", False
    elif command.text == "config" and any(_RUNS.fullmatch(word) or word.startswith("!") for word in rest):
        yield "it can make git run other programs", False


def _push(arguments: Sequence[Word]) -> Iterator[tuple[str, bool]]:
    forced = any(
        word.dynamic
        or word.text.startswith(("--f", "--mi", "--d", "--pru", "+", ":"))
        or re.fullmatch(r"-[a-zA-Z]*[fd][a-zA-Z]*", word.text)
        for word in arguments
    )
    if forced:
        yield "git push can overwrite or delete what others have", True
    else:
        yield "git push publishes commits", False
