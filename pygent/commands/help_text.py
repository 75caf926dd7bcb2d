"""The words of ``pygent --help``."""

from __future__ import annotations

COMMANDS = {
    "serve": "the same application in a browser; prints its URL",
    "sessions": "list, show, export, search or delete sessions",
    "replay": "play a session again, as it happened",
    "tasks": "review, apply or discard what tasks left",
    "config": "show settings and where they come from; trust a folder",
    "personas": "list who can be delegated to",
    "doctor": "check the set-up, and try what commands can reach",
}

USAGE = """pygent [OPTIONS] [PROMPT]    work together, in the terminal
       pygent -p PROMPT [OPTIONS]   one run without a screen, prints the answer
       pygent COMMAND [OPTIONS]     one of the commands below"""

DESCRIPTION = """\
A coding agent in your terminal. It reads, writes and runs things in one folder,
the workspace; commands run in a container where Docker answers."""

EPILOG = f"""\
commands:
{"".join(f"  {name:<10} {about}{chr(10)}" for name, about in COMMANDS.items())}
  pygent COMMAND --help tells more. Such a word as a prompt: pygent -- config

examples:
  pygent --demo                        look around; needs no key and no server
  pygent "why do the tests fail?"      start with a prompt, then go on talking
  pygent -p "write a changelog" --max-steps 30 > answer.txt
  git diff | pygent -p - --permission-mode plan
  pygent --base-url http://localhost:11434/v1 -m qwen2.5-coder
  pygent -w ~/project --docker --image node:22 -e NODE_ENV=test

permission modes (deny rules and banned commands hold in each):
  plan  reads only        ask   asks before each change and each command
  auto  asks only before reaching outside the workspace        yolo  never asks

variables (an option wins over its variable, a variable over settings files):
  OPENAI_API_KEY, OPENAI_BASE_URL, and PYGENT_*: pygent config show lists every
  value and where it came from; docs/settings.md lists every key and variable.

exit codes of -p:
  0 done · 1 failed · 2 usage or settings · 3 needs a person · 75 try again
  124 a limit ended the run · 130 interrupted"""

SERVE = "Show Pygent in a browser. Takes the options of pygent, and these."
CONFIG = """\
show           every value and where it came from (the default)
path           the files that are looked at
schema         a JSON schema of settings files, for editors
trust [DIR]    follow DIR/.pygent/config.yaml from now on (the current folder)
distrust [DIR] ignore it again"""
PERSONAS = "List the personas, or show one whole: pygent personas [NAME]"
DOCTOR = """\
Check what Pygent needs, and say what is missing. Exit code 1 where something has to be mended.
With --model NAME ask that model six small questions instead, name its server's quirks, and
offer to keep what it needs in your settings."""
