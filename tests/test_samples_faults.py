"""Misbehaving portals misbehave as they say; servers and transports carry any portal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pyoxigraph import parse

from harvester import registry
from harvester.connector import Source, Walk
from harvester.errors import SourceError
from harvester.http import Http
from harvester.samples import SAMPLES, Sample
from harvester.samples.faults import FAULTS, KINDS, Fault, becomes, faulty, misbehaving, of_kind
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import FORMATS, dcat_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport, ask, serve
from harvester.settings import Settings

ACTION = "/api/3/action/"


def answer(portal: Portal, target: str, headers: Mapping[str, str] | None = None) -> Any:
    reply = ask(portal, target, headers)
    assert reply.status == 200, reply.body
    return reply.json()


# --- Serving


def echo(request: Request) -> Reply:
    return Reply(200, f"{request.method} {request.path} {request.get('q')}".encode(), "text/plain")


def test_one_connection_carries_many_requests() -> None:
    with serve(echo) as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/a/é", params={"q": "eau & air"}).text == "GET /a/é eau & air"
        assert client.post("/b", content=b"x" * 9000).text == "POST /b "
        assert client.head("/c").headers["content-length"] == str(len("HEAD /c "))
        assert client.get("/d").http_version == "HTTP/1.1"
        assert len(client._transport._pool.connections) == 1  # type: ignore[attr-defined]


def test_a_dripping_answer_arrives_whole() -> None:
    with serve(lambda request: Reply(200, b"x" * 5000, "text/plain", drip=0.001)) as server:
        assert httpx.get(server.url).text == "x" * 5000


def test_a_closed_server_refuses_connections() -> None:
    server = serve(echo)
    with httpx.Client() as client:
        assert client.get(server.url).status_code == 200
        server.close()
        with pytest.raises(httpx.TransportError):
            client.get(server.url)


@pytest.mark.parametrize("through", ["socket", "transport"])
def test_a_portal_may_hang_up(through: str) -> None:
    portal = misbehaving(echo, "hang-up")
    with serve(portal) as server:
        transport = as_transport(portal) if through == "transport" else None
        with httpx.Client(base_url=server.url, transport=transport) as client:
            assert client.get("/").status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                client.get("/")
            assert client.get("/").status_code == 200


# --- Faults


def statuses(name: str, requests: int = 3) -> list[int]:
    portal = misbehaving(echo, name)
    return [ask(portal, "/").status for _ in range(requests)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("500-once", [200, 500, 200]),
        ("500-always", [200, 500, 500]),
        ("503-first", [503, 200, 200]),
        ("429-seconds", [200, 429, 200]),
        ("429-date", [200, 429, 200]),
        ("403-wall", [403, 403, 403]),
        ("html-once", [200, 200, 200]),
        ("private-redirect", [200, 302, 302]),
    ],
)
def test_a_fault_strikes_when_it_says(name: str, expected: list[int]) -> None:
    assert statuses(name) == expected


def test_throttling_says_how_long() -> None:
    replies = []
    for name in ("429-seconds", "429-date"):
        portal = misbehaving(echo, name)
        replies.append([ask(portal, "/") for _ in range(2)][1].headers["Retry-After"])
    assert replies == ["1", "Wed, 21 Oct 2015 07:28:00 GMT"]


def walk(portal: Portal, size: int, pages: int, style: str) -> tuple[list[str], list[int]]:
    """The records and the totals that a naive walk meets."""
    found, totals = list[str](), list[int]()
    for page in range(pages):
        if style == "ckan":
            result = answer(portal, f"{ACTION}package_search?sort=id+asc&rows={size}&start={page * size}")["result"]
            rows, total = result["results"], result["count"]
        else:
            result = answer(portal, f"/api/1/datasets/?sort=created&page_size={size}&page={page + 1}")
            rows, total = result["data"], result["total"]
        found += [row["id"] for row in rows]
        totals.append(total)
    return found, totals


BLOCK = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://feed.example/1> a dcat:Dataset ; dct:title "Jeu" .
"""
PACKAGES = [
    {"id": f"id-{number:05}", "name": f"jeu-{number}", "title": "Jeu", "resources": [], "organization": {}}
    for number in range(20)
]
PORTALS = {
    "ckan": ckan_portal(PACKAGES, title="Portail"),
    "udata": udata_portal([{"id": f"id-{n:05}", "created_at": f"{n:05}"} for n in range(20)], title="Portail"),
}


@pytest.mark.parametrize("style", sorted(PORTALS))
def test_a_removal_in_the_middle_of_a_walk_hides_a_dataset(style: str) -> None:
    found, totals = walk(misbehaving(PORTALS[style], "removed"), 5, 4, style)
    assert (len(found), totals) == (19, [20, 19, 19, 19])
    assert "id-00005" not in found


@pytest.mark.parametrize("style", sorted(PORTALS))
def test_an_insertion_in_the_middle_of_a_walk_repeats_a_dataset(style: str) -> None:
    found, totals = walk(misbehaving(PORTALS[style], "inserted"), 5, 4, style)
    assert totals == [20, 21, 21, 21]
    assert found.count("id-00004") == 2


@pytest.mark.parametrize("style", sorted(PORTALS))
def test_a_loop_shows_the_first_page_for_ever(style: str) -> None:
    found, _ = walk(misbehaving(PORTALS[style], "page-loop"), 5, 3, style)
    assert found == found[:5] * 3


def test_json_faults_spoil_the_envelope() -> None:
    target = f"{ACTION}package_search?rows=5"
    assert answer(misbehaving(PORTALS["ckan"], "lying-total"), target)["result"]["count"] == 1020
    empty = answer(misbehaving(PORTALS["ckan"], "empty"), target)
    assert (empty["success"], empty["result"]["count"], empty["result"]["results"]) == (True, 0, [])
    first, second = answer(misbehaving(PORTALS["ckan"], "wrong-types"), target)["result"]["results"][:2]
    assert (first["title"], first["resources"], first["organization"]) == (["x"], "x", "x")
    assert first["id"].startswith("id-")
    assert isinstance(second["title"], str)


def test_truncated_answers_are_no_json() -> None:
    portal = misbehaving(PORTALS["ckan"], "truncated")
    bodies = [ask(portal, f"{ACTION}package_search").body for _ in range(2)]
    assert len(bodies[1]) < len(bodies[0])
    with pytest.raises(ValueError, match=r"unexpected end|EOF|unterminated"):
        Reply(200, bodies[1]).json()


@pytest.mark.parametrize("extension", ["ttl", "rdf", "jsonld", "nt"])
def test_an_emptied_feed_is_valid_and_empty(extension: str) -> None:
    reply = ask(misbehaving(dcat_portal([BLOCK], title="Flux"), "empty"), f"/catalog.{extension}")
    assert reply.status == 200
    found = parse(reply.body, FORMATS[extension].format)
    assert [quad.object.value for quad in found] == ["http://www.w3.org/ns/dcat#Catalog"]


def test_another_portal_takes_over() -> None:
    portal = becomes(PORTALS["udata"], after=1)(echo)
    assert [ask(portal, "/api/1/datasets/").content_type for _ in range(2)] == ["text/plain", "application/json"]


# --- The table


EACH = [(sample, fault) for sample in SAMPLES for fault in of_kind(sample.connector)]


def test_the_table_is_one_sentence_a_fault_and_every_kind_has_most() -> None:
    assert set(KINDS) == {sample.connector for sample in SAMPLES}
    for fault in FAULTS.values():
        assert re.fullmatch(r"[A-Z][^.]*(?:\.[^ .][^.]*)*\.", fault.description), fault.description
        assert (fault.wrap is None) != (fault.hold is None)
    assert all(len(of_kind(kind)) > 35 for kind in KINDS)


def walked(sample: Sample, portal: Portal) -> tuple[set[str], list[str], str | None]:
    """The guids that a walk of a sample finds, the codes of what it reports, and the error it ends with."""
    connector, clock = registry.connector(sample.connector), [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    found: set[str] = set()
    codes: list[str] = []
    source = Source(sample.name, f"http://portal.example{sample.path}", connector.Options())
    with Http(Settings(), transport=as_transport(portal), sleep=sleep, now=lambda: clock[0]) as http:
        try:
            for page in connector.fetch(source, http, Walk()):
                found |= {record.guid for record in page.records if not record.deleted}
                codes += [problem.code for problem in (*page.problems, *page.notes)]
        except SourceError as error:
            return found, codes, error.code
    return found, codes, None


WHOLE = (
    "500-once",
    "503-first",
    "429-seconds",
    "429-date",
    "429-future",
    "429-reset-time",
    "hang-up",
    "reset-once",
    "html-once",
    "wrong-charset",
    "wrong-header",
    "control-characters",
    "304-for-ever",
    "capped-pages",
    "chokes",
    "high-total",
    "low-total",
    "zero-total",
    "lying-total",
    "ignored-filter",
    "empty-filter",
    "inserted",
)
# A portal whose whole list is in its first good answer has shown it all before these strike.
BROKEN = ("404-later", "500-always", "403-burst", "reset-always", "html-always", "truncated", "redirect-loop")


@pytest.mark.parametrize(("sample", "fault"), EACH, ids=lambda value: value.name)
def test_a_walk_meets_each_fault_as_it_should(sample: Sample, fault: Fault) -> None:
    if fault.name == "slow":
        pytest.skip("only a socket can be slow")
    whole, _, error = walked(sample, sample.portal())
    assert (len(whole), error) == (sample.count, None)
    found, _, error = walked(sample, faulty(sample, fault.name))
    if fault.name in WHOLE:
        assert error is None
        assert found == whole
    if fault.name in BROKEN:
        assert error is not None
    if fault.name == "half":
        assert error is None
        assert 0 < len(found) < 0.6 * sample.count
    if fault.name == "renamed":
        assert len(found) == sample.count
        assert found.isdisjoint(whole)
    if fault.name == "breaking-record":
        lost = whole - found
        assert (error, len(lost)) == (None, 1) or (sample.connector == "dcat" and error is not None)
    if fault.name in ("link-loop", "self-link"):
        assert error == "paging-loop"
    if fault.name in ("private-redirect", "private-link"):
        assert error == "forbidden-address" or error is not None


def test_what_goes_in_mid_walk_takes_nothing_along() -> None:
    for sample in SAMPLES:
        whole, _, _ = walked(sample, sample.portal())
        found, _, error = walked(sample, faulty(sample, "gone-midway"))
        assert error is None
        assert len(whole - found) <= 5


def test_each_fault_changes_some_answer() -> None:
    """No fault of the table is without effect on the kinds it names."""
    for sample, fault in EACH:
        asked = [(request.url(), dict(request.headers)) for request in requests_of(sample)]
        healthy, spoilt = sample.portal(), faulty(sample, fault.name)
        pairs = [(ask(healthy, *each), ask(spoilt, *each)) for each in asked]
        assert any(one != other for one, other in pairs), (sample.name, fault.name)


def requests_of(sample: Sample) -> list[Request]:
    """What a harvest asks of a portal, with changes alone, large pages, filters and conditions."""
    asked: list[Request] = []
    portal = sample.portal()

    def recorded(request: Request) -> Reply:
        asked.append(request)
        return portal(request)

    connector = registry.connector(sample.connector)
    source = Source(sample.name, f"http://portal.example{sample.path}", connector.Options())
    for since in (None, datetime(2026, 1, 1, tzinfo=UTC)):
        with Http(Settings(), transport=as_transport(recorded)) as http:
            list(connector.fetch(source, http, Walk(since)))
    return [*asked, asked[-1]]
