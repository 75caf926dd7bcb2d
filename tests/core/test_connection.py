"""How a model server is reached: headers, proxies, private certificates, patience; over real sockets."""

import ssl
import threading
import time
from itertools import pairwise

import pytest
import trustme

from pygent.cancellation import CancelToken
from pygent.errors import APIError, APITemporaryError, Cancelled
from pygent.models import Discarded, ModelNotice, OpenAIModel
from pygent.models.discover import list_models
from tests.fakes.http_proxy import FakeProxy
from tests.fakes.openai_server import FakeOpenAI, delta, raw, reply, silent, sse, status

ASK = [{"role": "user", "content": "hi"}]
PROXY_VARIABLES = [
    name for low in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for name in (low, low.upper())
]


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def make():
    """A function that makes a model which is closed in the end."""
    models = []

    def model(url, **options):
        models.append(OpenAIModel(url, "key", **{"first_pause": 0.01, "max_retries": 0, **options}))
        return models[-1]

    yield model
    for one in models:
        one.close()


def answer(model, cancel=None):
    items = list(model.stream(ASK, "m", None, cancel=cancel))
    return items, items[-1].message.content


def test_headers_go_with_every_request_and_over_our_own(make):
    with FakeOpenAI(lambda request: reply("Hi")) as server:
        model = make(server.url, headers={"X-Team": "blue", "Authorization": "Custom"})
        answer(model)
        model.chat(ASK, "m", None)
        assert [(sent["x-team"], sent["authorization"]) for sent in server.headers] == [("blue", "Custom")] * 2
        assert list_models(server.url, "key", headers={"X-Team": "blue"}) == ["fake"]
        assert server.asked[-1]["x-team"] == "blue"


def test_a_proxy_is_gone_through(make):
    with FakeOpenAI(lambda request: reply("Hi")) as server, FakeProxy() as proxy:
        assert answer(make(server.url, proxy=proxy.url))[1] == "Hi"
        assert proxy.asked == [f"POST {server.url}/chat/completions HTTP/1.1"]
        assert list_models(server.url, proxy=proxy.url) == ["fake"]
        assert proxy.asked[1:] == [f"GET {server.url}/models HTTP/1.1"]


def test_an_encrypted_server_behind_a_proxy(make, tls, ca_file):
    with FakeOpenAI(lambda request: reply("Hi"), tls=tls) as server, FakeProxy(password="secret") as proxy:
        url = proxy.url.replace("//", "//me:secret@")
        assert answer(make(server.url, proxy=url, certificates=ca_file))[1] == "Hi"
        assert list_models(server.url, proxy=url, certificates=ca_file) == ["fake"]
        assert [asked.rpartition(" ")[0] for asked in proxy.asked] == [f"CONNECT 127.0.0.1:{server.port}"] * 2


def test_a_request_through_a_tunnel_can_be_cut(make, tls, ca_file):
    with FakeOpenAI([silent()], tls=tls) as server, FakeProxy() as proxy:
        cancel = CancelToken()
        threading.Timer(0.3, cancel.cancel).start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            answer(make(server.url, proxy=proxy.url, certificates=ca_file), cancel)
        assert time.monotonic() - started < 10


def test_a_proxy_that_refuses_or_is_not_there_is_named(make, tls, ca_file):
    with FakeOpenAI([], tls=tls) as server, FakeProxy(password="secret") as proxy:
        with pytest.raises(APIError, match=r"The proxy on the way to .* refused: 407") as caught:
            answer(make(server.url, proxy=proxy.url, certificates=ca_file))
        assert not isinstance(caught.value, APITemporaryError)
    url = proxy.url.replace("//", "//me:secret@")
    with pytest.raises(APITemporaryError, match=rf"The proxy {proxy.url} on the way to .* does not answer") as caught:
        answer(make(server.url, proxy=url))
    assert "secret" not in str(caught.value)


def test_the_environments_proxy_is_for_the_world_outside(make, monkeypatch):
    with FakeOpenAI(lambda request: reply("Hi")) as server, FakeProxy() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert answer(make(server.url))[1] == "Hi"
        assert list_models(server.url) == ["fake"]
        assert proxy.asked == []
        outside = server.url.replace("127.0.0.1", "server.invalid")
        with pytest.raises(APIError, match="HTTP 502"):
            answer(make(outside))
        assert proxy.asked == [f"POST {outside}/chat/completions HTTP/1.1"]
        with pytest.raises(APIError, match="was not found"):
            answer(make(outside, proxy="direct"))
        assert len(proxy.asked) == 1


def test_a_socks_proxy_without_its_package_is_told(make):
    pytest.importorskip("openai")
    with FakeOpenAI([]) as server, pytest.raises(APIError, match=r"proxy: .*socksio"):
        answer(make(server.url, proxy="socks5://127.0.0.1:1"))


def test_a_private_authority_is_trusted_when_named(make, tls, ca_file):
    with FakeOpenAI(lambda request: reply("Hi"), tls=tls) as server:
        assert answer(make(server.url, certificates=ca_file))[1] == "Hi"
        assert list_models(server.url, certificates=ca_file) == ["fake"]
        for ask in (lambda: answer(make(server.url)), lambda: list_models(server.url)):
            with pytest.raises(APIError, match=r"cannot be trusted: .*the setting certificates") as caught:
                ask()
            assert not isinstance(caught.value, APITemporaryError)


def test_a_file_of_certificates_that_cannot_be_read_is_told(make, tmp_path):
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file, words in ((empty, "holds no certificate"), (tmp_path / "none.pem", "No such file")):
        for ask in (
            lambda file=file: answer(make("https://127.0.0.1:1/v1", certificates=file)),
            lambda file=file: list_models("https://127.0.0.1:1/v1", certificates=file),
        ):
            with pytest.raises(
                APIError, match=rf"certificates: '.*{file.name}' cannot be used: .*{words}.*; accepted"
            ):
                ask()


# Patience


def test_the_first_piece_of_an_answer_is_waited_for_a_set_time(make):
    comments = raw([b": working\n\n"] * 600, chunk_delay=0.05)
    for step in (silent(), reply("Hi", stall=30), comments):
        with FakeOpenAI([step, reply("Hi")]) as server:
            started = time.monotonic()
            items, text = answer(make(server.url, first_token_timeout=0.3, max_retries=1))
            assert text == "Hi"
            assert 0.3 <= time.monotonic() - started < 10
            (notice,) = [item for item in items if isinstance(item, ModelNotice)]
            assert "did not answer in 0.3 s. Trying again" in notice.text


@pytest.mark.hostile(70)
def test_each_further_piece_is_waited_for_a_set_time(make):
    stuck = raw(sse(delta(content="Hal"), done=False), end="stay")
    with FakeOpenAI([stuck, reply("Half and whole", chunk_delay=0.1, chunk_size=4)]) as server:
        started = time.monotonic()
        items, text = answer(make(server.url, token_timeout=1, max_retries=1))
        assert text == "Half and whole"
        assert time.monotonic() - started < 10
        (told,) = [item for item in items if isinstance(item, Discarded)]
        assert "stopped in the middle of its answer: nothing more came in 1 s. Trying again" in told.why


def test_a_slow_beginning_is_no_slow_answer(make):
    with FakeOpenAI([reply("Hi there", delay=1.5)]) as server:
        assert answer(make(server.url, token_timeout=1, first_token_timeout=60))[1] == "Hi there"


@pytest.mark.hostile(70)
def test_a_server_that_stays_silent_ends_as_a_passing_failure(make):
    words = r"did not answer in 0.1 s\. Gave up after 2 tries"
    with FakeOpenAI(lambda request: silent()) as server, pytest.raises(APITemporaryError, match=words):
        answer(make(server.url, first_token_timeout=0.1, max_retries=1))


# Pauses


def test_pauses_grow_are_told_and_differ(make):
    with FakeOpenAI(lambda request: status(503, "busy")) as server:
        model = make(server.url, max_retries=4, first_pause=0.02)
        pauses = []
        for _ in range(2):
            stream = model.stream(ASK, "m", None)
            told = [next(stream) for _ in range(4)]
            assert [(type(item), item.level) for item in told] == [(ModelNotice, "warning")] * 4
            with pytest.raises(APITemporaryError, match="Gave up after 5 tries"):
                next(stream)
            pauses.append([later - earlier for earlier, later in pairwise(server.stamps[-5:])])
        for waited in pauses:
            for position, pause in enumerate(waited):
                assert 0.02 * 2**position <= pause
        assert pauses[0] != pauses[1]


def test_certificates_count_also_where_a_plain_address_redirects_to_an_encrypted_one(make, tls, ca_file, monkeypatch):
    with FakeOpenAI(lambda request: reply("Hi"), tls=tls) as server:
        moved = status(307, body=b"", headers={"Location": f"{server.url}/chat/completions"})
        with FakeOpenAI([moved, moved]) as plain:
            with pytest.raises(APIError, match="certificate"):
                make(plain.url).chat(ASK, "m", None)
            monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
            assert make(plain.url).chat(ASK, "m", None).content == "Hi"
