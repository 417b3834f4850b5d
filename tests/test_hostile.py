"""What a hostile or broken portal may send, and what must be true then: each line of a table through a whole run."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyoxigraph as ox
import pytest
from sqlalchemy import Engine, select
from starlette.testclient import TestClient

from api.app import create_app
from harvester import sources, worker
from harvester.catalogue import queries
from harvester.catalogue.database import writing
from harvester.catalogue.tables import problems, records, runs
from harvester.errors import SourceError
from harvester.harvest import Result
from harvester.http import Http
from harvester.model import Dataset
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from harvester.settings import Settings
from tests.misbehaving import OK_HEAD, Handler, Portal, Script, raw, say, serving, to

serve = pytest.fixture(name="serve")(serving)

Serve = Callable[..., Portal]

EXPORTS = {"ttl": ox.RdfFormat.TURTLE, "rdf": ox.RdfFormat.RDF_XML}
GIGABYTE = 1 << 20  # in the kilobytes of getrusage


@dataclass
class Outcome:
    """What a run left: its result, the catalogue, what was reported, what the API shows."""

    result: Result
    datasets: dict[str, Dataset]
    codes: set[str]
    shown: str = field(repr=False)
    stored: str = field(repr=False)

    def titles(self) -> set[str]:
        return {text for dataset in self.datasets.values() for text in dataset.title.values()}


@contextmanager
def harvested(engine: Engine, settings: Settings, url: str, connector: str, **changed: Any) -> Iterator[Outcome]:
    """One whole run of a new source, and everything that can be seen of it afterwards."""
    settings = settings.model_copy(update={"retries": 0, **changed.pop("set", {})})
    with writing(engine) as connection:
        name = sources.add(connection, url=url, connector=connector, name="evil", now=utcnow(), **changed)
        row = sources.named(connection, name)
        claim = worker.begin(connection, row, "full", utcnow())
    result = worker.execute(engine, settings, row, claim, utcnow)
    with engine.connect() as connection:
        views = queries.visible_page(connection)
        codes = {row.code for row in connection.execute(select(problems))}
        tables = [connection.execute(select(table)).all() for table in (problems, records, runs, sources_table())]
        shown = [json.dumps([tuple(map(str, row)) for row in rows]) for rows in tables]
    refresh(engine, open_index(settings))
    found = {view.records[0].guid: view.dataset for view in views if view.dataset}
    yield Outcome(result, found, codes, all_of_the_api(settings), "".join(shown))


def sources_table() -> Any:
    from harvester.catalogue.tables import sources as table

    return table


def all_of_the_api(settings: Settings) -> str:
    """Search, problems, sources and every export, the exports read by a strict parser."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        paths = (
            "/api/datasets",
            "/api/datasets?q=T&facets=keyword",
            "/api/sources",
            "/api/runs",
            "/api/runs/1/problems",
        )
        answers = [client.get(path) for path in paths]
        for name, format in EXPORTS.items():
            answers.append(client.get(f"/catalog.{name}"))
            assert sum(1 for _ in ox.parse(answers[-1].content, format, base_iri="http://x.example/")) > 0
        answers += [client.get("/catalog.jsonld"), client.get("/")]
        assert answers[-2].json()
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    return "".join(answer.text for answer in answers)


def ckan(*packages: str) -> Script:
    """A CKAN that lists these packages, each the text of a JSON object."""

    def script(handler: Handler) -> None:
        asked = urlsplit(handler.path)
        if not asked.path.endswith("/package_search"):
            return say(b'{"success": true, "result": {}}', content_type="application/json")(handler)
        query = parse_qs(asked.query)
        start, rows = int(query.get("start", ["0"])[0]), int(query.get("rows", ["10"])[0])
        listed = ",".join(packages[start : start + rows])
        text = f'{{"success": true, "result": {{"count": {len(packages)}, "results": [{listed}]}}}}'
        return say(text.encode("utf-8", "surrogatepass"), content_type="application/json")(handler)

    return script


def package(guid: str, members: str) -> str:
    return f'{{"id": "{guid}", "state": "active", "type": "dataset", {members}}}'


GOOD = tuple(package(f"good-{number}", f'"title": "Bon {number}", "resources": []') for number in range(3))
FILE = '"resources": [{"id": "r", "url": "https://x.example/f.csv", "size": %s}]'
DEEP = 100_000
BRACKETS = "[" * DEEP + "]" * DEEP
SITE = "https://x.example"

# What one record of a CKAN holds -> the title that it must have ("" for none that is readable: only reported).
RECORDS: dict[str, tuple[str, str | None]] = {
    "not a number": ('"title": "T", "x": NaN, "y": -Infinity, ' + FILE % "NaN", "T"),
    "a number of 10,000 digits": ('"title": "T", "x": %s, ' % ("9" * 10_000) + FILE % ("9" * 10_000), "T"),
    "a number beyond floats": ('"title": "T", "x": 1e999999999, ' + FILE % "1e400", "T"),
    "a name twice": ('"title": "un", "title": "deux"', "deux"),
    "halves of surrogate pairs": (
        '"title": "T\\ud800 \\udc00", "notes": "\ud83d", "tags": [{"name": "\\udfff"}]',
        "T\ufffd \ufffd",
    ),
    "control characters": ('"title": "T\\u0000\\u0001\\u001b[31m", "notes": "x\x01y"', "T[31m"),
    "markup": (
        '"title": "<script>alert(1)</script>T", "notes": "<p onclick=alert(2)>Hi<img src=x onerror=alert(3)>'
        '<a href=\\"javascript:alert(4)\\">l</a></p><iframe src=https://x.example></iframe>"',
        "T",
    ),
    "wrong types everywhere": (
        '"title": ["T", {"a": 1}], "notes": {"b": [5]}, "tags": "x", "resources": {"url": 1}, "extras": 7, '
        '"organization": [[]], "license_id": {}, "groups": [null, 3], "metadata_modified": [1]',
        "T",
    ),
    "absurd dates": ('"title": "T", "metadata_modified": "9999999-99-99T99:99:99", "issued": "-1"', "T"),
    "34,866 keywords": (
        f'"title": "T", "tags": {json.dumps([{"name": f"mot {number}"} for number in range(34_866)])}',
        "T",
    ),
    "8,327 distributions": (
        f'"title": "T", "resources": {json.dumps([{"id": f"r{n}", "url": f"{SITE}/{n}.csv"} for n in range(8_327)])}',
        "T",
    ),
    "a text of four megabytes": ('"title": "T", "notes": "%s"' % ("n " * 2_000_000), "T"),
    "100,000 brackets": ('"title": "T", "x": ' + BRACKETS, None),
    "100,000 objects": ('"title": "T", "x": ' + '{"a":' * DEEP + "1" + "}" * DEEP, None),
}


@pytest.mark.parametrize("name", RECORDS)
def test_one_hostile_record_costs_no_other(engine: Engine, settings: Settings, serve: Serve, name: str) -> None:
    members, title = RECORDS[name]
    portal = serve(ckan(GOOD[0], package("evil", members), *GOOD[1:]))
    with harvested(engine, settings, portal.url, "ckan") as found:
        assert {"Bon 0", "Bon 1", "Bon 2"} <= found.titles()
        if title is None:
            assert "evil" not in found.datasets
            assert (found.result.status, found.codes) == ("partial", found.codes | {"unreadable-record"})
            return
        dataset = found.datasets["evil"]
        assert (found.result.status, list(dataset.title.values())) == ("succeeded", [title])
    everything = f"{dataset!r} {found.shown}"
    assert not any(mark in everything for mark in ("alert(", "\x00", "\x1b", "<script>alert", "<iframe", "onerror"))
    if name.startswith("34,866"):
        assert sum(map(len, dataset.keyword.values())) == 34_866
    if name.startswith("8,327"):
        assert len(dataset.distribution) == 8_327
    if name.startswith("a text of four"):
        assert len(next(iter(dataset.description.values()))) >= 3_999_000


# -- feeds ------------------------------------------------------------------------------------------------------------

NAMES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#" '
    'xmlns:dct="http://purl.org/dc/terms/"'
)
XML = "application/rdf+xml"
JSON = "application/ld+json"
LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def rdf(title: str, prolog: str = "", declaration: str = '<?xml version="1.0"?>') -> str:
    good = '<dcat:dataset><dcat:Dataset rdf:about="https://x.example/{0}"><dct:title>{1}</dct:title></dcat:Dataset></dcat:dataset>'
    return (
        f"{declaration}{prolog}<rdf:RDF {NAMES}><dcat:Catalog rdf:about='https://x.example/c'>"
        f"{good.format('evil', title)}{good.format('good', 'Bon')}</dcat:Catalog></rdf:RDF>"
    )


@dataclass(frozen=True)
class Feed:
    """A document, and what must be true: the code of the run (None: it went well) and the titles it left."""

    body: str | bytes
    content_type: str = XML
    code: str | None = None
    titles: tuple[str, ...] = ("T", "Bon")


def feeds(canary: str) -> dict[str, Feed]:
    return entities(canary) | charsets() | brackets() | elsewhere(canary)


def entities(canary: str) -> dict[str, Feed]:
    bad: dict[str, Any] = {"code": "unsafe-xml", "titles": ()}
    doctype = "<!DOCTYPE r [{}]>".format
    return {
        "billion laughs": Feed(rdf("&i;", doctype(LAUGHS)), **bad),
        "one large entity, often": Feed(rdf("&a;" * 5_000, doctype(f'<!ENTITY a "{"A" * 50_000}">')), **bad),
        "an external entity, file": Feed(rdf("&x;", doctype('<!ENTITY x SYSTEM "file:///etc/hostname">')), **bad),
        "an external entity, network": Feed(rdf("&x;", doctype(f'<!ENTITY x SYSTEM "{canary}/entity">')), **bad),
        "a parameter entity": Feed(rdf("T", doctype(f'<!ENTITY % p SYSTEM "{canary}/p"> %p;')), **bad),
        "an external DTD": Feed(rdf("T", f'<!DOCTYPE rdf:RDF SYSTEM "{canary}/dtd">')),
        "a style sheet": Feed(rdf("T", f'<?xml-stylesheet href="{canary}/xsl" type="text/xsl"?>')),
        "50,000 elements in each other": Feed(
            f"<rdf:RDF {NAMES}>{'<dcat:Dataset><dct:relation>' * 50_000}"
            f"{'</dct:relation></dcat:Dataset>' * 50_000}</rdf:RDF>",
            **bad,
        ),
    }  # fmt: skip


def charsets() -> dict[str, Feed]:
    return {
        "a charset that is not true": Feed(
            rdf("Été", declaration='<?xml version="1.0" encoding="utf-8"?>').encode("latin-1"),
            XML + "; charset=utf-8",
            titles=("Été", "Bon"),
        ),
        "two bytes for each character": Feed(
            rdf("Été", declaration='<?xml version="1.0" encoding="utf-16"?>').encode("utf-16"), titles=("Été", "Bon")
        ),
        "characters that XML forbids": Feed(rdf("T\x00\x01&#0;&#x1F;"), titles=("T", "Bon")),
        "halves of pairs as numbers": Feed(rdf("T&#xD83D;&#xDE00;&#xD800;&lt;"), titles=("T\U0001f600\ufffd<", "Bon")),
    }


def brackets() -> dict[str, Feed]:
    graph = {"@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}}
    return {
        "brackets, Turtle": Feed(
            "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . "
            '<https://x.example/g> a dcat:Dataset ; dct:title "Bon" . '
            f'<https://x.example/e> a dcat:Dataset ; dct:title "T" ; dct:relation {"(" * DEEP}1{")" * DEEP} .',
            "text/turtle",
        ),
        "brackets, JSON-LD": Feed(
            json.dumps({**graph, "@type": "dcat:Dataset"})[:-1] + ', "x": ' + BRACKETS + "}",
            JSON,
            "bad-json",
            (),
        ),
        "brackets, a large JSON-LD": Feed(
            json.dumps({**graph, "pad": "x" * (9 << 20)})[:-1] + ', "@graph": ' + BRACKETS + "}",
            JSON,
            "bad-json",
            (),
        ),
        "brackets, a large list of JSON-LD": Feed('["' + "x" * (9 << 20) + '",' + BRACKETS + "]", JSON, "bad-json", ()),
    }


def elsewhere(canary: str) -> dict[str, Feed]:
    return {
        "a context elsewhere": Feed(
            json.dumps({"@context": f"{canary}/context", "@type": "dcat:Dataset", "@id": f"{SITE}/e", "title": "T"}),
            JSON,
            titles=("T",),
        ),
    }


@pytest.mark.parametrize("name", feeds(""))
def test_hostile_feeds(engine: Engine, settings: Settings, serve: Serve, name: str) -> None:
    canary = serve(say(b"leaked"))
    feed = feeds(canary.url)[name]
    body = feed.body if isinstance(feed.body, bytes) else feed.body.encode("utf-8", "surrogatepass")
    portal = serve(say(body, content_type=feed.content_type))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with harvested(engine, settings, portal.url + "/feed", "dcat") as found:
        titles = {title.strip() for title in found.titles()}
        assert (found.result.code, titles) == (feed.code, set(feed.titles)), found.result.message
    assert found.result.status == ("failed" if feed.code else "succeeded")
    assert canary.seen == []
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GIGABYTE / 2


POD = json.dumps({"title": "Bon", "identifier": "good", "accessLevel": "public", "publisher": {"name": "p"}})
CATALOGUES = '"catalog":{' * (DEEP - 1)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"dataset": [{POD}, {{"title": "T", "x": {BRACKETS}}}]}}',
        f'{{"dataset": [{POD}], "catalog": {"{" + CATALOGUES + "}" * DEEP}',
        f'{{"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": [{POD}, {BRACKETS}]}}',
    ],
    ids=["in a dataset", "catalogues in catalogues", "lists in the list"],
)
def test_brackets_in_data_json(engine: Engine, settings: Settings, serve: Serve, text: str) -> None:
    portal = serve(say(text.encode(), content_type="application/json"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with harvested(engine, settings, portal.url + "/data.json", "dcat") as found:
        assert found.result.status == "failed"
        assert found.result.code == "not-json"
        assert "nested deeper than" in (found.result.message or "")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GIGABYTE / 2


# -- where a portal leads us ------------------------------------------------------------------------------------------

# Ways to spell what must not be asked.
ADDRESSES = (
    "http://127.0.0.1/", "http://127.1/", "http://0177.0.0.1/", "http://0x7f.0.0.1/", "http://2130706433/", "http://0/",
    "http://0x7f000001/", "http://017700000001/", "http://127.0.0.1./", "http://127。0。0。1/", "http://0.0.0.0/",
    "http://[::]/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::127.0.0.1]/",
    "http://[2002:7f00:1::]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::7f00:1]/", "http://[fe80::1]/",
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/", "http://[2002:a9fe:a9fe::]/", "http://10.0.0.1/", "http://172.16.0.1/",
    "http://192.168.0.1/", "http://100.100.100.200/", "http://198.18.0.1/", "http://224.0.0.1/", "http://240.0.0.1/",
    "http://255.255.255.255/", "http://192.0.2.1/", "http://[ff02::1]/", "http://[fc00::1]/", "http://[fec0::1]/",
    "http://portal.example@127.0.0.1/", "http://portal.example:80@127.0.0.1/", "http://127.0.0.1#@portal.example/",
    "http://127.0.0.1?@portal.example/", "http://portal.example%40@127.0.0.1/",
    "http://localhost/", "http://LOCALHOST./", "http://ｌｏｃａｌｈｏｓｔ/", "http://x.localhost/",
)  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_spelling_of_a_private_address_is_asked(address: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        assert "localhost" in host, f"{host} was looked up"
        return ["127.0.0.1"]

    with Http(Settings(max_crawl_delay=0), resolve=resolve) as http, pytest.raises(SourceError) as caught:
        http.get(address)
    assert caught.value.code in {"private-address", "bad-url"}
    assert caught.value.code == "private-address" or "ｌ" in address or address == "http://0177.0.0.1/"


LINKS = {
    "a redirect": lambda url: to(url),
    "hydra:next": lambda url: say(
        (
            f"@prefix hydra: <http://www.w3.org/ns/hydra/core#> . @prefix dcat: <http://www.w3.org/ns/dcat#> . "
            f"<#p> a hydra:PagedCollection ; hydra:next <{url}> . "
            '<https://x.example/d> a dcat:Dataset ; <http://purl.org/dc/terms/title> "Bon" .'
        ).encode(),
        content_type="text/turtle",
    ),
}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_links_into_the_private_network(engine: Engine, settings: Settings, serve: Serve, link: str, host: str) -> None:
    inner = serve(say(b"secret"))
    outer = serve(LINKS[link](f"http://{host}:{inner.port}/next"))
    only = {"set": {"private_hosts": (f"127.0.0.1:{outer.port}",)}}
    with harvested(engine, settings, outer.url + "/feed.ttl", "dcat", **only) as found:
        assert found.result.status == "failed"
        # A link to another port of the portal's own host is taken for a slip, and followed on the portal's port.
        assert found.result.code in ({"private-address", "paging-loop"} if host == "127.0.0.1" else {"private-address"})
    assert inner.seen == []


# -- how a portal answers ---------------------------------------------------------------------------------------------

ANSWERS: dict[str, tuple[Script, str]] = {
    "a length that is too long": (raw(OK_HEAD + b"Content-Length: 999\r\n\r\n{}"), "truncated"),
    "a length that is too short": (raw(OK_HEAD + b"Content-Length: 4\r\n\r\n[1, 2, 3]"), "bad-json"),
    "a length that is no number": (raw(OK_HEAD + b"Content-Length: lots\r\n\r\n{}"), "truncated"),
    "a length below zero": (raw(OK_HEAD + b"Content-Length: -5\r\n\r\n{}"), "truncated"),
    "two lengths": (raw(OK_HEAD + b"Content-Length: 2\r\nContent-Length: 50\r\n\r\n{}"), "truncated"),
    "headers without end": (raw(OK_HEAD, *[b"X-A: " + b"a" * 60_000 + b"\r\n"] * 20), "truncated"),
    "a header with a null": (raw(OK_HEAD + b"X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}"), "truncated"),
    "a page of HTML": (say(b"<!DOCTYPE html><p>Maintenance", content_type="text/html"), "not-rdf"),
    "nothing": (say(b""), "not-rdf"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_that_are_none(engine: Engine, settings: Settings, serve: Serve, name: str) -> None:
    script, code = ANSWERS[name]
    with harvested(engine, settings, serve(script).url + "/feed.jsonld", "dcat") as found:
        assert (found.result.status, found.result.code) == ("failed", code), found.result.message
        assert found.datasets == {}


# -- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_is_stored_shown_or_told(
    engine: Engine, settings: Settings, serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("PORTAL_KEY", "hunter2-hunter2")
    how = {"headers": {"X-Tenant": "n"}, "secrets": {"Authorization": "Apikey env:PORTAL_KEY", "?k": "env:PORTAL_KEY"}}
    listing = ckan(*GOOD)

    def script(handler: Handler) -> None:
        # Half of the portal works, and tells the key in its errors.
        if "package_search" in handler.path:
            return listing(handler)
        return say(f"bad key {parse_qs(urlsplit(handler.path).query)['k'][0]}".encode(), 500)(handler)

    portal = serve(script)
    with harvested(engine, settings, portal.url, "ckan", access=how) as found:
        assert found.titles() == {"Bon 0", "Bon 1", "Bon 2"}
    assert all("hunter2-hunter2" in path and "hunter2" in headers["Authorization"] for path, headers in portal.seen)
    assert "env:PORTAL_KEY" in found.stored
    for place in (found.stored, found.shown, caplog.text, repr(found)):
        assert "hunter2" not in place, place[max(place.index("hunter2") - 500, 0) : place.index("hunter2") + 100]


def test_a_missing_secret_fails_the_run(engine: Engine, settings: Settings, serve: Serve) -> None:
    portal = serve(ckan(*GOOD))
    how = {"secrets": {"Authorization": "env:NO_SUCH_KEY"}}
    with harvested(engine, settings, portal.url, "ckan", access=how) as found:
        assert (found.result.status, found.result.code) == ("failed", "credentials")
        assert "credentials" in found.codes
    assert portal.seen == []
