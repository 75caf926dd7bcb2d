"""What ``pygent doctor`` says about what commands reach, in the sandbox that a session would use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pygent import settings as config
from pygent.commands.check import Check
from pygent.commands.reach_probe import NAME_TO_RESOLVE, Reached, probe
from pygent.commands.reach_targets import find_targets
from pygent.errors import PygentError
from pygent.sandbox import CommandLimits, Sandbox, limits_of, open_sandbox
from pygent.sandbox.docker_engine import available, connect, find_endpoint
from pygent.settings import Settings
from pygent.settings.secrets import SECRET_NAME, secrets_of

SHOWN = 3
STRONG_GROUPS = frozenset({"sudo", "wheel", "admin", "docker", "lxd", "incus", "disk", "libvirt", "kvm"})
"""Groups whose members can become root without asking anybody, or after typing their own password."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Which settings close what is open to commands, and which open what is closed."""

    closes: str
    opens: str
    network: str
    limits: str


CONFINES = "--docker (use_docker: true) or --local-sandbox on (local_sandbox: on) closes it"
NETWORK = "--network and --no-network (network: on, off) decide"
ADVICE = {
    "docker": Advice(
        "use a folder of its own for the work, --workspace DIR",
        "only without a container, --no-docker (use_docker: false)",
        NETWORK,
        "command_memory, command_processes and command_disk decide",
    ),
    "bubblewrap": Advice(
        "use a folder of its own for the work, --workspace DIR, or --docker",
        "only without a sandbox, --local-sandbox off (local_sandbox: off)",
        NETWORK,
        "command_memory and command_processes decide",
    ),
    "local": Advice(CONFINES, "only what this machine has and lets you do holds it back", "", CONFINES),
}


def reach(settings: Settings) -> Iterator[Check]:
    """A line for each thing that commands could reach, after trying it; the first one says where they run."""
    wanted = available(3.0) if settings.use_docker is None else settings.use_docker
    image = settings.persona.image or settings.image
    if settings.source("image").startswith("--"):
        image = settings.image
    if wanted and not _is_here(image):
        text = f"not tried what they can reach: the image {image} is not on this machine yet, or no engine answers"
        yield Check("commands", "warn", f"{text}; docker pull {image}, then ask again")
        return
    with tempfile.TemporaryDirectory(prefix="pygent-doctor-") as name:
        folder = Path(name) / "workspace"
        folder.mkdir()
        root = folder if settings.ephemeral else (settings.workspace or Path.cwd()).resolve()
        try:
            sandbox = open_sandbox(
                root,
                use_docker=wanted,
                image=image,
                network=settings.network and settings.persona.network is not False,
                env=config.command_environment(settings),
                spill_dir=Path(name) / "output",
                session_id="doctor",
                local=settings.local_sandbox,
                limits=limits_of(settings),
                start=False,
            )
            try:
                told = f"{sandbox.summary}; what they reach in {root}, found by trying it:"
                yield Check("commands", "ok" if sandbox.confined else "warn", told)
                yield from Report(sandbox, probe(sandbox, find_targets(root)), settings).rows()
            finally:
                sandbox.close()
        except (PygentError, OSError) as error:
            yield Check("commands", "fail", f"they cannot run here: {error}")


class Report:
    """The lines about what ``found`` says of ``sandbox``."""

    def __init__(self, sandbox: Sandbox, found: Reached, settings: Settings) -> None:
        self._sandbox = sandbox
        self._found = found
        self._settings = settings
        self._advice = ADVICE.get(sandbox.kind, ADVICE["local"])

    def rows(self) -> Iterator[Check]:
        """A line for each thing that commands could reach."""
        found, network = self._found, self._advice.network
        home, keys, others = found.reads("home"), found.reads("keys"), found.reads("others")
        places = found.writes("place")
        hooks = [*found.writes("protected"), *map(Path, found.facts.get("makes", "").split())]
        sockets = [*found.reads("engine"), *found.reads("socket")]
        name = f"{NAME_TO_RESOLVE} is"
        yield self._row("home folder", bool(home), f"can be read: {_some(home)}", "cannot be read")
        yield self._row("keys", bool(keys), f"can be read: {_some(keys)}", "none of this machine's can be read")
        yield self._row("other users", bool(others), f"their folders can be read: {_some(others)}", "none is seen")
        yield self._row("outside", bool(places), f"files can be made in {_some(places)}", "no folder can be written")
        yield self._row(
            "hooks", bool(hooks), f"files can be put into {_some(hooks)}", "git's and Pygent's are read-only"
        )
        yield self._row("network", found.yes("network"), "a way leads out", "no way leads out", network)
        yield self._row("names (DNS)", found.yes("dns"), f"{name} resolved", f"{name} not resolved", network)
        yield self._this_machine()
        yield self._row(
            "sockets", bool(sockets), f"{_some(sockets)} can be used", "no agent's or engine's can be used"
        )
        yield self._row("processes", found.yes("sees"), self._processes(), "only their own are seen")
        yield self._rights()
        yield self._environment()
        yield self._limits()

    def _row(self, name: str, reached: bool | None, yes: str, no: str, change: str = "") -> Check:
        if reached is None:
            return Check(
                name, "ok", "could not be tried: no program for it there", None, change or self._advice.closes
            )
        decides = change or (self._advice.closes if reached else self._advice.opens)
        return Check(name, "warn" if reached else "ok", yes if reached else no, reached, decides)

    def _this_machine(self) -> Check:
        loopback, abstract = self._found.yes("loopback"), self._found.yes("abstract")
        reached = None if loopback is None and abstract is None else bool(loopback or abstract)
        parts = (("its servers on 127.0.0.1", loopback), ("its abstract sockets", abstract))
        what = " and ".join(part for part, yes in parts if yes)
        shared = NETWORK if reached and self._sandbox.kind == "bubblewrap" else ""  # the machine's own, or none
        return self._row("this machine", reached, f"{what} can be reached", "its servers cannot be reached", shared)

    def _processes(self) -> str:
        found = self._found
        parts = [f"those of this machine are seen ({found.facts.get('seen', '?')})"]
        if found.yes("signal"):
            parts.append("Pygent's can be ended")
        if found.yes("environ"):
            own = Path("/proc/self/environ").read_bytes()
            has_key = any(secret.encode() in own for secret in secrets_of(self._settings))
            parts.append(f"its environment can be read{', with your key in it' if has_key else ''}")
        return ", ".join(parts)

    def _rights(self) -> Check:
        facts = self._found.facts
        user = "root" if facts.get("uid") == "0" else f"user {facts.get('uid', '?')}"
        capable = int(facts.get("CapEff", "0") or "0", 16) != 0
        gains = facts.get("NoNewPrivs") != "1"
        groups = sorted(STRONG_GROUPS & set(facts.get("groups", "").split(",")))
        can = [
            *(["every right of root"] if user == "root" and (capable or "CapEff" not in facts) else []),
            *(["capabilities"] if capable and user != "root" else []),
            *(["set-uid programs such as sudo"] if gains and user != "root" else []),
            *([f"the groups {', '.join(groups)}"] if groups and gains else []),
            *(["namespaces of its own"] if self._found.yes("userns") else []),
        ]
        none = f"{user} without capabilities, and no program gives more"
        return self._row("rights", bool(can), f"{user} with {', '.join(can)}", none)

    def _environment(self) -> Check:
        seen = self._found.environment
        given = config.command_environment(self._settings)
        names = sorted(name for name in given if SECRET_NAME.search(name) and f"{name}=" in seen)
        if not names and any(secret in seen for secret in secrets_of(self._settings)):
            names = ["a key of a model server"]
        decides = "command_env and env name what commands get"
        return self._row("environment", bool(names), f"has {', '.join(names)}", "has no key", decides)

    def _limits(self) -> Check:
        memory, each = self._found.number("memory"), self._found.number("virtual")
        processes = self._found.number("processes")
        if processes is None and self._sandbox.confined:
            processes = self._found.number("tasks")
        limits = getattr(self._sandbox, "limits", None)
        watched = limits.memory if isinstance(limits, CommandLimits) and memory is None and each is None else None
        parts = [
            *([f"memory {memory // (1 << 20):,} MB together"] if memory is not None else []),
            *([f"memory {each // 1024:,} MB each"] if memory is None and each is not None else []),
            *([f"memory {watched:,} MB together, as set"] if watched is not None else []),
            *([f"{processes:,} processes"] if processes is not None else []),
        ]
        return self._row("limits", not parts, "none but the system's own", ", ".join(parts), self._advice.limits)


def _some(paths: list[Path]) -> str:
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    return ", ".join(map(str, paths[:SHOWN])) + more


def _is_here(image: str) -> bool:
    """Whether the engine has the image, so that nothing is pulled only to look."""
    endpoint = find_endpoint()
    if endpoint is None:
        return False
    try:
        api = connect(endpoint)
        try:
            return bool(api.images(name=image))
        finally:
            api.close()
    except Exception:  # the engine's package has errors of its own and of three libraries; all mean the same
        return False
