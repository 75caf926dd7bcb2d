"""What pages of others can do to `pygent serve` in a real Chromium, and what is left of the token there; a phone."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fakes.browser import Browser, Page
from tests.fakes.openai_server import FakeOpenAI, reply
from tests.fakes.serving import Serving, serving

READY = "● ready"
SPEAKS = """
new Promise((done) => {
  const socket = new WebSocket(%s);
  socket.onopen = () => { socket.send('["stdin", "!touch owned\\\\r"]'); done("open"); };
  socket.onerror = () => done("refused");
  setTimeout(() => done("silent"), 5000);
})
"""


class Site(http.server.ThreadingHTTPServer):
    """A site of somebody else's: another port of this machine. ``heard`` are the headers of its visitors."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.heard: list[dict[str, str]] = []


class Visit(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Site)
        self.server.heard.append({"path": self.path, **self.headers})
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>evil</title><body>evil")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, args=(0.05,))
        thread.start()
        yield site
        site.shutdown()
        thread.join()


def cookie_of(site: Site, server: Serving) -> str:
    """The server's cookie, as the browser has sent it to the other site."""
    name = f"pygent-{server.port}="
    found = [part for heard in site.heard for part in heard.get("Cookie", "").split("; ") if part.startswith(name)]
    assert found, "the browser sends cookies to all ports"
    return found[-1]


@pytest.mark.hostile(74)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_port_gets_nowhere(
    show: Callable[[str], Page], home: dict[str, str], site: Site, host: str
) -> None:
    with serving(home, "--permission-mode", "yolo", OPENAI_BASE_URL="http://127.0.0.1:9/v1") as server:
        ours = show(server.url)
        ours.wait_for(READY)
        evil = show(f"http://{host}:{site.server_port}/")
        evil.wait_until("document.title === 'evil'")
        for target in (server.base, server.base.replace("127.0.0.1", "localhost")):
            web_socket = json.dumps(target.replace("http:", "ws:") + "/ws")
            assert evil.evaluate(SPEAKS % web_socket) == "refused"
            for what in ("{}", "{mode: 'no-cors'}", "{method: 'POST', mode: 'no-cors', credentials: 'include'}"):
                answer = evil.evaluate(
                    f"fetch('{target}/key', {what}).then((a) => a.type + a.status, () => 'refused')"
                )
                assert answer in {"refused", "opaque0"}, answer
            frame = (
                "new Promise((done) => { const frame = document.createElement('iframe');"
                f"frame.src = '{target}/'; frame.onload = () => done(frame.contentWindow.length + ' ' + "
                "(() => { try { return frame.contentDocument.title } catch { return 'closed' } })());"
                "document.body.append(frame); })"
            )
            assert "Pygent" not in str(evil.evaluate(frame))
        assert (
            evil.evaluate(f"fetch('{server.base}/key', {{method: 'POST'}}).then((a) => a.text(), () => 'no')") == "no"
        )
        assert not Path(home["HOME"], "work", "owned").exists()
        assert len(server.apps()) == 1


@pytest.mark.hostile(74)
def test_a_cookie_that_another_port_has_seen_opens_no_session(
    show: Callable[[str], Page], home: dict[str, str], site: Site
) -> None:
    with serving(home, "--demo") as server:
        show(server.url).wait_for("demo")
        show(f"http://127.0.0.1:{site.server_port}/").wait_until("document.title === 'evil'")
        stolen, own = ("Cookie", cookie_of(site, server)), ("Origin", server.base)
        assert server.ask("/key", stolen, own, method="POST").status == 409
        assert server.ask("/ws?app=new", stolen, own).status == 401


@pytest.mark.hostile(73)
def test_a_wrong_token_and_an_emptied_browser_are_told(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with serving(home, "--demo") as server:
        page = show(f"{server.base}/?token=wrong")
        page.wait_until("document.body?.innerText.includes('An address works once')")
        assert page.evaluate("document.activeElement.name") == "token"
        page.type(urlsplit(server.url).query.partition("=")[2])
        page.press("Enter")
        page.wait_for("demo")
        assert page.evaluate("location.href") == f"{server.base}/"
        page.evaluate("localStorage.clear()")
        page.reload()
        page.wait_said("does not know this browser")
        assert len(server.apps()) == 1


@pytest.mark.hostile(73)
def test_an_emptied_browser_gets_in_with_the_password(
    show: Callable[[str], Page], home: dict[str, str], browser: Browser
) -> None:
    with serving(home, "--demo", PYGENT_WEB_PASSWORD="correct horse") as server:
        page = show(server.url)
        page.wait_for("demo")
        page.evaluate("localStorage.clear()")
        page.call("Page.navigate", url="about:blank")
        browser.call("Storage.clearCookies")
        page.call("Page.navigate", url=server.base)
        page.wait_until("document.activeElement?.name === 'token'")
        page.type("correct horse")
        page.press("Enter")
        page.wait_for("demo")
        assert len(server.apps()) == 1


@pytest.mark.hostile(79)
def test_the_token_stays_in_no_history_and_goes_to_no_other_site(
    show: Callable[[str], Page], home: dict[str, str], site: Site
) -> None:
    with serving(home, "--demo") as server:
        token = urlsplit(server.url).query.partition("=")[2]
        page = show(server.url)
        page.wait_for("demo")
        history = page.call("Page.getNavigationHistory")["entries"]
        assert [entry["url"] for entry in history] == ["about:blank", f"{server.base}/"]
        assert token not in json.dumps(history)
        assert sum(token in url for url in page.requests) == 1
        assert (
            page.evaluate("document.referrer + document.cookie + JSON.stringify({...sessionStorage})").find(token) < 0
        )
        away = f"http://127.0.0.1:{site.server_port}/away"
        page.evaluate(f"location.href = {away!r}")
        page.wait_until("document.title === 'evil'")
        visit = next(heard for heard in site.heard if heard["path"] == "/away")
        assert "Referer" not in visit
        assert token not in json.dumps(visit)
        assert page.evaluate("document.referrer") == ""


def test_two_servers_leave_each_other_alone(show: Callable[[str], Page], home: dict[str, str]) -> None:
    with serving(home, "--demo") as one, serving(home, "--demo") as other:
        first, second = show(one.url), show(other.url)
        for page in (first, second):
            page.wait_for("demo")
        for page in (first, second):
            page.reload()
            page.wait_for("demo")


def test_on_a_phone(show: Callable[[str], Page], home: dict[str, str]) -> None:
    lines = reply("\n\n".join(f"line {number}" for number in range(90)))
    with FakeOpenAI([lines]) as model, serving(home, OPENAI_BASE_URL=model.url) as server:
        page = show("about:blank")
        page.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1)
        phone(page, 844)
        page.call("Page.navigate", url=server.url)
        page.wait_for(READY)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("document.documentElement.scrollHeight") == 844
        columns = page.evaluate("caughtTerminal.cols")
        assert columns >= 45
        rows = page.evaluate("caughtTerminal.rows")

        phone(page, 460)  # the touch keyboard is there
        page.wait_until(f"caughtTerminal.rows < {rows} - 15")
        page.tap("[aria-label=Palette]")
        page.wait_for("Search")
        page.tap("#keys button:first-child")
        page.wait_until_gone("Search")
        page.type("count")
        page.wait_for("count")
        page.tap("#keys button:last-child")
        page.wait_for("line 89", "completed")
        below = page.evaluate("document.querySelector('#keys').getBoundingClientRect().bottom")
        assert below <= 460

        deadline = time.monotonic() + 10
        while "line 89" in page.text:
            assert time.monotonic() < deadline, page.text
            page.swipe(195, 150, 320)
            time.sleep(0.3)

        assert page.complaints == []


def test_escape_is_not_taken_for_the_start_of_the_next_key(show: Callable[[str], Page], home: dict[str, str]) -> None:
    """Where both reach a busy application at once, a palette that was left would take what is typed, and Enter."""
    with serving(home, OPENAI_BASE_URL="http://127.0.0.1:9/v1") as server:
        page = show(server.url)
        page.wait_for(READY)
        page.type("\x10")
        page.wait_for("Prompt: New line")
        (app,) = server.apps()
        os.kill(app, signal.SIGSTOP)
        page.press("Escape")
        page.type("zz")
        os.kill(app, signal.SIGCONT)
        page.wait_until_gone("Prompt: New line")
        page.type("hello")
        page.wait_until_gone("Ask for something")


def phone(page: Page, height: int) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=height, deviceScaleFactor=2, mobile=True)
