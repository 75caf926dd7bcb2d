"""A server of Pygent's pages under test, what runs below it, and requests to it with any headers."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.conftest import descendants

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""What a browser sends to open a web socket."""


class Serving:
    """A server under test; the first line of its standard output is its address."""

    def __init__(
        self, command: Sequence[str], home: dict[str, str], *, stderr: int = subprocess.PIPE, **env: str
    ) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=Path(home["HOME"], "work"),
            env={**home, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://"), self.end()
        self.port = urlsplit(self.url).port or 0
        self.base = f"http://127.0.0.1:{self.port}"

    @property
    def below(self) -> set[str]:
        return descendants(self.process.pid)

    def waits_for(self, command: str, seconds: float = 20.0) -> None:
        """Wait until a command runs below the server: what is shown of a call comes before it is begun."""
        until = time.monotonic() + seconds
        while not any(line.endswith(f": {command}") for line in self.below):
            assert time.monotonic() < until, self.below
            time.sleep(0.05)

    def apps(self) -> list[int]:
        """The processes of its sessions."""
        return sorted(int(line.partition(":")[0]) for line in self.below if "-m pygent" in line)

    def ask(self, path: str, *headers: tuple[str, str], method: str = "GET", body: str = "") -> Answer:
        """One request as a browser makes it: with these headers, and ``Host`` and ``Accept`` where none is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if not any(name == "Host" for name, _ in headers):
                connection.putheader("Host", f"127.0.0.1:{self.port}")
            if not any(name == "Accept" for name, _ in headers):
                connection.putheader("Accept", "text/html,*/*")
            for name, value in headers:
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Type", "application/x-www-form-urlencoded")
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body.encode() if body else None)
            answer = connection.getresponse()
            text = "" if answer.status == 101 else answer.read().decode("utf-8", "replace")
            return Answer(answer.status, answer.headers, text)
        finally:
            connection.close()

    def let_in(self) -> tuple[str, str]:
        """The header of a browser that has opened the address; it is used up then."""
        parts = urlsplit(self.url)
        answer = self.ask(f"{parts.path}?{parts.query}")
        assert answer.status == 303, answer.text
        return answer.cookie

    def key(self, cookie: tuple[str, str]) -> str:
        """The key of the page with this cookie, which gets it once."""
        answer = self.ask("/key", cookie, ("Origin", self.base), method="POST")
        assert answer.status == 200, answer.text
        return answer.text

    def end(self, number: int = signal.SIGINT) -> tuple[float, int, str, str]:
        """Send a signal. Answers the seconds it took, the exit code, and what else was written."""
        begun = time.monotonic()
        self.process.send_signal(number)
        try:
            out, err = self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return time.monotonic() - begun, self.process.returncode, out, err


class Answer:
    """A status, headers, and a text."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, text: str) -> None:
        self.status, self.headers, self.text = status, headers, text

    @property
    def cookie(self) -> tuple[str, str]:
        """The header that gives back the cookie that was set here."""
        return "Cookie", str(self.headers["Set-Cookie"]).partition(";")[0]


@contextmanager
def serving(
    home: dict[str, str],
    *options: str,
    command: Sequence[str] | None = None,
    stderr: int = subprocess.PIPE,
    **env: str,
) -> Iterator[Serving]:
    """``pygent serve`` with these options, or another ``command``, until the end of the block."""
    words = command or [sys.executable, "-m", "pygent", "serve", "--port", "0", *options]
    server = Serving(words, home, stderr=stderr, **env)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGTERM)
        for stream in (server.process.stdout, server.process.stderr):
            if stream is not None:
                stream.close()


def gone(pids: set[str], seconds: float = 5.0) -> bool:
    """Whether all of these processes ended in time."""
    until = time.monotonic() + seconds
    while left := {pid for line in pids if (pid := line.partition(":")[0]) and running(pid)}:
        if time.monotonic() > until:
            print("left:", left, pids)
            return False
        time.sleep(0.05)
    return True


def running(pid: str) -> bool:
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
