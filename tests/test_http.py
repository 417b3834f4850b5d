"""The HTTP client against real servers on the loopback interface that misbehave as portals do, and a few fakes."""

from __future__ import annotations

import contextvars
import gzip
import io
import json
import logging
import socket
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest

from harvester.ahead import ahead
from harvester.errors import Blocked, SourceError, Unavailable, UsageError
from harvester.http import Http, Pace
from harvester.net import body, guard, rules, urls
from harvester.settings import Settings
from tests.misbehaving import (
    OK_HEAD,
    Handler,
    Portal,
    Script,
    Time,
    at_once,
    dated,
    raw,
    say,
    settings,
    to,
)

# -- answers ----------------------------------------------------------------------------------------------------------


def test_a_good_answer(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(say(b'{"a": 1}', x_thing="yes", content_type="application/json"))
    answer = client().get(portal.url + "/api?x=1", {"rows": 10, "none": None}, {"X-Fields": "id"})
    assert (answer.status, answer.json(), answer.headers["X-Thing"]) == (200, {"a": 1}, "yes")
    path, headers = portal.seen[0]
    assert path == "/api?x=1&rows=10"
    assert headers["User-Agent"] == settings().user_agent
    assert headers["X-Fields"] == "id"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b"<!DOCTYPE html><html><title>Down for\nmaintenance</title>", "text/html", "Down for maintenance"),
        (b'{"result": [1, 2', "application/json", "line 1 column"),
        (b"Bad request - Action name not known", "text/plain", "Bad request - Action name not known"),
        (b"", "application/json", "0 bytes"),
        (b'{"a": 1,}', "application/json", "column "),
        (b"\x1f\x8bgarbage", "application/json", "cut or damaged"),
    ],
)
def test_what_is_no_json_says_what_it_is(
    serve: Callable[..., Portal], client: Callable[..., Http], content: bytes, kind: str, told: str
) -> None:
    answer = client().get(serve(say(content, content_type=kind)).url + "/?apikey=s3cr3t")
    with pytest.raises(SourceError) as caught:
        answer.json()
    assert told in caught.value.message
    assert "s3cr3t" not in caught.value.message
    assert caught.value.code in {"not-json", "truncated"}
    assert caught.value.url == answer.url.replace("s3cr3t", "***")


def test_the_charset_of_an_answer_is_found_out(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(
        say('["été"]'.encode(), content_type="application/json; charset=ISO-8859-1"),
        say('["été"]'.encode("latin-1"), content_type="application/json; charset=utf-8"),
        say('["łza"]'.encode("iso-8859-2"), content_type="application/json; charset=iso-8859-2"),
    )
    http = client()
    assert [http.get(portal.url).json()[0] for _ in range(3)] == ["été", "été", "łza"]
    assert http.get(portal.url).text == '["łza"]'


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:])),
        ("gzip", lambda data: gzip.compress(data) + b"\0" * 8),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("gzip", lambda data: data),
        ("utf-8", lambda data: data),
        ("identity", lambda data: data),
        ("", gzip.compress),
    ],
)
def test_encodings_are_undone(
    serve: Callable[..., Portal], client: Callable[..., Http], encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    text = json.dumps(["été"] * 50_000).encode()
    portal = serve(say(encode(text), content_encoding=encoding))
    http = client()
    assert http.get(portal.url).json() == json.loads(text)
    with http.stream(portal.url) as feed:
        assert feed.read() == text
        feed.seek(2)
        assert feed.read(4) == text[2:6]


def test_conditional_requests(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(say(b"", 304))
    answer = client().get(portal.url, etag='"1"', last_modified="Sat, 21 Nov 2026 00:00:00 GMT")
    assert answer.status == 304
    headers = portal.seen[0][1]
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"1"', "Sat, 21 Nov 2026 00:00:00 GMT")
    with pytest.raises(SourceError, match="HTTP 304"):
        client().get(portal.url)


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code"),
    [
        (400, {}, SourceError, "http-400"),
        (404, {}, SourceError, "http-404"),
        (410, {}, SourceError, "http-410"),
        (302, {}, SourceError, "http-302"),
        (401, {}, Blocked, "credentials"),
        (403, {}, Blocked, "blocked"),
        (503, {"cf_mitigated": "challenge"}, Blocked, "blocked"),
        (202, {"x_amzn_waf_action": "challenge"}, Blocked, "blocked"),
        (501, {}, Unavailable, "http-501"),
    ],
)
def test_refusals_are_told_at_once(
    serve: Callable[..., Portal],
    patient: tuple[Http, Time],
    status: int,
    headers: dict[str, str],
    kind: type[SourceError],
    code: str,
) -> None:
    portal = serve(say(b"<style>p{}</style><p>No   such\nthing</p>", status, **headers))
    with pytest.raises(SourceError) as caught:
        patient[0].get(portal.url + "/x")
    error = caught.value
    assert (type(error), error.code, error.value, error.url) == (kind, code, status, portal.url + "/x")
    assert f"HTTP {status}" in error.message
    assert "it said: No such thing" in error.message
    assert (len(portal.seen), patient[1].slept) == (1, [])
    answer = patient[0].try_get(portal.url + "/x")
    assert answer.status == status
    assert type(answer.trouble()) is kind


@pytest.mark.parametrize("status", [202, 206, 408, 429, 500, 502, 503, 504, 520])
def test_temporary_failures_are_asked_again_ever_later(
    serve: Callable[..., Portal], patient: tuple[Http, Time], status: int
) -> None:
    http, time = patient
    portal = serve(say(b"busy", status), say(b"busy", status), say(b"[1]"))
    assert http.get(portal.url).json() == [1]
    assert time.slept == [1.0, 2.0]
    portal.scripts = [say(b"busy", status)]
    with pytest.raises(Unavailable, match=rf"HTTP {status} .*127\.0\.0\.1.*it said: busy; asked 4 times") as caught:
        http.get(portal.url)
    assert caught.value.value == status
    assert time.slept[2:] == [1.0, 2.0, 4.0]


def test_jitter_is_full_and_back_off_capped() -> None:
    asked: list[tuple[float, float]] = []
    for attempt in (0, 3, 5000):
        rules.back_off(attempt, lambda low, high: asked.append((low, high)) or low)  # type: ignore[func-returns-value]
    assert asked == [(0.0, 1.0), (0.0, 8.0), (0.0, 60.0)]


@pytest.mark.parametrize(
    ("script", "wait"),
    [
        (dated(retry_after="7"), 7.0),
        (dated(status=503, retry_after="7"), 7.0),
        (dated(status=403, retry_after="7"), 7.0),
        (dated(retry_after="Sat, 21 Nov 2026 12:00:09 GMT"), 9.0),
        (dated(retry_after="Saturday, 21-Nov-26 12:00:09 GMT"), 9.0),
        (dated(retry_after="Sat, 21 Nov 2026 11:00:00 GMT"), 1.0),
        (dated(retry_after="0"), 1.0),
        (dated(retry_after="soon"), 1.0),
        (dated(retry_after="-5"), 1.0),
        (dated(b'{"errorcode": 10002, "reset_time": "2026-11-21T12:02:00Z"}'), 120.0),
        (dated(b'{"reset_time": "2026-11-21 12:02:00"}'), 120.0),
        (dated(b'{"reset_time": [1]}'), 1.0),
        (dated(b'["reset_time"]'), 1.0),
        (dated(b'{"reset_time": ' * 3000), 1.0),
    ],
)
def test_a_portal_says_when_to_come_back(
    serve: Callable[..., Portal], patient: tuple[Http, Time], script: Script, wait: float
) -> None:
    http, time = patient
    portal = serve(script, say(b"[]"))
    assert http.get(portal.url).status == 200
    assert time.slept == [wait]


def test_throttling_is_no_answer_for_try_get_either(serve: Callable[..., Portal], patient: tuple[Http, Time]) -> None:
    http, time = patient
    portal = serve(dated(retry_after="7"), dated(), say(b"[]"))
    assert http.try_get(portal.url).json() == []
    assert time.slept == [7.0, 2.0]
    portal.scripts = [dated(retry_after="7")]
    assert http.try_get(portal.url).status == 429


def test_too_long_a_wait_ends_the_run(serve: Callable[..., Portal], patient: tuple[Http, Time]) -> None:
    http, time = patient
    portal = serve(dated(b'{"reset_time": "2026-11-22T00:00:00Z", "error": "Too many requests"}'))
    with pytest.raises(Unavailable, match=r"asks to wait until \d{4}-.*\(43200 s\).*max_wait") as caught:
        http.get(portal.url)
    assert "Too many requests" in caught.value.message
    assert caught.value.code == "throttled"
    assert http.try_get(portal.url).status == 429
    assert time.slept == []
    portal.scripts = [dated(retry_after="999999999")]
    with pytest.raises(Unavailable, match="asks to wait until"):
        http.get(portal.url)


def test_try_get_hands_over_failures(serve: Callable[..., Portal], patient: tuple[Http, Time]) -> None:
    http, time = patient
    page = b"x" * 100_000
    portal = serve(say(page, 500))
    answer = http.try_get(portal.url)
    assert (answer.status, answer.content, len(portal.seen), time.slept) == (500, page, 1, [])
    assert isinstance(answer.trouble(), Unavailable)
    portal.scripts = [raw(reset=True)]
    with pytest.raises(Unavailable, match="asked 3 times"):
        http.try_get(portal.url)


# -- broken connections -----------------------------------------------------------------------------------------------

CUTS = {
    "closed without a word": raw(),
    "reset": raw(OK_HEAD, reset=True),
    "body shorter than announced": raw(OK_HEAD + b"Content-Length: 100\r\n\r\n[1, 2"),
    "chunked body without its end": raw(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "gzip without its end": say(gzip.compress(b"[1]" * 1000)[:-9], content_encoding="gzip"),
    "damaged gzip": say(b"\x1f\x8b\x08" + b"\xff" * 40, content_encoding="gzip"),
}


@pytest.mark.parametrize("name", CUTS)
def test_broken_answers_are_asked_again(serve: Callable[..., Portal], patient: tuple[Http, Time], name: str) -> None:
    http, time = patient
    portal = serve(CUTS[name], say(b"[1]"))
    assert http.get(portal.url).json() == [1]
    portal.scripts = [CUTS[name], say(b"[1]")]
    with http.stream(portal.url) as feed:
        assert feed.read() == b"[1]"
    portal.scripts = [CUTS[name]]
    with pytest.raises(Unavailable, match="asked 4 times") as caught:
        http.get(portal.url)
    assert caught.value.code in {"truncated", "network"}
    assert portal.url in caught.value.message
    assert len(time.slept) == 5


def test_nobody_listens(client: Callable[..., Http]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(Unavailable, match="connection failed") as caught:
            client({"retries": 0}).get(url)
    assert caught.value.code == "network"


@pytest.mark.parametrize(
    "script",
    [
        raw(*([b"H"] * 100), pause=0.05),
        raw(OK_HEAD + b"Content-Length: 100\r\n\r\n", *([b"1"] * 100), pause=0.05),
        raw(OK_HEAD, *([b"X-A: b\r\n"] * 100), pause=0.05),
    ],
    ids=["status line", "body", "headers"],
)
def test_a_slow_drip_is_cut_by_the_total_time(
    serve: Callable[..., Portal], client: Callable[..., Http], script: Script
) -> None:
    finished = threading.Event()

    def to_the_end(handler: Handler) -> None:
        script(handler)
        finished.set()

    portal = serve(to_the_end)
    with pytest.raises(Unavailable, match="longer than total_timeout") as caught:
        client({"total_timeout": 0.3}).get(portal.url)
    assert not finished.is_set()
    assert caught.value.code == "timeout"
    assert len(portal.seen) == 1


class Drip(httpx.SyncByteStream):
    """A body that takes a minute per byte on a clock of its own."""

    def __init__(self, time: Time) -> None:
        self.time = time
        self.sent = 0

    def __iter__(self) -> Iterator[bytes]:
        for self.sent in range(1, 1001):
            self.time.sleep(60.0)
            yield b"1"


def test_a_slow_drip_of_another_transport_is_cut_too(client: Callable[..., Http]) -> None:
    time = Time()
    drip = Drip(time)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=drip))
    with pytest.raises(Unavailable, match="longer than total_timeout"):
        client({"total_timeout": 600.0}, transport=transport, now=time.now).get("http://portal.example/")
    assert drip.sent == 11


def test_silence_is_cut_by_the_read_time(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(raw(OK_HEAD, b"", pause=0.5))
    with pytest.raises(Unavailable, match="nothing came within read_timeout"):
        client({"read_timeout": 0.1, "retries": 1}, sleep=lambda _: None).get(portal.url)
    assert len(portal.seen) == 2


# -- caps -------------------------------------------------------------------------------------------------------------

MEGABYTE = 1 << 20
BOMB = gzip.compress(b"\0" * (64 * MEGABYTE), 9)


@pytest.mark.parametrize(
    "script",
    [
        say(BOMB, content_encoding="gzip"),
        say(gzip.compress(BOMB), content_encoding="gzip, gzip"),
        say(b"0" * (MEGABYTE + 1)),
        raw(OK_HEAD + b"Content-Length: 99999999999999\r\n\r\n["),
        raw(OK_HEAD + b"\r\n", *([b"0" * MEGABYTE] * 64)),
    ],
    ids=["bomb", "bomb in a bomb", "large", "announced", "endless"],
)
def test_answers_are_capped_after_decompression(
    serve: Callable[..., Portal], client: Callable[..., Http], script: Script
) -> None:
    http = client({"max_response_bytes": MEGABYTE})
    portal = serve(script)
    with pytest.raises(SourceError, match="larger than max_response_bytes") as caught:
        http.get(portal.url)
    assert caught.value.code == "too-large"
    with pytest.raises(SourceError, match="larger than max_response_bytes"), http.stream(portal.url):
        pytest.fail("a feed that is too large was opened")
    assert len(portal.seen) == 2


def test_decompression_goes_in_small_steps() -> None:
    sizes = [len(piece) for piece in body.decoded([BOMB], "gzip")]
    assert sum(sizes) == 64 * MEGABYTE
    assert max(sizes) <= body.PIECE


def test_gzip_files_are_capped_too(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    http = client({"max_response_bytes": MEGABYTE})
    portal = serve(say(BOMB, content_type="application/gzip"))
    answer = http.get(portal.url)
    assert answer.content == BOMB
    with pytest.raises(SourceError, match="larger than max_response_bytes"):
        answer.json()
    with http.stream(portal.url) as feed, pytest.raises(SourceError, match="larger than max_response_bytes"):
        sum(len(piece) for piece in iter(lambda: feed.read(1 << 14), b""))


def test_a_cut_gzip_file_is_no_end_of_file(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(say(gzip.compress(b"[1]" * 1000)[:-9], content_type="application/gzip"))
    with client().stream(portal.url) as feed, pytest.raises(Unavailable, match="cut or damaged"):
        feed.read()
    with pytest.raises(Unavailable, match="cut or damaged"):
        client().get(portal.url).json()


def test_an_encoding_that_was_not_offered(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    with pytest.raises(SourceError, match="not offered: br"):
        client().get(serve(say(b"???", content_encoding="br")).url)


# -- redirects and the guard ------------------------------------------------------------------------------------------


def test_redirects_are_followed(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(to("/b?q=à b"), to("c", 308), to("../d#there", 301), say(b"[]"))
    answer = client().get(portal.url + "/a")
    assert [path for path, _ in portal.seen] == ["/a", "/b?q=%C3%A0%20b", "/c", "/d"]
    assert answer.url == portal.url + "/d"


@pytest.mark.parametrize("part", ["/%s#there", "/?q=%s#there"])
def test_a_redirect_to_an_address_that_is_too_long_is_told(
    part: str, serve: Callable[..., Portal], client: Callable[..., Http]
) -> None:
    head = b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: "
    portal = serve(raw(head + (part % ("é" * 15_000)).encode() + b"\r\n\r\n"))
    with pytest.raises(SourceError, match="redirects to no usable address") as caught:
        client().get(portal.url)
    assert caught.value.code == "bad-url"


@pytest.mark.parametrize("cookie", ["a=é; path=/", "é=a; path=/"])
def test_a_cookie_that_no_header_may_hold_is_not_sent(
    cookie: str, serve: Callable[..., Portal], client: Callable[..., Http]
) -> None:
    head = f"HTTP/1.1 302 Found\r\nConnection: close\r\nSet-Cookie: {cookie}\r\nSet-Cookie: good=1\r\n"
    portal = serve(raw(head.encode() + "Content-Length: 0\r\nLocation: /é\r\n\r\n".encode()), say(b"[]"))
    assert client().get(portal.url).json() == []
    assert portal.seen[1][1]["Cookie"] == "good=1"


def test_redirect_loops_end(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(to("/again"))
    with pytest.raises(SourceError, match="redirects more than 5 times") as caught:
        client().get(portal.url)
    assert caught.value.code == "redirects"
    assert len(portal.seen) == 6


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "private-address"),
        ("http://2130706433/", "private-address"),
        ("http://127.1/", "private-address"),
        ("http://0x7f000001/", "private-address"),
        ("http://0177.1/", "private-address"),
        ("http://[::ffff:127.0.0.1]/", "private-address"),
        ("http://[::ffff:a9fe:a9fe]/", "private-address"),
        ("http://[::127.0.0.1]/", "private-address"),
        ("http://[64:ff9b::7f00:1]/", "private-address"),
        ("http://[2002:7f00:1::]/", "private-address"),
        ("http://[::1]/", "private-address"),
        ("http://[::]/", "private-address"),
        ("http://[fe80::1]/", "private-address"),
        ("http://[fd00::1]/", "private-address"),
        ("http://[ff02::1]/", "private-address"),
        ("http://0.0.0.0/", "private-address"),
        ("http://10.0.0.1/", "private-address"),
        ("http://100.64.0.1/", "private-address"),
        ("http://192.168.1.1./", "private-address"),
        ("http://224.0.0.1/", "private-address"),
        ("http://255.255.255.255/", "private-address"),
        ("http://127。0。0。1/", "private-address"),
        ("http://localhost:1/", "private-address"),
        ("file:///etc/passwd", "bad-url"),
        ("ftp://example.org/", "bad-url"),
        ("gopher://127.0.0.1/", "bad-url"),
        ("http://[::1/", "bad-url"),
        ("http://a:99999/", "bad-url"),
        ("http://a:0/", "bad-url"),
        ("http://a/\x00", "bad-url"),
        ("http://a/\ud800", "bad-url"),
    ],
)
def test_private_addresses_are_refused_directly_and_after_a_redirect(target: str, code: str) -> None:
    def portal(request: httpx.Request) -> httpx.Response:
        if request.url.host == "portal.example":
            return httpx.Response(302, headers=[(b"location", target.encode("utf-8", "surrogatepass"))])
        pytest.fail(f"{request.url} was asked")

    if code == "private-address":
        with Http(Settings()) as http, pytest.raises(SourceError, match=r"PRIVATE_HOSTS") as caught:
            http.get(target)
        assert caught.value.code == code
    if "localhost" in target or "\x00" in target or "\ud800" in target:
        return  # names are checked when connecting, and such headers are not read
    with Http(Settings(), transport=httpx.MockTransport(portal)) as http, pytest.raises(SourceError) as caught:
        http.get("http://portal.example/")
    assert caught.value.code == code


@pytest.mark.parametrize(
    "url", [None, 5, {"href": "x"}, [], "", "http://", "http:///x", "portal.example/x", "//portal.example", "\ud800"]
)
def test_what_is_no_url_is_a_source_error(client: Callable[..., Http], url: Any) -> None:
    with pytest.raises(SourceError) as caught:
        client().get(url)
    assert caught.value.code == "bad-url"


def test_a_real_redirect_into_the_private_network(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    inner = serve(say(b"secret"))
    outer = serve(to(f"http://localhost:{inner.port}/"), to(f"http://[::ffff:127.0.0.1]:{inner.port}/"))
    http = client({"private_hosts": (f"127.0.0.1:{outer.port}",)})
    for _ in range(2):
        with pytest.raises(SourceError, match=r"private address (127\.0\.0\.1|::1|::ffff)"):
            http.get(outer.url)
    assert inner.seen == []


def test_a_name_is_checked_with_what_it_resolves_to_when_connecting(
    serve: Callable[..., Portal], client: Callable[..., Http]
) -> None:
    portal = serve(raw(OK_HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n[]"))
    answers = [["127.0.0.1"], ["10.0.0.7"], ["127.0.0.1", "10.0.0.7"], []]
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    http = client({"retries": 0}, resolve=resolve)
    url = f"http://rebinding.example:{portal.port}/"
    assert http.get(url).json() == []
    for _ in range(2):
        with pytest.raises(SourceError, match=r"rebinding\.example resolves to the private address 10\.0\.0\.7"):
            http.get(url)
    with pytest.raises(Unavailable, match="has no address"):
        http.get(url)
    assert portal.seen[0][1]["Host"] == f"rebinding.example:{portal.port}"
    assert (len(asked), len(portal.seen)) == (4, 1)


def test_a_second_address_is_tried(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(say(b"[]"))
    http = client({"private_hosts": ("127.0.0.0/8",)}, resolve=lambda *_: ["127.0.0.77", "127.0.0.1"])
    assert http.get(f"http://two.example:{portal.port}/").json() == []


@pytest.mark.parametrize("fault", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve(client: Callable[..., Http], fault: Exception) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise fault

    with pytest.raises(Unavailable, match=r"nowhere\.example does not resolve"):
        client({"retries": 0}, resolve=resolve).get("http://nowhere.example/")


@pytest.mark.parametrize(
    ("entries", "host", "port", "address", "may"),
    [
        (("intranet.local",), "intranet.local", 80, "10.0.0.1", True),
        (("Intranet.Local",), "intranet.local.", 80, "10.0.0.1", True),
        (("intranet.local:8080",), "intranet.local", 80, "10.0.0.1", False),
        (("intranet.local:8080",), "intranet.local", 8080, "10.0.0.1", True),
        (("10.0.0.0/8",), "any.example", 80, "10.9.9.9", True),
        (("10.0.0.0/8",), "any.example", 80, "192.168.0.1", False),
        (("127.0.0.1:8000",), "any.example", 8000, "::ffff:127.0.0.1", True),
        (("[::1]:8000",), "any.example", 8000, "::1", True),
        (("::1",), "any.example", 8000, "::1", True),
        (("localhost",), "localhost", 80, "127.0.0.1", True),
        (("localhost",), "127.0.0.1", 80, "127.0.0.1", True),
        (("localhost",), "rebinding.example", 80, "127.0.0.1", False),
        ((), "any.example", 80, "93.184.216.34", True),
        ((), "any.example", 80, "2606:2800:220:1::1", True),
        ((), "any.example", 80, "64:ff9b::5db8:d822", True),
        ((), "any.example", 80, "192.0.2.1", False),
        ((), "any.example", 80, "198.18.0.1", False),
        ((), "any.example", 80, "::10.0.0.1", False),
        ((), "any.example", 80, "fec0::1", False),
    ],
)
def test_the_list_of_private_hosts(entries: tuple[str, ...], host: str, port: int, address: str, may: bool) -> None:
    allowed = guard.rules(entries)
    if may:
        assert guard.check(host, port, [address], allowed) == [address]
    else:
        with pytest.raises(guard.RefusedError):
            guard.check(host, port, [address], allowed)


@pytest.mark.parametrize("entry", ["", "http://x/", "a:port", "a:99999", "u@h"])
def test_a_wrong_entry_of_private_hosts_is_named(entry: str) -> None:
    with pytest.raises(UsageError, match="private_hosts"):
        Http(Settings(private_hosts=(entry,)))


def test_no_proxy_is_taken_from_the_environment(
    serve: Callable[..., Portal], client: Callable[..., Http], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert client({"retries": 0}).get(serve(say(b"[]")).url).json() == []


# -- secrets ----------------------------------------------------------------------------------------------------------

KEYS = {"Authorization": "Apikey k-123456", "X-CKAN-API-Key": "ckan-123456"}


def leaks(headers: dict[str, str]) -> bool:
    return "123456" in json.dumps(headers) or "Authorization" in headers


def test_secrets_stay_at_home(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    away = serve(say(b"[]"))
    home = serve(to(away.url + "/redirected"), say(b"[]"))
    http = client(secrets=KEYS, home=home.url)
    http.get(home.url)
    http.get(away.url + "/next-page", headers={"authorization": "Apikey k-123456", "Cookie": "s=123456", "X-A": "b"})
    http.get(home.url + "/more")
    assert all(KEYS.items() <= {**headers}.items() for _, headers in home.seen)
    assert len(away.seen) == 2
    assert not any(leaks(headers) for _, headers in away.seen)
    assert away.seen[1][1]["X-A"] == "b"


def test_secrets_go_over_to_https_but_never_back() -> None:
    seen: list[tuple[str, bool]] = []

    def portal(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), "authorization" in request.headers))
        hops = {"http://a.example/": "https://a.example/x", "https://a.example/x": "https://a.example:8443/"}
        following = hops.get(str(request.url))
        return httpx.Response(301, headers={"location": following}) if following else httpx.Response(200)

    with Http(Settings(), transport=httpx.MockTransport(portal), secrets=KEYS) as http:
        http.get("http://a.example/")
    with Http(Settings(), transport=httpx.MockTransport(portal), secrets=KEYS, home="https://a.example/") as http:
        http.get("http://a.example/plain")
    assert seen == [
        ("http://a.example/", True),
        ("https://a.example/x", True),
        ("https://a.example:8443/", False),
        ("http://a.example/plain", False),
    ]


def test_a_user_and_password_in_the_address(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    away = serve(say(b"[]"))
    home = serve(say(b"[]"), to(away.url))
    http = client()
    answer = http.get(home.url.replace("//", "//us%40er:pa:ss@"))
    assert answer.url == home.url
    http.get(home.url + "/next")
    assert [headers["Authorization"] for _, headers in home.seen] == ["Basic dXNAZXI6cGE6c3M="] * 2
    assert "Authorization" not in away.seen[0][1]


def test_secrets_are_struck_out_of_messages_and_logs(
    serve: Callable[..., Portal], client: Callable[..., Http], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    portal = serve(say(b"wrong key k-123456 / p4ssword / quer1ed / ckan-123456", 500))
    http = client({"retries": 1}, secrets=KEYS, sleep=lambda _: None)
    with pytest.raises(Unavailable) as caught:
        http.get(portal.url.replace("//", "//user:p4ssword@") + "/?apikey=quer1ed&q=1")
    told = caught.value.message + str(caught.value.url) + caplog.text
    assert "wrong key ***" in told
    for secret in ("123456", "p4ssword", "quer1ed"):
        assert secret not in told
    with pytest.raises(SourceError, match="X-Key holds a control character") as refused:
        http.get(portal.url, headers={"X-Key": "abc\r\nHost: evil"})
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://u:p@h/x?apikey=1&q=2", "https://***@h/x?apikey=***&q=2"),
        ("see http://h/?q=1&api_key=x&TOKEN=y, ok", "see http://h/?q=1&api_key=***&TOKEN=*** ok"),
        ("http://h/?keyword=water&subscription-key=z#f", "http://h/?keyword=water&subscription-key=***#f"),
        ("http://h/a@b?mail=a@b.fr", "http://h/a@b?mail=a@b.fr"),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    assert urls.redacted(text) == shown


def test_a_user_agent_with_accents_can_be_sent(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(say())
    client({"user_agent": "moissonneur/1 (Région)"}).get(portal.url)
    assert portal.seen[0][1]["User-Agent"].encode("latin-1").decode() == "moissonneur/1 (Région)"


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (" http://H/a b/é?q=à%20b&x=%E9 \n", "http://h/a%20b/%C3%A9?q=%C3%A0%20b&x=%E9"),
        ("http://h/100%?a=%zz", "http://h/100%25?a=%25zz"),
        ("http://h/a\nb", "http://h/ab"),
        ("http://é.fr/", "http://xn--9ca.fr/"),
        ("http://h/a+b?x=a+b&y={1}", "http://h/a+b?x=a+b&y={1}"),
    ],
)
def test_addresses_are_cleaned(url: str, sent: str) -> None:
    assert str(urls.clean(url)) == sent
    assert str(urls.clean(sent)) == sent


@pytest.mark.parametrize(
    ("url", "params", "sent"),
    [
        ("http://h/?a=%E9&b=1+2", {"c": "é &"}, "a=%E9&b=1+2&c=%C3%A9%20%26"),
        ("http://h/?page=1&q=x", {"page": 2}, "q=x&page=2"),
        ("http://h/", [("r", "1"), ("r", "2")], "r=1&r=2"),
        ("http://h/", {"r": ["1", "2"], "n": None, "t": True}, "r=1&r=2&t=true"),
        ("http://h/?a=1", {}, "a=1"),
        ("http://h/", {"q": "\ud800"}, "q=%3F"),
    ],
)
def test_parameters_are_added(url: str, params: Any, sent: str) -> None:
    assert urls.with_params(urls.clean(url), params).query.decode() == sent


# -- pace -------------------------------------------------------------------------------------------------------------


def test_requests_to_one_host_keep_their_distance(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    time = Time()
    portal, pace = serve(say(b"[]")), Pace(time.now, time.sleep)
    first, second = (client({"host_interval": 2.0}, pace=pace, now=time.now) for _ in range(2))
    for http in (first, second, first):
        http.get(portal.url)
    assert time.slept == [2.0, 2.0]


def test_a_throttled_host_is_left_alone_by_all(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    time = Time()

    def sleep(seconds: float) -> None:
        if not time.slept:
            time.slept.append(seconds)
            second.get(portal.url)
        else:
            time.sleep(seconds)

    portal, pace = serve(dated(retry_after="30"), say(b"[]")), Pace(time.now, sleep)
    first, second = (client(pace=pace, now=time.now) for _ in range(2))
    first.get(portal.url)
    assert time.slept == [30.0, 30.0]


def test_no_more_requests_at_once_than_allowed(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    script, most = at_once()
    portal, pace = serve(script), Pace()
    https = [client({"host_connections": 2}, pace=pace) for _ in range(6)]
    threads = [threading.Thread(target=http.get, args=(portal.url,)) for http in https]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(portal.seen), most()) == (6, 2)


def test_the_pace_forgets_hosts() -> None:
    time = Time()
    pace = Pace(time.now, time.sleep)
    for number in range(5000):
        with pace.turn(f"h{number}", 0.0, 1):
            pass
    assert len(pace._hosts) <= 1001


# -- feeds and reading ahead ------------------------------------------------------------------------------------------


def test_a_feed_knows_where_it_came_from(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    portal = serve(to("/feed.json.gz"), say(gzip.compress(b'{"a": [1]}'), content_type="application/gzip"))
    with client().stream(portal.url) as feed:
        assert (feed.url, feed.status, feed.headers["content-type"]) == (
            portal.url + "/feed.json.gz",
            200,
            "application/gzip",
        )
        assert isinstance(feed, io.BufferedIOBase)
        assert json.load(feed) == {"a": [1]}
    assert feed.closed


def test_a_big_feed_is_not_held_in_memory(serve: Callable[..., Portal], client: Callable[..., Http]) -> None:
    import tracemalloc

    portal = serve(raw(OK_HEAD + b"\r\n", *([b"0" * MEGABYTE] * 48)))
    http = client()
    tracemalloc.start()
    with http.stream(portal.url) as feed:
        size = sum(len(piece) for piece in iter(lambda: feed.read(1 << 16), b""))
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 48 * MEGABYTE
    assert peak < 16 * MEGABYTE


def test_reading_ahead_keeps_order_and_stays_one_ahead() -> None:
    made: list[int] = []
    ready = threading.Event()

    def pages() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            if number == 1:
                ready.set()
            yield number

    walk = ahead(pages())
    assert made == []
    assert next(walk) == 0
    assert ready.wait(5)
    assert made == [0, 1]
    assert list(walk) == [1, 2, 3, 4]


def test_an_error_comes_after_what_came_before_it() -> None:
    def pages() -> Iterator[int]:
        yield 1
        raise Unavailable("gone")

    walk = ahead(pages(), depth=3)
    assert next(walk) == 1
    with pytest.raises(Unavailable, match="gone"):
        next(walk)
    assert list(walk) == []
    assert workers() == []


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_stopping_early_closes_the_producer() -> None:
    closed = threading.Event()

    def pages() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.set()

    walk = ahead(pages(), depth=2)
    assert next(walk) == 0
    walk.close()
    assert closed.is_set()
    assert workers() == []


def test_reading_ahead_takes_any_iterable_and_keeps_the_context() -> None:
    place: contextvars.ContextVar[str] = contextvars.ContextVar("place")
    place.set("here")

    def pages() -> Iterable[str]:
        yield place.get()

    assert list(ahead([1, 2])) == [1, 2]
    assert list(ahead(pages())) == ["here"]
    assert workers() == []
