"""Our own exports, harvested: every format, page and dump gives back what went in, however the feed was cut."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from connectors import dcat
from harvester import dumps
from harvester.connector import Source, Walk
from harvester.dumps import Wanted
from harvester.http import Http
from harvester.model import Dataset
from harvester.search import open_index, refresh
from harvester.settings import Settings
from harvester.views import view
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

HOST = "http://127.0.0.1"
FORMATS = ("ttl", "rdf", "jsonld", "nt", "nq", "trig")
NUMBER = 11
Plain = dict[str, Any]


def iri(number: int) -> str:
    return f"https://portal.example/d/{number}"


def raw(number: int) -> Plain:
    """A dataset in a series, from another, beside others that no one lists, with a record of the portal's own."""
    others = {"uri": "https://elsewhere.example/d", "name": "Ailleurs"}
    return {
        "identifier": f"d{number}",
        "uri": iri(number),
        "title": f"Relevé {number}",
        "kind": "series" if number == 0 else "dataset",
        "in_series": [{"uri": iri(0), "name": "Nom 0"}] if number else [],
        "source": [{"uri": iri((number + 5) % NUMBER), "name": f"Nom {(number + 5) % NUMBER}"}, others],
        "relation": [{"uri": iri((number + 3) % NUMBER), "name": f"Nom {(number + 3) % NUMBER}"}],
        "distribution": [{"download_url": "https://portal.example/f.csv", "format": "csv", "media_type": "text/csv"}],
        "record": {
            "uri": f"https://portal.example/record/{number}" if number % 2 else None,
            "issued": "2017-03-11",
            "modified": "2018-04-12",
            "language": ["fr"],
        },
    }


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    found = catalogue(tmp_path, public_url=HOST)
    found.add("portal", [raw(number) for number in range(NUMBER)])
    refresh(found.engine, open_index(found.settings))
    return found


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings)) as found:
        yield found


def harvested(answering: httpx.MockTransport, path: str) -> dict[str, Plain]:
    http = Http(Settings(private_hosts=("127.0.0.1",)), transport=answering)
    source = Source("own", HOST + path)
    found: dict[str, Plain] = {}
    for page in dcat.fetch(source, http, Walk()):
        assert not page.problems
        assert not page.notes
        for record in page.records:
            assert record.guid not in found
            found[record.guid] = dcat.normalise(record, source).plain()
    return found


def served(client: TestClient, asked: list[str] | None = None) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        if asked is not None:
            asked.append(str(request.url))
        found = client.get(f"{parts.path}?{parts.query}", headers={"accept": request.headers["accept"]})
        return httpx.Response(
            found.status_code, content=found.content, headers={"content-type": found.headers["content-type"]}
        )

    return httpx.MockTransport(answer)


def posted(body: bytes) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _: httpx.Response(200, content=body))


def expected() -> dict[str, Plain]:
    """What the datasets say; the catalogue adds the identifiers it knows them by."""
    return {iri(number): Dataset.of(raw(number)).plain() for number in range(NUMBER)}


def said(found: dict[str, Plain]) -> dict[str, Plain]:
    return {
        guid: {key: value for key, value in plain.items() if key != "other_identifier"} for guid, plain in found.items()
    }


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("path", ["/catalog.{}", "/catalog.{}?page_size=4", "/export.{}"])
def test_what_the_api_writes_can_be_harvested(client: TestClient, path: str, suffix: str) -> None:
    assert said(harvested(served(client), path.format(suffix))) == expected()


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_dump_can_be_harvested(built: Catalogue, suffix: str) -> None:
    index = open_index(built.settings)
    with built.engine.connect() as connection:
        wanted = [Wanted(view(connection, built.settings), suffix)]
    (item,) = dumps.make(built.engine, index, built.settings, wanted, lambda *_: None, NOW)
    body = (dumps.folder(built.settings) / item.name).read_bytes()
    assert said(harvested(posted(body), f"/{item.name}")) == expected()
    assert said(harvested(posted(gzip.decompress(body)), f"/{item.name[:-3]}")) == expected()


@pytest.mark.parametrize("suffix", ["ttl", "jsonld"])
def test_a_dataset_says_the_same_however_the_feed_is_cut(client: TestClient, suffix: str) -> None:
    whole = harvested(served(client), f"/catalog.{suffix}")
    for size in (1, 2, 5):
        assert harvested(served(client), f"/catalog.{suffix}?page_size={size}") == whole


def test_no_page_is_asked_for_beyond_the_last(client: TestClient) -> None:
    def advertising_more(request: httpx.Request) -> httpx.Response:
        found = served(client, asked).handler(request)
        assert isinstance(found, httpx.Response)
        body = found.content.replace(f'"{NUMBER}"'.encode(), f'"{NUMBER + 1}"'.encode())
        return httpx.Response(200, content=body, headers={"content-type": "application/n-triples"})

    asked: list[str] = []
    assert len(harvested(httpx.MockTransport(advertising_more), "/catalog.nt?page_size=4")) == NUMBER
    assert len(asked) == 3


def test_the_record_of_the_first_portal_is_kept_through_generations(client: TestClient, tmp_path: Path) -> None:
    heirs = catalogue(tmp_path / "second", public_url=HOST)
    first = harvested(served(client), "/catalog.ttl")
    heirs.add("own", [{**plain, "identifier": guid} for guid, plain in first.items()])
    refresh(heirs.engine, open_index(heirs.settings))
    with TestClient(application(heirs.settings)) as second:
        found = harvested(served(second), "/catalog.ttl")
    records = {guid: plain["record"] for guid, plain in found.items()}
    assert records == {guid: plain["record"] for guid, plain in expected().items()}
    assert {(record["issued"], record["modified"]) for record in records.values()} == {("2017-03-11", "2018-04-12")}
