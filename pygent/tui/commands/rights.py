"""Commands about who works and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pygent.settings import PERMISSION_MODES
from pygent.tui.panes.welcome import MODES
from pygent.tui.slash import Surface, command
from pygent.tui.text import clean_line

ON_OFF = ("on", "off")
_STRICT: tuple[Literal["ask"], Literal["deny"]] = ("ask", "deny")


def _switch(argument: str, usage: str) -> bool:
    if argument not in ON_OFF:
        raise ValueError(f"{usage} takes on or off, not {argument!r}")
    return argument == "on"


def _on_off(surface: Surface) -> Sequence[str]:  # noqa: ARG001 - the signature of all completions
    return ON_OFF


def _models(surface: Surface) -> Sequence[str]:
    named = [model for server in surface.session.servers() for model in server.models]
    return list(dict.fromkeys([surface.session.status().model, *named]))


@command("model", "[NAME]", "choose a model from what the servers offer, or change to one", values=_models)
def _model(surface: Surface, argument: str) -> None:
    session = surface.session
    if not argument:
        surface.choose_model()
    elif argument == session.status().model:
        surface.note("/model", f"The model is {argument} already.")
    else:
        surface.work("/model", lambda: session.set_model(argument))  # a keyring may ask for its password


def _personas(surface: Surface) -> Sequence[str]:
    return [persona.name for persona in surface.session.personas]


@command("persona", "[NAME]", "show the personas or change who answers", values=_personas)
def _persona(surface: Surface, argument: str) -> None:
    session = surface.session
    if argument:
        session.set_persona(argument)
        surface.state_changed()
        surface.note("/persona", f"{session.status().persona} answers from the next run on.")
        return
    now = session.status().persona
    lines = [
        f"{'●' if persona.name == now else ' '} {persona.name:<14} {persona.description}"
        for persona in session.personas
    ]
    surface.note("/persona", "\n".join(lines))


def _modes(surface: Surface) -> Sequence[str]:
    return (*PERMISSION_MODES, *(f"forget {one.text}" for one in surface.session.allowed()))


@command("permissions", "[MODE|forget RULE]", "show or change what needs approval", values=_modes, needs_open=False)
def _permissions(surface: Surface, argument: str) -> None:
    session = surface.session
    word, _, rule = argument.partition(" ")
    if word == "forget" and rule.strip():
        surface.note("/permissions", clean_line(session.take_back(rule)))
        return
    if argument:
        session.set_permission_mode(argument)
        surface.state_changed()
    now = session.permission_mode
    lines = [f"{'●' if mode == now else ' '} {mode:<6} {MODES[mode]}" for mode in PERMISSION_MODES]
    for rule, lasts in session.allowed():
        lines.append(f"  allow  {clean_line(rule)}{' (this session)' if lasts == 'session' else ''}")
    for kind in _STRICT:
        lines += [f"  {kind:<6} {clean_line(rule)}" for rule in session.rules(kind)]
    name = session.status().persona
    for persona in session.personas:
        if persona.name == name:
            of = f"as {clean_line(name)}"
            lines += [f"  {of}: {persona.permission_mode} at most"] if persona.permission_mode else []
            lines += [f"  deny   {clean_line(rule)} ({of})" for rule in persona.deny]
    surface.note("/permissions", "\n".join(lines))


def _tool_values(surface: Surface) -> Sequence[str]:
    return [f"{word} {tool.name}" for tool in surface.session.tools() for word in ("disable", "enable")]


@command("tools", "[enable|disable NAME]", "list the tools, or switch one", values=_tool_values)
def _tools(surface: Surface, argument: str) -> None:
    session = surface.session
    word, _, name = argument.partition(" ")
    if word in {"enable", "disable"} and name:
        session.enable_tool(name.strip(), word == "enable")
    elif argument:
        raise ValueError("/tools takes nothing, enable NAME or disable NAME")
    lines = []
    for tool in session.tools():
        first = tool.description.strip().partition("\n")[0]
        lines.append(f"{'✓' if tool.enabled else '✗ off'} {tool.name:<22} {first[:90]}")
    surface.note("/tools", "\n".join(lines))


def _banned_values(surface: Surface) -> Sequence[str]:
    return [f"remove {name}" for name in surface.session.banned()]


@command("banned", "[add|remove CMD]", "list the refused commands, or change them", values=_banned_values)
def _banned(surface: Surface, argument: str) -> None:
    session = surface.session
    word, _, name = argument.partition(" ")
    if word == "add" and name:
        session.ban(name.strip())
    elif word == "remove" and name:
        session.unban(name.strip())
    elif argument:
        raise ValueError("/banned takes nothing, add CMD or remove CMD")
    surface.note("/banned", "\n".join(session.banned()) or "No command is refused.")


@command("confirm-bash", "on|off", "ask before each command, whatever the mode", values=_on_off)
def _confirm(surface: Surface, argument: str) -> None:
    surface.session.set_confirm_bash(_switch(argument, "/confirm-bash"))
    surface.note("/confirm-bash", f"Asking before each command is {argument}.")


@command("network", "on|off", "the sandbox's network", values=_on_off)
def _network(surface: Surface, argument: str) -> None:
    on = _switch(argument, "/network")

    def switch() -> str:
        surface.session.set_network(on)
        return f"The sandbox's network is {argument}."

    surface.work("/network", switch)


@command("trust", "", "use this workspace's own settings from the next start on", needs_open=False)
def _trust(surface: Surface, argument: str) -> None:  # noqa: ARG001
    from pygent.settings import trust  # noqa: PLC0415 - rarely asked for

    folder = surface.session.status().workspace
    trust(folder)
    surface.note("/trust", f"{folder} is trusted; its .pygent/config.yaml counts from the next start on.")
