"""The signs of the screen in plain ASCII, for terminals that have no others; each as wide as its original."""

from __future__ import annotations

from collections.abc import Mapping

_ROWS = (
    ("╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝", "+"),
    ("─━═╌╍┄┅┈┉╴╶▁▔⎯", "-"),
    ("│┃║╎╏┆┇┊┋╵╷▏▕", "|"),
    ("█▓▒░■▌▐▀▄▞▚▊▋▉▍▎▅▆▇", "#"),
    ("●•◆◉∙◈★", "*"),
    ("○◯◇◌☐◐", "o"),
    ("✓✔", "v"),
    ("✗✘×⊘☒", "x"),
    ("…·⋯․", "."),
    ("↑▲▴△", "^"),
    ("↓▼▾▽", "v"),
    ("←◀◂«‹", "<"),
    ("→▶▸↳»›⏎↵", ">"),
    ("“”„", '"'),
    ("‘’", "'"),
    ("–—−", "-"),
    ("⠋⠏", "|"),
    ("⠙⠹⠸", "/"),
    ("⠼⠴", "-"),
    ("⠦⠧⠇", "\\"),
)

SIGNS: Mapping[str, str] = {sign: plain for signs, plain in _ROWS for sign in signs}
