"""How portals are asked: pace, robots.txt, quotas, the circuit breaker, refusals, waits called off, proxies, trust."""

from __future__ import annotations

import base64
import gc
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from harvester.access import Access
from harvester.errors import Blocked, SourceError, Stopped, Unavailable, UsageError
from harvester.http import Http, Pace
from harvester.net import robots as crawling
from harvester.net import rules
from harvester.net.breaker import COOL_DOWN, LONGEST_COOL_DOWN, Breaker
from harvester.net.robots import Robots
from tests.misbehaving import (
    CERTIFICATE,
    EXPIRED,
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
    tls,
    to,
)

Serve = Callable[..., Portal]
Client = Callable[..., Http]


def routed(**scripts: Script) -> Script:
    """Answers by path: `robots_txt` for /robots.txt, `rest` for anything else."""

    def script(handler: Handler) -> None:
        scripts["robots_txt" if handler.path == "/robots.txt" else "rest"](handler)

    return script


def paths(portal: Portal) -> list[str]:
    return [path for path, _ in portal.seen]


# -- pace and robots.txt ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "agent", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 10", "us/1", 10.0),
        ("user-AGENT : *\r\ncrawl-Delay : 0.5 # half", "us/1", 0.5),
        ("User-agent: *\nCrawl-delay: 10\nUser-agent: Us\nCrawl-delay: 2", "us/1 (+mailto:a@b.c)", 2.0),
        ("User-agent: us\nUser-agent: them\nDisallow: /x\nCrawl-delay: 3", "US", 3.0),
        ("User-agent: us\nAllow: /\n\nUser-agent: *\nCrawl-delay: 10", "us/1", 0.0),
        ("User-agent: us\nCrawl-delay: 1\nUser-agent: us\nCrawl-delay: 4", "us", 4.0),
        ("User-agent: them\nCrawl-delay: 10", "us", 0.0),
        ("\ufeffUser-agent: *\nCrawl-delay: 7", "us", 7.0),
        ("Crawl-delay: 7", "us", 0.0),
        ("User-agent: *\nCrawl-delay: soon", "us", 0.0),
        ("User-agent: *\nCrawl-delay: -5", "us", 0.0),
        ("User-agent: *\nCrawl-delay: inf", "us", 0.0),
        ("User-agent: *\nCrawl-delay: " + "9" * 5000, "us", 0.0),
        ("<!DOCTYPE html><p>Crawl-delay: 9</p>", "us", 0.0),
        ("\0\xff" * 100, "us", 0.0),
        ("x" * crawling.MOST_BYTES + "\nUser-agent: *\nCrawl-delay: 1", "us", 0.0),
    ],
)
def test_crawl_delays_are_read(content: str, agent: str, delay: float) -> None:
    assert crawling.delay_for(crawling.parse(content.encode("utf-8", "replace")), agent) == delay


def test_the_crawl_delay_of_a_host_is_kept(serve: Serve, client: Client) -> None:
    time = Time()
    portal = serve(routed(robots_txt=say(b"User-agent: *\nCrawl-delay: 4"), rest=say(b"[]")))
    pace, robots = Pace(time.now, time.sleep), Robots(time.now)
    common: dict[str, Any] = {"pace": pace, "robots": robots, "now": time.now}
    first, second = (client({"max_crawl_delay": 10}, secrets={"Authorization": "k-1"}, **common) for _ in range(2))
    for http in (first, second, first):
        http.get(portal.url + "/a")
    assert paths(portal) == ["/a", "/robots.txt", "/a", "/a"]
    assert time.slept == [4.0, 4.0]
    assert "Authorization" not in portal.seen[1][1]
    client({"max_crawl_delay": 3}, **common).get(portal.url)
    assert time.slept[2:] == [4.0], "what was agreed before holds for whoever comes next"
    client({"max_crawl_delay": 3}, **common).get(portal.url)
    client(access=Access(interval=1.5), **common).get(portal.url)
    client(access=Access(interval=1.5), **common).get(portal.url)
    assert time.slept[3:] == [3.0, 3.0, 1.5]
    time.at += 86_400
    first.get(portal.url)
    assert paths(portal).count("/robots.txt") == 2


@pytest.mark.parametrize(
    "script",
    [say(b"", 404), say(b"", 500), raw(reset=True), to("/robots.txt"), to("http://10.0.0.1/"), say(b"x" * 9_000_000)],
    ids=["none", "broken", "reset", "loop", "private", "large"],
)
def test_a_robots_file_that_cannot_be_had_is_done_without(serve: Serve, client: Client, script: Script) -> None:
    time = Time()
    portal = serve(routed(robots_txt=script, rest=say(b"[]")))
    http = client(
        {"max_crawl_delay": 10, "max_response_bytes": 8_000_000}, sleep=time.sleep, now=time.now, robots=Robots()
    )
    for _ in range(3):
        assert http.get(portal.url).json() == []
    assert time.slept == []
    assert paths(portal).count("/") == 3
    assert 1 <= paths(portal).count("/robots.txt") <= 6


def test_a_source_has_its_own_pace_and_user_agent(serve: Serve, client: Client) -> None:
    time = Time()
    portal = serve(say(b"[]"))
    common: dict[str, Any] = {"pace": Pace(time.now, time.sleep), "now": time.now}
    hurried = client({"host_interval": 2.0}, access=Access(interval=0, user_agent="one/1 (a@b.c)"), **common)
    usual = client({"host_interval": 2.0}, **common)
    for http in (hurried, hurried, usual, usual):
        http.get(portal.url)
    assert time.slept == [2.0, 2.0]
    agents = [headers["User-Agent"] for _, headers in portal.seen]
    assert agents == ["one/1 (a@b.c)"] * 2 + [settings().user_agent] * 2


def test_connections_of_a_source(serve: Serve, client: Client) -> None:
    script, most = at_once()
    portal, pace = serve(script), Pace()
    https = [client({"host_connections": 4}, access=Access(connections=1), pace=pace) for _ in range(4)]
    threads = [threading.Thread(target=http.get, args=(portal.url,)) for http in https]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(portal.seen), most()) == (4, 1)


# -- quotas -----------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
YEAR = 366 * 86_400.0


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "99999999999999999999999"}, YEAR),
        (429, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, YEAR),
        (429, {"Retry-After": "Sat, 21 Nov 1970 12:00:00 GMT"}, 0.0),
        (429, {"Retry-After": "1e9"}, None),
        (429, {"Retry-After": "NaN"}, None),
        (429, {"Retry-After": "٣"}, None),
        (429, {"X-RateLimit-Reset": "90"}, 90.0),
        (429, {"X-RateLimit-Reset": f"{NOW.timestamp() + 45:.0f}"}, 45.0),
        (429, {"X-RateLimit-Reset": f"{(NOW.timestamp() + 45) * 1000:.0f}"}, 45.0),
        (429, {"X-RateLimit-Reset": f"{NOW.timestamp() - 45:.0f}"}, 0.0),
        (429, {"X-RateLimit-Reset": "2026-11-21 12:01:00+00:00"}, 60.0),
        (429, {"RateLimit-Reset": "30"}, 30.0),
        (429, {"X-Rate-Limit-Reset": "30"}, 30.0),
        (429, {"X-RateLimit-Reset": "-1"}, None),
        (429, {"X-RateLimit-Reset": "soon"}, None),
        (403, {"X-RateLimit-Reset": "30", "X-RateLimit-Remaining": "0"}, 30.0),
        (403, {"X-RateLimit-Reset": "30", "X-RateLimit-Remaining": "12"}, None),
        (429, {"X-RateLimit-Reset": "30", "Retry-After": "5"}, 5.0),
    ],
)
def test_when_a_portal_may_be_asked_again(status: int, headers: dict[str, str], wait: float | None) -> None:
    assert rules.stated_wait(status, httpx.Headers(list(headers.items()), encoding="utf-8"), b"", NOW) == wait


def test_a_spent_quota_is_waited_for(serve: Serve, patient: tuple[Http, Time]) -> None:
    http, time = patient
    spent = dated(b"[]", 200, x_ratelimit_remaining="0", x_ratelimit_reset="20")
    today = dated(b"[]", 200, x_ratelimit_remaining="0", x_ratelimit_reset="2026-11-22 00:00:00+00:00")
    portal = serve(spent, dated(b"[]", 200, x_ratelimit_remaining="7", x_ratelimit_reset="20"), today, say(b"[]"))
    for _ in range(4):
        http.get(portal.url)
    assert time.slept == [20.0], "a quota of the day is not waited for: the portal will say so itself"


# -- the circuit breaker ----------------------------------------------------------------------------------------------


def refused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def test_a_host_that_is_down_is_left_alone_by_all_its_sources(serve: Serve, client: Client) -> None:
    time, asked = Time(), []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    breaker, port = Breaker(time.now), refused_port()
    common: dict[str, Any] = {"now": time.now, "sleep": time.sleep, "breaker": breaker, "resolve": resolve}
    changed = {"private_hosts": ("127.0.0.0/8",), "retries": 20}
    first, second = client(changed, **common), client(changed, **common)
    with pytest.raises(Unavailable, match=r"connection failed.*down\.example:\d+ cannot be connected to") as caught:
        first.get(f"http://down.example:{port}/a")
    assert (caught.value.code, len(asked)) == ("host-down", 5)
    for http in (first, second):
        with pytest.raises(Unavailable, match=r"left alone until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ") as caught:
            http.try_get(f"http://down.example:{port}/b")
        assert caught.value.code == "host-down"
    assert len(asked) == 5
    other = serve(say(b"[]"))
    assert second.get(f"http://down.example:{other.port}/").json() == [], "another port is another server"


def test_one_probe_closes_the_circuit_or_opens_it_longer(serve: Serve, client: Client) -> None:
    time = Time()
    portal = serve(say(b"", 500))
    http = client({"retries": 0}, now=time.now, sleep=time.sleep)

    def failures() -> int:
        before = len(portal.seen)
        for _ in range(20):
            with pytest.raises(Unavailable):
                http.get(portal.url)
        return len(portal.seen) - before

    assert failures() == 12
    for cool_down in (COOL_DOWN, 2 * COOL_DOWN, 4 * COOL_DOWN, 8 * COOL_DOWN, LONGEST_COOL_DOWN, LONGEST_COOL_DOWN):
        time.at += cool_down - 1
        assert failures() == 0
        time.at += 1
        assert failures() == 1
    portal.scripts = [say(b"[]")]
    time.at += LONGEST_COOL_DOWN
    assert [http.get(portal.url).json() for _ in range(3)] == [[]] * 3
    portal.scripts = [say(b"", 500)]
    assert failures() == 12


def test_answers_close_the_circuit(serve: Serve, client: Client) -> None:
    time = Time()
    answers = [say(b"", 500)] * 11 + [say(b"", 404)] + [say(b"", 500)] * 11 + [say(b"", 429)] * 30 + [say(b"[]")]
    portal = serve(*answers)
    http = client({"retries": 0}, now=time.now, sleep=time.sleep)
    codes = []
    for _ in answers[:-1]:
        with pytest.raises(SourceError) as caught:
            http.get(portal.url)
        codes.append(caught.value.code)
    assert http.get(portal.url).json() == []
    assert codes == ["http-500"] * 11 + ["http-404"] + ["http-500"] * 11 + ["throttled"] * 30


def test_each_kind_of_failure_is_counted_for_itself() -> None:
    breaker, url = Breaker(), httpx.URL("http://a.example/x")
    kinds: list[rules.Kind] = [*["down"] * 4, "failing", *["down"] * 4, *["failing"] * 10, "refusing"]  # type: ignore[list-item]
    assert [breaker.bad(url, kind) for kind in kinds] == [None] * len(kinds)
    opened = breaker.bad(url, "failing")
    assert opened is not None
    assert opened.code == "host-down"


def test_only_one_request_probes() -> None:
    time = Time()
    breaker, url = Breaker(time.now), httpx.URL("http://a.example/x")
    for _ in range(5):
        breaker.bad(url, "down")
    time.at = COOL_DOWN
    breaker.check(url)
    for _ in range(3):
        with pytest.raises(Unavailable, match="left alone"):
            breaker.check(url)
    time.at += COOL_DOWN
    breaker.check(url)  # the first probe was never heard of again
    breaker.good(url)
    breaker.check(url)


def test_the_breaker_forgets_hosts() -> None:
    time = Time()
    breaker = Breaker(time.now)
    for number in range(3000):
        time.at += 10
        for _ in range(5):
            breaker.bad(httpx.URL(f"http://h{number}.example/"), "down")
    assert len(breaker._states) <= 1001


# -- refusals ---------------------------------------------------------------------------------------------------------

WALLS = [
    (403, {"server": "AkamaiGHost"}, b"<h1>Access Denied</h1>Reference&#32;&#35;18.2f", "Akamai"),
    (403, {"server": "cloudflare", "cf_mitigated": "challenge"}, b"", "Cloudflare"),
    (503, {"server": "cloudflare", "content_type": "text/html"}, b"<script>window._cf_chl_opt={}", "Cloudflare"),
    (403, {"server": "CloudFront"}, b"Generated by cloudfront (CloudFront)", "Amazon CloudFront"),
    (200, {"content_type": "text/html"}, b"<iframe src=/_Incapsula_Resource?x>", "Imperva"),
    (403, {}, b"no", ""),
]


@pytest.mark.parametrize(("status", "headers", "content", "wall"), WALLS)
def test_a_refusal_says_what_to_do(
    serve: Serve, patient: tuple[Http, Time], status: int, headers: dict[str, str], content: bytes, wall: str
) -> None:
    portal = serve(say(content, status, **headers))
    with pytest.raises(Blocked, match="name a contact in the User-Agent") as caught:
        patient[0].get(portal.url)
    assert wall in caught.value.message
    assert (caught.value.code, len(portal.seen)) == ("blocked", 1)


def test_marks_of_a_wall_in_good_json_mean_nothing(serve: Serve, client: Client) -> None:
    portal = serve(say(b'["_cf_chl_opt"]', content_type="application/json"))
    assert client().get(portal.url).json() == ["_cf_chl_opt"]


def test_missing_credentials_are_told_as_such(serve: Serve, client: Client) -> None:
    with pytest.raises(Blocked, match="asks for credentials or refuses those given") as caught:
        client().get(serve(say(b"", 401)).url)
    assert caught.value.code == "credentials"


def test_a_burst_of_refusals_is_told_as_blocking(serve: Serve, patient: tuple[Http, Time]) -> None:
    http, time = patient
    portal = serve(*[say(b"", 403)] * 11, say(b"[]"), say(b"", 403))
    assert [http.try_get(portal.url).status for _ in range(12)] == [403] * 11 + [200]
    assert [http.try_get(portal.url).status for _ in range(11)] == [403] * 11
    for _ in range(3):
        with pytest.raises(Blocked, match="403 to every request: it blocks this client") as caught:
            http.try_get(portal.url)
        assert caught.value.code == "blocked"
    assert len(portal.seen) == 24
    time.at += COOL_DOWN
    portal.scripts = [say(b"[]")]
    assert http.try_get(portal.url).json() == []


# -- waits are called off ---------------------------------------------------------------------------------------------


class Patience:
    """Calls a wait off once it has been looked at so often."""

    def __init__(self, looks: int = 2) -> None:
        self.looks = looks
        self.seen = 0

    def __call__(self) -> bool:
        self.seen += 1
        return self.seen > self.looks


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "script",
    [
        raw(b"", pause=30),
        raw(OK_HEAD + b"Content-Length: 9\r\n\r\n[", b"1", pause=0.1),
        raw(OK_HEAD + b"Content-Length: 9\r\n\r\n[", b"", b"", pause=20),
        raw(OK_HEAD, *[b"X: y\r\n"] * 500, pause=0.1),
    ],
    ids=["no answer", "short body", "silent body", "slow headers"],
)
def test_an_answer_that_does_not_come_is_called_off(serve: Serve, client: Client, script: Script) -> None:
    stop = Patience(4)
    with pytest.raises((Stopped, Unavailable)) as caught:
        client({"retries": 0}, stop=stop).get(serve(script).url)
    assert isinstance(caught.value, Stopped) or stop.seen <= stop.looks


def test_waits_are_called_off(serve: Serve, client: Client, silent: int) -> None:
    gone = threading.Event()
    refuse = client(
        {"retries": 3}, stop=Patience(6), jitter=lambda low, high: 3600.0, sleep=lambda seconds: gone.wait(0.001)
    )
    with pytest.raises(Stopped):
        refuse.get(serve(say(b"", 500)).url)
    for looks in range(1, 4):
        with pytest.raises(Stopped):
            client(stop=Patience(looks)).get(f"https://127.0.0.1:{silent}/")
        gc.collect()  # what was left open would be told now
    with pytest.raises(Stopped):
        client(stop=Patience(), resolve=lambda *_: gone.wait(20) and []).get("http://slow.example/")
    gone.set()


def test_sleeping_is_cut_into_seconds(client: Client, serve: Serve) -> None:
    time = Time()
    portal = serve(dated(retry_after="100"), say(b"[]"))
    http = client(now=time.now, sleep=time.sleep, stop=lambda: time.at > 42)
    with pytest.raises(Stopped):
        http.get(portal.url)
    assert max(time.slept) <= 1.0
    assert 42 < time.at < 45
    assert len(portal.seen) == 1


def test_waiting_for_a_turn_is_called_off() -> None:
    pace = Pace()
    with pace.turn("a.example", 0.0, 1):
        with pytest.raises(Stopped), pace.turn("a.example", 0.0, 1, Patience(0)):
            pytest.fail("there was no turn to be had")
        with pace.turn("b.example", 0.0, 1, Patience(9)):
            pass
    with pace.turn("a.example", 0.0, 1):
        pass


def test_a_call_that_was_left_is_closed_when_it_comes(client: Client, serve: Serve) -> None:
    from harvester.net.patience import bounded, never

    ready, closed = threading.Event(), threading.Event()
    with pytest.raises(TimeoutError):
        bounded(lambda: ready.wait(5), 0.01, never, lambda late: closed.set())
    ready.set()
    assert closed.wait(5)


def test_slow_handshakes_and_names_are_cut(client: Client, silent: int) -> None:
    slow = threading.Event()
    for url in (f"https://127.0.0.1:{silent}/", "http://slow.example/"):
        resolve: dict[str, Any] = {"resolve": lambda *_: slow.wait(20) and []} if "slow" in url else {}
        with pytest.raises(Unavailable, match="no connection within connect_timeout") as caught:
            client({"connect_timeout": 0.1, "retries": 0}, **resolve).get(url)
        assert caught.value.code == "timeout"
    slow.set()


# -- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificate", "trusted", "name", "told"),
    [
        (EXPIRED, True, "portal.example", r"has expired; the portal's operator must renew it"),
        (CERTIFICATE, False, "portal.example", r"is self-signed; add the authority .* to ca_bundle"),
        (CERTIFICATE, True, "other.example", r"is for another host name; check the address of the source"),
    ],
    ids=["expired", "self-signed", "another host"],
)
def test_what_is_wrong_with_a_certificate_is_told(
    serve: Serve, client: Client, tmp_path: Path, certificate: str, trusted: bool, name: str, told: str
) -> None:
    portal = serve(say(b"[]"), tls=tls(certificate, tmp_path))
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(certificate[certificate.index("-----BEGIN CERT") :])
    http = client(
        {"ca_bundle": bundle} if trusted else {}, resolve=lambda *_: ["127.0.0.1"], sleep=lambda _: pytest.fail("again")
    )
    with pytest.raises(Unavailable, match=told) as caught:
        http.get(f"https://{name}:{portal.port}/")
    assert (caught.value.code, portal.seen) == ("certificate", [])


def test_authorities_of_the_service_and_of_a_source(serve: Serve, client: Client, tmp_path: Path) -> None:
    portal = serve(say(b"[]"), tls=tls(CERTIFICATE, tmp_path))
    bundle = tmp_path / "server.pem"
    url = f"https://portal.example:{portal.port}/"
    resolve = {"resolve": lambda *_: ["127.0.0.1"]}
    assert client({"ca_bundle": bundle}, **resolve).get(url).json() == []
    assert client(access=Access(ca_bundle=bundle), **resolve).get(url).json() == []
    with pytest.raises(UsageError, match="ca_bundle"):
        client({"ca_bundle": tmp_path / "missing.pem"})
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("garbage")
    for path in (garbage, tmp_path / "missing.pem"):
        http = client(access=Access(ca_bundle=path))
        with pytest.raises(SourceError, match=f"ca_bundle.*{path.name}.*cannot be read") as caught:
            http.get(url)
        assert caught.value.code == "ca-bundle"


# -- proxies ----------------------------------------------------------------------------------------------------------


class Proxy(Handler):
    """A forward proxy that only notes what it is asked; CONNECT leads to the one server it knows."""

    server: Portal

    def do_GET(self) -> None:  # noqa: N802
        self.server.seen.append((self.path, dict(self.headers)))
        if "refuse" in self.path:
            return say(b"", 407)(self)
        return say(b'["proxied"]')(self)

    def do_CONNECT(self) -> None:  # noqa: N802
        self.server.seen.append((f"CONNECT {self.path}", dict(self.headers)))
        if self.path.startswith("refuse"):
            return say(b"", 403)(self)
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as onward:
            back = threading.Thread(target=_pipe, args=(onward, self.connection), daemon=True)
            back.start()
            _pipe(self.connection, onward)
            back.join()
        self.close_connection = True
        return None


def _pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def proxy(serve: Serve) -> Portal:
    portal = serve(say(b""))
    portal.RequestHandlerClass = Proxy
    return portal


def public(host: str, port: int) -> list[str]:
    return {"inner.example": ["10.0.0.1"], "proxy.example": ["127.0.0.1"]}.get(host, ["93.184.216.34"])


def test_a_proxy_of_the_settings(client: Client, proxy: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = {"proxy": f"http://me:pa%40ss@proxy.example:{proxy.port}", "private_hosts": ()}
    http = client(changed, resolve=public)
    assert http.get("http://portal.example/x?y=1").json() == ["proxied"]
    path, headers = proxy.seen[0]
    assert path == "http://portal.example/x?y=1"
    assert base64.b64decode(headers["Proxy-Authorization"].split()[1]) == b"me:pa@ss"
    for url in ("http://inner.example/", "http://10.0.0.1/", f"http://proxy.example:{proxy.port}/", "http://[::1]/"):
        with pytest.raises(SourceError) as caught:
            http.get(url)
        assert caught.value.code == "private-address"
    assert len(proxy.seen) == 1
    assert "pa@ss" not in repr(http.__dict__)
    assert "pa%40ss" not in repr(http.__dict__)
    with pytest.raises(Blocked) as refused:
        http.get("http://portal.example/refuse")
    assert refused.value.code == "proxy"


def test_tls_through_a_proxy(serve: Serve, client: Client, proxy: Portal, tmp_path: Path) -> None:
    portal = serve(say(b"[1]"), tls=tls(CERTIFICATE, tmp_path))
    access = Access(proxy=f"http://127.0.0.1:{proxy.port}", ca_bundle=tmp_path / "server.pem")
    http = client(access=access, resolve=public, secrets={"Authorization": "k-123456"})
    assert http.get(f"https://portal.example:{portal.port}/").json() == [1]
    path, headers = proxy.seen[0]
    assert path == f"CONNECT portal.example:{portal.port}"
    assert "k-123456" not in str(headers)
    assert portal.seen[0][1]["Authorization"] == "k-123456"
    with pytest.raises(Unavailable, match="the proxy refuses") as caught:
        http.get("https://refuse.example/")
    assert caught.value.code == "proxy"
    assert client(access=Access(proxy="direct"), resolve=public).get(serve(say(b"[2]")).url).json() == [2]


def test_a_name_that_only_the_proxy_resolves(client: Client, proxy: Portal) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    changed = {"proxy": f"http://127.0.0.1:{proxy.port}", "retries": 0}
    with pytest.raises(Unavailable, match="does not resolve"):
        client(changed, resolve=resolve).get("http://portal.example/")
    changed["private_hosts"] = ("portal.example",)
    assert client(changed, resolve=resolve).get("http://portal.example/").json() == ["proxied"]


def test_the_proxy_of_a_source_is_guarded(client: Client, proxy: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PROXY", f"http://u:s3cr3t@127.0.0.1:{proxy.port}")
    access = Access(proxy="env:PORTAL_PROXY")
    with pytest.raises(SourceError, match="private address") as caught:
        client({"private_hosts": ()}, access=access, resolve=public).get("http://portal.example/")
    assert caught.value.code == "private-address"
    assert "s3cr3t" not in caught.value.message
    assert client(access=access, resolve=public).get("http://portal.example/").json() == ["proxied"]
    for wrong in ("", "ftp://x/", "not a proxy"):
        monkeypatch.setenv("PORTAL_PROXY", wrong)
        with pytest.raises(SourceError, match="env:PORTAL_PROXY") as caught:
            client(access=access).get("http://portal.example/")
        assert caught.value.code == "credentials"
    with pytest.raises(UsageError, match=r"proxy: a proxy is written http://host:port"):
        client({"proxy": "socks5://u:s3cr3t@x:1"})
