"""Finds out what commands can reach: a small script in the sandbox that tries it, harmlessly.

Names lie: a container has a ``/root`` and a ``/tmp`` of its own. So a file of this machine counts as reached only
where the script sees the same device and inode under its name. What it makes to see whether it may, it removes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pygent.commands.reach_targets import Target
from pygent.errors import SandboxError
from pygent.sandbox import Sandbox

SECONDS = 8.0
NAME_TO_RESOLVE = "example.com"
NO_SUCH_PLACE = "192.0.2.1"
"""An address for documentation: connecting a datagram socket to it sends nothing, and fails where there is no way."""

FUNCTIONS = r"""
say() { printf '%s\t%s\n' "$1" "$2"; }
has() { command -v "$1" >/dev/null 2>&1; }
is() { case $known in *"|$2 $1|"*) true;; *) false;; esac; }
look() { is "$2" "$3" || return 0
  if [ -d "$2" ]; then ls -A "$2" >/dev/null 2>&1 && say read "$1"
  elif [ -S "$2" ]; then [ -w "$2" ] && say read "$1"
  else { true <"$2"; } 2>/dev/null && say read "$1"; fi; }
try() { is "$2" "$3" || return 0
  (set -C; : >"$2/NONCE") 2>/dev/null && rm -f "$2/NONCE" && say write "$1"; }
open() {
  if has bash; then
    bash -c 'exec 3<>"/dev/$1/$2/$3"' sh "$1" "$2" "$3" 2>/dev/null && say "$4" yes || say "$4" no
  elif has python3; then python3 -c 'import socket as s, sys
c = s.socket(s.AF_INET, s.SOCK_STREAM if sys.argv[1] == "tcp" else s.SOCK_DGRAM); c.settimeout(1)
c.connect((sys.argv[2], int(sys.argv[3])))' "$1" "$2" "$3" 2>/dev/null && say "$4" yes || say "$4" no
  elif [ "$1" = tcp ] && has nc; then nc -w 1 "$2" "$3" </dev/null >/dev/null 2>&1 && say "$4" yes || say "$4" no
  elif [ "$1" = udp ] && [ -r /proc/net/route ]; then
    [ "$(wc -l </proc/net/route)" -gt 1 ] && say "$4" yes || say "$4" no; fi; }
first() { for f; do { read -r v <"$f"; } 2>/dev/null && { say "$n" "$v"; return 0; }; done; }
dns() { if has timeout && has getent; then timeout 1 getent hosts "$1" >/dev/null 2>&1 && say dns yes || say dns no
  elif has timeout && has nslookup; then timeout 1 nslookup "$1" >/dev/null 2>&1 && say dns yes || say dns no
  elif has timeout && has python3; then timeout 1 python3 -c 'import socket, sys; socket.gethostbyname(sys.argv[1])' \
    "$1" 2>/dev/null && say dns yes || say dns no; fi; }
"""

FACTS = r"""
say ran yes
say uid "$(id -u)"
say groups "$(id -Gn 2>/dev/null | tr ' ' ',')"
if [ -r /proc/self/status ]; then while read -r k v; do
  case $k in CapEff:|CapBnd:|NoNewPrivs:|Seccomp:) say "$k" "$v";; esac; done </proc/self/status; fi
if has unshare; then unshare -U true 2>/dev/null && say userns yes || say userns no; fi
set -- /proc/[0-9]*; say seen $#
n=memory; first /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes
n=processes; first /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max
say virtual "$(ulimit -v 2>/dev/null)"
say tasks "$(ulimit -u 2>/dev/null || ulimit -p 2>/dev/null)"
made=; for d in .git/hooks .pygent; do
  [ -e "$d" ] || { mkdir "$d" 2>/dev/null && rmdir "$d" && made="$made $d"; }; done; say makes "$made"
(set -C; : >./NONCE) 2>/dev/null && rm -f ./NONCE && say workspace yes
"""


@dataclass
class Reached:
    """What the script found. ``read`` and ``write`` are targets reached; ``facts`` what the system says of itself.

    ``yes(NAME)`` answers None for what could not be tried. ``environment`` is that of commands.
    """

    read: list[Target] = field(default_factory=list)
    write: list[Target] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    environment: str = ""

    def yes(self, name: str) -> bool | None:
        """The outcome of one try."""
        found = self.facts.get(name)
        return None if found is None else found == "yes"

    def reads(self, group: str) -> list[Path]:
        """The paths of a group that can be read, or of sockets used."""
        return [target.path for target in self.read if target.group == group]

    def writes(self, group: str) -> list[Path]:
        """The folders of a group in which files can be made."""
        return [target.path for target in self.write if target.group == group]

    def number(self, name: str) -> int | None:
        """A number among the facts; None for one that means that there is no limit."""
        text = self.facts.get(name, "")
        return int(text) if text.isdigit() and int(text) < 1 << 60 else None


def probe(sandbox: Sandbox, targets: Sequence[Target]) -> Reached:
    """Run the script in ``sandbox``. Raises ``SandboxError`` where it does not run to its end."""
    nonce = f".pygent-doctor-{secrets.token_hex(6)}"
    with contextlib.ExitStack() as stack:
        loopback = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(contextlib.closing(_abstract(nonce)))
        port = loopback.getsockname()[1]
        result = sandbox.run(_script(targets, nonce, port), timeout=SECONDS)
        reached = _understood(result.output, targets)
        if "ran" not in reached.facts or reached.facts.get("over") != "yes":
            raise SandboxError(
                f"the script that tries it ended early ({result.status}): {result.output[-200:].strip()}"
            )
        if reached.yes("loopback"):
            loopback.settimeout(0.5)
            try:
                loopback.accept()[0].close()
            except TimeoutError:
                reached.facts["loopback"] = "no"  # it was somebody else's
        if abstract.fileno() < 0:
            reached.facts.pop("abstract", None)
    return reached


def _script(targets: Sequence[Target], nonce: str, port: int) -> str:
    names = [shlex.quote(_seen_as(target, targets[0])) for target in targets]
    lines = [FUNCTIONS.replace("NONCE", nonce), f"dns {NAME_TO_RESOLVE} &"]
    lines.append("if stat -c %i / >/dev/null 2>&1; then set -- -c '%d:%i %n|'; else set -- -f '%d:%i %N|'; fi")
    lines.append(f'known="|$(stat "$@" {" ".join(names)} 2>/dev/null | tr -d "\\n")"')
    for number, (target, name) in enumerate(zip(targets, names, strict=True)):
        lines.append(
            f"{'try' if target.group in {'place', 'protected'} else 'look'} {number} {name} {target.identity}"
        )
    lines += [f"open tcp 127.0.0.1 {port} loopback", f"open udp {NO_SUCH_PLACE} 9 network"]
    lines.append(FACTS.replace("NONCE", nonce))
    own = f"/proc/{os.getpid()}"
    lines += [
        f"{{ read -r v <{own}/stat; }} 2>/dev/null && say process \"$v\" || say process ''",
        f"{{ true <{own}/environ; }} 2>/dev/null && say environ yes || say environ no",
        f"kill -0 {os.getpid()} 2>/dev/null && say signal yes || say signal no",
        f"[ -r /proc/net/unix ] && {{ grep -q {nonce} /proc/net/unix && say abstract yes || say abstract no; }}",
        "wait; say over yes; say environment ''; env",
    ]
    return "\n".join(lines)


def _seen_as(target: Target, workspace: Target) -> str:
    """The path that a command has for it: what lies in the workspace is elsewhere in a container."""
    if target.group in {"workspace", "protected"}:
        return f"./{target.path.relative_to(workspace.path)}"
    return str(target.path)


def _understood(output: str, targets: Sequence[Target]) -> Reached:
    reached = Reached()
    told, _, reached.environment = output.partition("environment\t\n")
    for line in told.splitlines():
        name, tab, value = line.partition("\t")
        if not tab:
            continue
        if name in {"read", "write"} and value.isdigit() and int(value) < len(targets):
            getattr(reached, name).append(targets[int(value)])
        else:
            reached.facts[name.rstrip(":")] = value.strip()
    same = _is_this_process(reached.facts.pop("process", ""))
    if same is not None:
        reached.facts["sees"] = "yes" if same else "no"
        if not same:  # another process of that number, in a process table of its own
            reached.facts.update(environ="no", signal="no")
    return reached


def _is_this_process(line: str) -> bool | None:
    """Whether a line of ``/proc/PID/stat`` is about this process; None where there is no such file system."""
    try:
        own = Path("/proc/self/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return bool(line) and _started(line) == _started(own)


def _started(line: str) -> str:
    fields = line.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _abstract(name: str) -> socket.socket:
    """A socket that has a name in the network's namespace and none in the file system; closed where there is none."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(f"\0{name}")
        made.listen(1)
    except OSError:
        made.close()
    return made
