"""Commands about how things look, and about all that can be set."""

from __future__ import annotations

from collections.abc import Sequence

from pygent.tui.slash import Surface, command


def _themes(surface: Surface) -> Sequence[str]:
    return surface.theme_names()


@command(
    "theme", "[NAME | new NAME]", "choose the colours, or begin a theme of your own", values=_themes, needs_open=False
)
def _theme(surface: Surface, argument: str) -> None:
    word, _, name = argument.partition(" ")
    if not argument:
        surface.choose_theme()
    elif word != "new":
        surface.set_theme(argument)
    elif not name.strip():
        raise ValueError("/theme new takes a name: small letters, digits and dashes")
    else:
        path = surface.new_theme(name.strip())
        surface.note("/theme", f"Written to {path}\nIt is on; what you save in it shows at once.")


@command("settings", "", "look at all settings and change them", needs_open=False)
def _settings(surface: Surface, argument: str) -> None:  # noqa: ARG001
    surface.show_settings()
