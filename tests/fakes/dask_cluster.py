"""A real Dask cluster on the loopback interface: a scheduler and workers as processes of their own, ended by pid.

The workers have an environment of their own, and ask the model's server at ``model_url`` in it. Their commands run
bare; ``environ`` may say otherwise.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


class DaskCluster:
    """``address`` is the scheduler's; ``workers`` are the processes by worker address, oldest first."""

    def __init__(
        self,
        folder: Path,
        model_url: str,
        *,
        threads: int = 2,
        protocol: str = "tcp",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.threads = threads
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._count = 0
        self._protocol = protocol
        self._environ = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYGENT_USE_DOCKER": "0",
            "PYGENT_LOCAL_SANDBOX": "off",
            "PYGENT_MODEL": "the-workers-model",
            "OPENAI_BASE_URL": model_url,
            "OPENAI_API_KEY": "the worker's own key",
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3",
            **(environ or {}),
        }
        file = folder / "scheduler.json"
        command = [
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--no-show",
            "--protocol",
            protocol,
        ]
        self._scheduler = self._run("scheduler", *command, "--scheduler-file", str(file))
        self.address = str(self._wait_for(file)["address"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def need(self, count: int) -> None:
        """See that so many workers run."""
        self.workers = {address: process for address, process in self.workers.items() if process.poll() is None}
        begun = []
        for _ in range(count - len(self.workers)):
            self._count += 1
            name = f"worker-{self._count}"
            command = ["worker", self.address, "--no-nanny", "--nthreads", str(self.threads), "--no-dashboard"]
            places = ["--host", "127.0.0.1", "--name", name, "--local-directory", str(self.folder / name)]
            begun.append(
                (name, self._run(name, *command, *places, "--memory-limit", "0", "--protocol", self._protocol))
            )
        for name, process in begun:
            self.workers[self._address_of(name, process)] = process

    def kill(self, address: str, sign: int = signal.SIGKILL) -> None:
        """Send a signal to one worker; with ``SIGKILL`` it is gone at once."""
        process = self.workers[address]
        process.send_signal(sign)
        if sign == signal.SIGKILL:
            process.wait(10)

    def kill_scheduler(self) -> None:
        """End the scheduler at once."""
        self._scheduler.kill()
        self._scheduler.wait(10)

    def log(self) -> str:
        """What scheduler and workers wrote."""
        return "\n".join(path.read_text("utf-8", "replace") for path in sorted(self.folder.glob("*.log")))

    def close(self) -> None:
        """End all processes."""
        processes = [*self.workers.values(), self._scheduler]
        for process in processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    def _run(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                env=self._environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _wait_for(self, file: Path) -> dict[str, object]:
        end_by = time.monotonic() + START_SECONDS
        while time.monotonic() < end_by and self._scheduler.poll() is None:
            try:
                found: dict[str, object] = json.loads(file.read_text())
                return found
            except (OSError, ValueError):
                time.sleep(0.05)
        raise RuntimeError(f"the scheduler did not start: {self.log()}")

    def _address_of(self, name: str, process: subprocess.Popen[bytes]) -> str:
        end_by = time.monotonic() + START_SECONDS
        log = self.folder / f"{name}.log"
        while time.monotonic() < end_by and process.poll() is None:
            lines = log.read_text("utf-8", "replace").splitlines()
            if any("Registered to:" in line for line in lines):
                line = next(line for line in lines if "Start worker at:" in line)
                return line.partition("Start worker at:")[2].strip()
            time.sleep(0.05)
        raise RuntimeError(f"a worker did not start: {self.log()}")
