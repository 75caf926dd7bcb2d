"""Give small tasks to agents and count what they solve, and at what price.

python -m benchmarks.tasks --base-url URL --model NAME --agent alone --agent pygent [--agent "NAME=COMMAND LINE"]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tasks.agents import PLACEHOLDERS, AgentError, Limits, Server, chosen, which
from benchmarks.tasks.report import table
from benchmarks.tasks.running import ResultsError, Runner, ServerLost, read_results
from benchmarks.tasks.task import HALVES, KINDS, TaskError, select

EXIT_USAGE, EXIT_TEMPORARY, EXIT_INTERRUPTED = 2, 75, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; answers its exit code: 0, 2 for bad input, 75 where the server went away, 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # agents are ended before this program is
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.report:
            print(_report(Path(options.report), markdown=options.markdown))
        elif options.list:
            for task in select(options.task, options.kind, options.half):
                print(f"{task.name:32} {task.kind:14} {task.level:7} {task.half:5} {task.check or ''}")
        else:
            _run(parser, options)
    except (TaskError, AgentError, ResultsError) as error:
        print(f"benchmarks.tasks: {error}", file=sys.stderr)
        return EXIT_USAGE
    except ServerLost as error:
        print(f"benchmarks.tasks: the server is gone: {error}; the same command goes on from here", file=sys.stderr)
        return EXIT_TEMPORARY
    except KeyboardInterrupt:
        print("benchmarks.tasks: interrupted; the same command goes on from here", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tasks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = ", ".join("{" + name + "}" for name in PLACEHOLDERS)
    parser.add_argument("--base-url", metavar="URL", help="OpenAI-compatible server, with its /v1")
    parser.add_argument("--model", metavar="NAME")
    parser.add_argument(
        "--agent",
        action="append",
        default=[],
        metavar="AGENT",
        help=f"alone, pygent, a name of agents.yaml, or NAME=COMMAND LINE with {what}; can be given again",
    )
    parser.add_argument("--pygent-options", default="", metavar="OPTIONS", help="more options for pygent")
    parser.add_argument("--half", choices=[*HALVES, "all"], default="all")
    parser.add_argument("--kind", action="append", default=[], choices=KINDS)
    parser.add_argument("--task", action="append", default=[], metavar="NAME")
    parser.add_argument("--attempts", type=_count, default=1, metavar="N", help="at each task (1)")
    parser.add_argument("--jobs", type=_count, default=1, metavar="N", help="attempts at a time (1)")
    parser.add_argument("--out", default="task-results", metavar="DIR", help="results and sessions (task-results)")
    parser.add_argument("--seconds", type=_count, default=600, metavar="N", help="for an attempt (600)")
    parser.add_argument("--requests", type=_count, default=30, metavar="N", help="for an attempt (30)")
    parser.add_argument(
        "--answer-tokens", type=int, default=0, metavar="N", help="the longest answer, of every agent (0: as it asks)"
    )
    parser.add_argument("--list", action="store_true", help="list the tasks")
    parser.add_argument("--report", metavar="DIR", help="print the table of a folder of results anew")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("has to be 1 or more")
    return value


def _report(folder: Path, *, markdown: bool) -> str:
    results = read_results(folder)
    if not results:
        raise ResultsError(f"{folder}: there are no results")
    return table(results, markdown=markdown)


def _run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    missing = [name for name in ("base_url", "model", "agent") if not getattr(options, name)]
    if missing:
        parser.error(f"needed: {', '.join('--' + name.replace('_', '-') for name in missing)}")
    tasks = select(options.task, options.kind, options.half)
    agents = chosen(options.agent, options.pygent_options)
    if absent := [word for agent in agents if (word := which(agent))]:
        raise AgentError(f"not found on PATH: {', '.join(absent)}")
    server = Server(options.base_url.rstrip("/"), os.environ.get("OPENAI_API_KEY") or "none", options.model)
    _answers(server)
    limits = Limits(options.seconds, options.requests, options.answer_tokens)
    runner = Runner(
        Path(options.out).resolve(), server, limits, lambda line: print(line, file=sys.stderr, flush=True)
    )
    results = runner.run(agents, tasks, options.attempts, options.jobs)
    print(table(results, markdown=options.markdown))


def _answers(server: Server) -> None:
    """Raise ``AgentError`` where there is no server: hours of failed attempts would tell nothing."""
    headers = {"Authorization": f"Bearer {server.key}"}
    try:
        request = urllib.request.Request(f"{server.base_url}/models", headers=headers)
        with urllib.request.urlopen(request, timeout=30):
            return
    except urllib.error.HTTPError as error:
        if error.code in (404, 405):
            return  # a server without a list of models
        raise AgentError(f"--base-url {server.base_url}: {error}") from error
    except (OSError, ValueError) as error:
        raise AgentError(f"--base-url {server.base_url}: {error}") from error


if __name__ == "__main__":
    raise SystemExit(main())
