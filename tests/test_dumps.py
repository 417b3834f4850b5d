"""Dumps: whole parts as compressed files, cheap the second time, resumed after a stop, served in ranges."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from harvester import dumps, sources
from harvester.catalogue.database import writing
from harvester.dumpfile import manifest
from harvester.dumps import SIZE, STRIDE, Wanted
from harvester.errors import UsageError
from harvester.rdf.profiles import PROFILES
from harvester.search import open_index
from harvester.spaces import add as add_space
from harvester.views import view
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

ROOT = "https://data.example.org"
NUMBER = SIZE * STRIDE + 3 * SIZE + 5
DATASET = ox.NamedNode("http://www.w3.org/ns/dcat#dataset")
SYNTAX = {
    "ttl": ox.RdfFormat.TURTLE,
    "rdf": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
}


def raw(name: str, title: str = "") -> dict[str, Any]:
    return {"identifier": name, "title": title or f"Relevé {name}", "uri": f"https://example.org/id/{name}"}


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    found = catalogue(tmp_path, public_url=ROOT)
    found.add("paris", [raw(f"p{n}") for n in range(NUMBER)])
    found.add("lyon", [raw("l0"), raw("l1") | {"theme": ["EDUC"]}])
    return found


Report = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Show nothing."""


def made(found: Catalogue, *formats: str, report: Report = silent, **part: Any) -> list[Any]:
    with found.engine.connect() as connection:
        chosen = view(connection, found.settings, **part)
    wanted = [Wanted(chosen, name) for name in formats]
    return dumps.make(found.engine, open_index(found.settings), found.settings, wanted, report, NOW)


def content(found: Catalogue, name: str) -> bytes:
    return gzip.decompress((dumps.folder(found.settings) / name).read_bytes())


def listed(body: bytes, suffix: str, iri: str = f"{ROOT}/catalog") -> set[str]:
    quads = ox.parse(body, format=SYNTAX[suffix], base_iri="https://base.example/")
    members = (q.object for q in quads if q.predicate == DATASET and q.subject == ox.NamedNode(iri))
    return {member.value for member in members if isinstance(member, ox.NamedNode)}


def blocks(found: Catalogue, name: str) -> dict[int, list[Any]]:
    lines = (dumps.folder(found.settings) / f".{name}.blocks").read_text("utf-8").splitlines()
    return {row[0]: row for line in lines if isinstance(row := json.loads(line), list)}


@pytest.mark.parametrize("suffix", SYNTAX)
def test_a_dump_is_the_catalogue(built: Catalogue, suffix: str) -> None:
    [item] = made(built, suffix)
    body = content(built, f"catalogue.{suffix}.gz")
    assert len(listed(body, suffix)) == NUMBER + 2 == item.datasets
    data = (dumps.folder(built.settings) / item.name).read_bytes()
    assert (item.bytes, item.sha256) == (len(data), sha256(data).hexdigest())
    assert dumps.made(built.settings) == [item]


def test_the_second_dump_copies_what_did_not_change(built: Catalogue) -> None:
    made(built, "nt", "ttl")
    before, old = content(built, "catalogue.nt.gz"), blocks(built, "catalogue.nt.gz")
    [again, _] = made(built, "nt", "ttl")
    assert content(built, "catalogue.nt.gz") == before
    built.now = NOW + timedelta(days=1)
    built.add("paris", [raw("p40", "Changé")])
    built.retire("paris", "p0")
    [item, other] = made(built, "nt", "ttl")
    new = blocks(built, "catalogue.nt.gz")
    changed = {first for first in new if new[first][5] != old[first][5]}
    assert changed == {1, SIZE + 1}
    for name, suffix in (("catalogue.nt.gz", "nt"), ("catalogue.ttl.gz", "ttl")):
        body = content(built, name)
        assert "Changé".encode() in body or b"Chang\\u00E9" in body
        assert len(listed(body, suffix)) == NUMBER + 1
    assert item.state > again.state
    assert other.datasets == NUMBER + 1


class Stopped(Exception):
    pass


def stop_after(strides: int) -> Report:
    calls = iter(range(strides))

    def report(done: int, total: int) -> None:
        if next(calls, None) is None:
            raise Stopped

    return report


def test_a_stopped_dump_goes_on(built: Catalogue) -> None:
    with pytest.raises(Stopped):
        made(built, "nt", report=stop_after(0))
    folder = dumps.folder(built.settings)
    assert not (folder / "catalogue.nt.gz").exists()
    assert dumps.made(built.settings) == []
    kept = blocks(built, "catalogue.nt.gz.part")
    assert kept
    # What was written stands there with a mark of its own: a dump made anew would not have it.
    marked(folder / ".catalogue.nt.gz.part", folder / ".catalogue.nt.gz.part.blocks")
    [item] = made(built, "nt")
    body = content(built, "catalogue.nt.gz")
    assert body.count(b"# kept") == len(kept)
    assert len(listed(body, "nt")) == NUMBER + 2 == item.datasets
    assert not list(folder.glob(".*.kept*")) + list(folder.glob(".*.part*"))


def marked(part: Path, journal: Path) -> None:
    """Put a comment before each block of a stopped dump, and tell the journal."""
    data = part.read_bytes()
    out, lines = b"", []
    for line in map(json.loads, journal.read_text("utf-8").splitlines()):
        if isinstance(line, list):
            first, state, offset, length, number, _, claims = line
            block = gzip.compress(b"# kept\n") + data[offset : offset + length]
            line = [first, state, len(out), len(block), number, zlib.crc32(block), claims]
            out += block
        lines.append(json.dumps(line))
    part.write_bytes(out)
    journal.write_text("\n".join(lines) + "\n", "utf-8")


def test_a_dump_stopped_twice_keeps_the_longer_part(built: Catalogue) -> None:
    for strides in (1, 0):
        with pytest.raises(Stopped):
            made(built, "nt", report=stop_after(strides))
    folder = dumps.folder(built.settings)
    made(built, "nt")
    assert len(listed(content(built, "catalogue.nt.gz"), "nt")) == NUMBER + 2
    assert [path.name for path in sorted(folder.iterdir())] == [
        ".catalogue.nt.gz.blocks", ".lock", "catalogue.nt.gz", "catalogue.nt.gz.json",
    ]  # fmt: skip


@pytest.mark.parametrize("damage", ["cut", "flip", "journal", "foreign"])
def test_a_damaged_dump_is_written_anew(built: Catalogue, damage: str) -> None:
    made(built, "nt")
    before = content(built, "catalogue.nt.gz")
    path = dumps.folder(built.settings) / "catalogue.nt.gz"
    journal = path.with_name(".catalogue.nt.gz.blocks")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "flip":
        stat, data = path.stat(), bytearray(path.read_bytes())
        data[blocks(built, "catalogue.nt.gz")[1][2] + 40] ^= 255
        path.write_bytes(data)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    elif damage == "journal":
        journal.write_bytes(b"\xff\xfe{not json")
    else:
        journal.write_text('{"digest": "other"}\n[1, 2]\n', "utf-8")
    made(built, "nt")
    assert content(built, "catalogue.nt.gz") == before


def test_parts_profiles_and_spaces_have_dumps_of_their_own(built: Catalogue) -> None:
    with writing(built.engine) as connection:
        add_space(connection, "culture", NOW, title={"fr": "Culture"}, given={"theme": ["EDUC"]})
    [of_space] = made(built, "nt", space="culture")
    [of_source] = made(built, "nt", source="lyon")
    assert (of_space.name, of_space.datasets, of_space.title) == ("space-culture.nt.gz", 1, "Culture")
    assert (of_source.name, of_source.datasets) == ("source-lyon.nt.gz", 2)
    assert listed(content(built, of_source.name), "nt", f"{ROOT}/catalog?source=lyon") == {
        "https://example.org/id/l0", "https://example.org/id/l1",
    }  # fmt: skip
    built.add("paris", [raw("p7") | {"theme": ["EDUC"]}])
    built.add("lyon", [raw("l1")])
    made(built, "nt", space="culture")
    assert listed(content(built, of_space.name), "nt", f"{ROOT}/catalog?space=culture") == {"https://example.org/id/p7"}
    with built.engine.connect() as connection:
        whole = view(connection, built.settings)
    assert Wanted(whole, "ttl", PROFILES["dcat-ap-2.1.1"]).name == "catalogue.dcat-ap-2.1.1.ttl.gz"
    with built.engine.connect() as connection:
        every = [item.name for item in dumps.every(connection, built.settings)]
    assert every == [
        f"{part}.{name}.gz" for part in ("catalogue", "space-culture") for name in built.settings.dump_formats
    ]


def test_names_of_files_tell_publishers_apart(built: Catalogue) -> None:
    with built.engine.connect() as connection:
        names = [
            Wanted(view(connection, built.settings, publisher=name), "nt").name
            for name in ("Ville de Paris", "ville-de-paris", "VILLE DE PARIS", "../../etc/passwd", "市")
        ]
    assert len(set(names)) == len(names)
    assert all("/" not in name and not name.startswith(".") for name in names)


def test_a_changed_title_of_a_source_is_in_the_next_dump(built: Catalogue) -> None:
    made(built, "nt")
    with writing(built.engine) as connection:
        sources.edit(connection, "lyon", NOW, title="Grand Lyon")
    made(built, "nt")
    assert b"Grand Lyon" in content(built, "catalogue.nt.gz")


def test_one_process_writes_dumps(built: Catalogue) -> None:
    def inside(done: int, total: int) -> None:
        with pytest.raises(UsageError, match="another process"):
            made(built, "ttl")

    assert made(built, "nt", report=inside)


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    made(built, "nt", "ttl")
    with TestClient(application(built.settings)) as found:
        yield found


def test_dumps_are_listed(client: TestClient, built: Catalogue) -> None:
    found = client.get("/dumps").json()["dumps"]
    assert [item["name"] for item in found] == ["catalogue.nt.gz", "catalogue.ttl.gz"]
    data = client.get(found[0]["url"]).content
    assert (found[0]["bytes"], found[0]["sha256"]) == (len(data), sha256(data).hexdigest())
    assert found[0]["datasets"] == NUMBER + 2
    page = client.get("/dumps", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert 'href="/dumps/catalogue.ttl.gz"' in page.text


def test_a_download_goes_on_where_it_stopped(client: TestClient, built: Catalogue) -> None:
    path = "/dumps/catalogue.nt.gz"
    whole = client.get(path)
    assert whole.headers["accept-ranges"] == "bytes"
    assert "content-encoding" not in whole.headers
    size, tag = len(whole.content), whole.headers["etag"]
    assert not tag.startswith("W/")
    rest = client.get(path, headers={"range": "bytes=100-", "if-range": tag})
    assert (rest.status_code, rest.headers["content-range"]) == (206, f"bytes 100-{size - 1}/{size}")
    assert whole.content[:100] + rest.content == whole.content
    assert client.get(path, headers={"range": "bytes=-7"}).content == whole.content[-7:]
    assert client.get(path, headers={"range": "bytes=5-9"}).content == whole.content[5:10]
    by_date = {"range": "bytes=5-9", "if-range": whole.headers["last-modified"]}
    assert client.get(path, headers=by_date).status_code == 206
    for given in ({"if-range": '"other"'}, {"if-range": f"W/{tag}"}, {"range": "bytes=9-5"}, {"range": "lines=1-2"}):
        assert client.get(path, headers={"range": "bytes=5-9", **given}).status_code == 200
    beyond = client.get(path, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    head = client.head(path)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(size), b"")


def test_a_dump_replaced_meanwhile_is_sent_from_its_beginning(client: TestClient, built: Catalogue) -> None:
    path = "/dumps/catalogue.nt.gz"
    tag = client.get(path).headers["etag"]
    built.add("paris", [raw("p3", "Changé")])
    made(built, "nt")
    answer = client.get(path, headers={"range": "bytes=100-", "if-range": tag})
    assert answer.status_code == 200
    assert len(listed(gzip.decompress(answer.content), "nt")) == NUMBER + 2


@pytest.mark.parametrize(
    "name", ["nothing.ttl.gz", ".catalogue.nt.gz.blocks", "catalogue.nt.gz.json", "..%2Fcatalogue.sqlite", "%00.gz"]
)
def test_nothing_else_of_the_folder_is_served(client: TestClient, name: str) -> None:
    answer = client.get(f"/dumps/{name}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_manifest_of_another_file_says_nothing(built: Catalogue) -> None:
    made(built, "nt")
    path = dumps.folder(built.settings) / "catalogue.nt.gz"
    assert manifest(path) is not None
    path.write_bytes(b"other")
    assert manifest(path) is None
    assert dumps.made(built.settings) == []


def test_a_dump_of_another_address_is_not_handed_out(built: Catalogue, tmp_path: Path) -> None:
    made(built, "nt")
    moved = built.settings.model_copy(update={"public_url": "https://data.example.org.moved.example"})
    with TestClient(application(moved)) as found:
        [item] = found.get("/dumps").json()["dumps"]
        assert item["stale"]
        assert "https://data.example.org/catalog" in item["reason"]
        answer = found.get("/dumps/catalogue.nt.gz")
        assert (answer.status_code, answer.json()["code"]) == (409, "dump-stale")
        assert answer.json()["detail"] == item["reason"]
        page = found.get("/dumps", headers={"accept": "text/html"}).text
        assert "stale" in page
        assert 'href="/dumps/catalogue.nt.gz"' not in page
    built.settings = moved
    made(built, "nt")
    with TestClient(application(moved)) as found:
        [item] = found.get("/dumps").json()["dumps"]
        assert (item["stale"], item["reason"]) == (False, None)
        assert found.get(item["url"]).status_code == 200


def test_what_is_left_of_a_deleted_dump_goes_with_the_next(built: Catalogue) -> None:
    made(built, "nt", "ttl")
    folder = dumps.folder(built.settings)
    (folder / "catalogue.ttl.gz").unlink()
    # What a stopped dump has written is worth something as long as the file is there.
    for name in (".catalogue.rdf.gz.part", ".catalogue.rdf.gz.part.blocks", ".catalogue.trig.gz.kept.blocks"):
        (folder / name).write_text("")
    made(built, "nt")
    assert sorted(path.name for path in folder.iterdir()) == [
        ".catalogue.nt.gz.blocks",
        ".catalogue.rdf.gz.part",
        ".catalogue.rdf.gz.part.blocks",
        ".lock",
        "catalogue.nt.gz",
        "catalogue.nt.gz.json",
    ]


def test_entries_are_read_in_few_queries(built: Catalogue) -> None:
    counted: list[str] = []
    event.listen(built.engine, "before_cursor_execute", lambda c, cursor, statement, *rest: counted.append(statement))
    made(built, "nt")
    strides = -(-(NUMBER + 2) // (SIZE * STRIDE))
    assert len(counted) < 25 * strides + 20
