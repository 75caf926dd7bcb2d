"""Settings that say how the model server is reached."""

import pytest

from pygent.errors import SettingsError
from pygent.settings import load
from pygent.settings.masking import shown
from pygent.settings.secrets import secrets_of


def read(text, tmp_path):
    (tmp_path / "c.yaml").write_text(text)
    return load(config_file=tmp_path / "c.yaml", environ={"XDG_CONFIG_HOME": str(tmp_path / "none")})


def test_they_are_read(tmp_path):
    settings = read(
        "headers: {X-Team: blue, Authorization: Bearer long-secret}\nproxy: http://me:password@proxy:3128\n"
        "certificates: ca.pem\nfirst_token_timeout: 90\ntoken_timeout: 20.5\nmax_tokens: 4096\n",
        tmp_path,
    )
    assert settings.headers == {"X-Team": "blue", "Authorization": "Bearer long-secret"}
    assert (settings.proxy, settings.certificates) == ("http://me:password@proxy:3128", tmp_path / "ca.pem")
    assert (settings.first_token_timeout, settings.token_timeout, settings.max_tokens) == (90, 20.5, 4096)
    assert shown("headers", settings.headers) == {"X-Team": "••••", "Authorization": "••••"}
    assert shown("proxy", settings.proxy) == "http://me:••••@proxy:3128"
    assert {"Bearer long-secret", "password"} <= set(secrets_of(settings))
    assert "secret" not in repr(settings)
    assert "password" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("headers: {a b: c}", r"c.yaml:1: headers: 'a b' is no name of a header"),
        ('headers:\n  X-Key: "one\\ntwo-secret"', r"headers: the value of X-Key cannot be used; accepted: one line"),
        ("headers: X-Key", r"headers: .* accepted: a mapping of names of HTTP headers"),
        ("proxy: ftp://me:secret@proxy", r"c.yaml:1: proxy: this cannot be used; accepted: direct, or a URL"),
        ("proxy: proxy.example:3128", r"proxy: this cannot be used; accepted: direct, or a URL"),
        ("proxy: http://proxy:port", r"proxy: this cannot be used"),
        ("token_timeout: 0", r"token_timeout: .* accepted: a number of seconds greater than 0"),
        ("max_tokens: many", r"max_tokens: .* accepted: a whole number from 1"),
    ],
)
def test_a_mistake_is_told_without_secrets(tmp_path, text, words):
    with pytest.raises(SettingsError, match=words) as caught:
        read(text, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_workspace_cannot_send_the_key_elsewhere(tmp_path):
    from pygent.settings.trust import trust

    folder = tmp_path / "work"
    (folder / ".pygent").mkdir(parents=True)
    (folder / ".pygent" / "config.yaml").write_text("proxy: http://evil:1\nheaders: {X: y}\ncertificates: ca.pem\n")
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
    trust(folder, environ)
    settings = load(workspace=folder, environ=environ)
    assert (settings.proxy, settings.headers, settings.certificates) == (None, {}, None)
    assert len([text for text in settings.notices if "a workspace's file cannot set it" in text]) == 3
