"""Drive Pygent from another program: `pygent -p … --output-format stream-json`, one event a line.

Run it with `python examples/headless_events.py`. It runs the demo, which needs no server; with a model configured,
take `--demo` away and put a prompt behind `-p`. The exit code says how the run ended (docs/headless.md).
"""

import json
import subprocess
import sys


def main() -> int:
    command = [sys.executable, "-m", "pygent", "--demo", "-p", "--output-format", "stream-json"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            match event["type"]:
                case "tool.started":
                    print(f"{event['agent_id']:>12}  {event['tool']} {json.dumps(event['arguments'])[:60]}")
                case "tool.finished" if event["status"] != "ok":
                    print(f"{event['agent_id']:>12}  -> {event['status']}")
                case "task.started":
                    print(f"{event['agent_id']:>12}  delegated {event['task_id']} to {event['persona']}")
                case "run.finished" if event["agent_id"] == "main":
                    print(
                        f"{event['reason']} after {event['steps']} steps, files: {', '.join(event['files_changed'])}"
                    )
    return process.returncode


if __name__ == "__main__":
    raise SystemExit(main())
