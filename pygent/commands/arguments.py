"""The parser of the command line: what it may hold, and what it says.

The settings' options follow the table of fields, and their values are read by the settings, so that an option, a
variable and a file accept the same things with the same words.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from pygent._version import __version__
from pygent.commands import help_text
from pygent.commands.command_line import DEFAULT_HOST, DEFAULT_PORT, OUTPUT_FORMATS, Arguments
from pygent.commands.help_page import page
from pygent.errors import SettingsError
from pygent.settings.field import Field
from pygent.settings.fields import FIELDS
from pygent.settings.kinds import Flag
from pygent.settings.model import Settings
from pygent.settings.nodes import nearest

_OPERANDS = {"config": "[ACTION] ", "personas": "[NAME] "}


def read(argv: Sequence[str]) -> Arguments:
    """``command_line.parse``, by way of the parser."""
    argv = list(argv)
    at = _first_word(argv)
    word = argv[at] if at < len(argv) else None
    if word in help_text.COMMANDS:
        return _command(word, argv[:at], argv[at + 1 :])
    found = _read(main_parser(), argv)
    prompt = _prompt(found, word)
    if found.output_format is not None and found.headless is None:
        raise SettingsError("--output-format is for -p, which prints the answer", key="output_format")
    return _arguments(found, prompt=prompt, headless=found.headless is not None)


def _command(name: str, before: list[str], after: list[str]) -> Arguments:
    found = _read(_options_parser(), before)
    if found.headless is not None:
        raise SettingsError(f"-p and the command {name!r} exclude each other; as a prompt: pygent -p {name}")
    if name in {"sessions", "replay", "tasks"}:
        return _arguments(found, command=name, words=tuple(after))
    _read(_command_parser(name), after, found)
    words = tuple(getattr(found, "words", None) or ())
    flags = {"as_json": getattr(found, "json", False), "save": getattr(found, "save", False)}
    return _arguments(found, command=name, words=words, **flags)


def _arguments(found: argparse.Namespace, **given: Any) -> Arguments:
    given.setdefault("host", getattr(found, "host", DEFAULT_HOST))
    file = getattr(found, "password_file", None)
    given.setdefault("password_file", Path(file).expanduser() if file else None)
    if found.fork and found.resume is None and not found.continue_last:
        raise SettingsError("--fork copies a session: give --resume [ID] or --continue as well", key="fork")
    return Arguments(
        output_format=found.output_format or "text",
        demo=found.demo,
        resume=found.resume,
        continue_last=found.continue_last,
        fork=found.fork,
        config=Path(found.config).expanduser() if found.config else None,
        port=_port(getattr(found, "port", str(DEFAULT_PORT))),
        values={entry.key: vars(found)[entry.key] for entry in FIELDS if vars(found).get(entry.key) is not None},
        **given,
    )


def _prompt(found: argparse.Namespace, word: str | None) -> str | None:
    words: list[str] = found.words or []
    if found.headless:
        if words:
            raise SettingsError(f"there are two prompts: {found.headless[:40]!r} and {words[0][:40]!r}")
        return str(found.headless)
    if len(words) > 1:
        raise SettingsError(f"a prompt of several words needs quotes: pygent {' '.join(words)!r}{_meant(words[0])}")
    if not words:
        return None
    if words[0] == word and not found.demo and _meant(word):
        raise SettingsError(f"there is no command {word!r}{_meant(word)} As a prompt: pygent -- {word}")
    return words[0]


def _meant(word: str) -> str:
    import difflib  # noqa: PLC0415

    near = difflib.get_close_matches(word, help_text.COMMANDS, 1, 0.75)
    return f"; did you mean {near[0]!r}?" if near else ""


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise SettingsError(f"--port: {text!r} cannot be used; accepted: a whole number from 0 to 65535", key="port")


class _Format(argparse.RawDescriptionHelpFormatter):
    """Our own line breaks, and a column wide enough for the longest option."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=36)


class _Parser(argparse.ArgumentParser):
    """Complaints are raised, with the nearest option where one is unknown."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


class _MainParser(_Parser):
    def format_help(self) -> str:
        return page(self)


def _read(parser: argparse.ArgumentParser, argv: list[str], into: argparse.Namespace | None = None) -> Any:
    found, unknown = parser.parse_known_args(argv, into)
    if unknown:
        name = unknown[0].partition("=")[0]
        if not name.startswith("-"):
            raise SettingsError(f"{unknown[0]!r} is one word too many")
        known = [option for option in _spellings(parser) if option.startswith("--")]
        raise SettingsError(f"unknown option {name}{nearest(name, known) if name.startswith('--') else ''}")
    return found


def _spellings(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}  # noqa: SLF001


def _first_word(argv: list[str]) -> int:
    """Where the first word stands that is neither an option nor an option's value; at the end where there is none."""
    arity = {
        option: action.nargs
        for action in _options_parser()._actions  # noqa: SLF001 - argparse tells it no other way
        for option in action.option_strings
    }
    at = 0
    while at < len(argv):
        word = argv[at]
        if not word.startswith("-") or word in {"-", "--"}:
            return at
        takes = arity.get(word, 0)  # also 0 for --name=value and -nvalue
        if takes is None or (takes == "?" and at + 1 < len(argv) and _is_value(argv[at + 1])):
            at += 1
        at += 1
    return at


def _is_value(word: str) -> bool:
    return not word.startswith("-") or word == "-" or " " in word


def main_parser() -> _Parser:
    """The parser of a command line without a subcommand."""
    parser = _MainParser(prog="pygent", allow_abbrev=False, add_help=False)
    parser.add_argument("words", nargs="*", metavar="PROMPT", help=argparse.SUPPRESS)
    return _with_options(parser)


def _options_parser() -> _Parser:
    return _with_options(_MainParser(prog="pygent", allow_abbrev=False, add_help=False))


def _command_parser(name: str) -> _Parser:
    about = getattr(help_text, name.upper())
    parser = _Parser(
        prog=f"pygent {name}",
        usage=f"pygent {name} {_OPERANDS.get(name, '')}[OPTIONS]",
        description=about,
        formatter_class=_Format,
        allow_abbrev=False,
        add_help=False,
        argument_default=argparse.SUPPRESS,
    )
    if name == "serve":
        group = parser.add_argument_group("browser")
        group.add_argument("--host", metavar="H", help=f"Address to listen on ({DEFAULT_HOST})")
        group.add_argument("--port", metavar="N", help=f"Port to listen on ({DEFAULT_PORT}; 0: any free one)")
        group.add_argument(
            "--password-file",
            metavar="FILE",
            help="File of yours whose first line lets browsers in [PYGENT_WEB_PASSWORD holds the password itself]",
        )
    else:
        parser.add_argument("--json", action="store_true", help="Print JSON")
        if name == "doctor":
            parser.add_argument(
                "--save", action="store_true", help="With --model: keep what it needs in your settings, unasked"
            )
        else:
            parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    return _with_options(parser)


def _with_options(parser: _Parser) -> _Parser:
    """Add what all of them take: the settings' options and those of a run."""
    absent = parser.argument_default
    general = parser.add_argument_group("options")
    if isinstance(parser, _MainParser):
        general.add_argument(
            "-p",
            "--prompt",
            dest="headless",
            nargs="?",
            const="",
            metavar="PROMPT",
            help="Run until done, print the answer, exit; - reads standard input",
        )
        general.add_argument("--output-format", choices=OUTPUT_FORMATS, help="What -p prints")
    general.add_argument(
        "--resume", nargs="?", const="", default=absent, metavar="ID", help="Go on with a session; without ID: choose"
    )
    general.add_argument(
        "-c",
        "--continue",
        dest="continue_last",
        action="store_true",
        default=absent or False,
        help="Go on with the last session",
    )
    general.add_argument(
        "--fork",
        action="store_true",
        default=absent or False,
        help="With --resume or --continue: go on with a copy of the session",
    )
    general.add_argument(
        "--demo", action="store_true", default=absent or False, help="A scripted model on real tools; needs no server"
    )
    general.add_argument("--config", metavar="FILE", default=absent, help="One more settings file [PYGENT_CONFIG]")
    groups: dict[str, Any] = {}
    for entry in FIELDS:
        if entry.options:
            group = groups.get(entry.group) or parser.add_argument_group(entry.group)
            groups[entry.group] = group
            group.add_argument(*reversed(entry.options), **_settings_option(entry, absent))
    last = parser.add_argument_group("about")
    last.add_argument("--version", action="version", version=f"pygent {__version__}", help="Print the version")
    last.add_argument("-h", "--help", action="help", help="Print this help")
    return parser


def _settings_option(entry: Field, absent: Any) -> dict[str, Any]:
    default = getattr(Settings(), entry.key, None)
    about = entry.about
    if isinstance(default, (str, int)) and not isinstance(default, bool):
        about = f"{about} ({default})"
    if entry.variable:
        about = f"{about} [{entry.variable}]"
    out: dict[str, Any] = {"dest": entry.key, "default": absent, "help": about.replace("%", "%%")}
    if isinstance(entry.kind, Flag):
        plain_switch = entry.key == "ephemeral"
        out["action"] = "store_const" if plain_switch else argparse.BooleanOptionalAction
        return {**out, "const": True} if plain_switch else out
    if entry.merge != "replace":
        out["action"] = "append"
    return {**out, "metavar": entry.metavar}
