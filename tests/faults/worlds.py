"""The datasets of the fake portals, told once and written as each kind of portal writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply

ORIGIN = "http://portal.example"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PREFIXES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix locn: <http://www.w3.org/ns/locn#> ."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset as people see it; `number` makes its identifier, `suffix` another one.

    `more` holds further fields of the payload (or, for a feed, Turtle of the node), in the portal's own words.
    """

    number: int
    title: str
    text: str
    made: datetime
    changed: datetime
    keywords: tuple[str, ...] = ("eau", "qualité de l'air")
    files: tuple[str, ...] = ()
    suffix: str = ""
    more: Mapping[str, Any] | str = field(default_factory=dict)


def entry(number: int) -> Entry:
    """A dataset as it was at first."""
    made = NOW - timedelta(days=30) + timedelta(minutes=number)
    text = f"Relevés de la station {number}, faits chaque jour par le service des eaux et contrôlés une fois l'an."
    files = (f"https://files.example/{number}/releves.csv", f"https://files.example/{number}/notice.pdf")
    return Entry(number, f"Relevés de la station {number}", text, made, made, files=files)


def before(size: int) -> list[Entry]:
    """What the portal holds at first."""
    return [entry(number) for number in range(size)]


def after(size: int) -> list[Entry]:
    """What it holds a day later: two datasets went, two came, every tenth has changed."""
    late = NOW + timedelta(hours=1)
    kept = [entry(number) for number in range(size) if number not in GONE]
    changed = [_retold(one, late) if one.number % 10 == 0 else one for one in kept]
    return [*changed, *(replace(entry(n), made=late, changed=late) for n in (size, size + 1))]


GONE = (3, 14)


def _retold(one: Entry, at: datetime) -> Entry:
    return replace(one, text=f"{one.text} Révisé.", changed=at + timedelta(seconds=one.number))


def package(one: Entry) -> dict[str, Any]:
    """The dataset as CKAN writes it; identifiers are in no order, as CKAN's are random."""
    name = f"{one.number * 7919 % 100_003:08d}{one.suffix}"
    return {
        "id": name,
        "name": f"station-{one.number}{one.suffix}",
        "title": one.title,
        "notes": one.text,
        "state": "active",
        "private": False,
        "tags": [{"name": word} for word in one.keywords],
        "metadata_created": one.made.replace(tzinfo=None).isoformat(),
        "metadata_modified": one.changed.replace(tzinfo=None).isoformat(),
        "resources": [{"id": f"{name}-{n}", "url": url, "name": url[-11:]} for n, url in enumerate(one.files)],
    } | _more(one)


def listed(one: Entry) -> dict[str, Any]:
    """The dataset as udata writes it."""
    name = f"{one.number:022x}{one.suffix.encode().hex()[:2] or '00'}"
    return {
        "id": name,
        "slug": f"station-{one.number}{one.suffix}",
        "title": one.title,
        "description": one.text,
        "tags": list(one.keywords),
        "created_at": one.made.isoformat(),
        "last_update": one.changed.isoformat(),
        "resources": [{"id": f"{name}-{n}", "url": url, "title": url[-11:]} for n, url in enumerate(one.files)],
    } | _more(one)


def refined(one: Entry) -> dict[str, Any]:
    """The dataset as Opendatasoft writes it: its files are made of its identifier."""
    basic = {"title": one.title, "description": one.text, "keyword": list(one.keywords)}
    dates = {"modified": one.changed.isoformat(), "metadata_processed": one.changed.isoformat()}
    more = _more(one)
    return {
        "dataset_id": f"station-{one.number}{one.suffix}",
        "has_records": True,
        "metas": {"default": basic | dates | more.pop("metas", {})},
        "attachments": [{"id": f"n{n}", "url": url, "title": url[-11:]} for n, url in enumerate(one.files)],
    } | more


def block(one: Entry) -> str:
    """The dataset as Turtle."""
    node = f"https://data.example/d/{one.number}{one.suffix}"
    files = "".join(f" ; dcat:distribution [ a dcat:Distribution ; dcat:accessURL <{url}> ]" for url in one.files)
    words = ", ".join(f"{quoted(word)}@fr" for word in one.keywords)
    more = one.more if isinstance(one.more, str) else ""
    said = f"dct:title {quoted(one.title)}@fr ; dct:description {quoted(one.text)}@fr" if one.title else ""
    dated = f'dct:modified "{one.changed.isoformat()}"^^xsd:dateTime ; dcat:keyword {words}'
    parts = " ; ".join(part for part in (said, dated, more) if part)
    return f"{PREFIXES}\n<{node}> a dcat:Dataset ; {parts}{files} ."


def pod(one: Entry) -> dict[str, Any]:
    """The dataset as a data.json writes it."""
    return {
        "identifier": f"https://data.example/d/{one.number}{one.suffix}",
        "title": one.title,
        "description": one.text,
        "keyword": list(one.keywords),
        "issued": one.made.isoformat(),
        "modified": one.changed.isoformat(),
        "accessLevel": "public",
        "distribution": [{"@type": "dcat:Distribution", "downloadURL": url} for url in one.files],
    } | _more(one)


def quoted(text: str) -> str:
    """A literal of Turtle."""
    return json.dumps(text, ensure_ascii=False)


def _more(one: Entry) -> dict[str, Any]:
    return dict(one.more) if not isinstance(one.more, str) else {}


def _pods(rows: Sequence[Any]) -> Portal:
    document = {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": list(rows)}
    body = json.dumps(document).encode()
    return lambda request: Reply(200, body, "application/json")


@dataclass(frozen=True)
class Kind:
    """One kind of portal: how a dataset is written, what serves them, and how a source of it is set."""

    name: str
    connector: str
    write: Callable[[Entry], Any]
    serve: Callable[[Sequence[Any]], Portal]
    size: int
    guid: Callable[[Any], str]
    path: str = "/"
    options: dict[str, Any] = field(default_factory=dict)

    def guid_of(self, number: int) -> str:
        """The identifier of a dataset at the portal."""
        return self.guid(self.write(entry(number)))

    def portal(self, entries: Sequence[Entry]) -> Portal:
        """A portal that holds these datasets, and behaves."""
        return self.serve([self.write(one) for one in entries])


def _named(name: str) -> Callable[[Any], str]:
    return lambda row: str(row[name])


def _node(row: str) -> str:
    return row.partition(f"{PREFIXES}\n<")[2].partition(">")[0]


def _ckan(rows: Sequence[Any]) -> Portal:
    return ckan_portal(rows, title="P")


def _udata(rows: Sequence[Any]) -> Portal:
    return udata_portal(rows, title="P")


def _opendatasoft(rows: Sequence[Any]) -> Portal:
    return opendatasoft_portal(rows, title="P")


def _paged(rows: Sequence[Any]) -> Portal:
    return dcat_portal(rows, title="P", page_size=10)


def _whole(rows: Sequence[Any]) -> Portal:
    return dcat_portal(rows, title="P", hydra="")


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("ckan", "ckan", package, _ckan, 35, _named("id"), options={"page_size": 10}),
        Kind("udata", "udata", listed, _udata, 120, _named("id")),
        Kind("opendatasoft", "opendatasoft", refined, _opendatasoft, 120, _named("dataset_id")),
        Kind("dcat", "dcat", block, _paged, 35, _node, "/catalog.ttl"),
        Kind("rdf-xml", "dcat", block, _whole, 40, _node, "/catalog.rdf"),
        Kind("data-json", "dcat", pod, _pods, 40, _named("identifier"), "/data.json"),
    )
}
