"""How one source is asked: what may be saved, and that no secret goes where it does not belong."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from harvester import access
from harvester.access import Access
from harvester.errors import SourceError, Unavailable, UsageError
from harvester.http import Http
from harvester.net.body import PIECE
from tests.misbehaving import Portal, clients, say, serving, to

serve = pytest.fixture(name="serve")(serving)
client = pytest.fixture(name="client")(clients)

Serve = Callable[..., Portal]
Client = Callable[..., Http]


def test_what_is_saved_is_what_was_given() -> None:
    given = {
        "headers": {"Accept-Language": "fr"},
        "secrets": {"Authorization": "Apikey env:PORTAL_KEY", "?api_key": "file:/run/secrets/a b"},
        "proxy": "http://proxy.example:3128",
        "ca_bundle": "/etc/ca.pem",
        "user_agent": "one/1 (a@b.c)",
        "interval": 2.5,
        "connections": 1,
    }
    saved = access.checked(given)
    assert saved == given
    assert json.loads(json.dumps(saved)) == given
    assert access.loaded(saved).interval == 2.5
    assert access.checked(None) == access.checked({}) == {}
    assert access.loaded(None) == Access()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"secrets": {"Authorization": "Bearer hunter2hunter2"}}, "access.secrets: .*env:NAME or file:/path"),
        ({"secrets": {"Authorization": "hunter2hunter2"}}, "env:NAME or file:/path"),
        ({"secrets": {"Authorization": "env:hunter2 hunter2"}}, "name of a variable"),
        ({"secrets": {"X": "env:HARVESTER_DATABASE_URL"}}, "settings of the service are not sent"),
        ({"secrets": {"X": "env:harvester_proxy"}}, "settings of the service are not sent"),
        ({"secrets": {"X": "file:hunter2"}}, "absolute path"),
        ({"secrets": {"?": "env:A"}}, r"written \?name"),
        ({"secrets": {"a b": "env:A"}}, "name of a header"),
        ({"secrets": {"X\r\nHost": "env:A"}}, "name of a header"),
        ({"secrets": {"Host": "env:A"}}, "set by the client itself"),
        ({"secrets": {"Proxy-Authorization": "env:A"}}, "set by the client itself"),
        ({"secrets": ["hunter2"]}, "access.secrets"),
        ({"secrets": {"X": 5}}, "access.secrets.X"),
        ({"headers": {"Authorization": "hunter2"}}, "is a credential"),
        ({"headers": {"X-Api-Key": "hunter2"}}, "is a credential"),
        ({"headers": {"X-A": "a\r\nCookie: b"}}, "one short line"),
        ({"headers": {"Content-Length": "5"}}, "set by the client itself"),
        ({"proxy": "http://u:hunter2@proxy.example:1"}, "env:NAME or file:/path"),
        ({"proxy": "socks5://proxy.example"}, "http://host:port"),
        ({"proxy": "http://"}, "http://host:port"),
        ({"interval": -1}, "access.interval"),
        ({"interval": float("nan")}, "access.interval"),
        ({"connections": 0}, "access.connections"),
        ({"user_agent": "a\nb"}, "one line"),
        ({"token": "hunter2"}, "access.token"),
        ("hunter2", "access: "),
        ([], None),
        (["hunter2"], "access: "),
    ],
)
def test_what_does_not_fit_is_refused_without_being_shown(given: Any, told: str | None) -> None:
    if told is None:
        assert access.checked(given) == {}
        return
    with pytest.raises(UsageError, match=told) as caught:
        access.checked(given)
    assert caught.value.code == "bad-access"
    assert "hunter2" not in f"{caught.value.message} {caught.value.value} {caught.value!r} {caught.value.__cause__}"


def test_secrets_are_read_when_a_run_starts(
    serve: Serve, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    how = Access(
        headers={"Accept-Language": "fr"},
        secrets={"Authorization": "Apikey env:PORTAL_KEY", "?api_key": f"file:{key}"},
    )
    portal = serve(say(b"[]"))
    for number in (1, 2):
        monkeypatch.setenv("PORTAL_KEY", f"header-{number}")
        key.write_text(f"param eter/{number}\n")
        answer = client(access=how, home=portal.url).get(portal.url + "/x?a=1")
        path, headers = portal.seen[-1]
        assert path == f"/x?a=1&api_key=param%20eter%2F{number}"
        assert (headers["Authorization"], headers["Accept-Language"]) == (f"Apikey header-{number}", "fr")
        assert answer.url == portal.url + "/x?a=1"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b"", "is empty or not set"),
        (b" \n", "is empty or not set"),
        (b"root:x:0\nhunter2:x:1\n", "more than one line"),
        (b"hunter2\xff", "no text"),
        (b"hunter2\x00", "more than one line of text"),
    ],
)
def test_a_secret_that_cannot_be_read_fails_the_request(
    serve: Serve, client: Client, tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    portal = serve(say(b"[]"))
    with pytest.raises(SourceError, match=told) as caught:
        client(access=Access(secrets={"Authorization": f"file:{path}"})).get(portal.url)
    assert (caught.value.code, caught.value.field, portal.seen) == ("credentials", "Authorization", [])
    assert str(path) in caught.value.message
    assert "hunter2" not in caught.value.message
    with pytest.raises(SourceError, match="env:NO_SUCH_VARIABLE is empty or not set"):
        client(access=Access(secrets={"X": "env:NO_SUCH_VARIABLE"})).get(portal.url)


def test_secrets_and_headers_of_a_source_stay_at_its_origin(
    serve: Serve, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PORTAL_KEY", "hunter2/é")
    how = Access(headers={"X-Tenant": "north"}, secrets={"X-Key": "env:PORTAL_KEY", "?k": "Apikey env:PORTAL_KEY"})
    away = serve(say(b"[]"))
    echo = f"{away.url}/away?page=2&k=Apikey%20hunter2%2F%C3%A9&z=hunter2/%C3%A9"
    home = serve(to(echo), say(b"[]"), say(b"wrong key hunter2/\xc3\xa9, hunter2%2F%C3%A9", 500))
    http = client({"retries": 0}, access=how, home=home.url + "/api")
    assert http.get(home.url + "/api").url == f"{away.url}/away?page=2"
    http.get(echo)
    http.get(home.url + "/api?page=3")
    with pytest.raises(Unavailable) as caught:
        http.get(home.url + "/api?page=4")
    assert [path for path, _ in away.seen] == ["/away?page=2"] * 2
    assert not any("X-Tenant" in headers or "X-Key" in headers for _, headers in away.seen)
    assert all("X-Tenant" in headers and "X-Key" in headers and "k=Apikey" in path for path, headers in home.seen)
    told = f"{caught.value.message} {caught.value!r} {caught.value.url} {caplog.text} {http.__dict__!r} {how!r}"
    assert "wrong key ***" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("before", [0, PIECE - 5, 2 * PIECE - 1])
def test_a_big_answer_does_not_bring_the_key_back(
    serve: Serve, client: Client, monkeypatch: pytest.MonkeyPatch, zipped: bool, before: int
) -> None:
    key = "k3y/0123456789ab"
    monkeypatch.setenv("PORTAL_KEY", key)
    said = b"-" * before + f"<a?k={quote(key, safe='')}> told {key}{key}.".encode() + b"-" * PIECE
    home = serve(say(gzip.compress(said) if zipped else said))
    http = client(access=Access(secrets={"?k": "Apikey env:PORTAL_KEY"}), home=home.url)
    with http.stream(home.url) as feed:
        brought = feed.read()
    stars = "*" * len(key)
    assert brought == b"-" * before + f"<a?k={stars}**> told {stars}{stars}.".encode() + b"-" * PIECE
