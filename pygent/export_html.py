"""A session written out as one HTML page that stands alone: no script, nothing from elsewhere, light and dark.

Everything in it is text from outside. Markdown is the only thing that becomes markup, with HTML in it switched off
and without pictures, which a browser would fetch; the page forbids the rest to the browser as well.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

from pygent.events import Event
from pygent.plain_text import clean, one_line
from pygent.transcript import (
    AssistantItem,
    CompactionItem,
    Item,
    NoticeItem,
    PlanItem,
    RunItem,
    TaskItem,
    ToolItem,
    Transcript,
    UserItem,
)

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

Render = Callable[[str], str]

OPEN_STATES = {"error", "denied", "timeout", "cancelled"}
"""States of tool calls that are unfolded at first."""

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ground: #fff; --text: #1d2125; --faint: #626b76; --line: #d8dde3; --box: #f5f7f9;
  --user: #0a5bc4; --good: #1a7f37; --bad: #b42318; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ground: #14171a; --text: #e3e6e9; --faint: #98a2ad; --line: #32383f;
  --box: #1d2126; --user: #6cb0ff; --good: #5ec27a; --bad: #ff8a80; }} }}
body {{ margin: 0 auto; max-width: 52rem; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--text);
  font: 16px/1.55 system-ui, sans-serif; overflow-wrap: break-word; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .25rem; }}
h2.agent {{ font-size: 1.2rem; margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }}
.about, .who, .end, .note, summary {{ color: var(--faint); font-size: .875rem; }}
.user {{ border-left: 3px solid var(--user); padding-left: .9rem; margin: 2rem 0 1rem; }}
.user .who {{ color: var(--user); }}
.said {{ margin: 1rem 0; }}
.plain {{ white-space: pre-wrap; }}
pre, code {{ font: .85rem/1.5 ui-monospace, monospace; background: var(--box); border-radius: 4px; }}
code {{ padding: .1em .3em; }}
pre {{ padding: .7rem .9rem; overflow-x: auto; white-space: pre-wrap; }}
pre code {{ padding: 0; }}
details {{ border: 1px solid var(--line); border-radius: 6px; padding: .35rem .8rem; margin: .5rem 0; }}
summary {{ cursor: pointer; }}
summary b {{ color: var(--text); }}
.ok {{ color: var(--good); }}
.error, .denied, .timeout, .cancelled, .warning {{ color: var(--bad); }}
.end {{ border-top: 1px solid var(--line); margin: 1.5rem 0; padding-top: .4rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; }}
a {{ color: var(--user); }}
blockquote {{ margin-left: 0; padding-left: .9rem; border-left: 3px solid var(--line); color: var(--faint); }}
</style>
</head>
<body>
"""


def html_lines(events: Iterable[Event], title: str = "") -> Iterator[str]:
    """The page, in pieces. ``title`` is the session's."""
    transcript = Transcript()
    for event in events:
        transcript.apply(event)
    render = _renderer()
    started = transcript.session
    title = one_line(title, 200) or "Pygent session"
    yield _HEAD.format(title=escape(title))
    yield f"<h1>{escape(title)}</h1>"
    if started is not None:
        parts = (_when(started.at), started.workspace, started.model, started.sandbox, f"Pygent {started.version}")
        yield f'<p class="about">{_text(" · ".join(filter(None, parts)))}</p>'
    for view in transcript.agents.values():
        if view.agent_id != transcript.main.agent_id:
            yield f'<h2 class="agent" id="task-{escape(view.agent_id)}">Task {_text(view.agent_id)}</h2>'
        for item in view.items:
            yield from _item(item, render)
    yield "</body>\n</html>"


def _item(item: Item, render: Render) -> Iterator[str]:
    match item:
        case UserItem():
            kind = "note" if item.reminder or item.report else "user"
            yield f'<section class="{kind}"><div class="who">{item.who} {_when(item.at)}</div>'
            yield f'<div class="plain">{_text(item.text)}</div></section>'
        case AssistantItem() if item.text.strip():
            cut = ' <span class="note">(the stream broke and was tried again)</span>' if item.discarded else ""
            yield f'<section class="said">{render(clean(item.text))}{cut}</section>'
        case ToolItem():
            yield from _tool(item)
        case PlanItem():
            yield f'<section class="said"><div class="who">Plan ({escape(item.state)})</div>'
            yield render(clean(item.text or item.plan))
            yield f'<p class="plain">To be different: {_text(item.feedback)}</p>' if item.feedback else ""
            yield "</section>"
        case NoticeItem():
            yield f'<p class="note plain {escape(item.level)}">{_text(item.text)}</p>'
        case CompactionItem():
            undone = " (undone)" if item.undone else ""
            tokens = f"{item.before_tokens} to {item.after_tokens} tokens"
            yield f"<details><summary>{_text(item.headline)}, {tokens}{undone}</summary>"
            yield f"<pre>{_text(item.summary)}</pre></details>" if item.summary else "</details>"
        case RunItem():
            why = f": {_text(item.error)}" if item.error else ""
            yield f'<p class="end">{escape(item.reason)}, {item.steps} steps{why}</p>'
        case TaskItem():
            link = f'<a href="#task-{escape(item.task_id)}">Task {_text(item.task_id)}</a>'
            whom = f"{link} for {_text(item.persona)} ({_text(item.status)})"
            yield f'<section class="said"><div class="who">{whom}</div>'
            yield f'<div class="plain">{_text(item.prompt)}</div></section>'


def _tool(item: ToolItem) -> Iterator[str]:
    state = escape(item.state)
    first = one_line(" ".join(str(value) for value in item.arguments.values()), 100)
    yield f"<details{' open' if item.state in OPEN_STATES else ''}>"
    yield (
        f'<summary><b>{_text(item.tool)}</b> {_text(first)} <span class="{state}">{state}</span>'
        f" {item.seconds:.1f} s</summary>"
    )
    yield f"<pre>{_text(json.dumps(item.arguments, ensure_ascii=False, indent=2))}</pre>"
    yield f"<pre>{_text(item.output)}</pre></details>"


def _text(text: str) -> str:
    return escape(clean(text))


def _when(at: float) -> str:
    return dt.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


def _renderer() -> Render:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only where a page is written

    markdown: MarkdownIt = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table")
    markdown.disable(["image", "html_block", "html_inline"])
    return lambda text: str(markdown.render(text))
