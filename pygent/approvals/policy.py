"""Judges a tool call: allowed, to be asked for, or denied."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

from pygent.approvals.base import Effect, Judged, Mode, Verdict
from pygent.approvals.commands import Command, Finding, commands_of, examine, propose_rule
from pygent.approvals.rights import Rights, read_rules, to_mode
from pygent.approvals.rules import COMMAND_TOOL, Rule, exact, normal_path, subject_of
from pygent.approvals.shell import Unparsable, parse, rough_words
from pygent.approvals.wide import too_wide
from pygent.events import MAIN
from pygent.path_names import plain_parts
from pygent.sandbox.bans import find_banned

RuleKind = Literal["allow", "ask", "deny"]
_Rules = dict[RuleKind, tuple[Rule, ...]]

_PROTECTED_FOLDERS = frozenset({".git", ".pygent", ".ssh"})
_PROTECTED_FILES = frozenset(
    {
        ".bashrc",
        ".bash_profile",
        ".bash_login",
        ".bash_logout",
        ".profile",
        ".zshrc",
        ".zshenv",
        ".zprofile",
        ".envrc",
    }
)
_TOLD = 5
"""Reasons that are told; a person reads no more."""
_ALLOW = Verdict("allow")
_FULL = Rights()


def default_mode(confined: bool) -> Mode:
    """``auto`` where commands cannot reach the rest of the machine, else ``ask``."""
    return "auto" if confined else "ask"


def allowed_by(rules: Sequence[Rule], tool: str, arguments: Mapping[str, Any]) -> bool:
    """True where the rules cover the whole call: for a command, every part of it."""
    named = [rule for rule in rules if rule.names(tool)]
    if not named:
        return False
    if any(rule.pattern is None for rule in named):
        return True
    if tool != COMMAND_TOOL:
        path = subject_of(arguments)
        inside = path is not None and not normal_path(path).startswith(("..", "/"))
        return inside and any(rule.fits_arguments(arguments) for rule in named)
    try:
        commands = commands_of(parse(str(arguments.get("cmd", ""))))
    except Unparsable:
        return False
    return _covers(named, commands)


def is_protected(path: str) -> bool:
    """True for names that other programs run or trust: a repository's internals, start-up files of shells."""
    parts = plain_parts(path)
    return not _PROTECTED_FOLDERS.isdisjoint(parts) or (bool(parts) and parts[-1] in _PROTECTED_FILES)


def _protected(arguments: Mapping[str, Any]) -> str | None:
    """The first path that a tool writes to and that is protected."""
    several = arguments.get("paths")
    paths = [arguments.get("dest") or arguments.get("path"), *(several if isinstance(several, list) else ())]
    return next((path for path in paths if isinstance(path, str) and is_protected(path)), None)


class Policy:
    """The permission mode and the rules of a session; thread-safe, shared by all its agents.

    ``mode`` None takes the default for ``confined``, which says whether the sandbox holds commands. ``roots`` are the
    absolute paths that mean the workspace. ``banned_commands`` are first words of commands, ``banned_apps`` programs
    wherever they stand; a set is used as it is, so that changes to it count.

    Raises ``SettingsError`` for an unknown mode or a rule that cannot be read.
    """

    def __init__(  # noqa: PLR0913 - each is one setting
        self,
        mode: str | None = None,
        confined: bool = False,
        confirm_bash: bool = False,
        allow: Iterable[str] = (),
        ask: Iterable[str] = (),
        deny: Iterable[str] = (),
        banned_commands: Collection[str] = (),
        banned_apps: Collection[str] = (),
        *,
        roots: Collection[str] = (),
    ) -> None:
        self.confined = confined
        self.confirm_bash = confirm_bash
        self.banned_commands = banned_commands
        self.banned_apps = banned_apps
        self.roots = tuple(roots)
        self._mode = default_mode(confined) if mode is None else to_mode(mode)
        self._lock = threading.Lock()
        given: dict[RuleKind, Iterable[str]] = {"allow": allow, "ask": ask, "deny": deny}
        self._rules: _Rules = {kind: read_rules(texts, kind) for kind, texts in given.items()}

    @property
    def mode(self) -> Mode:
        """The permission mode."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = to_mode(mode)

    def rules(self, kind: RuleKind) -> tuple[str, ...]:
        """The rules of one kind, as they are written."""
        return tuple(rule.text for rule in self._rules[kind])

    def add_rule(self, kind: RuleKind, text: str) -> None:
        """Add a rule. Raises ``SettingsError`` where it cannot be read."""
        (rule,) = read_rules([text], kind)
        with self._lock:
            if rule not in self._rules[kind]:
                self._rules[kind] = (*self._rules[kind], rule)

    def remove_rule(self, kind: RuleKind, text: str) -> bool:
        """Take a rule back. False where there is none of that text."""
        with self._lock:
            left = tuple(rule for rule in self._rules[kind] if rule.text != text.strip())
            removed = len(left) < len(self._rules[kind])
            self._rules[kind] = left
        return removed

    def judge(  # noqa: PLR0911 - one return for each rule of the table
        self,
        tool: Judged,
        arguments: Mapping[str, Any],
        agent_id: str = MAIN,
        *,
        roots: Collection[str] | None = None,
        rights: Rights = _FULL,
        persona: str = "",
    ) -> Verdict:
        """What to do about one call.

        ``roots`` instead of the policy's own are for an agent in another workspace, ``rights`` for one that has less.
        ``persona`` is the name of the agent's persona, for the rules that are about it.
        """
        mode = rights.within(self._mode)
        rules = self._rules_for(agent_id, persona, rights)
        if tool.name == COMMAND_TOOL:
            denied = _plan("run", agent_id) if mode == "plan" else ""
            return self._judge_command(arguments, self.roots if roots is None else roots, mode, rules, denied)
        if _any_fits(rules["deny"], tool.name, arguments):
            return Verdict("deny", f"a rule denies {tool.name}")
        if tool.effect == "control" or mode == "yolo":
            return _ALLOW
        if mode == "plan" and tool.effect in {"write", "run", "outside"}:
            return Verdict("deny", _plan(tool.effect, agent_id))
        rule = self._proposal(tool, arguments)
        if _any_fits(rules["ask"], tool.name, arguments):
            return self._asked("a rule asks for it")
        if tool.effect in {"read", "delegate"}:
            return _ALLOW
        protected = _protected(arguments) if tool.effect == "write" else None
        if protected is not None:
            return self._asked(f"{normal_path(protected)} is a file that other programs trust", strict=True)
        if allowed_by(rules["allow"], tool.name, arguments):
            return _ALLOW
        wide = too_wide(self.roots if roots is None else roots)
        if mode == "auto" and tool.effect in {"write", "run"} and not wide:
            return _ALLOW
        return self._asked(f"the workspace is {wide}" if wide and mode == "auto" else "", rule)

    def _judge_command(  # noqa: PLR0911 - one return for each rule of the table
        self, arguments: Mapping[str, Any], roots: Collection[str], mode: Mode, rules: _Rules, planning: str
    ) -> Verdict:
        cmd = str(arguments.get("cmd", ""))
        commands: list[Command] = []
        findings: list[Finding]
        try:
            commands = commands_of(parse(cmd))
            findings = examine(commands, roots, self.confined, is_protected)
        except Unparsable as problem:
            findings = [Finding(f"the command cannot be judged: {problem}", strict=True)]
        denied = self._banned(cmd, commands) or _denied_command(rules["deny"], cmd, commands)
        if denied:
            return Verdict("deny", denied)
        if planning:
            return Verdict("deny", planning)
        if self.confirm_bash:
            reason = _told(findings) or "every command is to be confirmed"
            return self._asked(reason, strict=True)
        if mode == "yolo":
            return _ALLOW
        reason = _told(findings)
        if any(finding.strict for finding in findings):
            return self._asked(reason, strict=True)
        if any(_touches(rule, cmd, commands) for rule in rules["ask"]):
            return self._asked("a rule asks for it")
        if allowed_by(rules["allow"], COMMAND_TOOL, arguments):
            return _ALLOW
        if mode == "auto" and not findings:
            return _ALLOW
        return self._asked(reason, propose_rule(commands))

    def _rules_for(self, agent_id: str, persona: str, rights: Rights) -> _Rules:
        """The rules about an agent's calls; it goes by its id and its persona's name, a task by ``task`` too."""
        names = (agent_id, persona, "" if agent_id == MAIN else "task")
        rules = {**self._rules, "deny": (*self._rules["deny"], *rights.deny)}
        return {kind: tuple(rule for rule in some if rule.is_for(names)) for kind, some in rules.items()}

    def _asked(self, reason: str, rule: str | None = None, *, strict: bool = False) -> Verdict:
        return Verdict("ask", reason, rule, strict)

    def _banned(self, cmd: str, commands: Sequence[Command]) -> str:
        found = find_banned(cmd, self.banned_commands, self.banned_apps)
        if not found and (self.banned_commands or self.banned_apps):
            bans, apps = [(ban, ban.split()) for ban in tuple(self.banned_commands)], frozenset(self.banned_apps)
            found = next(filter(None, (_ban_of(command, bans, apps) for command in commands)), "")
        return f"{found} is banned" if found else ""

    @staticmethod
    def _proposal(tool: Judged, arguments: Mapping[str, Any]) -> str | None:
        subject = subject_of(arguments)
        if subject is not None:
            return exact(tool.name, subject)
        return None if arguments else tool.name


def _told(findings: Sequence[Finding]) -> str:
    reasons = list(dict.fromkeys(finding.reason for finding in sorted(findings, key=lambda one: not one.strict)))
    more = f"; and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    return "; ".join(reasons[:_TOLD]) + more


def _ban_of(command: Command, bans: Sequence[tuple[str, list[str]]], apps: Collection[str]) -> str:
    """The ban that a simple command breaks, empty where it breaks none."""
    for ban, parts in bans:
        if parts and (command.bare[: len(parts)] == parts or command.texts[: len(parts)] == parts):
            return ban
    if not apps:
        return ""
    return next((name for text in command.texts for name in (text, text.rsplit("/", 1)[-1]) if name in apps), "")


def _any_fits(rules: Sequence[Rule], tool: str, arguments: Mapping[str, Any]) -> bool:
    return any(rule.names(tool) and rule.fits_arguments(arguments) for rule in rules)


def _denied_command(rules: Sequence[Rule], cmd: str, commands: list[Command]) -> str:
    rule = next((rule for rule in rules if _touches(rule, cmd, commands)), None)
    return "" if rule is None else f"the rule {rule.text} denies it"


def _touches(rule: Rule, cmd: str, commands: list[Command]) -> bool:
    """True where a deny or ask rule is about any part of a command, however it is wrapped."""
    if not rule.names(COMMAND_TOOL):
        return False
    if rule.pattern is None:
        return True
    if any(rule.fits_words(command.texts) or rule.fits_words(command.bare) for command in commands):
        return True
    # What cannot be parsed is looked at word by word, so that a rule is not evaded by a syntax error.
    words = () if commands else rough_words(cmd)
    enough = len(rule.words) + 1
    return any(
        rule.fits_words(words[start : start + enough])
        for start, word in enumerate(words)
        if rule.fits_words_from(word)
    )


def _covers(rules: Sequence[Rule], commands: list[Command]) -> bool:
    outer = [command for command in commands if not command.inner]
    matched = False
    for command in outer:
        if any(command.plain and rule.fits_words(command.texts) and not command.escapes(rule) for rule in rules):
            matched = True
        elif not command.harmless:
            return False
    return matched


def _plan(effect: Effect, agent_id: str) -> str:
    what = {"write": "changing files", "run": "running commands", "outside": "reaching outside the workspace"}
    end = "call present_plan with" if agent_id == MAIN else "describe"
    return f"plan mode does not allow {what.get(effect, effect)}; read, and {end} what you would do"
