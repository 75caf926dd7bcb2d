"""Who gets into `pygent serve`, asked over plain HTTP with whatever headers an attacker can make a browser send."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pygent.errors import SettingsError
from tests.fakes.serving import UPGRADE, Serving, serving

PATHS = ("/", "/ws", "/key", "/page/page.js", "/static/js/textual.js", "/download/x", "/nothing", "/?fontsize=9")
PASSWORD = "correct horse"
GUI = """
from tests.fakes.models import ScriptedModel
from pygent import Agent, Runtime
Agent(Runtime(use_docker=False), model=ScriptedModel([])).run_gui()
"""


def home_in(folder: Path) -> dict[str, str]:
    (folder / "work").mkdir()
    names = ("PATH", "LANG", "DOCKER_HOST", "PYTHONPATH", "PYGENT_LOCAL_SANDBOX")
    keep = {name: value for name, value in os.environ.items() if name in names}
    return {**keep, "HOME": str(folder), "PYGENT_USE_DOCKER": "0", "OPENAI_API_KEY": "test-key", "TERM": "dumb"}


@pytest.fixture(scope="module", params=["serve", "run_gui"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    top = str(Path(__file__).parents[3])
    home = {**home_in(tmp_path_factory.mktemp("home")), "PYTHONPATH": top}
    command = [sys.executable, "-c", GUI] if request.param == "run_gui" else None
    with serving(home, "--demo", command=command) as server:
        yield server


@pytest.fixture(scope="module")
def cookie(server: Serving) -> tuple[str, str]:
    return server.let_in()


@pytest.fixture(scope="module")
def key(server: Serving, cookie: tuple[str, str]) -> str:
    return server.key(cookie)


def upgrade(server: Serving, key: str, *headers: tuple[str, str]) -> int:
    return server.ask(f"/ws?app=new&key={key}", *UPGRADE.items(), *headers).status


@pytest.mark.hostile(73)
def test_without_a_token_nothing_is_answered(server: Serving, cookie: tuple[str, str], key: str) -> None:
    own = ("Origin", server.base)
    for path in PATHS:
        assert server.ask(path, own).status == 401, path
    assert upgrade(server, key, own) == 401
    name = cookie[1].partition("=")[0]
    wrong = [
        f"{name}=x",
        f"{name}=",
        f"other={cookie[1].partition('=')[2]}",
        cookie[1][:-1],
        f"{cookie[1]}x",
        "=;;",
    ]
    for value in wrong:
        assert upgrade(server, key, own, ("Cookie", value)) == 401, value
    assert server.ask("/").text.count("<form") == 1
    assert server.ask("/page/page.js", cookie).status == 200


@pytest.mark.hostile(73)
def test_an_address_works_once_and_a_wrong_one_never(server: Serving, cookie: tuple[str, str]) -> None:
    used = urlsplit(server.url).query
    assert re.fullmatch(r"token=[\w-]{43}", used)
    for query in (used, "token=", "token=x", "token=%ff%00", f"token={'x' * 3000}", f"{used}&token=x"):
        answer = server.ask(f"/?{query}")
        assert answer.status == 401, query
        assert answer.headers["Set-Cookie"] is None
    again = server.ask(f"/?{used}&fontsize=20", cookie)
    assert (again.status, again.headers["Location"]) == (303, "/?fontsize=20")
    form = server.ask("/login", ("Origin", server.base), method="POST", body=used)
    assert form.status == 401


def test_a_program_without_cookies_gets_the_page_once(tmp_path: Path) -> None:
    with serving(home_in(tmp_path), "--demo") as server:
        query = urlsplit(server.url).query
        answer = server.ask(f"/?{query}", ("Accept", "*/*"))
        assert answer.status == 200
        assert "page.js" in answer.text
        assert server.ask("/page/page.js", answer.cookie).status == 200
        assert server.ask(f"/?{query}", ("Accept", "*/*")).status == 401


@pytest.mark.hostile(73, 79)
def test_a_cookie_is_for_this_browser_and_server_only(tmp_path: Path) -> None:
    with serving(home_in(tmp_path), "--demo") as server:
        query = urlsplit(server.url).query
        assert server.ask(f"/?{query}", method="HEAD").status == 401, "looking must not use it up"
        answer = server.ask(f"/?{query}")
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        attributes = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
        assert attributes == {"httponly", "path=/", "samesite=strict"}
        assert query.partition("=")[2] not in str(answer.headers)
        first = answer.cookie
        stranger = server.ask("/", ("Cookie", f"{first[1].partition('=')[0]}={'A' * 43}"))
        assert stranger.status == 401
        page = server.ask("/", first)
        assert page.status == 200
        assert "token" not in page.text


@pytest.mark.hostile(74)
def test_a_page_of_another_origin_is_refused(server: Serving, cookie: tuple[str, str], key: str) -> None:
    port = server.port
    foreign = [
        "null", "", "http://evil.example", f"http://127.0.0.1:{port + 1}", "http://127.0.0.1",
        f"http://localhost:{port}", f"http://127.0.0.1:{port}.evil.example", f"http://127.0.0.1:{port}@evil.example",
        f"http://evil.example:{port}", f"{server.base}/", f"file://127.0.0.1:{port}", "http://[",
        f"{server.base}, null",
        f"http://127.0.0.1:{port}0",
    ]  # fmt: skip
    for origin in foreign:
        assert upgrade(server, key, cookie, ("Origin", origin)) == 403, origin
        for path in PATHS:
            assert server.ask(path, cookie, ("Origin", origin)).status == 403, (path, origin)
    assert upgrade(server, key, cookie) == 403, "a web socket without an origin"
    assert upgrade(server, key, cookie, ("Origin", server.base), ("Origin", "null")) == 403
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert server.ask("/login", cookie, method=method).status == 403, method
        assert server.ask("/", cookie, ("Origin", "null"), method=method).status == 403, method


@pytest.mark.hostile(73)
def test_a_cookie_without_the_key_of_its_page_opens_no_session(
    server: Serving, cookie: tuple[str, str], key: str
) -> None:
    """Browsers send the cookie to every port of this machine, so others may have it."""
    own = ("Origin", server.base)
    for wrong in ("", "x", key[:-1], f"{key}x", cookie[1].partition("=")[2]):
        assert upgrade(server, wrong, cookie, own) == 401, wrong
        assert server.ask("/key", cookie, own, method="POST", body=wrong).status == 409, wrong
    assert server.ask("/key", cookie, own, method="POST", body=key).status == 204
    assert server.ask("/key", own, method="POST", body=key).status == 401
    assert server.ask("/key", cookie, ("Origin", "null"), method="POST", body=key).status == 403
    for spelling in ("/%77s", "/./ws", "//ws", "/x/../ws", "/ws/", "/WS", f"{server.base}/ws"):
        assert server.ask(spelling, *UPGRADE.items(), cookie, own).status in {401, 404}, spelling
        assert server.ask(f"{spelling}?key={key}", *UPGRADE.items(), cookie).status in {403, 404}, spelling
    assert upgrade(server, key, cookie, own) == 101


@pytest.mark.hostile(74)
def test_another_page_can_open_it_but_not_use_it(server: Serving, cookie: tuple[str, str]) -> None:
    def fetched(path: str, site: str, dest: str) -> int:
        return server.ask(path, cookie, ("Sec-Fetch-Site", site), ("Sec-Fetch-Dest", dest)).status

    for site in ("cross-site", "same-site"):
        assert fetched("/", site, "document") == 200
        for dest in ("iframe", "image", "script", "empty", "object"):
            assert fetched("/", site, dest) == 403
            assert fetched("/page/page.js", site, dest) == 403
    assert fetched("/page/page.js", "same-origin", "script") == 200


@pytest.mark.hostile(75)
def test_a_foreign_name_is_not_answered_to(server: Serving, cookie: tuple[str, str], key: str) -> None:
    port = server.port
    foreign = [
        "evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", f"localhost.evil.example:{port}",
        f"evil@127.0.0.1:{port}", "10.0.0.1", "0.0.0.0", "127.0.0.1:99999", "127.0.0.1/x", "[::2]", "", "2130706433",
    ]  # fmt: skip
    for host in foreign:
        own = ("Origin", f"http://{host}")
        assert server.ask("/", cookie, ("Host", host)).status in {400, 421}, host
        assert upgrade(server, key, cookie, ("Host", host), own) in {400, 421}, host
        assert "Set-Cookie" not in server.ask(urlsplit(server.url).path, ("Host", host), own).headers
    assert server.ask("/", cookie, ("Host", f"evil.example:{port}")).status == 421
    for host in (f"localhost:{port}", "127.0.0.1:9", "[::1]:80", f"127.0.0.2:{port}"):  # a tunnel has its own port
        assert server.ask("/", ("Host", host)).status == 401, host


@pytest.mark.hostile(79)
def test_every_answer_tells_the_browser_to_be_careful(server: Serving, cookie: tuple[str, str]) -> None:
    answers = [server.ask(path, cookie) for path in PATHS if path != "/ws"]
    answers += [
        server.ask("/"),
        server.ask("/", ("Host", "evil.example")),
        server.ask("/?token=x"),
        server.ask("/ws"),
    ]
    for answer in answers:
        own = "same-origin" if "<form" in answer.text else "no-referrer"  # a form must say where it comes from
        assert answer.headers.get_all("Referrer-Policy") == [own], answer.text
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'; script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy


@pytest.mark.hostile(78)
def test_what_is_no_http_leaves_it_well(server: Serving, cookie: tuple[str, str]) -> None:
    nonsense = [
        b"\0" * 1000, b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /?token=secret\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ]  # fmt: skip
    for data in nonsense:
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while more := connection.recv(65536):
                    answer += more
            except ConnectionError:
                pass
        assert b"200 OK" not in answer
        assert b"Traceback" not in answer
    assert server.ask("/static/../server.py", cookie).status in {403, 404}
    assert server.ask("/static/..%2f..%2fserver.py", cookie).status in {403, 404}
    assert server.ask("/page/..%2fserver.py", cookie).status == 404
    assert server.ask("/page/page.js", cookie).status == 200


@pytest.mark.hostile(79)
def test_the_token_is_in_no_log(tmp_path: Path) -> None:
    log = tmp_path / "pygent.log"
    with serving(home_in(tmp_path), "--demo", PYGENT_LOG_FILE=str(log)) as server:
        token = urlsplit(server.url).query.partition("=")[2]
        cookie = server.let_in()
        server.ask(f"/?token={token}")
        server.ask(f"/nothing?token={token}", cookie)
        server.ask(f"/?token={token}", ("Host", "evil.example"))
        _, code, out, err = server.end()
    assert (code, out) == (0, "")
    assert "used up" in err
    written = err + "".join(path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file())
    assert token not in written
    assert cookie[1].partition("=")[2] not in written
    assert "token=" not in written, "the next address is for a terminal only"


@pytest.mark.hostile(79)
def test_a_terminal_is_told_the_next_address(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with serving(home_in(tmp_path), "--demo", stderr=theirs) as server:
        os.close(theirs)
        cookie = server.let_in()
        server.key(cookie)
        told = ""
        while "token=" not in told:
            told += os.read(ours, 4096).decode()
        query = told[told.index("token=") :].split()[0]
        assert query not in server.url
        again = server.ask(f"/?{query}", cookie)  # a browser that has lost the key of its page gets another
        assert again.status == 303
        assert server.key(again.cookie)
        assert server.ask(f"/?{query}").status == 401
    os.close(ours)


@pytest.mark.hostile(76)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "", "example.invalid"])
def test_others_are_let_in_only_on_purpose(tmp_path: Path, host: str) -> None:
    done = refused(tmp_path, "--host", host)
    assert done.returncode == 2
    assert "PYGENT_WEB_PASSWORD" in done.stderr
    assert "--password-file" in done.stderr


@pytest.mark.hostile(76)
def test_run_gui_has_the_same_rule() -> None:
    from pygent import Agent, Runtime
    from pygent.web import serve_agent

    agent = Agent(Runtime(use_docker=False))
    try:
        with pytest.raises(SettingsError, match="password"):
            serve_agent(agent, host="0.0.0.0")
    finally:
        agent.close()


def refused(folder: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pygent", "serve", "--port", "0", *options],
        env={**home_in(folder), **env},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.hostile(76)
def test_a_password_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{PASSWORD}\nmore\n")
    file.chmod(0o644)
    cases = [
        (["--password-file", str(file)], {}, "others can read"),
        (["--password-file", str(tmp_path / "none")], {}, "cannot be read"),
        ([], {"PYGENT_WEB_PASSWORD": "short"}, "PYGENT_WEB_PASSWORD: a password of 5 characters"),
    ]
    for number, (options, env, why) in enumerate(cases):
        (tmp_path / str(number)).mkdir()
        done = refused(tmp_path / str(number), "--host", "0.0.0.0", *options, **env)
        assert done.returncode == 2
        assert why in done.stderr
        assert PASSWORD not in done.stderr


@pytest.mark.hostile(76, 73)
@pytest.mark.parametrize("by", ["file", "variable"])
def test_a_password_lets_in_and_is_seen_nowhere(tmp_path: Path, by: str) -> None:
    file = tmp_path / "secret"
    file.touch(0o600)
    file.write_text(f"{PASSWORD}\n")
    options = ["--password-file", str(file)] if by == "file" else []
    env = {} if by == "file" else {"PYGENT_WEB_PASSWORD": PASSWORD}
    with serving(home_in(tmp_path), "--host", "0.0.0.0", "--demo", *options, **env) as server:
        own = ("Origin", server.base)
        body = "token=correct+horse"
        begun = time.monotonic()
        assert server.ask("/login", own, method="POST", body="token=wrong").status == 401
        assert time.monotonic() - begun > 0.9, "guesses are slow"
        assert server.ask("/login", ("Origin", "null"), method="POST", body=body).status == 403
        assert server.ask("/login", own, method="POST", body=f"token={'x' * 5000}").status == 413
        answer = server.ask("/login", own, method="POST", body=body)
        assert answer.status == 303
        assert server.ask("/", answer.cookie).status == 200
        name = socket.gethostname()
        assert server.ask("/", answer.cookie, ("Host", f"{name}:{server.port}")).status == 200
        assert server.ask("/", answer.cookie, ("Host", f"{name}.evil.example:{server.port}")).status == 421

        assert upgrade(server, server.key(answer.cookie), answer.cookie, own) == 101
        deadline = time.monotonic() + 10
        while not server.apps() and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in (server.process.pid, *server.apps()):
            assert PASSWORD.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        for pid in server.apps():
            assert PASSWORD.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
        _, _, _, err = server.end()
        assert PASSWORD not in err
        assert "other machines reach it" in err


def test_the_start_tells_what_it_opens(tmp_path: Path) -> None:
    with serving(home_in(tmp_path), "--demo", PYGENT_WEB_KEEP="300") as server:
        _, _, out, err = server.end()
    assert out == ""
    assert f"Listening on 127.0.0.1:{server.port}: only programs of this machine" in err
    assert "5 minutes" in err


def test_names_can_be_added(tmp_path: Path) -> None:
    with serving(home_in(tmp_path), "--demo", PYGENT_WEB_HOSTS=f"a.example{os.pathsep}Pygent.Example") as server:
        assert server.ask("/", ("Host", "pygent.example")).status == 401
        assert server.ask("/", ("Host", "other.example")).status == 421
