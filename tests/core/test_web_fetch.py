"""``web_fetch`` over real HTTP on loopback: what is read, what is refused, and how long and large a page may be."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pygent import fetching
from pygent.approvals import Approvals, Policy
from pygent.approvals.base import PendingCall
from pygent.approvals.rules import Rule, host_of
from pygent.approvals.summary import summarize
from pygent.cancellation import CancelToken
from pygent.errors import Cancelled, ToolError
from pygent.fetching import FetchError, checked, fetch, is_public
from pygent.page_text import page_text
from pygent.persona import Persona
from pygent.runtime import Runtime
from pygent.session_parts import make_runtime
from pygent.settings import Settings
from pygent.tools import REGISTRY
from pygent.tools.web import OUTSIDE, PART, web_fetch
from pygent.web_access import WebAccess
from tests.core.test_loop import Case

HERE = WebAccess(private=True)
HTML = """<!DOCTYPE html><html><head><title>The page</title><style>p {color: red}</style></head>
<body><nav hidden>menu</nav><main><h2>Usage</h2><p>Call <code>to_roman</code>, see <a href="/more">more</a>.</p>
<ul><li>one</li><li>two</li></ul><pre>x = 1
y = 2</pre><table><tr><th>a</th></tr><tr><td>1</td></tr></table><script>alert(1)</script></main></body></html>"""


class Site:
    """A server whose paths answer as told; the requests are kept."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.slow = threading.Event()
        self.asked: list[tuple[str, dict[str, str]]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                code, headers, body = site.pages.get(self.path, (404, {}, b"no such page"))
                self.send_response(code)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                if self.path == "/slow":
                    self.wfile.flush()
                    site.slow.wait(20)

            def do_CONNECT(self) -> None:
                site.asked.append((self.path, dict(self.headers)))
                self.send_error(403)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def page(self, path: str, body: str | bytes, code: int = 200, **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        named.setdefault("Content-Type", "text/html; charset=utf-8")
        self.pages[path] = (code, named, body.encode() if isinstance(body, str) else body)
        return self.url + path

    def close(self) -> None:
        self.slow.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def _runtime(access: WebAccess = HERE) -> Any:
    return SimpleNamespace(network=True, web=access)


def _get(url: str, access: WebAccess = HERE) -> fetching.Page:
    return fetch(url, access, CancelToken())


def test_a_page_is_read_as_markdown_and_marked_as_from_outside(site: Site) -> None:
    text = web_fetch(_runtime(), site.page("/a", HTML))
    assert text.startswith(f"{site.url}/a (text/html, characters 0-")
    assert OUTSIDE in text
    for part in ("# The page", "## Usage", "`to_roman`", "[more](/more)", "- one\n- two", "x = 1\ny = 2", "| a |"):
        assert part in text
    for part in ("alert", "color: red", "menu"):
        assert part not in text


def test_a_long_page_comes_in_parts(site: Site) -> None:
    url = site.page("/a", "x" * PART + "the end", Content_Type="text/plain")
    first = web_fetch(_runtime(), url)
    assert f"; more of it with start={PART}). {OUTSIDE}" in first
    assert first.endswith("xxx")
    assert web_fetch(_runtime(), url, PART).endswith("\n\nthe end")
    with pytest.raises(ToolError, match=f"has {PART + 7} characters"):
        web_fetch(_runtime(), url, PART + 7)


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("application/json", b'{"a":[1,"\xc3\xa4"]}', '{\n "a": [\n  1,\n  "ä"\n ]\n}'),
        ("text/plain; charset=latin-1", b"\xe4", "ä"),
        ("text/plain; charset=nonsense", b"plain", "plain"),
        ("", b"<!doctype html><p>hi", "hi"),
        ("", b"only text", "only text"),
        ("text/html", b"no tag", "no tag"),
        ("application/xhtml+xml", b'<?xml version="1.0"?><html><body><p>x</p></body></html>', "x"),
    ],
)
def test_what_is_text_is_shown_as_text(kind: str, body: bytes, text: str) -> None:
    assert page_text(kind, body) == text


def test_a_page_of_tags_in_tags_is_read_all_the_same() -> None:
    assert page_text("text/html", b"<div>" * 3000 + b"deep") == "deep"


def test_a_name_in_other_letters_is_asked_for_as_the_web_has_it() -> None:
    assert checked("https://bücher.example/ä?ö#x").geturl() == "https://xn--bcher-kva.example/%C3%A4?%C3%B6"


def test_what_is_no_text_says_what_it_is(site: Site) -> None:
    url = site.page("/a.pdf", b"%PDF\0", Content_Type="application/pdf")
    with pytest.raises(ToolError, match=r"It is application/pdf \(5 bytes\), no text"):
        web_fetch(_runtime(), url)
    with pytest.raises(ToolError, match="answers 404 Not Found"):
        web_fetch(_runtime(), f"{site.url}/none")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "begins with https:// or http://"),
        ("ftp://example.org", "begins with https:// or http://"),
        ("example.org", "begins with https:// or http://"),
        ("http://", "names no host"),
        ("http://a:99999/", "is no URL"),
        ("https://example.org@127.0.0.1/", "name or password"),
    ],
)
def test_only_the_web_is_read(url: str, why: str) -> None:
    with pytest.raises(FetchError, match=why):
        checked(url)


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "100.64.0.1",
        ),
        *(
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
        ),
        "nonsense",
    ],
)
def test_an_address_of_a_private_network_is_none_of_the_web(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_others_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_this_machine_is_not_reached_unless_that_is_allowed(site: Site, host: str) -> None:
    site.page("/a", HTML)
    with pytest.raises(FetchError, match=r"private network|no such host"):
        _get(f"http://{host}:{site.port}/a", WebAccess())
    assert site.asked == []


def test_redirects_stay_on_the_host_and_are_counted(site: Site) -> None:
    site.page("/a", HTML)
    site.page("/r1", "", 302, Location="/a")
    assert _get(site.page("/r2", "", 301, Location="r1")).url == f"{site.url}/a"
    site.page("/loop", "", 302, Location="/loop")
    with pytest.raises(FetchError, match="more than 5 redirects"):
        _get(f"{site.url}/loop")
    away = site.page("/away", "", 302, Location="http://169.254.169.254/latest/")
    with pytest.raises(FetchError, match=r"another host: http://169\.254\.169\.254/latest/"):
        _get(away)
    with pytest.raises(FetchError, match="begins with https"):
        _get(site.page("/file", "", 302, Location="file:///etc/passwd"))


def test_a_page_has_at_most_so_many_bytes_also_when_it_is_packed(site: Site) -> None:
    large = b"a" * (fetching.MOST_BYTES + 10)
    page = _get(site.page("/large", large, Content_Type="text/plain"))
    assert (len(page.body), page.cut) == (fetching.MOST_BYTES, True)
    packed = site.page("/packed", gzip.compress(large * 4), Content_Type="text/plain", Content_Encoding="gzip")
    page = _get(packed)
    assert (len(page.body), page.cut) == (fetching.MOST_BYTES, True)
    page = _get(site.page("/small", gzip.compress(b"hello"), Content_Encoding="gzip"))
    assert (page.body, page.cut) == (b"hello", False)
    with pytest.raises(FetchError, match="cannot be read"):
        _get(site.page("/broken", b"no gzip", Content_Encoding="gzip"))


def test_a_page_that_does_not_end_is_cut_off_by_time_and_by_a_cancel(site: Site) -> None:
    url = site.page("/slow", "the beginning", Content_Type="text/plain")
    began = time.monotonic()
    token = CancelToken()
    threading.Timer(0.2, token.cancel).start()
    with pytest.raises(Cancelled):
        fetch(url, HERE, token)
    assert time.monotonic() - began < 10


def test_a_host_that_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(FetchError, match="there is no such host"):
        _get("http://no-such-host.invalid/")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(FetchError, match="Connection refused"):
            _get(f"http://127.0.0.1:{taken.getsockname()[1]}/")


def test_a_proxy_of_the_settings_is_used(site: Site) -> None:
    site.pages["http://example.invalid/a?b=1"] = (200, {"Content-Type": "text/plain"}, b"by proxy")
    proxy = site.url.replace("http://", "http://ada:secret@")
    page = _get("http://example.invalid/a?b=1", WebAccess(proxy=proxy))
    assert page.body == b"by proxy"
    path, headers = site.asked[0]
    assert (path, headers["Host"]) == ("http://example.invalid/a?b=1", "example.invalid")
    assert headers["Proxy-Authorization"].startswith("Basic ")
    with pytest.raises(FetchError, match="403"):
        _get("https://example.invalid/", WebAccess(find_proxy=lambda scheme, host: site.url))
    assert site.asked[1][0] == "example.invalid:443"
    with pytest.raises(FetchError, match="private network"):
        _get("http://127.0.0.1/", WebAccess(proxy=proxy))
    with pytest.raises(FetchError, match="has to begin with http://"):
        _get("http://example.invalid/", WebAccess(proxy="socks5://127.0.0.1:1"))


def test_it_is_there_only_where_the_network_is(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="the network is off"):
        web_fetch(SimpleNamespace(network=False), "https://example.org")

    def offered(on: bool, **wiring: Any) -> bool:
        persona = wiring.pop("persona", None)
        case = Case(**wiring)
        with Runtime(use_docker=False, workspace=tmp_path, network=on) as runtime:
            case.agent.runtime = runtime
            if persona is not None:
                case.agent.persona = persona
            return "web_fetch" in case.agent.tool_names()

    assert offered(True)
    assert not offered(False)
    assert not offered(True, persona=Persona("hermit", "", network=False))
    assert not offered(True, approvals=Approvals(Policy("plan")))


def test_a_session_gives_its_settings_on(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path, use_docker=False, network=True, web_fetch_private=True)
    with make_runtime(settings, "", print) as runtime:
        assert (runtime.network, runtime.web.private) == (True, True)
        with runtime.sibling() as sibling:
            assert sibling.web is runtime.web
    hermit = Settings(workspace=tmp_path, use_docker=False, network=True, persona=Persona("h", "", network=False))
    with make_runtime(hermit, "", print) as runtime:
        assert (runtime.network, runtime.web.private) == (False, False)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.org/a/b?c", "example.org"),
        ("http://example.org.:80/", "example.org"),
        ("https://example.org:8443/", "example.org:8443"),
        ("https://example.org@evil.test/", "evil.test"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_url_is_judged_by_its_host(url: str, host: str) -> None:
    assert host_of(url) == host


def test_approvals_ask_by_host() -> None:
    tool = REGISTRY.get("web_fetch")
    assert tool is not None
    arguments = {"url": "https://docs.example.org/a"}
    verdict = Policy("auto", confined=True).judge(tool, arguments)
    assert (verdict.action, verdict.rule) == ("ask", "web_fetch(docs.example.org)")
    judged: Callable[..., str] = lambda url, **rules: Policy("auto", **rules).judge(tool, {"url": url}).action  # noqa: E731
    for rule in ("web_fetch(docs.example.org)", "web_fetch(*.example.org)", "web_fetch"):
        assert judged(arguments["url"], allow=[rule]) == "allow"
        assert judged(arguments["url"], deny=[rule]) == "deny"
    for url in ("https://example.com/", "https://docs.example.org@example.com/", "https://docs.example.org:8443/"):
        assert judged(url, allow=["web_fetch(docs.example.org)"]) == "ask"
    assert judged("https://a.org/docs/x", allow=["web_fetch(https://a.org/docs/*)"]) == "allow"
    assert Policy("plan").judge(tool, arguments).action == "deny"
    assert Rule.parse("web_fetch(docs.example.org)").fits_arguments(arguments)
    assert summarize(PendingCall("c", "web_fetch", arguments)) == "Read https://docs.example.org/a"
