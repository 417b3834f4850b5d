"""The DCAT connector against a fake portal: every serialisation, every style of paging, broken and hostile feeds."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors import dcat
from connectors.dcat.feed import resolved_link
from harvester.connector import Page, Source, Walk
from harvester.errors import SourceError
from harvester.http import Http
from harvester.rdf.parse import parse
from harvester.rdf.trees import datasets
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport
from harvester.settings import Settings

HOST = "http://127.0.0.1"
PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> ."""


def turtle(number: int) -> str:
    return f"""{PREFIXES} <https://data.example/d/{number}> a dcat:Dataset ; dct:title "Jeu {number}"@fr ;
    dct:modified "2024-01-02" ; dcat:distribution [ a dcat:Distribution ; dcat:accessURL "http://x.example/f.csv" ] ."""


def http(portal: Portal) -> Http:
    return Http(Settings(private_hosts=("127.0.0.1",)), transport=as_transport(portal))


def walked(portal: Portal, path: str) -> list[Page]:
    return list(dcat.fetch(Source("feed", HOST + path), http(portal), Walk()))


def serving(bodies: Mapping[str, tuple[str, bytes]]) -> Portal:
    def portal(request: Request) -> Reply:
        kind, body = bodies.get(request.path, ("text/html", b""))
        return Reply(200 if body else 404, body, kind)

    return portal


@pytest.mark.parametrize("extension", ["ttl", "rdf", "jsonld"])
@pytest.mark.parametrize("hydra", ["partial", "paged", ""])
def test_every_page_is_walked(extension: str, hydra: str) -> None:
    portal = dcat_portal([turtle(n) for n in range(25)], title="T", page_size=10, hydra=hydra)
    pages = walked(portal, f"/catalog.{extension}")
    guids = [record.guid for page in pages for record in page.records]
    assert sorted(guids) == sorted(f"https://data.example/d/{n}" for n in range(25))


def test_a_record_becomes_a_dataset() -> None:
    source = Source("feed", HOST + "/f")
    (page, *_) = walked(serving({"/f": ("text/plain", turtle(1).encode())}), "/f")
    dataset = dcat.normalise(page.records[0], source)
    assert dataset.title == {"fr": "Jeu 1"}
    assert dataset.distribution[0].access_url == ("http://x.example/f.csv",)
    assert dataset.distribution[0].format is not None
    assert page.records[0].modified is not None


def test_a_syntax_error_keeps_what_was_read_and_fails_the_walk() -> None:
    body = (turtle(1) + '\n<https://data.example/d/2> dct:title "unfinished').encode()
    pages: list[Page] = []
    with pytest.raises(SourceError, match="syntax error") as caught:
        pages.extend(dcat.fetch(Source("f", HOST + "/f"), http(serving({"/f": ("text/turtle", body)})), Walk()))
    assert caught.value.code == "broken-document"


def test_a_truncated_rdf_xml_is_no_complete_walk() -> None:
    body = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcat="http://www.w3.org/ns/dcat#">'
    body += (
        b'<dcat:Dataset rdf:about="http://x.example/1"><dct:title xmlns:dct="http://purl.org/dc/terms/">A</dct:title>'
    )
    with pytest.raises(SourceError):
        walked(serving({"/f": ("application/rdf+xml", body + b"</dcat:Dataset>")}), "/f")


def test_html_and_entities_are_refused() -> None:
    with pytest.raises(SourceError, match="HTML"):
        parse(b"<!DOCTYPE html><html><body>oops</body></html>", base=HOST)
    bomb = b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rdf:RDF xmlns:rdf="urn:x"><a>&b;</a></rdf:RDF>'
    with pytest.raises(SourceError, match="entities"):
        parse(bomb, base=HOST)


def test_stray_ampersands_are_repaired() -> None:
    body = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/"'
    body += b' xmlns:dcat="http://www.w3.org/ns/dcat#"><dcat:Dataset rdf:about="http://x.example/1">'
    body += b"<dct:title>Tom & Jerry</dct:title></dcat:Dataset></rdf:RDF>"
    graph = parse(body, base=HOST)
    (found,) = datasets(graph)
    assert found.tree["http://purl.org/dc/terms/title"] == [{"@value": "Tom & Jerry"}]
    assert [trouble.code for trouble in graph.troubles] == ["repaired-xml"]


def test_blank_node_labels_and_order_do_not_change_a_tree() -> None:
    one = (
        PREFIXES
        + '_:a a dcat:Dataset ; dct:identifier "i" ;\n dcat:distribution _:x, _:y . '
        + '_:x dct:title "1" . _:y dct:title "2" .'
    )
    two = (
        PREFIXES
        + '_:q dct:title "2" . _:p dct:title "1" . '
        + '_:z dcat:distribution _:q, _:p ; dct:identifier "i" ; a dcat:Dataset .'
    )
    first, second = (list(datasets(parse(text.encode(), base=HOST))) for text in (one, two))
    assert first == second
    assert first[0].guid == "i"


@pytest.mark.parametrize(
    ("link", "seen"),
    [
        ("?page=2", "https://a.example/catalog?page=2"),
        ("http://a.example/catalog?page=2", "https://a.example/catalog?page=2"),
        ("http://localhost:5000/catalog?page=2", "https://a.example/catalog?page=2"),
        ("https://b.example/more", "https://b.example/more"),
        ("javascript:alert(1)", None),
    ],
)
def test_links_are_seen_from_their_page(link: str, seen: str | None) -> None:
    assert resolved_link(link, "https://a.example/catalog?page=1") == seen


def test_a_feed_is_recognised_from_the_home_page() -> None:
    portal = dcat_portal([turtle(n) for n in range(3)], title="T")
    found = dcat.recognise(http(portal), HOST + "/")
    assert found is not None
    assert (found.connector, found.advertised) == ("dcat", 3)
