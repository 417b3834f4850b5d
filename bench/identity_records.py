"""Records of labelled sets, whatever their shape, as datasets: parsed DCAT-AP, udata, and flat lines of other tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from connectors import udata
from harvester.connector import Source
from harvester.errors import RecordError
from harvester.identity.signs import Signs, signs_of
from harvester.model import Dataset

_IDS = ("iri", "id", "_id", "guid", "uri", "identifier")
_SIDES = (
    ("a", "b"),
    ("left", "right"),
    ("id_a", "id_b"),
    ("a_id", "b_id"),
    ("iri_a", "iri_b"),
    ("record_a", "record_b"),
    ("id1", "id2"),
    ("first", "second"),
    ("source", "target"),
)
_RELATIONS = {
    "same": "same", "duplicate": "same", "match": "same", "identical": "same", "equal": "same",
    "related": "related", "version": "related", "series": "related", "part": "related", "probable": "related",
    "different": "different", "distinct": "different", "none": "different", "unrelated": "different",
}  # fmt: skip
_TRUE = frozenset(("1", "true", "yes", "1.0"))


@dataclass(frozen=True, eq=False)
class Known:
    """The signs of a record, and the portal it came from, where that is told."""

    signs: Signs
    source: str


def labelled(pair: Mapping[str, Any]) -> str | None:
    """What a pair is labelled: same, related, different; None where it is not."""
    for key in ("relation", "decision", "verdict", "label", "same", "match", "is_duplicate"):
        said = str(pair.get(key, "")).strip().lower()
        if said in _RELATIONS:
            return _RELATIONS[said]
        if said and key != "relation":
            return "same" if said in _TRUE else "different"
    return None


def named(pair: Mapping[str, Any]) -> list[Any]:
    """The two sides of a pair: ids, or whole records."""
    for left, right in _SIDES:
        if left in pair and right in pair:
            return [_side(pair, left), _side(pair, right)]
    return ["", ""]


def _side(pair: Mapping[str, Any], key: str) -> Any:
    side = pair[key]
    source = pair.get(f"source_{key}", pair.get(f"{key}_source"))
    if isinstance(side, dict):
        # A reference has ids alone; a record says more.
        if "title" in side or "description" in side:
            return side
        return next(record_ids(side), "")
    if isinstance(side, list):
        return "\x00".join(map(str, side))
    return f"{source}\x00{side}" if source else str(side)


def record_ids(raw: Mapping[str, Any]) -> Iterator[str]:
    """Every name under which pairs may know a record, the surest first."""
    for key in _IDS:
        values = raw.get(key)
        for value in values if isinstance(values, list) else (values,):
            if isinstance(value, (str, int)) and value != "":
                if source := raw.get("source") or raw.get("portal") or raw.get("_portal"):
                    yield f"{source}\x00{value}"
                yield str(value)


def signs_from(raw: Mapping[str, Any], hide: bool) -> Known:
    """The signs of a record; without any address in it when those are to be hidden."""
    source = _portal(raw)
    dataset = _dataset(raw)
    if hide:
        return Known(signs_of(_hidden(dataset), guid="", source_url=""), source)
    address = next((url for url in (source, raw.get("iri"), raw.get("id")) if _host(url)), "")
    guid = str(next(record_ids(raw), ""))
    return Known(signs_of(dataset, guid=guid, source_url=str(address)), source)


def _portal(raw: Mapping[str, Any]) -> str:
    """The portal that a record is of; "" where a set names only where it got many portals' records from."""
    if portal := raw.get("_portal") or raw.get("portal"):
        return str(portal)
    return next(filter(None, (_host(raw.get(key)) for key in ("iri", "id", "source"))), "")


def _host(url: Any) -> str:
    try:
        return urlsplit(url).netloc if isinstance(url, str) else ""
    except ValueError:
        return ""


def _dataset(raw: Mapping[str, Any]) -> Dataset:
    whole = "resources" in raw and "slug" in raw and not isinstance(raw.get("organization"), str)
    plain = _udata(raw) if whole else _flat(raw)
    try:
        return plain if isinstance(plain, Dataset) else Dataset.of(plain)
    except RecordError:
        return Dataset.of({"identifier": "without-a-name"})


def _udata(raw: Mapping[str, Any]) -> Dataset:
    return udata.normalise(udata.record_of(dict(raw)), Source("bench", "https://www.data.gouv.fr/"))


def _first(raw: Mapping[str, Any], *keys: str) -> Any:
    return next((raw[key] for key in keys if raw.get(key) not in (None, "", [], {})), None)


def _flat(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Flat and parsed DCAT shapes, by the names that their fields usually have."""
    found = {
        "uri": _first(raw, "iri", "uri"),
        "identifier": _first(raw, "identifier", "identifiers"),
        "other_identifier": [{"notation": each} for each in _list(raw.get("adms_identifier")) if isinstance(each, str)],
        "title": _first(raw, "title", "name"),
        "description": _first(raw, "description", "notes", "abstract"),
        "keyword": _first(raw, "keywords", "keyword", "tags"),
        "theme": _first(raw, "theme", "themes"),
        "publisher": _agent(_first(raw, "publisher", "organization", "organisation", "owner")),
        "creator": [_agent(each) for each in _list(raw.get("creator"))],
        "landing_page": _list(_first(raw, "landing_page", "landingPage", "url")),
        "issued": _one(_first(raw, "issued", "created_at", "created")),
        "modified": _one(_first(raw, "modified", "last_modified", "updated")),
        "language": _list(_first(raw, "language")),
        "spatial": _places(raw),
        "temporal": _periods(_first(raw, "temporal", "temporal_coverage")),
        "version": _first(raw, "version"),
        "distribution": [_file(each) for each in _list(_first(raw, "distributions", "distribution", "resources"))],
    }
    return {key: value for key, value in found.items() if value not in (None, "", [], {})}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def _one(value: Any) -> Any:
    return next(iter(_list(value)), None)


def _agent(said: Any) -> Any:
    said = _one(said)
    if isinstance(said, str):
        # Several names of one organisation stand beside each other in some sets.
        parts = [part.strip() for part in said.split(" ; ") if part.strip()]
        return {"name": parts[0] if len(parts) == 1 else {f"x-{n}": part for n, part in enumerate(parts)}}
    if not isinstance(said, Mapping):
        return None
    names = _first(said, "name", "title")
    if isinstance(names, Mapping):
        names = {f"{tag or 'und'}-x-{n}": text for tag, all_ in names.items() for n, text in enumerate(_list(all_))}
    return {
        "uri": _first(said, "iri", "uri"),
        "name": names or {},
        "identifier": said.get("identifier"),
        "email": _one(said.get("email")),
        "homepage": _one(_first(said, "homepage", "page")),
    }


def _places(raw: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = []
    for spot in _list(raw.get("spatial")):
        if isinstance(spot, Mapping):
            name = _first(spot, "iri", "uri", "label", "name", "place")
            zones = _list(spot.get("zones"))
            found += [{"place": each} for each in ([name] if name else zones)]
            if box := _first(spot, "bbox", "geometry", "geom"):
                found.append({"bbox": box} if isinstance(box, list) else {"geometry": box})
        else:
            found.append({"place": spot})
    if box := _first(raw, "bbox", "envelope"):
        found.append({"bbox": box})
    return found


def _periods(said: Any) -> list[Any]:
    found = []
    for each in _list(said):
        if isinstance(each, Mapping):
            found.append({"start": _one(each.get("start")), "end": _one(each.get("end"))})
        elif isinstance(each, str):
            start, _, end = each.partition("/") if "/" in each else each.partition(" to ")
            found.append({"start": start, "end": end or start})
    return found


def _file(said: Any) -> Any:
    if isinstance(said, str):
        return {"access_url": said}
    if not isinstance(said, Mapping):
        return None
    return {
        "uri": said.get("iri"),
        "title": said.get("title") or {},
        "access_url": _list(_first(said, "access_url", "accessURL", "url")),
        "download_url": _list(_first(said, "download_url", "downloadURL")),
        "format": _one(said.get("format")),
        "byte_size": _one(_first(said, "byte_size", "filesize", "size")),
        "checksum": _checksum(said.get("checksum")),
    }


def _checksum(said: Any) -> Any:
    if not isinstance(said, Mapping):
        return None
    return {"algorithm": _first(said, "algorithm", "type"), "value": said.get("value")}


def _hidden(dataset: Dataset) -> Dataset:
    """The dataset without addresses: of its pages, files, agents, relations, and identifiers that are addresses."""
    files = tuple(
        part.model_copy(update={"uri": None, "access_url": (), "download_url": (), "page": (), "access_service": ()})
        for part in dataset.distribution
    )
    return dataset.model_copy(
        update={
            "uri": None,
            "identifier": tuple(name for name in dataset.identifier if "/" not in name),
            "other_identifier": tuple(name for name in dataset.other_identifier if "/" not in (name.notation or "/")),
            "landing_page": (),
            "page": (),
            "distribution": files,
            "service": (),
            "source": (),
            "relation": (),
        }
    )
