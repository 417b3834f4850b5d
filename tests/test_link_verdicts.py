"""What is made of each way in which links behave: one row a behaviour, over HTTP as it comes."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any

import pytest

from harvester.links.addresses import address_of, uses_of
from harvester.links.asking import look
from harvester.links.formats import is_file, keeps
from harvester.links.sniffing import MOST, Found, sniff
from harvester.links.verdicts import judge, packed, unpacked, use_of, whole
from harvester.settings import Settings
from tests.linked import File, asking, web, zipped

HTML = b"<!doctype html><html><head><title>%s</title></head><body>x</body></html>"


def now() -> datetime:
    return datetime(2026, 3, 1, tzinfo=UTC)


def page(title: str, **more: Any) -> File:
    return File(HTML % title.encode(), "text/html; charset=utf-8", **more)


def to(where: str, status: int = 302) -> File:
    return File(b"", None, status, headers={"Location": where})


LOGIN = File(HTML.replace(b"x<", b'<form><input name="p" type="password"></form><'), "text/html")
CSV = File()

# What is there, what was promised, and the fault (None: nothing is wrong).
BEHAVIOURS: dict[str, tuple[dict[str, File], bool, str | None]] = {
    "good": ({"/x": CSV}, True, None),
    "no range": ({"/x": File(ranged=False)}, True, None),
    "head refused 405": ({"/x": File(head=405)}, True, None),
    "head refused 403": ({"/x": File(head=403)}, True, None),
    "head not found, get good": ({"/x": File(head=404)}, True, None),
    "head fails, get good": ({"/x": File(head=500)}, True, None),
    "head not implemented": ({"/x": File(head=501)}, True, None),
    "head hangs up, get good": ({"/x": File(head=0)}, True, None),
    "head lies about the type": ({"/x": page("Bienvenue", head_type="text/csv")}, True, "page"),
    "head calls a good file html": ({"/x": File(head_type="text/html")}, True, None),
    "not found": ({}, True, "gone"),
    "gone": ({"/x": File(status=410)}, True, "gone"),
    "forbidden": ({"/x": File(status=403)}, True, "refused"),
    "not acceptable": ({"/x": File(status=400)}, True, "client-error"),
    "failing": ({"/x": File(status=500)}, True, "server-error"),
    "bad gateway": ({"/x": File(status=502)}, True, "server-error"),
    "login wanted": ({"/x": File(status=401)}, True, "login"),
    "led to a login": ({"/x": to("/account/login?next=x"), "/account/login?next=x": page("Bonjour")}, True, "login"),
    "led to single sign-on": ({"/x": to("/cas/a"), "/cas/a": LOGIN}, False, "login"),
    "login form in place of a file": ({"/x": LOGIN}, True, "login"),
    "page with a login form": ({"/x": LOGIN}, False, None),
    "challenge": ({"/x": File(status=403, headers={"cf-mitigated": "challenge"})}, True, "blocked"),
    "firewall": ({"/x": File(status=403, headers={"server": "AkamaiGHost"})}, True, "blocked"),
    "redirect": ({"/x": to("/y"), "/y": CSV}, True, None),
    "moved": ({"/x": to("/y", 301), "/y": CSV}, True, "moved"),
    "moved 308": ({"/x": to("/y", 308), "/y": CSV}, True, "moved"),
    "moved to nothing": ({"/x": to("/y", 301)}, True, "gone"),
    "circle": ({"/x": to("/y"), "/y": to("/x")}, True, "redirects"),
    "itself": ({"/x": to("/x")}, True, "redirects"),
    "to a private address": ({"/x": to("http://10.0.0.1/x")}, True, "private"),
    "to metadata of a cloud": ({"/x": to("http://169.254.169.254/latest/meta-data/")}, True, "private"),
    "to a file of this machine": ({"/x": to("file:///etc/passwd")}, True, "bad-address"),
    "empty": ({"/x": File(b"")}, True, "empty"),
    "nothing in it": ({"/x": File(b"", None, 204)}, True, "empty"),
    "html for a file": ({"/x": page("Jeu de données")}, True, "page"),
    "html for a page": ({"/x": page("Jeu de données")}, False, None),
    "json error": ({"/x": File(b'{"error": {"code": 400, "message": "Invalid"}}', "text/plain")}, True, "error-page"),
    "ckan error": ({"/x": File(b'{"success": false, "help": ""}', "application/json")}, True, "error-page"),
    "status in the answer": (
        {"/x": File(b'{"status": 404, "message": "no such layer"}', "application/json")}, True, "error-page",
    ),
    "a code that is a country": ({"/x": File(b'{"code": 404, "name": "Kenya"}', "application/json")}, True, None),
    "store error": ({"/x": File(b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>")}, True, "error-page"),
    "a part is not given": ({"/x": File(ranged=False, refused=416)}, True, None),
    "head says good, get says no": ({"/x": File(status=404, head=200)}, True, "gone"),
    "cut": ({"/x": File(b"a;b\n" * 50, cut=True, ranged=False)}, True, "cut"),
    "too many requests": ({"/x": File(status=429)}, True, None),
    "come back later": ({"/x": File(status=503, headers={"Retry-After": "60"})}, True, None),
} | {
    f"error page: {title}": ({"/x": page(title)}, False, "error-page")
    for title in (
        "404", "404 Not Found", "Error 404", "Page not found", "Page introuvable", "Erreur 404 - data",
        "Nicht gefunden",        "Seite nicht gefunden | Stadt", "Página no encontrada", "Página não encontrada",
        "Pagina non trovata",
        "Pagina niet gevonden", "Strona nie znaleziona | Nie znaleziono", "Sidan hittades inte",
        "Siden ble ikke funnet",        "Sivua ei löydy", "Stránka nenalezena", "Pagina nu a fost găsită",
        "Η σελίδα δεν βρέθηκε",
        "Страницата не е намерена", "500 Internal Server Error", "Service unavailable", "Access Denied",
    )
} | {
    f"no error page: {title}": ({"/x": page(title)}, False, None)
    for title in (
        "Accidents 2014 - 2024", "Route départementale 404", "Données ouvertes", "Jeu 500 arbres remarquables",
        "404 arbres remarquables", "Erreurs de mesure 2023", "Objets introuvables en gare", "Ascenseurs en maintenance",
    )
}  # fmt: skip


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_each_behaviour_has_its_verdict(name: str) -> None:
    files, promised, wanted = BEHAVIOURS[name]
    with web(files) as server, asking(Settings()) as http:
        url = server.url("/x")
        verdict = judge(url, look(http, url, "", now), Found(), promised)
    assert verdict.fault == wanted
    assert verdict.put_off == (name in ("too many requests", "come back later"))


def test_names_that_do_not_exist_are_told_from_resolvers_that_fail() -> None:
    def told(number: int) -> str | None:
        def resolve(host: str, port: int) -> list[str]:
            raise socket.gaierror(number, "no")

        with asking(Settings(), resolve) as http:
            return judge("", look(http, "http://gone.example/x", "", now), Found(), True).fault

    assert told(socket.EAI_NONAME) == "unresolved"
    assert told(socket.EAI_AGAIN) == "unreachable"


def test_a_host_without_a_server_is_asked_once() -> None:
    with web() as server:
        url = server.url("/x")
    with asking(Settings()) as http:
        verdict = judge(url, look(http, url, "", now), Found(), True)
    assert (verdict.fault, verdict.down) == ("unreachable", True)


def test_a_host_is_not_down_when_it_redirects_to_one_that_is() -> None:
    with web() as other:
        dead = other.url("/x")
    with web({"/x": File(status=302, headers={"Location": dead})}) as server, asking(Settings()) as http:
        seen = look(http, server.url("/x"), "", now)
        verdict = judge(server.url("/x"), seen, Found(), True)
    assert (verdict.fault, verdict.down) == ("unreachable", False)


def test_no_more_than_the_beginning_is_read() -> None:
    sent = File(b"a;b\n" + b"1;2\n" * 5_000_000, ranged=False)
    with web({"/x": sent}) as server, asking(Settings()) as http:
        seen = look(http, server.url("/x"), "", now)
    assert len(seen.content or b"") == MOST
    assert seen.length == len(sent.content)


def test_what_its_head_calls_unchanged_is_not_looked_into_again() -> None:
    with web({"/x": File(headers={"ETag": '"1"'})}) as server, asking(Settings()) as http:
        first = look(http, server.url("/x"), "", now)
        second = look(http, server.url("/x"), first.tag, now)
        server.files["/x"].headers["ETag"] = '"2"'
        third = look(http, server.url("/x"), first.tag, now)
    assert [method for method, _, _ in server.seen] == ["HEAD", "GET", "HEAD", "HEAD", "GET"]
    assert (first.content is None, second.content is None, third.content is None) == (False, True, False)


def test_no_credential_of_an_address_is_kept() -> None:
    assert address_of("http://user:secret@data.example/x#part").text == "http://data.example/x"
    assert "secret" not in address_of("ftp://user:secret@data.example/x").text


SPREADSHEET = b"application/vnd.oasis.opendocument.spreadsheet"
FILES: dict[str, tuple[bytes, str | None]] = {
    "semicolons": (b"a;b;c\n1;2;3\n4;5;6\n", "CSV"),
    "commas in quotes": (b'name,place\n"x, y",1\n"z, z",2\n', "CSV"),
    "tabs": (b"a\tb\n1\t2\n3\t4\n", "TSV"),
    "latin-1": ("département;année\nHérault;2020\nAriège;2021\n".encode("latin-1"), "CSV"),
    "with a mark": ("\ufeffa;b\n1;2\n3;4\n".encode(), "CSV"),
    "utf-16": ("a;b\n1;2\n3;4\n".encode("utf-16"), "CSV"),
    "prose": (b"Read me first, please.\nThen the rest\n", "TXT"),
    "json": (b'{"a": [1, 2', "JSON"),
    "list": (b'[{"a": 1}]', "JSON"),
    "geojson": (b'{"type": "FeatureCollection", "features": [', "GEOJSON"),
    "json-ld": (b'{"@context": "https://schema.org"', "JSON_LD"),
    "xml": (b'<?xml version="1.0"?><root a="1">', "XML"),
    "gml": (b'<wfs:FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2">', "GML"),
    "kml": (b'<?xml version="1.0"?>\n<!-- x -->\n<kml xmlns="http://www.opengis.net/kml/2.2">', "KML"),
    "rss": (b'<rss version="2.0">', "RSS"),
    "atom": (b'<feed xmlns="http://www.w3.org/2005/Atom">', "ATOM"),
    "rdf": (b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">', "RDF_XML"),
    "turtle": (b"@prefix dcat: <http://www.w3.org/ns/dcat#> .\n", "RDF_TURTLE"),
    "triples": (b"<http://a> <http://b> <http://c> .\n", "RDF_N_TRIPLES"),
    "capabilities": (
        b'<wfs:WFS_Capabilities version="2.0.0" xmlns:wfs="http://www.opengis.net/wfs/2.0">',
        "CAPABILITIES",
    ),
    "html": (b"\n<!-- a -->\n<!DOCTYPE html><html>", "HTML"),
    "xhtml": (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html xmlns="http://www.w3.org/1999/xhtml">', "HTML"),
    "zip": (zipped("data/a.csv"), "ZIP"),
    "shapefile": (zipped("a.shp", "a.dbf", "a.prj"), "SHP"),
    "excel": (zipped("[Content_Types].xml", "xl/workbook.xml"), "XLSX"),
    "word": (zipped("[Content_Types].xml", "word/document.xml"), "DOCX"),
    "timetable": (zipped("agency.txt", "stops.txt"), "GTFS"),
    "packed kml": (zipped("doc.kml"), "KMZ"),
    "spreadsheet": (zipped("mimetype").replace(b"a;b\n1;2\n", SPREADSHEET), "ODS"),
    "old office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 8, "OLE"),
    "gzip": (b"\x1f\x8b\x08\x00", "GZIP"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
    "parquet": (b"PAR1\x15\x04", "PARQUET"),
    "geopackage": (b"SQLite format 3\x00" + b"\x00" * 52 + b"GPKG", "GPKG"),
    "tiff": (b"II*\x00\x08", "TIFF"),
    "png": (b"\x89PNG\r\n\x1a\n", "PNG"),
    "jpeg": (b"\xff\xd8\xff\xe0", "JPEG"),
    "noise": (bytes(range(256)) * 4, None),
    "nothing": (b"", None),
    "spaces": (b"  \n ", None),
}


@pytest.mark.parametrize("name", FILES)
def test_files_are_known_by_their_beginning(name: str) -> None:
    content, wanted = FILES[name]
    assert sniff(content).format == wanted


@pytest.mark.parametrize("name", FILES)
def test_a_beginning_may_be_cut_anywhere(name: str) -> None:
    content, _ = FILES[name]
    for length in range(min(len(content), 120)):
        sniff(content[:length])


KEPT = [
    ("CSV", "CSV", True), ("CSV", "TXT", True), ("CSV", "JSON", False), ("CSV", "PDF", False), ("CSV", "GZIP", True),
    ("CSV", "XLSX", False), ("XLS", "XLSX", True), ("XLSX", "OLE", False), ("XLS", "OLE", True),
    ("JSON", "GEOJSON", True),
    ("GEOJSON", "JSON", True), ("GEOJSON", "ZIP", True), ("XML", "GML", True), ("GML", "XML", True),
    ("PDF", "DOCX", False),
    ("SHP", "ZIP", True), ("SHP", "SHP", True), ("SHP", "PDF", False), ("ZIP", "SHP", True), ("ZIP", "CSV", False),
    ("CSV XLSX", "XLSX", True), ("CSV XLSX", "PDF", False), ("", "PDF", True), ("WMS_SRVC", "PNG", True),
    ("GEOTIFF", "TIFF", True), ("JSON", "CSV", False), ("PARQUET", "CSV", False), ("HTML", "PDF", True),
]  # fmt: skip


@pytest.mark.parametrize(("declared", "found", "wanted"), KEPT)
def test_a_found_format_keeps_a_promise_or_does_not(declared: str, found: str, wanted: bool) -> None:
    assert keeps(declared, found) is wanted


def test_an_archive_keeps_the_promise_of_what_it_holds() -> None:
    assert keeps("CSV", "ZIP", frozenset({"CSV", "PDF"}))
    assert not keeps("CSV", "ZIP", frozenset({"PDF"}))
    assert unpacked(packed(Found("ZIP", frozenset({"CSV", "PDF"})))) == Found("ZIP", frozenset({"CSV", "PDF"}))


def test_services_and_pages_promise_no_file() -> None:
    assert is_file("CSV")
    assert is_file("CSV XLSX")
    assert not any(map(is_file, ("", "HTML", "WFS_SRVC", "CSV HTML")))


USES = [
    ("ok", None, "CSV", "CSV", True, None),
    ("ok", None, "PDF", "CSV", True, ("warning", "format")),
    ("ok", None, "HTML", "CSV", False, ("warning", "page")),
    ("broken", "page", "HTML", "CSV", True, ("broken", "page")),
    ("broken", "page", "HTML", "HTML", False, None),
    ("failing", "server-error", None, "CSV", True, ("warning", "server-error")),
    ("broken", "gone", None, "", False, ("broken", "gone")),
    ("unknown", "blocked", None, "CSV", True, ("notice", "blocked")),
    ("ok", "moved", "CSV", "CSV", True, ("notice", "moved")),
    ("unchecked", None, None, "CSV", True, None),
]  # fmt: skip


@pytest.mark.parametrize(("state", "fault", "found", "declared", "promised", "wanted"), USES)
def test_what_is_wrong_depends_on_what_was_promised(
    state: str, fault: str | None, found: str | None, declared: str, promised: bool, wanted: tuple[str, str] | None
) -> None:
    assert use_of(state, fault, Found(found), declared, promised) == wanted


def test_a_dataset_is_as_its_worst_link() -> None:
    assert whole([("ok", None), ("broken", "broken")]) == "broken"
    assert whole([("ok", None), ("ok", "warning")]) == "suspect"
    assert whole([("ok", None), ("unchecked", None)]) == "partly"
    assert whole([("ok", None), ("ok", "notice"), ("unknown", "notice")]) == "ok"
    assert whole([("unchecked", None)]) is None
    assert whole([]) is None


SAME = [
    ("http://Data.Example/x", "http://data.example:80/x#top"),
    ("https://data.example", "https://data.example:443/"),
    ("http://u:p@data.example/x", "http://data.example/x"),
    ("http://data.example/a b", "http://data.example/a%20b"),
    ("http://data.example./x", "http://data.example/x"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert address_of(one).id == address_of(other).id


def test_different_addresses_stay_apart() -> None:
    urls = [
        "http://a.example/x",
        "https://a.example/x",
        "http://a.example/X",
        "http://a.example/x/",
        "http://a.example/x?",
    ]
    assert len({address_of(url).id for url in urls[:4]}) == 4
    assert all(0 <= address_of(url).id < 1 << 63 for url in urls)


def test_what_cannot_be_asked_has_no_host() -> None:
    for url in ("ftp://a.example/x", "http:///x", "mailto:a@b.example", "http://a.example:99999/", "x" * 9_000):
        assert address_of(url).host == ""


@pytest.mark.parametrize("part", ["", "?", "a/", "a?q="])
def test_an_address_that_grows_too_long_when_it_is_written_out_cannot_be_asked(part: str) -> None:
    url = f"http://a.example/{part}" + "\U0001f600" * 7_900
    assert address_of(url).host == ""
    assert len(address_of(url).text) <= len(url)


def test_a_record_names_each_address_once() -> None:
    csv = {"uri": "http://publications.europa.eu/resource/authority/file-type/CSV", "text": "csv"}
    pdf = {"uri": "http://publications.europa.eu/resource/authority/file-type/PDF", "text": "pdf"}
    found = uses_of(
        {
            "distribution": [
                {"access_url": ["http://a.example/x.csv"], "format": csv},
                {"access_url": ["http://a.example/about"], "download_url": ["http://a.example/x.csv"], "format": pdf},
                {"access_url": ["http://a.example/page"], "format": csv},
            ]
        }
    )
    told = [(use.address.text[-6:], use.number, use.role, use.declared, use.promised) for use in found]
    assert told == [
        ("/x.csv", 0, "download", "CSV PDF", True),
        ("/about", 1, "access", "PDF", False),
        ("e/page", 2, "access", "CSV", False),
    ]
