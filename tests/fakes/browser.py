"""A real Chromium without a window, driven over its DevTools protocol, and what stands on a page's terminal.

::

    with Browser() as browser:
        page = browser.open(url)
        page.wait_for("Ready")
        page.type("hello")
        page.press("Enter")

Everything it does is synchronous; the protocol's web socket lives on a thread. ``NoBrowser`` is raised where there is
no Chromium. ``PYGENT_REQUIRE_BROWSER=1`` is for the tests, which then fail and are not skipped.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Self

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-3d-apis",  # drawn in software, WebGL takes most of the processor
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--window-size=1280,800",
    "--remote-debugging-port=0",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
PATIENCE = 15.0
"""Seconds to wait for what should come soon."""

# The page keeps its terminal to itself; it is caught when it becomes somebody's attribute `terminal`.
_CATCH_TERMINAL = """
Object.defineProperty(Object.prototype, "terminal", {
  configurable: true,
  set(value) {
    if (value && value.buffer) window.caughtTerminal = value;
    Object.defineProperty(this, "terminal", {value, writable: true, configurable: true, enumerable: true});
  },
});
"""
_READ_TERMINAL = """
(() => {
  if (!window.caughtTerminal) return "";
  const buffer = window.caughtTerminal.buffer.active, lines = [];
  for (let row = 0; row < window.caughtTerminal.rows; row++)
    lines.push(buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? "");
  return lines.join("\\n");
})()
"""
_KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "Backspace": (8, ""), "ArrowDown": (40, "")}


class NoBrowser(Exception):
    """There is no Chromium here, or it does not start."""


class Browser:
    """One Chromium with a profile of its own; a context manager."""

    def __init__(self) -> None:
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            raise NoBrowser("no Chromium is installed")
        self._folder = tempfile.TemporaryDirectory(prefix="pygent-chromium-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={self._folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": self._folder.name},
        )
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="devtools", daemon=True)
        self._thread.start()
        try:
            self._await(self._connect(self._address()))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, url: str) -> Page:
        """A new tab on ``url``."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, target, session)
        page.call("Page.enable")
        page.call("Runtime.enable")
        page.call("Network.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=_CATCH_TERMINAL)
        page.call("Page.navigate", url=url)
        return page

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """One command of the protocol and its answer."""
        return self._await(self._call(method, session, params))

    def close(self) -> None:
        """End it and everything it started."""
        if not self._loop.is_closed():
            if hasattr(self, "_socket"):
                with contextlib.suppress(Exception):
                    self.call("Browser.close")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(5)
                self._await(self._disconnect())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def _address(self) -> str:
        file = Path(self._folder.name, "DevToolsActivePort")
        until = time.monotonic() + 30
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                port, path = file.read_text().split()
                return f"ws://127.0.0.1:{port}{path}"
            time.sleep(0.05)
        raise NoBrowser(f"Chromium did not start (exit status {self._process.poll()})")

    def _await(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _connect(self, address: str) -> None:
        self._client = aiohttp.ClientSession()
        self._socket = await self._client.ws_connect(address, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())

    async def _disconnect(self) -> None:
        self._reader.cancel()
        await asyncio.wait({self._reader})
        await self._socket.close()
        await self._client.close()

    async def _read(self) -> None:
        async for message in self._socket:
            data = message.json()
            if (waiting := self._waiting.pop(data.get("id", 0), None)) is not None:
                if not waiting.done():
                    waiting.set_result(data)
            elif page := self._pages.get(data.get("sessionId", "")):
                page.told(data["method"], data["params"])

    async def _call(self, method: str, session: str | None, params: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._waiting[number] = self._loop.create_future()
        command = {"id": number, "method": method, "params": params}
        await self._socket.send_json(command if session is None else {**command, "sessionId": session})
        data = await asyncio.wait_for(answer, 20)
        if "error" in data:
            raise RuntimeError(f"{method}: {data['error']['message']}")
        return data["result"]


class Page:
    """One tab; ``requests`` are the addresses it asked for, ``complaints`` the errors of its scripts."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.closed = False
        self._browser, self._target, self._session = browser, target, session

    def told(self, method: str, params: dict[str, Any]) -> None:
        """An event of the protocol, on the protocol's thread."""
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    @property
    def text(self) -> str:
        """The terminal's rows."""
        return str(self.evaluate(_READ_TERMINAL))

    def wait_for(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Wait until all ``texts`` stand on the terminal; answers what stands there."""
        until = time.monotonic() + seconds
        while any(text not in (shown := self.text) for text in texts):
            assert time.monotonic() < until, f"{texts} did not come; there was:\n{shown}"
            time.sleep(0.05)
        return shown

    def wait_until_gone(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until ``text`` does not stand on the terminal any more."""
        until = time.monotonic() + seconds
        while text in (shown := self.text):
            assert time.monotonic() < until, f"{text!r} did not go:\n{shown}"
            time.sleep(0.05)

    def wait_until(self, script: str, seconds: float = PATIENCE) -> None:
        """Wait until an expression in the page is true."""
        until = time.monotonic() + seconds
        while not self.evaluate(script):
            assert time.monotonic() < until, script
            time.sleep(0.05)

    def wait_said(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until the page itself says ``text``, over its terminal."""
        shown = "document.body?.classList.contains('-said') && document.getElementById('said').textContent"
        self.wait_until(f"({shown} || '').includes({json.dumps(text)})", seconds)

    def answer(self, label: str, seconds: float = PATIENCE) -> None:
        """Press the button of what the page says whose label begins with ``label``."""
        found = f"[...document.querySelectorAll('#answers button')].find((b) => b.textContent.startsWith({label!r}))"
        self.wait_until(f"!!{found}", seconds)
        self.evaluate(f"{found}.click()")

    def type(self, text: str) -> None:
        """Type ``text`` key by key, into whatever has the focus."""
        for char in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=char, key=char)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=char)

    def press(self, key: str) -> None:
        """Press a key that has a name."""
        code, text = _KEYS[key]
        options = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **options)
        self.call("Input.dispatchKeyEvent", type="keyUp", **options)

    def tap(self, selector: str) -> None:
        """Touch the middle of an element with a finger."""
        box = "(({x, y, width, height}) => [x + width / 2, y + height / 2])"
        x, y = self.evaluate(f"{box}(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def swipe(self, x: int, top: int, bottom: int) -> None:
        """Move a finger from ``top`` to ``bottom``."""
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": top}])
        for y in range(top, bottom, 10):
            self.call("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def reload(self) -> None:
        self.evaluate("delete window.caughtTerminal")
        self.call("Page.reload")

    def screenshot(self, file: Path) -> None:
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """Close the tab, as a person does; once more does no harm."""
        if self.closed:
            return
        self.closed = True
        self._browser.call("Target.closeTarget", targetId=self._target)
