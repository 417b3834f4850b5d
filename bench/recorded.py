"""Recorded payloads of real portals, each turned into a fake portal of its kind that answers with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from harvester import jsonio
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, json_reply

DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
RDF_TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
_RDF = (".rdf", ".xml", ".ttl", ".nt", ".n3", ".trig", ".jsonld", ".nq")
_BELGIAN: dict[str, str] = {
    "title": f"{DCT}title",
    "description": f"{DCT}description",
    "keywords": f"{DCAT}keyword",
    "theme": f"{DCAT}theme",
    "identifier": f"{DCT}identifier",
    "issued": f"{DCT}issued",
    "modified": f"{DCT}modified",
    "periodicity": f"{DCT}accrualPeriodicity",
    "language": f"{DCT}language",
    "landing_page": f"{DCAT}landingPage",
    "access_rights": f"{DCT}accessRights",
    "conforms_to": f"{DCT}conformsTo",
    "publisher": f"{DCT}publisher",
    "contact": f"{DCAT}contactPoint",
    "spatial": f"{DCT}spatial",
    "temporal": f"{DCT}temporal",
    "distributions": f"{DCAT}distribution",
    "access_url": f"{DCAT}accessURL",
    "download_url": f"{DCAT}downloadURL",
    "license": f"{DCT}license",
    "format": f"{DCT}format",
    "media_type": f"{DCAT}mediaType",
    "name": "http://xmlns.com/foaf/0.1/name",
    "startDate": f"{DCAT}startDate",
    "endDate": f"{DCAT}endDate",
}
_BELGIAN_TYPES = {"distributions": "Distribution"}


@dataclass(frozen=True, slots=True)
class Recording:
    """One file as a portal: which connector reads it, at which path, and how many payloads it holds."""

    kind: str
    name: str
    connector: str
    path: str
    payloads: int
    portal: Callable[[], Portal]
    broken: bool = False


def recordings(folder: Path) -> Iterator[Recording]:
    """Every file of the folder that a connector can read, by kind (the name of its subfolder)."""
    for path in sorted(p for p in folder.glob("*/*") if p.is_file()):
        reader = _READERS.get(path.parent.name)
        found = reader(path) if reader else None
        if found is not None:
            yield found


def belgium(file: Path, page_size: int = 500) -> Recording:
    """The catalogue of data.gov.be, kept as JSON lines, as the paged DCAT feed it came from."""

    def portal() -> Portal:
        with gzip.open(file, "rt", encoding="utf-8") as rows:
            return dcat_portal(
                [list(_quads(json.loads(row))) for row in rows], title="data.gov.be", page_size=page_size
            )

    with gzip.open(file, "rt", encoding="utf-8") as rows:
        number = sum(1 for _ in rows)
    return Recording("dcat (data.gov.be)", file.name, "dcat", "/catalog.nt", number, portal)


def _quads(row: dict[str, Any]) -> Iterator[Quad]:
    yield Quad(NamedNode(row["iri"]), RDF_TYPE, NamedNode(f"{DCAT}Dataset"))
    yield from _statements(row)


def _statements(row: dict[str, Any]) -> Iterator[Quad]:
    subject = _node(row["iri"])
    for key, predicate in _BELGIAN.items():
        for number, value in enumerate(_values(row.get(key))):
            if not isinstance(value, dict):
                yield Quad(subject, NamedNode(predicate), _value(value))
                continue
            if "@value" in value:
                yield Quad(subject, NamedNode(predicate), _text(value))
                continue
            inner = {"iri": f"_:{_label(row['iri'], key, number)}"} | value
            yield Quad(subject, NamedNode(predicate), _node(inner["iri"]))
            if key in _BELGIAN_TYPES:
                yield Quad(_node(inner["iri"]), RDF_TYPE, NamedNode(DCAT + _BELGIAN_TYPES[key]))
            yield from _statements(inner)


def _values(found: Any) -> list[Any]:
    if isinstance(found, dict):
        many = [(tag, text) for tag, texts in found.items() for text in (texts if isinstance(texts, list) else [texts])]
        return [{"@value": text, "@language": tag} for tag, text in many]
    return found or []


def _text(value: dict[str, str]) -> Literal:
    return Literal(value["@value"], language=value["@language"]) if value["@language"] else Literal(value["@value"])


def _node(iri: str) -> NamedNode | BlankNode:
    return BlankNode(iri[2:]) if iri.startswith("_:") else NamedNode(iri)


def _value(text: str) -> NamedNode | Literal:
    """An address as one where it is a valid IRI, else as text: both stand in the feed."""
    try:
        return NamedNode(text) if "://" in text else Literal(text)
    except ValueError:
        return Literal(text)


def _label(iri: str, key: str, number: int) -> str:
    return "p" + blake2b(f"{iri} {key} {number}".encode(), digest_size=8).hexdigest()


def _body(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw


def _json(path: Path) -> Any:
    body = _body(path)
    try:
        return [jsonio.loads(line) for line in body.splitlines()] if ".jsonl" in path.name else jsonio.loads(body)
    except ValueError:
        return None


def _inside(value: Any, fits: Callable[[dict[str, Any]], bool], depth: int = 0) -> list[dict[str, Any]]:
    """The dataset objects in an envelope of any shape: the outermost ones that fit."""
    if isinstance(value, dict):
        if fits(value):
            return [value]
        value = list(value.values())
    if not isinstance(value, list) or depth > 4:
        return []
    return [found for inner in value for found in _inside(inner, fits, depth + 1)]


def _is_package(value: dict[str, Any]) -> bool:
    return isinstance(value.get("resources"), list) and "id" in value and ("name" in value or "title" in value)


def _is_udata(value: dict[str, Any]) -> bool:
    return "title" in value and "resources" in value and "slug" in value and "id" in value


def _is_ods(value: dict[str, Any]) -> bool:
    return ("dataset_id" in value or "datasetid" in value) and "metas" in value


def _ckan(path: Path) -> Recording | None:
    value = _json(path)
    found = _inside(value, _is_package)
    listed = isinstance(value, dict) and isinstance(value.get("result"), list) and "package_show" in path.name
    names = [package.get("name") or package["id"] for package in found]

    def portal() -> Portal:
        disabled = ("package_search", "current_package_list_with_resources") if listed else ()
        inner = ckan_portal(found, title=path.stem, show_as_list=listed, disabled=disabled)
        if not listed:
            return inner
        # DKAN lists and shows what it calls private.
        shown = dict(zip(names, found, strict=True))
        return _dkan(inner, shown)

    return Recording("ckan", path.name, "ckan", "", len(found), portal) if found else None


def _dkan(inner: Portal, shown: dict[str, Any]) -> Portal:
    def portal(request: Request) -> Reply:
        if request.path.endswith("/package_list"):
            return json_reply({"success": True, "result": list(shown)})
        if request.path.endswith("/package_show") and request.get("id") in shown:
            return json_reply({"success": True, "result": [shown[request.get("id")]]})
        return inner(request)

    return portal


def _udata(path: Path) -> Recording | None:
    found = {item["id"]: item for item in _inside(_json(path), _is_udata)}
    # Recordings hold archived and private datasets too, shown by their own address; here each is listed.
    open_ones = [item | {"private": False, "archived": None, "deleted": None} for item in found.values()]
    make = lambda: udata_portal(open_ones, title=path.stem)  # noqa: E731
    return Recording("udata", path.name, "udata", "", len(found), make) if found else None


def _opendatasoft(path: Path) -> Recording | None:
    if path.suffix == ".csv":
        return None
    value = _json(path)
    found = _inside(value, _is_ods)
    if not found:
        return None
    if "datasetid" in found[0]:
        return Recording("opendatasoft", path.name, "opendatasoft", "", len(found), lambda: _ods_v1(found))
    versions = ("v2.0",) if isinstance(value, dict) and "datasets" in value else ("v2.1",)
    make = lambda: opendatasoft_portal(found, title=path.stem, versions=versions)  # noqa: E731
    return Recording("opendatasoft", path.name, "opendatasoft", "", len(found), make)


def _ods_v1(found: list[dict[str, Any]]) -> Portal:
    def portal(request: Request) -> Reply:
        if request.path.rstrip("/") != "/api/datasets/1.0/search":
            return Reply(404, b'{"error": "not found"}')
        start, rows = int(request.get("start", "0")), int(request.get("rows", "10"))
        return json_reply(
            {"nhits": len(found), "parameters": {}, "datasets": found[start:][: rows if rows >= 0 else None]}
        )

    return portal


def _feed(path: Path) -> Recording:
    body, address = path.read_bytes(), f"/{path.name}"
    kind = path.parent.name

    def portal() -> Portal:
        return lambda request: (
            Reply(200, body, "") if request.path == address else Reply(404, b"not found", "text/plain")
        )

    return Recording(kind, path.name, "dcat", address, 1, portal)


_ERROR_CONNECTORS = {"ods": "opendatasoft", "datagouv": "udata"}
_STATUSES = ("302", "400", "401", "403", "404", "429")


def _error(path: Path) -> Recording:
    connector = next((name for key, name in _ERROR_CONNECTORS.items() if key in path.name), "ckan")
    status = next((int(code) for code in _STATUSES if f"-{code}" in path.name), 200)
    # An exhausted quota is not waited for here: what counts is that it is understood.
    status = 403 if status == 429 else status
    body = path.read_bytes()
    return Recording("errors", path.name, connector, "", 1, lambda: lambda request: Reply(status, body), broken=True)


def _edge(path: Path) -> Recording | None:
    if path.suffix in _RDF and "csw" not in path.name:
        return _feed(path)
    for reader in (_ckan, _opendatasoft, _udata):
        if found := reader(path):
            return replace(found, kind=path.parent.name)
    value = _json(path)
    return _feed(path) if isinstance(value, dict) and ("dataset" in value or "@graph" in value) else None


_READERS: dict[str, Callable[[Path], Recording | None]] = {
    "ckan": _ckan,
    "udata": _udata,
    "opendatasoft": _opendatasoft,
    "dcat-rdfxml": _feed,
    "dcat-turtle": _feed,
    "dcat-jsonld": _feed,
    "data-json": _feed,
    "edge-fixtures": _edge,
    "errors": _error,
}
