"""The command about panes and their sizes."""

from __future__ import annotations

from collections.abc import Sequence

from pygent.tui.slash import Surface, command

LAYOUTS = {
    "reset": "all panes, in the sizes of the first start",
    "wide": "three quarters for the conversation",
    "even": "half for the conversation, half for the other panes",
    "alone": "the conversation without the other panes",
}


def _names(surface: Surface) -> Sequence[str]:  # noqa: ARG001 - the signature of all completions
    return list(LAYOUTS)


@command("layout", "[reset|wide|even|alone]", "the panes and their sizes", values=_names, needs_open=False)
def _layout(surface: Surface, argument: str) -> None:
    if not argument:
        rows = [f"{name:<7} {about}" for name, about in LAYOUTS.items()]
        rows += [
            "",
            "F6 hides the side panes, F7 gives a pane all the room, Shift+F6 hides one; Alt+arrows and the mouse",
        ]
        rows += ["on a border change sizes. The layout is remembered."]
        surface.note("/layout", "\n".join(rows))
        return
    if argument not in LAYOUTS:
        raise ValueError(f"/layout takes {', '.join(LAYOUTS)}, not {argument!r}")
    surface.use_layout(argument)
