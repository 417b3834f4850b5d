"""The DCAT connector against a fake portal: every serialisation, every style of paging, broken and hostile feeds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from connectors import dcat
from connectors.dcat.feed import resolved_link
from harvester.connector import Page, Source, Walk
from harvester.errors import SourceError
from harvester.http import Http
from harvester.jsonio import canonical
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
    return Http(Settings(private_hosts=("127.0.0.1", "localhost")), transport=as_transport(portal))


def walked(portal: Portal, path: str) -> list[Page]:
    return list(dcat.fetch(Source("feed", HOST + path), http(portal), Walk()))


def serving(bodies: Mapping[str, tuple[str, bytes]]) -> Portal:
    def portal(request: Request) -> Reply:
        kind, body = bodies.get(request.path, ("text/html", b""))
        return Reply(200 if body else 404, body, kind)

    return portal


def guids(pages: Iterable[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records]


def codes(pages: Iterable[Page]) -> list[str]:
    return [note.code for page in pages for note in page.notes]


def named(numbers: Iterable[int]) -> list[str]:
    return sorted(f"https://data.example/d/{n}" for n in numbers)


def feed(count: int, **behaviour: Any) -> Portal:
    return dcat_portal([turtle(n) for n in range(count)], title="T", page_size=10, **behaviour)


@pytest.mark.parametrize("extension", ["ttl", "rdf", "jsonld", "nt", "n3", "trig"])
@pytest.mark.parametrize("hydra", ["partial", "paged", ""])
def test_every_page_is_walked(extension: str, hydra: str) -> None:
    pages = walked(feed(25, hydra=hydra), f"/catalog.{extension}")
    assert sorted(guids(pages)) == named(range(25))
    assert not codes(pages)
    assert [page.advertised for page in pages][-1] == (25 if hydra else None)


def test_a_walk_resumes_after_its_cursor() -> None:
    portal = feed(25)
    first, *others = walked(portal, "/catalog.ttl")
    walk = Walk(cursor=first.cursor)
    resumed = list(dcat.fetch(Source("feed", HOST + "/catalog.ttl"), http(portal), walk))
    assert first.cursor is not None
    assert guids(resumed) == guids(others)
    assert set(guids([first])).isdisjoint(guids(resumed))


@pytest.mark.parametrize("content_type", ["", "text/html", "application/json", "text/plain", "application/xml"])
@pytest.mark.parametrize("extension", ["ttl", "rdf", "jsonld", "nt"])
def test_a_wrong_content_type_does_not_mislead(extension: str, content_type: str) -> None:
    assert guids(walked(feed(3, hydra="", content_type=content_type), f"/catalog.{extension}")) == named(range(3))


@pytest.mark.parametrize("hydra", ["partial", ""])
def test_an_empty_catalogue_is_a_complete_walk_of_nothing(hydra: str) -> None:
    pages = walked(feed(0, hydra=hydra), "/catalog.ttl")
    assert guids(pages) == []
    assert not any(page.problems for page in pages)


def unlinked(count: int, size: int, *, claimed: int | None = None, ignored: bool = False) -> Portal:
    """A portal that counts and takes `?page=`, but links nothing; beyond its last page it shows the last again."""

    def portal(request: Request) -> Reply:
        page = 1 if ignored else min(int(request.get("page") or 1), -(-count // size))
        blocks = "".join(turtle(n) for n in range(count)[(page - 1) * size : page * size])
        hydra = f"<{HOST}/> <http://www.w3.org/ns/hydra/core#totalItems> {count if claimed is None else claimed} ."
        return Reply(200, f"{blocks}\n{hydra}".encode(), "text/turtle")

    return portal


def test_pages_are_guessed_where_a_portal_counts_but_does_not_link() -> None:
    assert sorted(guids(walked(unlinked(25, 10), "/f"))) == named(range(25))


def test_guessing_ends_at_the_page_that_shows_nothing_new() -> None:
    pages = walked(unlinked(25, 10, claimed=99), "/f")
    assert sorted(guids(pages)) == named(range(25))
    assert pages[-1].advertised == 99
    assert sorted(guids(walked(unlinked(5, 5, claimed=99, ignored=True), "/f"))) == named(range(5))


@pytest.mark.parametrize(
    "view",
    [
        "<v> a <{0}PartialCollectionView> .",
        "<v> <{0}first> <f?page=1> ; <{0}last> <f> .",
        "<v> <{0}lastPage> <f> .",
        "<f> <{0}view> <v> .",
    ],
)
def test_nothing_is_guessed_where_a_page_says_that_it_is_the_last(view: str) -> None:
    asked: list[str] = []

    def portal(request: Request) -> Reply:
        asked.append(request.path)
        said = view.format("http://www.w3.org/ns/hydra/core#")
        reply = unlinked(5, 5, claimed=99)(request)
        return Reply(200, reply.body + said.encode(), "text/turtle")

    pages = walked(portal, "/f")
    assert sorted(guids(pages)) == named(range(5))
    assert pages[-1].advertised == 99
    assert len(asked) == 1


def linked(to: Callable[[int], str], block: Callable[[int], str]) -> Portal:
    def portal(request: Request) -> Reply:
        page = int(request.get("page") or 1)
        body = f"{block(page)}\n<{HOST}/v> <http://www.w3.org/ns/hydra/core#next> <{to(page)}> ."
        return Reply(200, body.encode(), "text/turtle")

    return portal


def test_links_that_run_in_a_circle_fail_the_walk() -> None:
    portal = linked(lambda page: f"{HOST}/f?page={page % 3 + 1}", turtle)
    with pytest.raises(SourceError) as caught:
        walked(portal, "/f?page=1")
    assert caught.value.code == "paging-loop"


def test_links_from_empty_page_to_empty_page_end() -> None:
    portal = linked(lambda page: f"{HOST}/f?page={page + 1}", lambda page: turtle(1) if page == 1 else "")
    with pytest.raises(SourceError) as caught:
        walked(portal, "/f")
    assert caught.value.code == "paging-loop"


def test_a_page_that_fails_ends_the_walk_after_what_it_brought() -> None:
    inner = feed(25)

    def portal(request: Request) -> Reply:
        return Reply(404) if request.get("page") == "3" else inner(request)

    pages: list[Page] = []
    with pytest.raises(SourceError):
        pages.extend(dcat.fetch(Source("feed", HOST + "/catalog.ttl"), http(portal), Walk()))
    assert sorted(guids(pages)) == named(range(20))


POD = {
    "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
    "dataset": [{"title": f"Set {n}", "identifier": f"id-{n}", "accessLevel": "public"} for n in range(3)],
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_data_json_comes_through_the_same_connector(packed: bool) -> None:
    body = json.dumps(POD).encode()
    path, body = ("/data.json.gz", gzip.compress(body)) if packed else ("/data.json", body)
    page, end = walked(serving({path: ("application/octet-stream", body)}), path)
    assert end.whole is not None
    assert (end.records, end.whole.records) == ((), 3)
    source = Source("feed", HOST + path)
    assert [dcat.normalise(record, source).title for record in page.records] == [{"": f"Set {n}"} for n in range(3)]


def test_a_gzip_file_of_rdf_is_read() -> None:
    body = gzip.compress(turtle(1).encode())
    assert guids(walked(serving({"/f.ttl.gz": ("application/gzip", body)}), "/f.ttl.gz")) == named([1])


def test_relative_names_are_seen_from_the_public_address() -> None:
    body = f'{PREFIXES} <id/1> a dcat:Dataset ; dct:title "A" .'.encode()
    options = dcat.Options(public_url="https://open.example/catalogue/feed.ttl")
    source = Source("feed", HOST + "/mirror/feed.ttl", options)
    portal = serving({"/mirror/feed.ttl": ("text/turtle", body)})
    assert guids(dcat.fetch(source, http(portal), Walk())) == ["https://open.example/mirror/id/1"]


def test_what_was_repaired_is_noted_and_does_not_fail_the_walk() -> None:
    body = turtle(1) + '\n<https://data.example/d/2> a dcat:Dataset ; foaf:name "B" ; dct:title "B" .'
    pages = walked(serving({"/f": ("text/turtle", body.encode())}), "/f")
    assert guids(pages) == named([1, 2])
    assert codes(pages) == ["undeclared-prefix"]
    assert not any(page.problems for page in pages)


def test_a_dataset_described_twice_is_kept_once_and_noted() -> None:
    twice = " ".join(f'[] a dcat:Dataset ; dct:identifier "same" ; dct:title "{title}" .' for title in "AB")
    pages = walked(serving({"/f": ("text/turtle", f"{PREFIXES} {twice}".encode())}), "/f")
    assert guids(pages) == ["same"]
    assert [(note.code, note.guid) for page in pages for note in page.notes] == [("repeated-guid", "same")]


def test_datasets_without_a_name_are_the_same_in_the_next_fetch() -> None:
    parts = [
        'a dcat:Dataset ; dct:title "T" ; dct:description "D"',
        'dcat:distribution {0} , {1} . {0} dct:title "1" ; dcat:accessURL <http://x.example/1>',
        'dcat:keyword "a", "b", "c"',
    ]
    first = " ".join(f"_:d {part} ." for part in parts).format("_:x", "_:y") + ' _:y dct:title "2" .'
    second = '_:q dct:title "2" . ' + " ".join(f"_:other {part} ." for part in reversed(parts)).format("_:p", "_:q")
    (one,), (two,) = (
        [
            record
            for page in walked(serving({"/f": ("", f"{PREFIXES} {text}".encode())}), "/f")
            for record in page.records
        ]
        for text in (first, second)
    )
    assert one.guid == two.guid
    assert canonical(one.payload) == canonical(two.payload)


def test_json_ld_in_unknown_words_is_an_error_and_no_empty_catalogue() -> None:
    body = (
        b'{"@context": "https://elsewhere.example/c.jsonld", "@id": "https://x.example/1", "titre": "A", "name": "B"}'
    )
    with pytest.raises(SourceError) as caught:
        walked(serving({"/f": ("application/ld+json", body)}), "/f")
    assert caught.value.code == "remote-context"
    assert "elsewhere.example" in caught.value.message


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


@pytest.mark.parametrize("path", ["/", "/catalog.rdf", "/catalog.jsonld?page=2", "/catalog", "/dataset"])
@pytest.mark.parametrize("hydra", ["partial", "paged"])
def test_a_feed_is_recognised(path: str, hydra: str) -> None:
    found = dcat.recognise(http(feed(13, hydra=hydra)), HOST + path)
    assert found is not None
    assert (found.connector, found.title, found.advertised) == ("dcat", "T", 13)
    assert found.sample in {f"Jeu {n}" for n in range(13)}
    records = dcat.fetch(Source("feed", found.url), http(feed(13, hydra=hydra)), Walk())
    assert guids(records)


def test_a_feed_at_an_unusual_place_is_found_by_the_link_of_the_home_page() -> None:
    found = dcat.recognise(http(feed(3, path="/opendata/all")), HOST + "/")
    assert found is not None
    assert found.url.startswith(HOST + "/opendata/all.")


def test_data_json_is_recognised_beside_a_home_page() -> None:
    portal = serving({"/": ("text/html", b"<html></html>"), "/data.json": ("text/plain", json.dumps(POD).encode())})
    found = dcat.recognise(http(portal), HOST)
    assert found is not None
    assert (found.url, found.advertised, found.sample) == (HOST + "/data.json", 3, "Set 0")


@pytest.mark.parametrize("body", [b"", b"{}", b"[1, 2]", b"<html></html>", b"<a/>", b"\0\1\2", b"words"])
def test_other_sites_are_not_recognised(body: bytes) -> None:
    assert dcat.recognise(http(serving({"/": ("text/plain", body)})), HOST + "/") is None


def broken_after(pages: Iterable[Page]) -> list[Page]:
    """The pages of a walk that must end in a broken document."""
    seen: list[Page] = []
    with pytest.raises(SourceError) as caught:
        seen.extend(pages)
    assert caught.value.code == "broken-document"
    return seen


@pytest.mark.parametrize("paged", [False, True])
def test_what_is_left_of_a_broken_feed_is_doubtful_and_not_remembered(paged: bool) -> None:
    link = "<http://portal.example/feed.nt> <http://www.w3.org/ns/hydra/core#next> <http://portal.example/next.nt> .\n"
    whole = "\n".join(
        f'<http://e.example/{n}> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> "T{n}" .'
        for n in range(5)
    )
    cut = ("text/turtle", ((link if paged else "") + whole[:-30]).encode())
    portal = serving({"/feed.nt": cut, "/next.nt": ("text/turtle", whole.encode())})
    source = Source("feed", "http://portal.example/feed.nt")
    pages = broken_after(dcat.fetch(source, http(portal), Walk()))
    assert any(page.records for page in pages)
    assert all(page.doubtful for page in pages[:1])
    assert not any(page.whole for page in pages[:1])


def test_paging_that_leads_to_another_host_is_told() -> None:
    feeds = {
        "127.0.0.1": f"{turtle(1)}\n<{HOST}/v> <http://www.w3.org/ns/hydra/core#next> <http://localhost/other> .",
        "localhost": turtle(2),
    }
    pages = walked(lambda request: Reply(200, feeds[request.headers["host"]].encode(), "text/turtle"), "/f")
    assert sorted(guids(pages)) == named([1, 2])
    assert codes(pages) == ["paging-elsewhere"]


def test_a_web_page_in_place_of_a_page_is_asked_for_again() -> None:
    inner, seen = feed(25), list[str]()

    def portal(request: Request) -> Reply:
        seen.append(request.url())
        return Reply(200, b"<html><body>Maintenance</body></html>", "text/html") if len(seen) == 2 else inner(request)

    assert sorted(guids(walked(portal, "/catalog.ttl"))) == named(range(25))
